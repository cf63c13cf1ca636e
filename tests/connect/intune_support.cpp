// The tenant and its doors.
#include "tests/connect/intune_support.hpp"

#include <stdexcept>

#include "crypto/issue.hpp"

namespace pfx::test {

namespace {

struct signer {
  crypto::certificate cert;
  crypto::private_key key;
};

const signer& signer_of(std::size_t which) {
  static const std::array<signer, 2> both = [] {
    auto make = [](const char* name) {
      auto made
        = crypto::make_root({name, key_algorithm::rsa2048, 1'700'000'000'000, 1'800'000'000'000});
      if (!made)
        throw std::runtime_error(to_string(made.error()));
      return signer{std::move(made->cert), std::move(made->key)};
    };
    return std::array<signer, 2>{make("CN=Credential 0"), make("CN=Credential 1")};
  }();
  return both.at(which);
}

door door_of(const server_request& in) {
  if (in.target.find("/oauth2/v2.0/token") != std::string::npos)
    return door::sign_in;
  return in.target.find("/servicePrincipals/") != std::string::npos ? door::graph : door::service;
}

} // namespace

tenant::tenant() {
  for (door at : {door::sign_in, door::graph, door::service})
    restore(at);
  auto made = connect::http::server::start(tls_server(world().server),
                                           [this](const server_request& in) { return handle(in); });
  if (!made)
    throw std::runtime_error(to_string(made.error()));
  server_ = std::move(*made);
}

tenant::answerer tenant::first(door at) const {
  switch (at) {
    case door::sign_in:
      return [this](const server_request&) {
        const int number = const_cast<tenant*>(this)->tokens_++;
        return server_response{200,
                               {},
                               R"({"token_type":"Bearer","expires_in":3599,"ext_expires_in":3599,)"
                               R"("access_token":"token-)"
                                 + std::to_string(number) + "\"}"};
      };
    case door::graph:
      return [this](const server_request&) { return server_response{200, {}, directory()}; };
    case door::service:
      break;
  }
  return [](const server_request&) {
    return server_response{200, {}, R"({"code":"Success","errorDescription":"","value":true})"};
  };
}

server_response tenant::handle(const server_request& in) {
  answerer with;
  {
    std::lock_guard lock(mutex_);
    const door at = door_of(in);
    seen_[at].push_back(in);
    with = answers_.at(at);
  }
  return with(in);
}

void tenant::answer(door at, answerer with) {
  std::lock_guard lock(mutex_);
  answers_[at] = std::move(with);
}

void tenant::answer(door at, int status, std::string body,
                    std::map<std::string, std::string> headers) {
  answer(at, [=](const server_request&) { return server_response{status, headers, body}; });
}

void tenant::restore(door at) { answer(at, first(at)); }

int tenant::count(door at) const { return static_cast<int>(seen(at).size()); }

std::vector<server_request> tenant::seen(door at) const {
  std::lock_guard lock(mutex_);
  auto found = seen_.find(at);
  return found == seen_.end() ? std::vector<server_request>{} : found->second;
}

server_request tenant::last(door at) const {
  auto all = seen(at);
  return all.empty() ? server_request{} : all.back();
}

std::string tenant::directory() const {
  return R"({"value":[{"providerName":"ScepRequestValidationFEService","uri":")" + url()
    + R"(/RACerts/StatelessScepRequestValidationService"},)"
      R"({"providerName":"PkiConnectorFEService","uri":")"
    + url() + R"(/RACerts/StatelessPkiConnectorService/"}]})";
}

intune::cloud tenant::cloud() const { return {url(), url(), url() + "/resource/", {"localhost"}}; }

intune::connection_settings tenant::settings() const {
  intune::connection_settings out;
  out.where = cloud();
  out.tenant = test_tenant;
  out.client_id = test_client;
  out.credentials.push_back(secret_credential("s3cret~value"));
  out.caller = "pfxengine 0.1.0";
  out.network.trusted_roots_pem = world().server_root;
  return out;
}

intune::credential secret_credential(const std::string& text, std::optional<unix_ms> expires) {
  return {"a secret", secret(text), expires};
}

intune::credential certificate_credential(std::size_t which) {
  const signer& from = signer_of(which);
  auto key = crypto::private_key::from_pkcs8(from.key.to_pkcs8()->view());
  if (!key)
    throw std::runtime_error(to_string(key.error()));
  return {"a certificate", intune::client_certificate{from.cert, std::move(*key)}, {}};
}

const crypto::certificate& credential_certificate(std::size_t which) {
  return signer_of(which).cert;
}

std::string form_value(const std::string& form, const std::string& name) {
  const std::string whole = "&" + form;
  auto at = whole.find("&" + name + "=");
  if (at == std::string::npos)
    return "(missing)";
  at += name.size() + 2;
  const std::string raw = whole.substr(at, whole.find('&', at) - at);
  std::string out;
  for (std::size_t i = 0; i < raw.size(); ++i) {
    if (raw[i] == '%' && i + 2 < raw.size()) {
      out += static_cast<char>(std::stoi(raw.substr(i + 1, 2), nullptr, 16));
      i += 2;
    } else {
      out += raw[i];
    }
  }
  return out;
}

std::unique_ptr<intune::connection> open(intune::connection_settings settings, const clock& time) {
  auto made = intune::connection::make(std::move(settings), {&time, {}});
  if (!made)
    throw std::runtime_error(to_string(made.error()));
  return std::move(*made);
}

} // namespace pfx::test
