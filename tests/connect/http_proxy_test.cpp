// The client behind a proxy: through it, refused by it, and never without being told to.
#include "tests/catch.hpp"

#include <cstdlib>

#include "crypto/digest.hpp"
#include "tests/connect/tunnel_proxy.hpp"

using namespace pfx;
using namespace pfx::test;
using connect::http::client;
using connect::http::client_options;
using connect::http::proxy_options;
using connect::http::server;
using connect::http::server_request;
using connect::http::server_response;

namespace {

std::unique_ptr<server> start() {
  auto made = server::start(tls_server(world().server), [](const server_request& in) {
    return server_response{
      in.from.certificate_der.empty() ? 200 : 201, {{"X-Of-The-Server", "yes"}}, in.body};
  });
  if (!made)
    FAIL(to_string(made.error()));
  return std::move(*made);
}

client_options through(const server& at, const std::string& proxy_url, const std::string& user = {},
                       const std::string& password = {}) {
  client_options out = tls_client(at);
  out.proxy = proxy_options{proxy_url, user, secret(password), {}};
  return out;
}

result<connect::http::response> call(client_options options) {
  auto made = client::make(std::move(options));
  if (!made)
    return failure(made.error());
  return (*made)->post("/x", "{\"a\":1}");
}

error refused(const std::string& url, const std::string& user = {},
              const std::string& password = {}) {
  client_options options;
  options.base_url = "https://localhost:1";
  options.proxy = proxy_options{url, user, secret(password), {}};
  auto made = client::make(std::move(options));
  REQUIRE_FALSE(made.has_value());
  return made.error();
}

std::string basic(const std::string& pair) { return "Basic " + crypto::to_base64(as_bytes(pair)); }

/// Sets a variable for one test.
class environment {
public:
  environment(const char* name, const std::string& value) : name_(name) {
    ::setenv(name, value.c_str(), 1);
  }
  ~environment() { ::unsetenv(name_); }
  environment(const environment&) = delete;
  environment& operator=(const environment&) = delete;

private:
  const char* name_;
};

} // namespace

TEST_CASE("a call goes through the proxy, and its headers are not the answer's", "[http][proxy]") {
  auto at = start();
  tunnel_proxy proxy;
  auto got = call(through(*at, proxy.url() + "/"));
  REQUIRE(got.has_value());
  CHECK(got->status == 200);
  CHECK(got->body == "{\"a\":1}");
  CHECK(got->headers.count("x-of-the-server") == 1);
  CHECK(got->headers.count("x-of-the-proxy") == 0);
  REQUIRE(proxy.heads().size() == 1);
  CHECK(proxy.heads()[0].starts_with("CONNECT localhost:" + std::to_string(at->port()) + " HTTP"));
  CHECK(proxy.heads()[0].find("Proxy-Authorization") == std::string::npos);
}

TEST_CASE("a client certificate is shown through an http:// proxy", "[http][proxy]") {
  auto at = start();
  tunnel_proxy proxy;
  client_options options = tls_client(*at, &world().client);
  options.proxy = proxy_options{proxy.url(), {}, {}, {}};
  CHECK(call(std::move(options))->status == 201);
}

TEST_CASE("a proxy's credentials go to the proxy and nowhere else", "[http][proxy]") {
  auto at = start();
  proxy_manners manners;
  manners.wanted_authorization = basic("office:p\xc3\xa4ss:word");
  tunnel_proxy proxy(manners);
  CHECK(call(through(*at, proxy.url(), "office", "p\xc3\xa4ss:word"))->status == 200);

  const auto none = call(through(*at, proxy.url()));
  REQUIRE_FALSE(none.has_value());
  CHECK(none.error().code == errc::unauthorized);
  CHECK(none.error().field == "proxy");
  const auto wrong = call(through(*at, proxy.url(), "office", "Wr0ngS3cret"));
  REQUIRE_FALSE(wrong.has_value());
  CHECK(wrong.error().code == errc::unauthorized);
  CHECK(wrong.error().field == "proxy");
  CHECK(to_string(wrong.error()).find("Wr0ngS3cret") == std::string::npos);
  CHECK(to_string(wrong.error()).find(crypto::to_base64(as_bytes("office:Wr0ngS3cret")))
        == std::string::npos);
  CHECK(proxy.tunnels() == 1);
}

TEST_CASE("a proxy that does not let us through, or is not there, is unavailable",
          "[http][proxy]") {
  auto at = start();
  proxy_manners manners;
  manners.refuse_with = 403;
  tunnel_proxy proxy(manners);
  const auto refused = call(through(*at, proxy.url()));
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == errc::unavailable);
  CHECK(refused.error().field == "proxy");
  CHECK(refused.error().message.find("403") != std::string::npos);

  std::uint16_t closed = 0;
  {
    loopback_listener door;
    closed = door.port();
  }
  CHECK(call(through(*at, "http://localhost:" + std::to_string(closed))).error().code
        == errc::unavailable);
}

TEST_CASE("an https:// proxy and the server are verified by roots of their own", "[http][proxy]") {
  auto at = start();
  proxy_manners manners;
  manners.identity = &world().server; // signed by server_root
  tunnel_proxy proxy(manners);
  auto with = [&](const std::string& proxy_roots, const std::string& server_roots) {
    client_options options = through(*at, proxy.url());
    options.proxy->trusted_roots_pem = proxy_roots;
    options.trusted_roots_pem = server_roots;
    return call(std::move(options));
  };
  CHECK(with(world().server_root, world().server_root)->status == 200);
  // The proxy's roots do not vouch for the server, nor the server's for the proxy.
  const auto server_unknown = with(world().server_root, world().foreign_root);
  REQUIRE_FALSE(server_unknown.has_value());
  CAPTURE(to_string(server_unknown.error()));
  CHECK(server_unknown.error().code == errc::unauthorized);
  CHECK(server_unknown.error().field == "server");
  const auto proxy_unknown = with(world().foreign_root, world().server_root);
  REQUIRE_FALSE(proxy_unknown.has_value());
  CHECK(proxy_unknown.error().code == errc::unauthorized);
  CHECK(proxy_unknown.error().field == "proxy");
  // Without roots the system's are asked, which know neither.
  CHECK(with({}, world().server_root).error().code == errc::unauthorized);
  CHECK(with(world().server_root, {}).error().code == errc::unauthorized);
  CHECK(proxy.tunnels() == 3);
}

TEST_CASE("the environment's proxies are not picked up", "[http][proxy]") {
  auto at = start();
  tunnel_proxy proxy;
  const environment https("https_proxy", proxy.url());
  const environment all("ALL_PROXY", proxy.url());
  CHECK(call(tls_client(*at))->status == 200);
  CHECK(proxy.heads().empty());
}

TEST_CASE("the environment cannot take a proxy away either", "[http][proxy]") {
  auto at = start();
  tunnel_proxy proxy;
  const environment no("no_proxy", "*");
  const environment upper("NO_PROXY", "*");
  CHECK(call(through(*at, proxy.url()))->status == 200);
  CHECK(proxy.tunnels() == 1);
}

TEST_CASE("a proxy that is gone from the options is gone", "[http][proxy]") {
  auto at = start();
  tunnel_proxy proxy;
  CHECK(call(through(*at, proxy.url()))->status == 200);
  client_options options = through(*at, proxy.url());
  options.proxy.reset();
  CHECK(call(std::move(options))->status == 200);
  CHECK(proxy.tunnels() == 1);
}

TEST_CASE("a proxy's address has a prefix, host and port and nothing else", "[http][proxy]") {
  for (const char* url :
       {"", "proxy.example:3128", "proxy.example", "socks5://proxy.example:1080", "HTTP:proxy",
        "http:/proxy.example", "http://", "https://", "http://proxy.example:99999",
        "http://proxy.example/path", "http://proxy.example?x", "http://proxy.example#x",
        "http://a b:1", "//proxy.example", "file:///etc/passwd"}) {
    CAPTURE(url);
    const auto why = refused(url);
    CHECK(why.code == errc::bad_input);
    CHECK(why.field == "proxy.url");
  }
}

TEST_CASE("credentials in a proxy's address are refused and not repeated", "[http][proxy]") {
  const auto why = refused("http://office:S3cret@proxy.example:3128");
  CHECK(why.field == "proxy.url");
  CHECK(to_string(why).find("S3cret") == std::string::npos);
}

TEST_CASE("a proxy's credentials are looked at before they are used", "[http][proxy]") {
  CHECK(refused("http://p:1", "", "word").field == "proxy.user");
  CHECK(refused("http://p:1", "of:fice", "word").field == "proxy.user");
  CHECK(refused("http://p:1", "office\r\nX: y", "word").field == "proxy.user");
  CHECK(refused("http://p:1", "office", "wo\nrd").field == "proxy.password");
  client_options options;
  options.base_url = "https://localhost:1";
  options.proxy = proxy_options{"http://p:1", {}, {}, world().server_root};
  CHECK(client::make(std::move(options)).error().field == "proxy.trusted_roots_pem");
  options = {};
  options.base_url = "https://localhost:1";
  options.proxy = proxy_options{"https://p:1", {}, {}, "nonsense"};
  CHECK(client::make(std::move(options)).error().field == "proxy.trusted_roots_pem");
  options = unix_client("/nowhere");
  options.proxy = proxy_options{"http://p:1", {}, {}, {}};
  CHECK(client::make(std::move(options)).error().field == "proxy");
}

TEST_CASE("an https:// proxy is never shown a client certificate", "[http][proxy]") {
  auto at = start();
  client_options options = tls_client(*at, &world().client);
  options.proxy = proxy_options{"https://p:1", {}, {}, {}};
  CHECK(client::make(std::move(options)).error().code == errc::not_supported);
}

TEST_CASE("a call that wants a connection of its own gets one, and leaves none", "[http][proxy]") {
  auto at = start();
  tunnel_proxy proxy;
  auto made = client::make(through(*at, proxy.url()));
  connect::http::call_options alone;
  alone.fresh_connection = true;
  CHECK((*made)->post("/x", "{}", alone)->status == 200);
  CHECK((*made)->post("/x", "{}", alone)->status == 200);
  CHECK((*made)->post("/x", "{}")->status == 200);
  CHECK((*made)->post("/x", "{}")->status == 200); // on the kept one
  CHECK(proxy.tunnels() == 3);
}
