// Client and server together over TLS: who is believed and who is not.
#include "tests/catch.hpp"

#include <unistd.h>

#include "tests/connect/http_support.hpp"

using namespace pfx;
using namespace pfx::test;
using connect::http::client;
using connect::http::client_options;
using connect::http::server;
using connect::http::server_request;
using connect::http::server_response;

namespace {

std::unique_ptr<server> start(connect::http::server_options options,
                              connect::http::handler handle = {}) {
  if (!handle)
    handle = [](const server_request& in) { return server_response{200, {}, in.body}; };
  auto made = server::start(std::move(options), std::move(handle));
  if (!made)
    FAIL(to_string(made.error()));
  return std::move(*made);
}

errc call(client_options options) {
  auto made = client::make(std::move(options));
  REQUIRE(made.has_value());
  auto got = (*made)->post("/x", "{}");
  return got ? errc::none : got.error().code;
}

} // namespace

TEST_CASE("a request and its answer go round, and the server sees the certificate", "[http][tls]") {
  server_request seen;
  auto at = start(tls_server(world().server), [&](const server_request& in) {
    seen = in;
    return server_response{201, {{"X-Reply", "yes"}}, "{\"a\":1}"};
  });
  auto made = client::make(tls_client(*at, &world().client));
  auto got = (*made)->post("/PfxRequests/download?x=1", "{\"b\":2}");
  REQUIRE(got.has_value());
  CHECK(got->status == 201);
  CHECK(got->headers.at("x-reply") == "yes");
  CHECK(got->headers.at("content-type") == "application/json; charset=utf-8");
  CHECK(got->body == "{\"a\":1}");
  CHECK(seen.method == "POST");
  CHECK(seen.target == "/PfxRequests/download?x=1");
  CHECK(seen.body == "{\"b\":2}");
  CHECK(to_bytes(seen.from.certificate_der) == world().client.certificate_der);
  CHECK(seen.from.user_id == -1);
}

TEST_CASE("a client without a certificate is let in, and known to have none", "[http][tls]") {
  auto at = start(tls_server(world().server), [](const server_request& in) {
    return server_response{in.from.certificate_der.empty() ? 401 : 200, {}, "{}"};
  });
  auto made = client::make(tls_client(*at));
  CHECK((*made)->post("/x", "{}")->status == 401);
}

TEST_CASE("client certificates that do not verify are refused as unauthorized", "[http][tls]") {
  auto at = start(tls_server(world().server));
  CHECK(call(tls_client(*at, &world().client)) == errc::none);
  CHECK(call(tls_client(*at, &world().foreign_client)) == errc::unauthorized);
  CHECK(call(tls_client(*at, &world().expired_client)) == errc::unauthorized);
  CHECK(call(tls_client(*at, &world().server)) == errc::unauthorized); // no clientAuth, other root
  CHECK(call(tls_client(*at, &world().client)) == errc::none);
}

TEST_CASE("servers that are not who they must be are refused before anything is sent",
          "[http][tls]") {
  int served = 0;
  auto count = [&](const server_request&) {
    ++served;
    return server_response{};
  };
  auto at = start(tls_server(world().server), count);
  client_options options = tls_client(*at);
  options.trusted_roots_pem = world().foreign_root;
  CHECK(call(std::move(options)) == errc::unauthorized);
  options = tls_client(*at);
  options.trusted_roots_pem.clear(); // the system's roots do not know ours
  CHECK(call(std::move(options)) == errc::unauthorized);
  auto expired = start(tls_server(world().expired_server), count);
  CHECK(call(tls_client(*expired)) == errc::unauthorized);
  auto other = start(tls_server(world().other_name), count);
  CHECK(call(tls_client(*other)) == errc::unauthorized);
  auto client_as_server = start(tls_server(world().client), count);
  options = tls_client(*client_as_server);
  options.trusted_roots_pem = world().client_root;
  CHECK(call(std::move(options)) == errc::unauthorized);
  CHECK(served == 0);
  const auto made = client::make(tls_client(*expired));
  REQUIRE(made.has_value());
  const auto stranger = (*made)->post("/x", "{}");
  REQUIRE_FALSE(stranger.has_value());
  CHECK(stranger.error().field == "server"); // it did not refuse us
}

TEST_CASE("our roots replace the system's, they do not join them", "[http][tls]") {
  // One root of ours and nothing else: the server's own certificate as its anchor.
  auto at = start(tls_server(world().server));
  client_options options = tls_client(*at);
  options.trusted_roots_pem = world().server.certificate_pem;
  CHECK(call(std::move(options)) == errc::none);
}

TEST_CASE("a port that is closed, silent or speaks no TLS is unavailable", "[http][tls]") {
  auto at = start(tls_server(world().server));
  client_options options = tls_client(*at);
  at.reset();
  CHECK(call(std::move(options)) == errc::unavailable);

  loopback_listener door; // the kernel connects, nobody accepts
  client_options silent;
  silent.base_url = "https://127.0.0.1:" + std::to_string(door.port());
  silent.connect_timeout_ms = 150;
  CHECK(call(std::move(silent)) == errc::unavailable);

  std::thread plain([&] {
    int fd = door.accept();
    send_text(fd, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    (void)read_all(fd);
    ::close(fd);
    fd = door.accept();
    send_text(fd, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    (void)read_all(fd);
    ::close(fd);
  });
  client_options wrong;
  wrong.base_url = "https://127.0.0.1:" + std::to_string(door.port());
  CHECK(call(std::move(wrong)) == errc::unavailable);
  plain.join();
}

TEST_CASE("big bodies pass both ways", "[http][tls]") {
  auto at = start(tls_server(world().server));
  auto made = client::make(tls_client(*at));
  std::string big(5'000'000, 'x');
  for (std::size_t i = 0; i < big.size(); ++i)
    big[i] = static_cast<char>('a' + i % 23);
  auto got = (*made)->post("/x", big);
  REQUIRE(got.has_value());
  CHECK(got->body == big);
}

TEST_CASE("many threads share one client", "[http][tls]") {
  auto at = start(tls_server(world().server));
  auto made = client::make(tls_client(*at, &world().client));
  std::vector<std::thread> threads;
  std::atomic<int> right{0};
  for (int t = 0; t < 12; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 25; ++i) {
        std::string body = std::to_string(t * 1'000 + i);
        auto got = (*made)->post("/x", body);
        right += got && got->body == body ? 1 : 0;
      }
    });
  for (auto& thread : threads)
    thread.join();
  CHECK(right == 12 * 25);
}

TEST_CASE("a server without a fitting certificate does not start", "[http][tls]") {
  auto fails = [](connect::http::server_options options) {
    auto made = server::start(std::move(options), [](const auto&) { return server_response{}; });
    REQUIRE_FALSE(made.has_value());
    return made.error().field;
  };
  CHECK(fails({}) == "certificate_pem");
  auto options = tls_server(world().server);
  options.key_pem = secret(world().client.key_pem);
  CHECK(fails(std::move(options)) == "key_pem");
  options = tls_server(world().server);
  options.client_roots_pem = "nonsense";
  CHECK(fails(std::move(options)) == "client_roots_pem");
  options = tls_server(world().server);
  options.address = "not an address";
  CHECK(fails(std::move(options)) == "address");
  options = tls_server(world().server);
  CHECK_FALSE(server::start(std::move(options), {}).has_value());
}

TEST_CASE("garbage and half a handshake end alone", "[http][tls]") {
  auto options = tls_server(world().server);
  options.request_timeout_ms = 200;
  auto at = start(std::move(options));
  int garbage = connect_tcp(at->port());
  send_text(garbage, "GET / HTTP/1.1\r\n\r\n");
  int silent = connect_tcp(at->port());
  send_text(silent, std::string("\x16\x03\x01\x02\x00\x01", 6));
  CHECK(call(tls_client(*at)) == errc::none);
  CHECK(read_all(silent).size() < 10); // closed by the server's deadline
  (void)read_all(garbage);
  ::close(garbage);
  ::close(silent);
  CHECK(call(tls_client(*at)) == errc::none);
}
