// Answers of a test bed that must misbehave: nothing, cut, slow, late, of a wrong length.
#include <chrono>

#include "connect/http/server.hpp"
#include "tests/catch.hpp"
#include "tests/connect/http_support.hpp"

using namespace pfx;
using namespace pfx::connect::http;
using namespace pfx::test;
using http_delivery = pfx::connect::http::delivery;

namespace {

std::string ask(const http_delivery& how) {
  const scratch folder;
  server_options options;
  options.unix_socket = folder.path("s");
  const auto made = server::start(std::move(options), [&](const server_request&) {
    return server_response{200, {}, "0123456789", how};
  });
  REQUIRE(made);
  const int fd = connect_unix(folder.path("s"));
  send_text(fd,
            "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n"
              + std::string(how.close || how.silent || how.cut_at ? "" : "Connection: close\r\n")
              + "\r\n");
  auto out = read_all(fd);
  ::close(fd);
  return out;
}

std::int64_t ms_since(std::chrono::steady_clock::time_point begun) {
  using namespace std::chrono;
  return duration_cast<milliseconds>(steady_clock::now() - begun).count();
}

} // namespace

TEST_CASE("an answer can be left out, cut or of a wrong length", "[http][delivery]") {
  http_delivery silent, cut, close;
  silent.silent = true;
  cut.cut_at = 4;
  close.close = true;
  CHECK(ask(silent).empty());
  CHECK(ask(cut).ends_with("Content-Length: 10\r\nConnection: keep-alive\r\n\r\n0123"));
  CHECK(ask(close).ends_with("Connection: close\r\n\r\n0123456789"));
  for (const std::size_t length : {3u, 99u}) {
    http_delivery wrong;
    wrong.said_length = length;
    const auto said = ask(wrong);
    CHECK(said.find("Content-Length: " + std::to_string(length) + "\r\n") != std::string::npos);
    CHECK(said.ends_with("0123456789"));
  }
}

TEST_CASE("an answer that waits or drips is whole in the end", "[http][delivery]") {
  http_delivery late, drip;
  late.wait_ms = 150;
  drip.drip_ms = 200;
  for (const auto& how : {late, drip}) {
    const auto begun = std::chrono::steady_clock::now();
    CHECK(ask(how).ends_with("\r\n\r\n0123456789"));
    CHECK(ms_since(begun) >= 100);
  }
}

TEST_CASE("a server that stops waits for no late answer", "[http][delivery]") {
  const scratch folder;
  server_options options;
  options.unix_socket = folder.path("s");
  http_delivery how;
  how.wait_ms = 60'000;
  auto made = server::start(std::move(options), [&](const server_request&) {
    return server_response{200, {}, "x", how};
  });
  REQUIRE(made);
  const int fd = connect_unix(folder.path("s"));
  send_text(fd, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
  const auto begun = std::chrono::steady_clock::now();
  (*made)->stop(1'000);
  made->reset();
  CHECK(ms_since(begun) < 10'000);
  CHECK(read_all(fd).empty());
  ::close(fd);
}
