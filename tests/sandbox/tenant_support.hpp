// A sandbox whose certificates are ordered revoked, a client of ours for its tenant, and calls made
// by hand as others make them. For the tests of the tenant.
#pragma once

#include <fstream>
#include <sstream>

#include <nlohmann/json.hpp>

#include "connect/intune/connection.hpp"
#include "sandbox/intune/tenant.hpp"
#include "sandbox/sandbox.hpp"
#include "tests/catch.hpp"
#include "tests/sandbox/support.hpp"

namespace pfx::test {

namespace intune = connect::intune;
using connect::http::server_request;
using connect::http::server_response;

inline std::string text_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream out;
  out << in.rdbuf();
  return out.str();
}

inline secret_bytes secret_of(const std::string& text) { return secret_bytes(as_bytes(text)); }

/// Settings of a client for this tenant; with its certificate, or with its secret.
inline intune::connection_settings settings_for(const sandbox::intune_address& where,
                                                bool by_certificate = true) {
  intune::connection_settings out;
  const auto host = where.graph_url.substr(8, where.graph_url.find(':', 8) - 8);
  out.where = {where.login_url, where.graph_url, "https://api.manage.microsoft.com/", {host}};
  out.tenant = where.tenant;
  out.client_id = where.client_id;
  out.caller = "tests 1.0";
  out.network.trusted_roots_pem = text_of(where.trusted_roots);
  if (by_certificate) {
    out.credentials.push_back(
      {"certificate",
       intune::client_certificate{
         good(crypto::certificate::from_pem(text_of(where.certificate_file))),
         good(crypto::private_key::from_pem(text_of(where.key_file)))},
       {}});
  } else {
    out.credentials.push_back({"secret", secret_of(text_of(where.secret_file)), {}});
  }
  return out;
}

/// A journal in memory.
struct memory_journal {
  std::shared_ptr<std::string> text = std::make_shared<std::string>();
  std::unique_ptr<sandbox::journal> log
    = sandbox::journal::with([to = text](std::string_view piece) -> result<void> {
        *to += piece;
        return {};
      });
};

/// A tenant without a server: requests are handed to it.
struct bare_tenant {
  static constexpr const char* base = "https://sandbox.example.test:8443";
  static constexpr const char* tenant_id = "11111111-2222-3333-4444-555555555555";
  static constexpr const char* client_id = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee";
  static constexpr const char* secret = "s3cret~value";

  explicit bare_tenant(const std::function<void(sandbox::tenant_options&)>& change = {}) {
    sandbox::tenant_options options{{tenant_id, client_id, secret, certificate()}, {}, {}, {}};
    options.plan = {1'000, 1.0, 1, "Sandbox-CA", "CN=Issuing CA"};
    options.queue.cool_down_ms = 3'600'000;
    if (change) {
      change(options);
    }
    desk = std::make_unique<sandbox::intune_tenant>(std::move(options), *memory.log);
    desk->open({base, "https://localhost:8443"});
  }

  static const intune::client_certificate& identity() {
    static const auto made = [] {
      auto root = good(crypto::make_root(
        {"CN=Application", key_algorithm::rsa2048, 1'700'000'000'000, 2'000'000'000'000}));
      return intune::client_certificate{std::move(root.cert), std::move(root.key)};
    }();
    return made;
  }
  static crypto::certificate certificate() { return identity().cert; }

  server_response send(const std::string& method, const std::string& target,
                       std::map<std::string, std::string> headers, const std::string& body) {
    return desk->handle({method, target, std::move(headers), body, {}});
  }
  server_response sign_in(const std::string& form, const std::string& tenant = tenant_id) {
    return send("POST", "/" + tenant + "/oauth2/v2.0/token",
                {{"content-type", "application/x-www-form-urlencoded"}}, form);
  }
  static std::string form(const std::string& scope) {
    return std::string("grant_type=client_credentials&client_id=") + client_id
      + "&client_secret=s3cret%7Evalue&scope=" + scope;
  }
  std::string token(const std::string& scope
                    = "https%3A%2F%2Fapi.manage.microsoft.com%2F%2F.default") {
    const auto got = sign_in(form(scope));
    REQUIRE(got.status == 200);
    return nlohmann::json::parse(got.body).at("access_token");
  }
  server_response call(const std::string& suffix, const nlohmann::json& body,
                       const std::string& version = "5019-05-05") {
    if (bearer.empty()) {
      bearer = token();
    }
    const bool scep = suffix.starts_with("ScepActions/");
    return send(
      "POST",
      std::string("/RACerts/")
        + (scep ? "StatelessScepRequestValidationService/" : "StatelessPkiConnectorService/")
        + suffix,
      {{"authorization", "Bearer " + bearer},
       {"api-version", version},
       {"client-request-id", "0d1cf0a4-0000-4000-8000-000000000001"},
       {"content-type", "application/json; charset=utf-8"}},
      body.is_string() ? body.get<std::string>() : body.dump());
  }
  nlohmann::json download(int most = 100, const nlohmann::json& issuer = nullptr) {
    const auto got
      = call(sandbox::download_call,
             {{"downloadParameters", {{"maxRequests", most}, {"issuerName", issuer}}}});
    REQUIRE(got.status == 200);
    return nlohmann::json::parse(got.body).at("value");
  }
  server_response report(const std::string& context, bool succeeded = true,
                         const nlohmann::json& code = "None",
                         const nlohmann::json& message = nullptr) {
    return call(sandbox::upload_call,
                {{"results",
                  {{{"requestContext", context},
                    {"succeeded", succeeded},
                    {"errorCode", code},
                    {"errorMessage", message}}}}});
  }
  [[nodiscard]] bool journal_has(const std::string& piece) {
    REQUIRE(memory.log->sync());
    return memory.text->find(piece) != std::string::npos;
  }

  memory_journal memory;
  std::unique_ptr<sandbox::intune_tenant> desk;
  std::string bearer;
};

} // namespace pfx::test
