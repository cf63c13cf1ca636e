// The HTTP server over a Unix socket, against clients that lie, drip, vanish and stay.
#include "tests/catch.hpp"

#include <chrono>
#include <fstream>

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/connect/http_support.hpp"

using namespace pfx;
using namespace pfx::test;
using connect::http::server;
using connect::http::server_options;
using connect::http::server_request;
using connect::http::server_response;

namespace {

std::int64_t now_ms() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count();
}

/// A server on a socket of its own that echoes, unless a test says otherwise.
struct house {
  explicit house(connect::http::handler handle = {},
                 std::function<void(server_options&)> adapt = {}) {
    server_options options;
    options.unix_socket = path;
    options.body_bytes_max = 1'000;
    options.header_bytes_max = 4'096;
    if (adapt)
      adapt(options);
    if (!handle)
      handle = [](const server_request& in) { return server_response{200, {}, in.body}; };
    auto made = server::start(std::move(options), std::move(handle));
    if (!made)
      FAIL(to_string(made.error()));
    at = std::move(*made);
  }

  /// Everything the server says to `text` until it closes.
  std::string say(std::string_view text) const {
    int fd = connect_unix(path);
    send_text(fd, text);
    std::string out = read_all(fd);
    ::close(fd);
    return out;
  }
  [[nodiscard]] bool alive() const {
    return say("POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi")
      .ends_with("\r\n\r\nhi");
  }

  scratch folder;
  std::string path = folder.path("s");
  std::unique_ptr<server> at;
};

std::string post(const std::string& body, const std::string& headers = {}) {
  return "POST /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + headers
    + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

bool starts(const std::string& text, int status) {
  return text.starts_with("HTTP/1.1 " + std::to_string(status) + " ");
}

} // namespace

TEST_CASE("the peer's user is known on a Unix socket, and its mode is 0600", "[http][server]") {
  std::int64_t user = -1;
  house one([&](const server_request& in) {
    user = in.from.user_id;
    return server_response{};
  });
  CHECK(starts(one.say(post("")), 200));
  CHECK(user == static_cast<std::int64_t>(::getuid()));
  struct stat about {};
  REQUIRE(::stat(one.path.c_str(), &about) == 0);
  CHECK((about.st_mode & 0777) == 0600);
}

TEST_CASE("what is no HTTP is answered 400 and let go", "[http][server]") {
  house one;
  for (const char* bad :
       {"garbage\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/7.7\r\n\r\n", "\x16\x03\x01\x02\x00\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", "GET / HTTP/1.1\r\nA B: c\r\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 99999999999999999999999999\r\n\r\n"}) {
    INFO(bad);
    std::string said = one.say(bad);
    CHECK(starts(said, 400));
    CHECK(said.find("Connection: close") != std::string::npos);
  }
  CHECK(one.alive());
}

TEST_CASE("headers and bodies over their limits are refused without being read", "[http][server]") {
  int served = 0;
  house one([&](const server_request&) {
    ++served;
    return server_response{};
  });
  CHECK(starts(one.say("GET / HTTP/1.1\r\nX: " + std::string(10'000, 'a') + "\r\n\r\n"), 431));
  CHECK(starts(one.say("GET /" + std::string(200'000, 'a')), 431));
  CHECK(starts(one.say("POST / HTTP/1.1\r\nContent-Length: 1001\r\n\r\n"), 413));
  CHECK(starts(one.say(post(std::string(5'000'000, 'a'))), 413));
  CHECK(starts(one.say("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n"
                       + std::string(1'001, 'a') + "\r\n0\r\n\r\n"),
               413));
  CHECK(served == 0);
  CHECK(starts(one.say(post(std::string(1'000, 'a'))), 200));
  CHECK(served == 1);
}

TEST_CASE("gzip bodies are opened within the limit", "[http][server]") {
  house one;
  std::string encoded = "Content-Encoding: gzip\r\n";
  CHECK(one.say(post(gzip("hello"), encoded)).ends_with("\r\n\r\nhello"));
  CHECK(one.say(post(gzip(std::string(1'000, 'a')), encoded)).ends_with(std::string(1'000, 'a')));
  CHECK(starts(one.say(post(gzip(std::string(1'001, 'a')), encoded)), 413));
  CHECK(starts(one.say(post(gzip(std::string(500'000, 'a')), encoded)), 413));
  CHECK(starts(one.say(post("hello", encoded)), 400));
  CHECK(starts(one.say(post("", encoded)), 400));
  CHECK(starts(one.say(post(gzip("hello") + "x", encoded)), 400));
  std::string cut = gzip("hello");
  cut.pop_back();
  CHECK(starts(one.say(post(cut, encoded)), 400));
  CHECK(starts(one.say(post("hello", "Content-Encoding: br\r\n")), 415));
  CHECK(starts(one.say(post("hello", "Content-Encoding: gzip, gzip\r\n")), 415));
  CHECK(starts(one.say(post("hello", "Content-Encoding: identity\r\n")), 200));
}

TEST_CASE("slow and idle clients are let go in time", "[http][server]") {
  house one({}, [](server_options& o) {
    o.request_timeout_ms = 100;
    o.idle_timeout_ms = 100;
  });
  CHECK(starts(one.say("POST / HTTP/1.1\r\nContent-Le"), 408));
  CHECK(starts(one.say("POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nab"), 408));
  CHECK(one.say("").empty());
  int dripping = connect_unix(one.path);
  std::int64_t begin = now_ms();
  std::array<char, 1> ignored{};
  while (now_ms() - begin < 2'000) {
    send_text(dripping, "P");
    if (::recv(dripping, ignored.data(), 1, MSG_DONTWAIT) > 0)
      break; // the refusal arrived although octets kept coming
  }
  CHECK(now_ms() - begin < 1'500);
  ::close(dripping);
  CHECK(one.alive());
}

TEST_CASE("a half-open client ends alone", "[http][server]") {
  house one;
  int fd = connect_unix(one.path);
  send_text(fd, "POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nab");
  ::shutdown(fd, SHUT_WR);
  CHECK(read_all(fd).find("200") == std::string::npos);
  ::close(fd);
  CHECK(one.alive());
}

TEST_CASE("one connection serves many requests, also those sent ahead", "[http][server]") {
  house one;
  int fd = connect_unix(one.path);
  std::string request = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n";
  for (char c : {'a', 'b', 'c'}) {
    send_text(fd, request + c);
    CHECK(read_message(fd).ends_with(std::string("\r\n\r\n") + c));
  }
  send_text(fd, request + "d" + request + "e" + post("f"));
  std::string rest = read_all(fd);
  CHECK(rest.find("\r\n\r\nd") < rest.find("\r\n\r\ne"));
  CHECK(rest.ends_with("\r\n\r\nf"));
  ::close(fd);
}

TEST_CASE("HEAD has no body and Expect is answered", "[http][server]") {
  house one([](const server_request&) { return server_response{200, {}, "body"}; });
  std::string head = one.say("HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  CHECK(head.find("Content-Length: 4") != std::string::npos);
  CHECK(head.ends_with("\r\n\r\n"));
  int fd = connect_unix(one.path);
  send_text(fd,
            "POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nConnection: close\r\n"
            "Content-Length: 2\r\n\r\n");
  CHECK(read_message(fd) == "HTTP/1.1 100 Continue\r\n\r\n");
  send_text(fd, "hi");
  CHECK(starts(read_all(fd), 200));
  ::close(fd);
}

TEST_CASE("a handler that throws is a 500 that says nothing of it", "[http][server]") {
  house one([](const server_request& in) -> server_response {
    if (in.body == "std")
      throw std::runtime_error("the secret is 42");
    throw 42;
  });
  for (const char* how : {"std", "other"}) {
    std::string said = one.say(post(how));
    CHECK(starts(said, 500));
    CHECK(said.find("42") == std::string::npos);
  }
}

TEST_CASE("a handler's headers cannot break the frame", "[http][server]") {
  house one([](const server_request&) {
    return server_response{200,
                           {{"X-Good", "1"},
                            {"X-Bad", "a\r\nX-Worse: b"},
                            {"content-length", "999"},
                            {"Transfer-Encoding", "chunked"},
                            {"X\r\nY", "z"}},
                           "body"};
  });
  std::string said = one.say(post(""));
  CHECK(said.find("X-Good: 1\r\n") != std::string::npos);
  CHECK(said.find("Worse") == std::string::npos);
  CHECK(said.find("999") == std::string::npos);
  CHECK(said.find("chunked") == std::string::npos);
  CHECK(said.find("\nY") == std::string::npos);
}

TEST_CASE("a client that is gone before its answer does no harm", "[http][server]") {
  std::promise<void> gone;
  auto is_gone = gone.get_future().share();
  house one([is_gone](const server_request& in) {
    if (in.body == "big") {
      is_gone.wait();
      return server_response{200, {}, std::string(8'000'000, 'x')};
    }
    return server_response{200, {}, in.body};
  });
  int fd = connect_unix(one.path);
  send_text(fd, post("big"));
  ::close(fd);
  gone.set_value();
  CHECK(one.alive());
  one.at->stop();
}

TEST_CASE("in a full house the one that rests longest makes room", "[http][server]") {
  house one({}, [](server_options& o) { o.connections_max = 3; });
  std::vector<int> resting;
  for (int i = 0; i < 3; ++i) {
    resting.push_back(connect_unix(one.path));
    send_text(resting.back(), "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\na");
    CHECK(starts(read_message(resting.back()), 200));
  }
  CHECK(one.alive());
  CHECK(read_all(resting[0]).empty());
  for (int fd : resting)
    ::close(fd);
}

TEST_CASE("those beyond the limit wait and are served in the end", "[http][server]") {
  std::atomic<int> inside{0};
  std::atomic<int> most{0};
  house one(
    [&](const server_request& in) {
      int now = ++inside;
      int before = most.load();
      while (before < now && !most.compare_exchange_weak(before, now)) {}
      std::this_thread::yield();
      --inside;
      return server_response{200, {}, in.body};
    },
    [](server_options& o) { o.connections_max = 2; });
  std::vector<std::thread> threads;
  std::atomic<int> served{0};
  for (int t = 0; t < 8; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 5; ++i)
        served += one.alive() ? 1 : 0;
    });
  for (auto& thread : threads)
    thread.join();
  CHECK(served == 40);
  CHECK(most.load() <= 2);
}

TEST_CASE("stop ends the idle at once and waits for those at work", "[http][server]") {
  std::promise<void> entered;
  std::promise<void> leave;
  house one([&](const server_request& in) {
    if (in.body == "wait") {
      entered.set_value();
      leave.get_future().wait();
    }
    return server_response{200, {}, "done"};
  });
  int idle = connect_unix(one.path);
  send_text(idle, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
  (void)read_message(idle);
  int busy = connect_unix(one.path);
  send_text(busy, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nwait");
  entered.get_future().wait();
  auto stopping = std::async(std::launch::async, [&] { one.at->stop(); });
  CHECK(read_all(idle).empty());
  leave.set_value();
  std::string said = read_all(busy);
  CHECK(said.ends_with("done"));
  CHECK(said.find("Connection: close") != std::string::npos);
  stopping.wait();
  CHECK_FALSE(::access(one.path.c_str(), F_OK) == 0);
  ::close(idle);
  ::close(busy);
}

TEST_CASE("stop does not wait longer than it was told", "[http][server]") {
  std::promise<void> entered;
  std::promise<void> leave;
  house one([&](const server_request&) {
    entered.set_value();
    leave.get_future().wait();
    return server_response{};
  });
  int fd = connect_unix(one.path);
  send_text(fd, post(""));
  entered.get_future().wait();
  std::int64_t begin = now_ms();
  one.at->stop(100);
  CHECK(now_ms() - begin < 1'000);
  CHECK(read_all(fd).empty());
  leave.set_value();
  ::close(fd);
}

TEST_CASE("a stale socket is replaced, a living one and a file are not", "[http][server]") {
  house one;
  auto again = [&](const std::string& path) {
    server_options options;
    options.unix_socket = path;
    auto made = server::start(std::move(options), [](const auto&) { return server_response{}; });
    return made ? errc::none : made.error().code;
  };
  CHECK(again(one.path) == errc::conflict);
  CHECK(one.alive());
  std::string file = one.folder.path("file");
  std::ofstream(file) << "precious";
  CHECK(again(file) == errc::conflict);
  CHECK(::access(file.c_str(), F_OK) == 0);
  CHECK(again(one.folder.path(std::string(120, 'a'))) == errc::bad_input);
  CHECK(again(one.folder.path("no/such/folder")) == errc::io);

  std::string stale = one.folder.path("stale");
  { // a server that died: its socket file stays
    std::string moved = one.folder.path("moved");
    server_options options;
    options.unix_socket = moved;
    auto made = server::start(std::move(options), [](const auto&) { return server_response{}; });
    REQUIRE(made.has_value());
    REQUIRE(::rename(moved.c_str(), stale.c_str()) == 0);
  }
  REQUIRE(::access(stale.c_str(), F_OK) == 0);
  CHECK(again(stale) == errc::none);
  CHECK_FALSE(::access(stale.c_str(), F_OK) == 0); // and removed by its new owner
}
