// Who gets a token, and for how long.
#include "sandbox/intune/token_desk.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "crypto/digest.hpp"
#include "crypto/random.hpp"
#include "sandbox/intune/assertion.hpp"

namespace pfx::sandbox {

namespace {

constexpr const char* jwt_bearer = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
constexpr std::string_view default_scope = "/.default";

std::string field(const std::map<std::string, std::string>& form, const char* name) {
  const auto at = form.find(name);
  return at == form.end() ? std::string() : at->second;
}

oauth_refusal missing(const char* name) {
  return {400, "invalid_request", 900144,
          std::string("The request body must contain the following parameter: '") + name + "'."};
}

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return text;
}

bool equal(const std::string& left, const std::string& right) {
  return equal_constant_time(as_bytes(left), as_bytes(right));
}

} // namespace

void token_desk::open(std::vector<std::string> bases) {
  const std::scoped_lock lock(mutex_);
  bases_ = std::move(bases);
}

std::vector<std::string> token_desk::audiences() const {
  const std::scoped_lock lock(mutex_);
  std::vector<std::string> out;
  for (const auto& base : bases_) {
    out.push_back(base + "/" + options_.tenant + "/oauth2/v2.0/token");
    out.push_back(base + "/" + options_.tenant + "/v2.0");
  }
  return out;
}

/// The resource, a slash, ".default": the resource of Intune ends with a slash itself, so that its
/// scope has two. With one it is another resource, which is in no tenant.
token_resource token_desk::resource_of(const std::string& scope) const {
  if (scope == options_.intune_resource + std::string(default_scope)) {
    return token_resource::intune;
  }
  const std::scoped_lock lock(mutex_);
  const bool own = std::ranges::any_of(
    bases_, [&](const std::string& base) { return scope == base + std::string(default_scope); });
  return own || scope == options_.graph_resource + std::string(default_scope)
    ? token_resource::graph
    : token_resource::none;
}

token_decision token_desk::grant(const std::string& tenant, const server_request& request,
                                 unix_ms now) {
  token_decision out;
  const auto refuse = [&](const oauth_refusal& what) {
    out.why = "AADSTS" + std::to_string(what.aadsts) + ": " + what.text;
    out.answer = as_response(what, now);
    return out;
  };
  if (lower(tenant) != lower(options_.tenant)) {
    return refuse({400, "invalid_request", 90002, "Tenant '" + printable(tenant) + "' not found."});
  }
  const auto form = read_form(request.body);
  if (!form || !header(request, "content-type").starts_with("application/x-www-form-urlencoded")) {
    return refuse(missing("grant_type"));
  }
  out.scope = field(*form, "scope");
  const auto type = field(*form, "grant_type");
  if (type != "client_credentials") {
    return refuse(type.empty() ? missing("grant_type")
                               : oauth_refusal{400, "unsupported_grant_type", 70003,
                                               "The app requested an unsupported grant type."});
  }
  if (auto wrong = refuse_client(*form, now, out.by)) {
    return refuse(*wrong);
  }
  if (out.scope.empty()) {
    return refuse(missing("scope"));
  }
  if (!out.scope.ends_with(default_scope) || out.scope.find(' ') != std::string::npos) {
    return refuse({400, "invalid_scope", 1002012,
                   "The provided value for scope is not valid. Client credential flows must have "
                   "a scope value with /.default suffixed to the resource identifier."});
  }
  const auto resource = resource_of(out.scope);
  if (resource == token_resource::none) {
    return refuse(
      {400, "invalid_resource", 500011, "The resource principal was not found in the tenant."});
  }
  const nlohmann::ordered_json body = {{"token_type", "Bearer"},
                                       {"expires_in", options_.life_ms / 1000},
                                       {"ext_expires_in", options_.life_ms / 1000},
                                       {"access_token", new_token(resource, now)}};
  out.answer.headers["Cache-Control"] = "no-store, no-cache";
  out.answer.body = body.dump();
  return out;
}

std::optional<oauth_refusal> token_desk::refuse_client(const form_fields& fields, unix_ms now,
                                                       std::string& by) {
  if (field(fields, "client_id").empty()) {
    return missing("client_id");
  }
  if (lower(field(fields, "client_id")) != lower(options_.client_id)) {
    return oauth_refusal{400, "unauthorized_client", 700016,
                         "The application was not found in the directory."};
  }
  const auto secret = field(fields, "client_secret");
  const auto assertion = field(fields, "client_assertion");
  if (secret.empty() == assertion.empty()) {
    return oauth_refusal{401, "invalid_client", 7000218,
                         "The request body must contain one of the following parameters: "
                         "'client_assertion' or 'client_secret'."};
  }
  by = secret.empty() ? "certificate" : "secret";
  if (!secret.empty()) {
    return equal(secret, options_.secret)
      ? std::nullopt
      : std::optional(
        oauth_refusal{401, "invalid_client", 7000215, "Invalid client secret provided."});
  }
  if (field(fields, "client_assertion_type") != jwt_bearer) {
    return oauth_refusal{400, "invalid_request", 7000214, "The client assertion type is unknown."};
  }
  return refuse_assertion(assertion, now);
}

std::optional<oauth_refusal> token_desk::refuse_assertion(const std::string& text, unix_ms now) {
  const auto invalid = [](int code, std::string why) {
    return oauth_refusal{401, "invalid_client", code, std::move(why)};
  };
  const auto claims = verify_assertion(text, options_.certificate);
  if (!claims) {
    return claims.error().code == errc::bad_input
      ? invalid(50027, "JWT token is invalid or malformed.")
      : invalid(700027,
                "The certificate with identifier used to sign the client assertion is not "
                "registered on application, or its signature is invalid: "
                  + claims.error().field + ".");
  }
  const auto known = audiences();
  if (claims->audiences.size() != 1
      || std::ranges::find(known, claims->audiences.front()) == known.end()) {
    return invalid(700023, "Client assertion audience claim does not match Realm issuer.");
  }
  if (lower(claims->issuer) != lower(options_.client_id)
      || lower(claims->subject) != lower(options_.client_id)) {
    return invalid(700021, "Client assertion application identifier does not match 'client_id'.");
  }
  const auto second = now / 1000;
  const bool begun = claims->not_before <= second + skew_s && claims->issued_at <= second + skew_s;
  const bool open = claims->expires > second - skew_s
    && claims->expires <= second + assertion_life_s_max + skew_s;
  if (!begun || !open) {
    return invalid(700024, "Client assertion is not within its valid time range.");
  }
  return options_.assertions_again && !claims->id.empty()
    ? std::nullopt
    : used_before(claims->id, (claims->expires + skew_s) * 1000, now);
}

std::optional<oauth_refusal> token_desk::used_before(const std::string& id, unix_ms end,
                                                     unix_ms now) {
  const std::scoped_lock lock(mutex_);
  if (ids_.size() >= ids_max) {
    std::erase_if(ids_, [now](const auto& one) { return one.second < now; });
  }
  if (id.empty() || id.size() > 256 || ids_.size() >= ids_max || !ids_.emplace(id, end).second) {
    return oauth_refusal{401, "invalid_client", 50027,
                         id.empty() ? "JWT token is invalid: it has no jti."
                                    : "JWT token is invalid: its jti was used before."};
  }
  return std::nullopt;
}

std::string token_desk::new_token(token_resource resource, unix_ms now) {
  constexpr std::size_t octets = 96;
  const auto secret = crypto::random_secret(octets);
  auto out = "sandbox." + crypto::to_base64url(secret.view());
  const std::scoped_lock lock(mutex_);
  std::erase_if(tokens_, [now](const auto& one) { return one.second.end <= now; });
  if (tokens_.size() >= tokens_max) {
    tokens_.erase(
      std::ranges::min_element(tokens_, {}, [](const auto& one) { return one.second.end; }));
  }
  tokens_[crypto::sha256(as_bytes(out))] = {resource, now + options_.life_ms};
  return out;
}

std::string token_desk::wrong_with(const server_request& call, token_resource needed, unix_ms now) {
  constexpr std::string_view scheme = "Bearer ";
  const auto given = header(call, "authorization");
  if (!given.starts_with(scheme)) {
    return "no bearer token";
  }
  const std::scoped_lock lock(mutex_);
  const auto at = tokens_.find(crypto::sha256(as_bytes(given.substr(scheme.size()))));
  if (at == tokens_.end()) {
    return "an unknown token";
  }
  if (at->second.end <= now) {
    return "a token that has ended";
  }
  return at->second.resource == needed ? "" : "a token for another resource";
}

void token_desk::end_all() {
  const std::scoped_lock lock(mutex_);
  tokens_.clear();
}

} // namespace pfx::sandbox
