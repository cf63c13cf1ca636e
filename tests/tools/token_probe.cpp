// Asks an OAuth2 server for a token as the engine does, for tests/stages/43-oauth.sh. Prints what
// came of it as one line, never a token or a secret; exit code 0 if there is a token, 1 if not, 2
// for a wrong call.
#include <cstdio>
#include <fstream>
#include <iterator>
#include <map>
#include <string>

#include "connect/intune/token.hpp"

namespace {

using namespace pfx;
namespace intune = pfx::connect::intune;

std::string text_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

int give_up(const std::string& why) {
  std::fprintf(stderr, "token_probe: %s\n", why.c_str());
  return 2;
}

/// --certificate and --key, or --secret-file; both in this order if both are given.
bool read_credentials(const std::map<std::string, std::string>& given,
                      std::vector<intune::credential>& out) {
  if (given.contains("certificate")) {
    auto cert = crypto::certificate::from_pem(text_of(given.at("certificate")));
    auto key = crypto::private_key::from_pem(text_of(given.contains("key") ? given.at("key") : ""));
    if (!cert || !key)
      return false;
    out.push_back(
      {"certificate", intune::client_certificate{std::move(*cert), std::move(*key)}, {}});
  }
  if (given.contains("secret-file")) {
    std::string secret = text_of(given.at("secret-file"));
    out.push_back({"secret", secret_bytes(as_bytes(secret)), {}});
    wipe(secret);
  }
  return true;
}

int ask(const std::map<std::string, std::string>& given,
        std::vector<intune::credential> credentials) {
  auto value = [&](const char* name) { return given.contains(name) ? given.at(name) : ""; };
  intune::web_options network;
  network.trusted_roots_pem = text_of(value("roots"));
  network.call_timeout_ms = 10'000;
  if (given.contains("proxy"))
    network.proxy = connect::http::proxy_options{
      value("proxy"), value("proxy-user"), secret_bytes(as_bytes(value("proxy-password"))), {}};
  auto over = intune::make_web(std::move(network));
  if (!over)
    return give_up(to_string(over.error()));
  auto source
    = intune::make_token_source(**over, {value("url"), value("client-id"), std::move(credentials)});
  if (!source)
    return give_up(to_string(source.error()));
  auto got = (*source)->token(value("scope"));
  if (!got) {
    std::printf("no token: %s (HTTP %d)\n", to_string(got.error().what).c_str(),
                got.error().status);
    return 1;
  }
  std::string with;
  for (const auto& one : (*source)->credentials())
    if (one.working)
      with = one.name;
  std::printf("a token of %zu octets with the %s\n", (*got)->size(), with.c_str());
  return 0;
}

} // namespace

int main(int count, char** words) {
  std::map<std::string, std::string> given;
  for (int i = 1; i < count; ++i) {
    const std::string word = words[i];
    const auto equals = word.find('=');
    if (!word.starts_with("--"))
      return give_up("--name=value, not " + word);
    given[word.substr(2, equals == std::string::npos ? equals : equals - 2)]
      = equals == std::string::npos ? "" : word.substr(equals + 1);
  }
  std::vector<intune::credential> credentials;
  if (!read_credentials(given, credentials))
    return give_up("certificate or key cannot be read");
  if (!given.contains("assertion"))
    return ask(given, std::move(credentials));
  // --assertion: one for the server at --url, so that others can try what the engine would send.
  if (credentials.empty() || !credentials.front().is_certificate())
    return give_up("an assertion needs a certificate");
  auto made
    = intune::make_assertion(std::get<intune::client_certificate>(credentials.front().proof),
                             {given["url"], given["client-id"], system_clock().wall()});
  if (!made)
    return give_up(to_string(made.error()));
  std::printf("%s\n", made->c_str());
  return 0;
}
