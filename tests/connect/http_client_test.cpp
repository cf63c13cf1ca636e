// The HTTP client against servers that cut, drip, lie and bomb.
#include "tests/catch.hpp"

#include <chrono>
#include <cstdlib>

#include <sys/stat.h>
#include <unistd.h>

#include "connect/http/header_text.hpp"
#include "tests/connect/http_support.hpp"

using namespace pfx;
using namespace pfx::test;
using connect::http::call_options;
using connect::http::client;
using connect::http::client_options;

namespace {

std::unique_ptr<client> client_of(const std::string& path) {
  auto made = client::make(unix_client(path));
  REQUIRE(made.has_value());
  return std::move(*made);
}

error fails(client_options options) {
  auto made = client::make(std::move(options));
  REQUIRE_FALSE(made.has_value());
  return made.error();
}

std::int64_t now_ms() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count();
}

/// What one POST ends with when the server says `answer` and closes.
result<connect::http::response> ask(const std::string& answer,
                                    std::size_t body_bytes_max = 1u << 20) {
  scripted_server server(says(answer));
  auto options = unix_client(server.path());
  options.body_bytes_max = body_bytes_max;
  auto made = client::make(std::move(options));
  REQUIRE(made.has_value());
  auto got = (*made)->post("/call", "{}");
  CHECK(server.connections() == 1);
  return got;
}

errc code_of(const result<connect::http::response>& got) {
  return got ? errc::none : got.error().code;
}

} // namespace

TEST_CASE("an answer arrives with status, lower-case headers and body", "[http]") {
  auto got = ask("HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\nX-Some-Thing:  a b \r\n"
                 "X-Twice: 1\r\nx-twice: 2\r\n\r\n{}");
  REQUIRE(got.has_value());
  CHECK(got->status == 404);
  CHECK(got->headers.at("x-some-thing") == "a b");
  CHECK(got->headers.at("x-twice") == "1, 2");
  CHECK(got->body == "{}");
  CHECK_FALSE(got->retry_after_ms.has_value());
}

TEST_CASE("what is sent is what was asked for, and no more", "[http]") {
  std::promise<std::string> seen;
  scripted_server server([&](int fd) {
    seen.set_value(read_message(fd));
    send_text(fd, http_answer("{}"));
  });
  call_options options;
  options.headers = {{"api-version", "2026-11-01"}, {"X-Empty", ""}};
  REQUIRE(client_of(server.path())->post("a/b", "{\"x\":\"\xc3\xa4\"}", options).has_value());
  std::string text = seen.get_future().get();
  CHECK(text.starts_with("POST /a/b HTTP/1.1\r\n"));
  CHECK(text.find("\r\napi-version: 2026-11-01\r\n") != std::string::npos);
  CHECK(text.find("\r\nX-Empty:\r\n") != std::string::npos);
  CHECK(text.find("\r\nContent-Type: application/json; charset=utf-8\r\n") != std::string::npos);
  CHECK(text.find("\r\nAccept-Encoding: gzip\r\n") != std::string::npos);
  CHECK(text.find("Expect") == std::string::npos);
  CHECK(text.ends_with("\r\n\r\n{\"x\":\"\xc3\xa4\"}"));
}

TEST_CASE("a redirect is an answer and is not followed", "[http]") {
  auto got = ask("HTTP/1.1 307 Temporary Redirect\r\nLocation: http://localhost/other\r\n"
                 "Content-Length: 0\r\n\r\n");
  REQUIRE(got.has_value());
  CHECK(got->status == 307);
}

TEST_CASE("interim answers are not the answer", "[http]") {
  auto got = ask(
    "HTTP/1.1 103 Early Hints\r\nX-A: 1\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx");
  REQUIRE(got.has_value());
  CHECK(got->status == 200);
  CHECK_FALSE(got->headers.contains("x-a"));
}

TEST_CASE("an answer that is not whole leaves the outcome unknown", "[http]") {
  for (const char* answer :
       {"", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n0123456789",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello", "garbage\r\n\r\n",
        "SSH-2.0-OpenSSH_9.2\r\n", "HTTP/9.9 200 OK\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nContent-Encoding: gzip, gzip\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Encoding: gzip\r\n"
        "Content-Length: 5\r\n\r\nhello"}) {
    INFO(answer);
    CHECK(code_of(ask(answer)) == errc::unknown_outcome);
  }
}

TEST_CASE("gzip answers are opened, cut ones are not believed", "[http]") {
  std::string packed = gzip("{\"value\":[]}");
  auto got = ask(http_answer(packed, "Content-Encoding: gzip\r\n"));
  REQUIRE(got.has_value());
  CHECK(got->body == "{\"value\":[]}");
  packed.resize(packed.size() - 6);
  CHECK(code_of(ask(http_answer(packed, "Content-Encoding: gzip\r\n"))) == errc::unknown_outcome);
}

TEST_CASE("bodies over the limit are refused, however small they travelled", "[http]") {
  std::string big(200'000, 'a');
  CHECK(code_of(ask(http_answer(big), 100'000)) == errc::too_large);
  CHECK(code_of(ask(http_answer(big), 200'000)) == errc::none);
  CHECK(code_of(ask(http_answer(big), 199'999)) == errc::too_large);
  std::string bomb = gzip(std::string(64u << 20, '\0'));
  CHECK(bomb.size() < 100'000);
  auto got = ask(http_answer(bomb, "Content-Encoding: gzip\r\n"), 1u << 20);
  REQUIRE_FALSE(got.has_value());
  CHECK(got.error().code == errc::too_large);
  CHECK(got.error().field == "body");
}

TEST_CASE("endless headers are refused", "[http]") {
  std::string headers;
  while (headers.size() < 80'000)
    headers += "X-Padding: " + std::string(1'000, 'a') + "\r\n";
  CHECK(code_of(ask("HTTP/1.1 200 OK\r\n" + headers + "\r\n")) == errc::too_large);
}

TEST_CASE("a server that says nothing costs the time that was given and no more", "[http]") {
  scripted_server server([](int fd) { (void)read_all(fd); });
  call_options options;
  options.timeout_ms = 150;
  std::int64_t begin = now_ms();
  auto got = client_of(server.path())->post("/x", "{}", options);
  CHECK(code_of(got) == errc::unknown_outcome);
  CHECK(now_ms() - begin < 1'500);
}

TEST_CASE("a body that drips is given up", "[http]") {
  scripted_server server([](int fd) {
    (void)read_message(fd);
    send_text(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nx");
    (void)read_all(fd);
  });
  auto options = unix_client(server.path());
  options.low_speed_window_s = 1;
  auto made = client::make(std::move(options));
  CHECK(code_of((*made)->post("/x", "{}")) == errc::unknown_outcome);
}

TEST_CASE("nobody there is told apart from no answer", "[http]") {
  scratch folder;
  CHECK(code_of(client_of(folder.path("none"))->post("/x", "{}")) == errc::unavailable);
  client_options options;
  options.base_url = "https://127.0.0.1:1";
  CHECK(code_of((*client::make(std::move(options)))->post("/x", "{}")) == errc::unavailable);
}

TEST_CASE("cancel ends a running call at once and refuses later ones", "[http]") {
  std::promise<void> arrived;
  scripted_server server([&](int fd) {
    (void)read_message(fd);
    arrived.set_value();
    (void)read_all(fd);
  });
  auto one = client_of(server.path());
  auto running = std::async(std::launch::async, [&] { return one->post("/x", "{}"); });
  arrived.get_future().wait();
  std::int64_t begin = now_ms();
  one->cancel();
  CHECK(code_of(running.get()) == errc::stopping);
  CHECK(now_ms() - begin < 500);
  CHECK(code_of(one->post("/x", "{}")) == errc::stopping);
  CHECK(server.connections() == 1);
}

TEST_CASE("connections are used again, and a dead one is noticed", "[http]") {
  scripted_server server([](int fd) {
    for (int i = 0; i < 3; ++i) {
      if (read_message(fd).empty())
        return;
      send_text(fd, http_answer(std::to_string(i)));
    }
  });
  auto one = client_of(server.path());
  for (int i = 0; i < 3; ++i)
    CHECK(one->post("/x", "{}")->body == std::to_string(i));
  CHECK(server.connections() == 1);
  CHECK(one->post("/x", "{}")->body == "0");
  CHECK(server.connections() == 2);
}

TEST_CASE("what may have arrived is not called unavailable because a second try failed", "[http]") {
  scratch away;
  scripted_server* door = nullptr;
  scripted_server server([&](int fd) {
    if (read_message(fd).empty())
      return;
    send_text(fd, http_answer("{}"));
    (void)read_message(fd); // taken, perhaps acted upon, never answered
    ::rename(door->path().c_str(), away.path("gone").c_str());
  });
  door = &server;
  auto one = client_of(server.path());
  REQUIRE(one->post("/x", "{}").has_value());
  CHECK(code_of(one->post("/x", "{}")) == errc::unknown_outcome);
  CHECK(server.connections() == 1);
  CHECK(code_of(one->post("/x", "{}")) == errc::unavailable);
}

TEST_CASE("the environment's proxies are not ours", "[http]") {
  for (const char* name : {"http_proxy", "https_proxy", "HTTPS_PROXY", "ALL_PROXY"})
    ::setenv(name, "http://127.0.0.1:1", 1);
  connect::http::server_options options = tls_server(world().server);
  auto server = connect::http::server::start(
    std::move(options), [](const auto&) { return connect::http::server_response{}; });
  REQUIRE(server.has_value());
  auto one = client::make(tls_client(**server));
  CHECK(code_of((*one)->get("/x")) == errc::none);
  for (const char* name : {"http_proxy", "https_proxy", "HTTPS_PROXY", "ALL_PROXY"})
    ::unsetenv(name);
}

TEST_CASE("addresses that are none, or say too much, are refused when the client is made",
          "[http]") {
  for (const char* bad :
       {"", "localhost", "http://localhost", "ftp://localhost", "https://", "https:// ",
        "https://user@localhost", "https://user:word@localhost", "https://localhost?x=1",
        "https://localhost#x", "https://localhost:99999", "file:///etc/passwd"}) {
    INFO(bad);
    client_options options;
    options.base_url = bad;
    error wrong = fails(std::move(options));
    CHECK(wrong.code == errc::bad_input);
    CHECK(wrong.field == "base_url");
  }
  client_options options;
  options.base_url = "https://localhost";
  options.unix_socket = "/tmp/x";
  CHECK(fails(std::move(options)).field == "base_url");
}

TEST_CASE("paths and headers cannot smuggle lines", "[http]") {
  scripted_server server(says(http_answer("{}")));
  auto one = client_of(server.path());
  for (const char* bad : {"/a b", "/a\r\nX: y", "/a\nb", "/a#b", "/\t"})
    CHECK(code_of(one->post(bad, "{}")) == errc::bad_input);
  for (auto [name, value] :
       std::vector<std::pair<std::string, std::string>>{{"X", "a\r\nY: b"},
                                                        {"X\r\nY", "b"},
                                                        {"", "b"},
                                                        {"X: y", "b"},
                                                        {"X Y", "b"},
                                                        {"X", std::string("a\0b", 3)}}) {
    call_options options;
    options.headers = {{name, value}};
    CHECK(code_of(one->post("/x", "{}", options)) == errc::bad_input);
  }
  CHECK(server.connections() == 0);
}

TEST_CASE("identities that do not fit are refused when the client is made", "[http]") {
  auto with = [](std::string certificate, const std::string& key) {
    client_options options;
    options.base_url = "https://localhost";
    options.identity.emplace();
    options.identity->certificate_pem = std::move(certificate);
    options.identity->key_pem = secret(key);
    return fails(std::move(options));
  };
  const auto& w = world();
  CHECK(with("", w.client.key_pem).field == "identity.certificate_pem");
  CHECK(with("nonsense", w.client.key_pem).field == "identity.certificate_pem");
  CHECK(with(w.client.certificate_pem, "nonsense").field == "identity.key_pem");
  CHECK(with(w.client.certificate_pem, w.server.key_pem).field == "identity.key_pem");
  CHECK(with(w.client.certificate_pem, w.client.certificate_pem).field == "identity.key_pem");
  std::string cut = w.client.certificate_pem.substr(0, w.client.certificate_pem.size() / 2);
  CHECK(with(cut, w.client.key_pem).field == "identity.certificate_pem");
  CHECK(with(w.client.certificate_pem + cut, w.client.key_pem).field == "identity.certificate_pem");
  client_options options;
  options.base_url = "https://localhost";
  options.trusted_roots_pem = "nonsense";
  CHECK(fails(std::move(options)).field == "trusted_roots_pem");
}

TEST_CASE("a key file that others may read is refused", "[http]") {
  scratch folder;
  std::string path = folder.path("key.pem");
  auto with = [&](const std::string& file) {
    client_options options;
    options.base_url = "https://localhost";
    options.identity.emplace();
    options.identity->certificate_pem = world().client.certificate_pem;
    options.identity->key_pem_path = file;
    auto made = client::make(std::move(options));
    return made ? error{errc::none, "", ""} : made.error();
  };
  CHECK(with(path).code == errc::io);
  FILE* file = std::fopen(path.c_str(), "w");
  std::fputs(world().client.key_pem.c_str(), file);
  std::fclose(file);
  ::chmod(path.c_str(), 0640);
  CHECK(with(path).code == errc::bad_input);
  CHECK(with(path).field == "identity.key_pem_path");
  ::chmod(path.c_str(), 0600);
  CHECK(with(path).code == errc::none);
  CHECK(::truncate(path.c_str(), 0) == 0);
  CHECK(with(path).code == errc::bad_input);
  CHECK(with("/").code == errc::bad_input);
}

TEST_CASE("Retry-After is read in both forms and never believed beyond ten minutes", "[http]") {
  using connect::http::read_retry_after;
  constexpr unix_ms now = 1'800'000'000'000; // 2027-01-15T08:00:00Z
  CHECK(read_retry_after("120", now) == 120'000);
  CHECK(read_retry_after(" 0 ", now) == 0);
  CHECK(read_retry_after("999999999999999999999999", now) == 600'000);
  CHECK(read_retry_after("315360000", now) == 600'000); // come again in ten years
  CHECK(read_retry_after("601", now) == 600'000);
  CHECK(read_retry_after("Fri, 15 Jan 2027 08:01:00 GMT", now) == 60'000);
  CHECK(read_retry_after("Fri, 15 Jan 2010 08:01:00 GMT", now) == 0);
  CHECK(read_retry_after("Fri, 15 Jan 2100 08:01:00 GMT", now) == 600'000);
  for (const char* bad : {"", " ", "-5", "soon", "1e3", "12 34 56 x", "\xff"})
    CHECK_FALSE(read_retry_after(bad, now).has_value());
  auto got = ask("HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n");
  CHECK(got->retry_after_ms == 7'000);
}
