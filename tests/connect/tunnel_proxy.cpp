// CONNECT, then octets both ways.
#include "tests/connect/tunnel_proxy.hpp"

#include <stdexcept>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "connect/http/stream.hpp"

namespace pfx::test {

namespace {

using connect::http::io_status;
using connect::http::steady_ms;
using connect::http::stream;

constexpr std::int64_t patience_ms = 5'000;

/// "CONNECT localhost:4711 HTTP/1.1…" → 4711
std::uint16_t port_of(const std::string& head) {
  const auto colon = head.find(':');
  return static_cast<std::uint16_t>(std::stoi(head.substr(colon + 1)));
}

/// Until one side goes; `wait` says which one has something.
void splice(stream& client, int server) {
  std::array<char, 16'384> block;
  for (;;) {
    const auto who = client.wait(server, steady_ms() + patience_ms);
    if (who == io_status::stopped) {
      const ssize_t got = ::recv(server, block.data(), block.size(), 0);
      if (got <= 0
          || client.write_all({block.data(), static_cast<std::size_t>(got)},
                              steady_ms() + patience_ms)
            != io_status::done)
        return;
    } else if (who == io_status::done) {
      std::size_t got = 0;
      if (client.read_some(block.data(), block.size(), got, steady_ms() + patience_ms)
          != io_status::done)
        return;
      send_text(server, {block.data(), got});
    } else {
      return;
    }
  }
}

} // namespace

tunnel_proxy::tunnel_proxy(proxy_manners manners) : manners_(std::move(manners)) {
  if (manners_.identity != nullptr) {
    auto made = connect::http::tls::make_server_context(manners_.identity->certificate_pem,
                                                        manners_.identity->key_pem, {});
    if (!made)
      throw std::runtime_error(to_string(made.error()));
    context_ = std::move(*made);
  }
  thread_ = std::thread([this] {
    while (!ending_.load()) {
      const int fd = door_.accept();
      if (!ending_.load())
        serving_.emplace_back([this, fd] { serve(fd); });
      else
        ::close(fd);
    }
    for (auto& one : serving_)
      one.join();
  });
}

tunnel_proxy::~tunnel_proxy() {
  ending_.store(true);
  ::close(connect_tcp(door_.port())); // wakes accept
  thread_.join();
}

std::string tunnel_proxy::url() const {
  return (context_ ? "https://localhost:" : "http://localhost:") + std::to_string(door_.port());
}

std::vector<std::string> tunnel_proxy::heads() const {
  std::lock_guard lock(mutex_);
  return heads_;
}

void tunnel_proxy::serve(int fd) {
  ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
  stream client(fd);
  if (context_ && client.handshake(context_.get(), steady_ms() + patience_ms) != io_status::done)
    return;
  std::string head;
  while (head.find("\r\n\r\n") == std::string::npos) {
    char one = 0;
    std::size_t got = 0;
    if (client.read_some(&one, 1, got, steady_ms() + patience_ms) != io_status::done)
      return;
    head += one;
  }
  {
    std::lock_guard lock(mutex_);
    heads_.push_back(head);
  }
  auto say
    = [&](const std::string& text) { (void)client.write_all(text, steady_ms() + patience_ms); };
  if (manners_.refuse_with != 0)
    return say("HTTP/1.1 " + std::to_string(manners_.refuse_with)
               + " No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  if (!manners_.wanted_authorization.empty()
      && head.find("Proxy-Authorization: " + manners_.wanted_authorization + "\r\n")
        == std::string::npos)
    return say("HTTP/1.1 407 Who\r\nProxy-Authenticate: Basic realm=\"x\"\r\n"
               "Content-Length: 0\r\nConnection: close\r\n\r\n");
  const int server = connect_tcp(port_of(head));
  say("HTTP/1.1 200 Connection established\r\nX-Of-The-Proxy: yes\r\n\r\n");
  ++tunnels_;
  splice(client, server);
  ::close(server);
}

} // namespace pfx::test
