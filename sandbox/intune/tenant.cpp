// Paths, tokens and the list of services; what is behind them is in tenant_calls.cpp.
#include "sandbox/intune/tenant.hpp"

#include <algorithm>
#include <array>

#include <nlohmann/json.hpp>

#include "crypto/random.hpp"
#include "sandbox/hostile_desk.hpp"

namespace pfx::sandbox {

using json = nlohmann::ordered_json;

namespace {

constexpr std::size_t page_max = 2; ///< of an odd list of services
constexpr std::string_view services_prefix = "/RACerts/";
constexpr std::string_view scep_service = "/RACerts/StatelessScepRequestValidationService";
/// Its slash at the end is as real as that of nobody else.
constexpr std::string_view revocation_service = "/RACerts/StatelessPkiConnectorService/";

/// Without the query, and with one slash where there are several.
std::string plain_path(std::string_view target) {
  std::string out;
  for (const char c : target.substr(0, target.find('?'))) {
    if (c != '/' || out.empty() || out.back() != '/') {
      out += c;
    }
  }
  return out;
}

/// "/v1.0/servicePrincipals/appId=…/endpoints" and "/v1.0/servicePrincipals(appId='…')/endpoints".
std::string app_of(const std::string& path) {
  for (const std::string_view version : {"/v1.0/", "/beta/"}) {
    for (const auto& [head, tail] : {std::pair("servicePrincipals/appId=", "/endpoints"),
                                     std::pair("servicePrincipals(appId='", "')/endpoints")}) {
      const auto start = std::string(version) + head;
      if (path.starts_with(start) && path.ends_with(tail)
          && path.size() > start.size() + std::string_view(tail).size()) {
        return path.substr(start.size(),
                           path.size() - start.size() - std::string_view(tail).size());
      }
    }
  }
  return {};
}

constexpr std::string_view token_tail = "/oauth2/v2.0/token";
constexpr std::string_view metadata_tail = "/v2.0/.well-known/openid-configuration";

std::string tenant_of(const std::string& path, std::string_view tail) {
  return path.ends_with(tail) && path.size() > tail.size() + 1
    ? path.substr(1, path.size() - tail.size() - 1)
    : std::string();
}

json entry(const std::string& name, const std::string& uri) {
  return {{"id", crypto::random_uuid()},  {"deletedDateTime", nullptr}, {"capability", name},
          {"providerId", intune_app_id},  {"providerName", name},       {"uri", uri},
          {"providerResourceId", nullptr}};
}

/// The services of the tenant, and others that nobody asks for.
std::vector<json> directory(const std::string& base, bool odd) {
  const auto at = [&](std::string_view path) { return base + std::string(path); };
  std::vector<json> out
    = {entry("DeviceEnrollmentFEService", at("/DeviceEnrollmentFE")),
       entry(odd ? "SCEPREQUESTVALIDATIONFESERVICE" : "ScepRequestValidationFEService",
             at(scep_service))};
  if (odd) {
    out.push_back(entry("StatelessUserFEService", at("/StatelessUserFE")));
  }
  out.push_back(
    entry(odd ? "pkiconnectorfeservice" : "PkiConnectorFEService", at(revocation_service)));
  if (odd) { // the first of two counts
    out.push_back(entry("PkiConnectorFEService", "https://localhost:1/RACerts/Moved"));
  }
  return out;
}

std::size_t skipped(std::string_view target) {
  constexpr std::string_view name = "$skiptoken=";
  const auto at = target.find(name);
  std::size_t out = 0;
  for (auto next = at + name.size(); at != std::string_view::npos && next < target.size()
       && target[next] >= '0' && target[next] <= '9' && out < 1'000;
       ++next) {
    out = out * 10 + static_cast<std::size_t>(target[next] - '0');
  }
  return out;
}

} // namespace

std::string tenant_call_of(std::string_view target) {
  const auto path = plain_path(target);
  if (!tenant_of(path, token_tail).empty()) {
    return token_call;
  }
  if (!tenant_of(path, metadata_tail).empty()) {
    return metadata_call;
  }
  if (!app_of(path).empty()) {
    return endpoints_call;
  }
  for (const auto& [prefix, names] :
       {std::pair(scep_service,
                  std::array{scep_validate_call, scep_success_call, scep_failure_call}),
        std::pair(revocation_service.substr(0, revocation_service.size() - 1),
                  std::array{download_call, upload_call, upload_call})}) {
    for (const auto* name : names) {
      if (path == std::string(prefix) + "/" + name) {
        return name;
      }
    }
  }
  return {};
}

intune_tenant::intune_tenant(tenant_options options, journal& log)
    : options_(std::move(options)), log_(log), sign_in_(options_.sign_in), scep_(options_.scep),
      queue_(options_.queue), plan_(options_.plan) {}

void intune_tenant::open(std::vector<std::string> bases) {
  sign_in_.open(bases);
  const std::scoped_lock lock(mutex_);
  bases_ = std::move(bases);
}

std::string intune_tenant::base() const {
  const std::scoped_lock lock(mutex_);
  return bases_.empty() ? std::string() : bases_.front();
}

bool intune_tenant::quiet() const {
  const auto now = counts();
  return now.open == 0 && now.redelivery_open == 0;
}

queue_counts intune_tenant::counts() const {
  const std::scoped_lock lock(mutex_);
  return queue_.counts();
}

server_response intune_tenant::handle(const server_request& request) {
  const auto name = tenant_call_of(request.target);
  if (name.empty()) {
    return service_refusal(404, request);
  }
  if (base().empty()) {
    return service_refusal(503, request, 1'000);
  }
  const call of{request, name,
                options_.faults == nullptr ? drawn_fault()
                                           : options_.faults->draw(fault_layer::desk, name)};
  const auto* wanted = name == endpoints_call || name == metadata_call ? "GET" : "POST";
  if (request.method != wanted) {
    auto out = service_refusal(405, request);
    out.headers["Allow"] = wanted;
    return out;
  }
  if (of.fault.is(fault_kind::tokens_end)) {
    options_.faults->note(of.fault);
    sign_in_.end_all();
  }
  auto answer = name == token_call ? token(of)
    : name == metadata_call        ? metadata(of)
    : name == endpoints_call       ? endpoints(of)
                                   : service(of);
  return spoiled(of, after_sync(of, std::move(answer)));
}

server_response intune_tenant::after_sync(const call& of, server_response answer) {
  if (const auto synced = log_.sync(); !synced) {
    return service_refusal(503, of.request, 1'000);
  }
  const auto id = header(of.request, "client-request-id");
  if (!id.empty() && printable(id, 64) == id) {
    answer.headers["client-request-id"] = id;
  }
  answer.headers["request-id"] = crypto::random_uuid();
  return answer;
}

server_response intune_tenant::refuse(const call& of, int status, const std::string& why) {
  log_.append(line("tenant_refused")
                .text("call", of.name)
                .number("status", status)
                .text("request_id", printable(header(of.request, "client-request-id"), 64))
                .text("why", printable(why, 300)));
  return service_refusal(status, of.request);
}

server_response intune_tenant::token(const call& of) {
  auto out = sign_in_.grant(tenant_of(plain_path(of.request.target), token_tail), of.request,
                            system_clock().wall());
  log_.append(line("token_asked")
                .flag("given", out.why.empty())
                .text("by", out.by)
                .text("scope", printable(out.scope, 300))
                .text("why", printable(out.why, 300)));
  return std::move(out.answer);
}

server_response intune_tenant::metadata(const call& of) {
  const auto tenant = tenant_of(plain_path(of.request.target), metadata_tail);
  if (tenant != options_.sign_in.tenant) {
    return as_response({400, "invalid_tenant", 90002, "Tenant not found."}, system_clock().wall());
  }
  const auto home = base() + "/" + tenant;
  server_response out;
  out.body = json{{"issuer", home + "/v2.0"},
                  {"token_endpoint", home + std::string(token_tail)},
                  {"authorization_endpoint", home + "/oauth2/v2.0/authorize"},
                  {"jwks_uri", home + "/discovery/v2.0/keys"},
                  {"token_endpoint_auth_methods_supported",
                   json::array({"client_secret_post", "private_key_jwt"})},
                  {"response_types_supported", json::array({"code"})},
                  {"subject_types_supported", json::array({"pairwise"})},
                  {"id_token_signing_alg_values_supported", json::array({"RS256"})}}
               .dump();
  return out;
}

server_response intune_tenant::endpoints(const call& of) {
  const auto why = sign_in_.wrong_with(of.request, token_resource::graph, system_clock().wall());
  if (!why.empty()) {
    (void)refuse(of, 401, why);
    return graph_refusal(401, "InvalidAuthenticationToken", "Access token validation failure.",
                         of.request);
  }
  if (app_of(plain_path(of.request.target)) != intune_app_id) {
    (void)refuse(of, 404, "another application");
    return graph_refusal(404, "Request_ResourceNotFound", "Resource does not exist.", of.request);
  }
  const auto all = directory(base(), options_.odd_directory);
  const auto from = std::min(all.size(), skipped(of.request.target));
  const auto to = options_.odd_directory ? std::min(all.size(), from + page_max) : all.size();
  json body = {{"@odata.context", base() + "/v1.0/$metadata#servicePrincipals/endpoints"}};
  if (to < all.size()) {
    body["@odata.nextLink"]
      = base() + plain_path(of.request.target) + "?$skiptoken=" + std::to_string(to);
  }
  body["value"] = json::array();
  for (auto at = from; at < to; ++at) {
    body["value"].push_back(all[at]);
  }
  log_.append(line("services_asked").number("from", static_cast<std::int64_t>(from)));
  server_response out;
  out.body = body.dump();
  return out;
}

server_response intune_tenant::spoiled(const call& of, server_response answer) {
  if (of.name != download_call || !of.fault || answer.status != 200) {
    return answer;
  }
  std::string contexts;
  auto fault = of.fault;
  auto body = spoil_download(fault, answer.body, contexts);
  if (!body) {
    return answer;
  }
  options_.faults->note(fault, "contexts", contexts);
  answer.body = std::move(*body);
  return after_sync(of, std::move(answer));
}

} // namespace pfx::sandbox
