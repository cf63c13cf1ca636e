// The steps of a connection test. Each uses only what its forerunners proved.
#include "engine/connection_check.hpp"

#include <algorithm>
#include <array>

#include <nlohmann/json.hpp>

#include "connect/http/address.hpp"
#include "crypto/digest.hpp"
#include "engine/intune.hpp"

namespace pfx::engine {
namespace {

namespace intune = connect::intune;

constexpr std::string_view challenge_role = "scep_challenge_provider";
constexpr std::size_t token_claims_bytes_max = 64u << 10;

/// What administrators can do about an answer, by what stands in it.
struct remedy {
  std::string_view sign;
  std::string_view advice;
};
constexpr std::array remedies{
  remedy{"AADSTS7000215", "the secret is wrong: copy its value, not its id, from the portal"},
  remedy{"AADSTS7000222", "the secret has ended: make another one and put it beside this one"},
  remedy{"AADSTS700027", "upload the certificate to the app registration"},
  remedy{"AADSTS700016", "look at clientId and tenant: the tenant has no such application"},
  remedy{"AADSTS90002", "look at tenant: there is none of this name in this cloud"},
  remedy{
    "AADSTS500011",
    "the tenant does not know Intune's resource: is it licensed, is cloud (or resourceUrl) the "
    "right one?"},
};

std::string advice_for(const error& what) {
  const auto said = to_string(what);
  for (const auto& one : remedies)
    if (said.find(one.sign) != std::string::npos)
      return std::string(one.advice);
  if (what.field == "proxy" || what.field.starts_with("proxy."))
    return what.code == errc::unauthorized
      ? "look at intune.proxy.userFile, and at who answers at intune.proxy.url"
      : "look at intune.proxy.url, and let the proxy pass these hosts";
  if (what.field == "server")
    return "somebody stands between: TLS to these hosts must not be inspected; or "
           "intune.trustedRootsFile lacks the root";
  switch (what.code) {
    case errc::unavailable:
    case errc::unknown_outcome:
      return "look at name resolution, firewall and proxy on this machine";
    case errc::unauthorized:
      return "look at the application's credentials in the portal";
    case errc::policy:
      return "an address lies outside the cloud's domains: intune.serviceDomains can allow it";
    default:
      return "look at the section intune of the configuration";
  }
}

class inspection {
public:
  explicit inspection(const intune_settings& from) : from_(from) {}

  connection_report run() {
    if (read_settings() && open()) {
      say_proxy();
      bool let_in = false;
      for (std::size_t i = 0; i < from_.credentials.size(); ++i)
        let_in = sign_in(i) || let_in;
      if (let_in && roles() && graph_token() && discovery())
        for (const auto& place : places_)
          reach(place);
    }
    return std::move(report_);
  }

private:
  connection_step& add(std::string name, std::string tried) {
    return report_.steps.emplace_back(
      connection_step{std::move(name), std::move(tried), step_outcome::passed, {}, {}, errc::none});
  }
  static bool fail(connection_step& at, const error& what, std::string advice = {}) {
    at.outcome = step_outcome::failed;
    at.found = printable(to_string(what), 600);
    at.advice = advice.empty() ? advice_for(what) : std::move(advice);
    at.code = what.code;
    return false;
  }
  static bool fail(connection_step& at, const intune::call_error& what, std::string advice = {}) {
    fail(at, what.what, std::move(advice));
    if (what.status != 0)
      at.found += " (HTTP " + std::to_string(what.status) + ")";
    if (!what.request_id.empty())
      at.found += " client-request-id=" + what.request_id;
    return false;
  }

  bool read_settings() {
    auto& step = add("settings", "the files that the section intune names");
    auto read = detail::connection_settings_of(from_);
    if (!read)
      return fail(step, read.error(), "run `pfxengine config check`");
    where_ = read->where;
    step.found = std::to_string(read->credentials.size()) + " credentials are there";
    return true;
  }
  /// Every client of its own, so that no step rests on what another one kept.
  result<std::unique_ptr<intune::connection>> connect(std::size_t only) {
    auto read = detail::connection_settings_of(from_);
    if (!read)
      return failure(read.error());
    if (only < read->credentials.size()) {
      auto one = std::move(read->credentials[only]);
      read->credentials.clear();
      read->credentials.push_back(std::move(one));
    }
    return intune::connection::make(std::move(*read));
  }
  bool open() {
    auto made = connect(SIZE_MAX);
    if (made) {
      all_ = std::move(*made);
      return true;
    }
    return fail(report_.steps.back(), made.error());
  }
  void say_proxy() {
    auto& step = add("proxy", from_.proxy ? "through " + from_.proxy->url : "none is configured");
    step.outcome = from_.proxy ? step_outcome::passed : step_outcome::skipped;
    step.found = from_.proxy
      ? (from_.proxy->user_file.empty() ? "without a name" : "with the name in its userFile")
      : "calls go out directly; what the environment says is not asked";
  }
  bool sign_in(std::size_t which) {
    auto& step = add("sign-in",
                     "a token for " + intune::intune_scope(where_) + " at " + where_.login
                       + " with intune.credentials[" + std::to_string(which) + "]");
    auto made = connect(which);
    if (!made)
      return fail(step, made.error());
    auto token = (*made)->tokens().token(intune::intune_scope(where_));
    if (!token)
      return fail(step, token.error());
    step.found = "accepted";
    const auto states = (*made)->tokens().credentials();
    if (!states.empty() && states.front().expires)
      step.found += "; ends at " + to_rfc3339(*states.front().expires);
    token_ = std::move(*token);
    return true;
  }
  /// A token says what it may, if it is one that can be read. What we cannot read is no fault.
  bool roles() {
    auto& step = add("permissions", "the roles in the token for Intune");
    step.outcome = step_outcome::skipped;
    const auto text = token_->text();
    const auto dot = text.find('.');
    const auto end = dot == std::string_view::npos ? dot : text.find('.', dot + 1);
    step.found = "the token cannot be read here; the service alone knows";
    if (end == std::string_view::npos || end - dot > token_claims_bytes_max)
      return true;
    std::string part(text.substr(dot + 1, end - dot - 1)); // base64url, RFC 7515 2
    std::ranges::replace(part, '-', '+');
    std::ranges::replace(part, '_', '/');
    part.append((4 - part.size() % 4) % 4, '=');
    const auto octets = crypto::from_base64(part);
    if (!octets)
      return true;
    const auto claims = nlohmann::json::parse(to_text(*octets), nullptr, false);
    if (!claims.is_object() || !claims.contains("aud"))
      return true;
    step.outcome = step_outcome::passed;
    const auto found = claims.find("roles");
    if (found != claims.end() && found->is_array()
        && std::ranges::count(*found, nlohmann::json(challenge_role)) > 0) {
      step.found = "the application is a " + std::string(challenge_role);
      return true;
    }
    return fail(
      step, error{errc::unauthorized, "roles", "the token lacks the role scep_challenge_provider"},
      "grant the application permission scep_challenge_provider of Intune, with an "
      "administrator's consent; after that it takes some minutes");
  }
  bool graph_token() {
    auto& step = add("graph token", "a token for " + intune::graph_scope(where_));
    auto token = all_->tokens().token(intune::graph_scope(where_));
    if (!token)
      return fail(step, token.error());
    step.found = "accepted";
    return true;
  }
  bool discovery() {
    auto& step
      = add("discovery", "the addresses of both Intune services, asked of " + where_.graph);
    auto found = all_->probe();
    if (!found)
      return fail(step, found.error(),
                  found.error().status == 403
                    ? "grant the application permission Application.Read.All of Microsoft Graph, "
                      "with an administrator's consent"
                    : found.error().what.code == errc::not_found
                    ? "the tenant has no such service: is Intune licensed?"
                    : "");
    for (const auto& one : *found) {
      step.found += (step.found.empty() ? "" : ", ") + one.uri;
      const auto read = connect::http::parse_address(one.uri, "uri");
      if (read && std::ranges::count(places_, read->origin()) == 0)
        places_.push_back(read->origin());
    }
    return true;
  }
  /// Name, network, proxy and TLS of a service's host, without a token and without a call of its
  /// protocol: whatever it answers, it is there.
  void reach(const std::string& origin) {
    auto& step = add("reach", "a TLS connection to " + origin);
    auto read = detail::connection_settings_of(from_);
    if (!read)
      return (void)fail(step, read.error());
    auto over = intune::make_web(std::move(read->network));
    if (!over)
      return (void)fail(step, over.error());
    const auto answer = (*over)->send({.url = origin + "/"});
    if (!answer)
      return (void)fail(step, answer.error());
    step.found = "its certificate is right";
  }

  const intune_settings& from_;
  connection_report report_;
  intune::cloud where_;
  std::unique_ptr<intune::connection> all_;
  intune::bearer token_;
  std::vector<std::string> places_;
};

} // namespace

std::string_view name_of(step_outcome value) noexcept {
  switch (value) {
    case step_outcome::passed:
      return "passed";
    case step_outcome::failed:
      return "failed";
    case step_outcome::skipped:
      return "skipped";
  }
  return "unknown";
}

bool connection_report::passed() const noexcept { return first_fault() == errc::none; }

/// A credential that is refused is no fault while another one is taken: that is what several are
/// for. It is told all the same.
errc connection_report::first_fault() const noexcept {
  const auto signed_in = [](const connection_step& one) {
    return one.name == "sign-in" && one.outcome == step_outcome::passed;
  };
  const bool let_in = std::ranges::any_of(steps, signed_in);
  for (const auto& one : steps)
    if (one.outcome == step_outcome::failed && !(let_in && one.name == "sign-in"))
      return one.code;
  return errc::none;
}

connection_report test_connection(const configuration& settings) {
  if (!settings.intune) {
    return {{{"settings", "the section intune of the configuration", step_outcome::failed,
              "there is none", "write the section; `pfxengine config doc` tells what goes into it",
              errc::bad_input}}};
  }
  return inspection(*settings.intune).run();
}

std::string to_json(const connection_report& value) {
  using nlohmann::ordered_json;
  ordered_json out{{"passed", value.passed()}, {"steps", ordered_json::array()}};
  for (const auto& one : value.steps)
    out["steps"].push_back({{"name", one.name},
                            {"tried", one.tried},
                            {"outcome", name_of(one.outcome)},
                            {"found", one.found},
                            {"advice", one.advice}});
  return out.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

} // namespace pfx::engine
