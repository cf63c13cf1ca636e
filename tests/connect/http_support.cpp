// Shared means of the tests of connect.
#include "tests/connect/http_support.hpp"

#include <cstring>
#include <filesystem>
#include <stdexcept>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <zlib.h>

namespace pfx::test {

namespace {

constexpr std::int64_t day_ms = 86'400'000;

template <class T>
T must(result<T> value) {
  if (!value)
    throw std::runtime_error(to_string(value.error()));
  return std::move(*value);
}

crypto::ca_identity make_root(const std::string& subject) {
  unix_ms now = system_clock().wall();
  return must(crypto::make_root({subject, key_algorithm::ec_p256, now - day_ms, now + day_ms}));
}

tls_party make_leaf(const crypto::ca_identity& by, const std::string& name, bool server,
                    std::int64_t begin, std::int64_t end) {
  auto key = must(crypto::private_key::generate(key_algorithm::ec_p256));
  crypto::leaf_options options;
  options.names.subject = "CN=" + name;
  options.names.usages = static_cast<key_usages>(key_usage::digital_signature);
  options.names.extended_usages = {server ? "1.3.6.1.5.5.7.3.1" : "1.3.6.1.5.5.7.3.2"};
  if (server) {
    options.names.alternative_names = {{name_type::dns, name}};
    if (name == "localhost")
      options.names.alternative_names.push_back({name_type::ip, "127.0.0.1"});
  }
  options.not_before = system_clock().wall() + begin;
  options.not_after = system_clock().wall() + end;
  auto leaf = must(crypto::issue_leaf(by, key, options));
  return {leaf.pem(), std::string(must(key.to_pem()).text()), leaf.der()};
}

tls_world make_world() {
  auto server_root = make_root("CN=Test server root");
  auto client_root = make_root("CN=Test client root");
  auto foreign_root = make_root("CN=Foreign root");
  tls_world out;
  out.server_root = server_root.cert.pem();
  out.client_root = client_root.cert.pem();
  out.foreign_root = foreign_root.cert.pem();
  out.server = make_leaf(server_root, "localhost", true, -day_ms / 2, day_ms / 2);
  out.expired_server = make_leaf(server_root, "localhost", true, -day_ms / 2, -60'000);
  out.other_name = make_leaf(server_root, "other.example", true, -day_ms / 2, day_ms / 2);
  out.client = make_leaf(client_root, "connector-1", false, -day_ms / 2, day_ms / 2);
  out.expired_client = make_leaf(client_root, "connector-2", false, -day_ms / 2, -60'000);
  out.foreign_client = make_leaf(foreign_root, "connector-1", false, -day_ms / 2, day_ms / 2);
  return out;
}

void limit_waits(int fd) {
  timeval five{5, 0};
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &five, sizeof five);
  ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &five, sizeof five);
}

sockaddr_un unix_name(const std::string& path) {
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  std::memcpy(name.sun_path, path.data(), path.size());
  return name;
}

} // namespace

scratch::scratch() {
  std::string pattern = (std::filesystem::temp_directory_path() / "pfx-connect-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr)
    throw std::runtime_error("no temporary folder");
  folder_ = pattern;
}

scratch::~scratch() {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

const tls_world& world() {
  static const tls_world the = make_world();
  return the;
}

secret_bytes secret(const std::string& text) { return secret_bytes(as_bytes(text)); }

connect::http::server_options tls_server(const tls_party& who) {
  connect::http::server_options out;
  out.certificate_pem = who.certificate_pem;
  out.key_pem = secret(who.key_pem);
  out.client_roots_pem = world().client_root;
  return out;
}

connect::http::client_options tls_client(const connect::http::server& of, const tls_party* who) {
  connect::http::client_options out;
  out.base_url = "https://localhost:" + std::to_string(of.port());
  out.trusted_roots_pem = world().server_root;
  if (who != nullptr) {
    out.identity.emplace();
    out.identity->certificate_pem = who->certificate_pem;
    out.identity->key_pem = secret(who->key_pem);
  }
  return out;
}

connect::http::client_options unix_client(const std::string& path) {
  connect::http::client_options out;
  out.base_url = "http://localhost";
  out.unix_socket = path;
  return out;
}

int connect_unix(const std::string& path) {
  int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un name = unix_name(path);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0)
    throw std::runtime_error("cannot connect to the Unix socket");
  limit_waits(fd);
  return fd;
}

int connect_tcp(std::uint16_t port) {
  int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_port = htons(port);
  name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0)
    throw std::runtime_error("cannot connect");
  limit_waits(fd);
  return fd;
}

void send_text(int fd, std::string_view text) {
  while (!text.empty()) {
    ssize_t sent = ::send(fd, text.data(), text.size(), MSG_NOSIGNAL);
    if (sent <= 0)
      return; // the other side has had enough; what it said will show
    text.remove_prefix(static_cast<std::size_t>(sent));
  }
}

std::string read_message(int fd) {
  std::string out;
  std::array<char, 4096> block;
  std::size_t whole = std::string::npos;
  while (out.size() < whole) {
    ssize_t got = ::recv(fd, block.data(), block.size(), 0);
    if (got <= 0)
      break;
    out.append(block.data(), static_cast<std::size_t>(got));
    auto end = out.find("\r\n\r\n");
    if (whole == std::string::npos && end != std::string::npos) {
      auto length = out.find("Content-Length: ");
      whole = end + 4 + (length < end ? std::stoul(out.substr(length + 16)) : 0);
    }
  }
  return out;
}

std::string read_all(int fd) {
  std::string out;
  std::array<char, 4096> block;
  ssize_t got = 0;
  while ((got = ::recv(fd, block.data(), block.size(), 0)) > 0)
    out.append(block.data(), static_cast<std::size_t>(got));
  return out;
}

loopback_listener::loopback_listener() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof name;
  auto* address = reinterpret_cast<sockaddr*>(&name);
  if (::bind(fd_, address, size) != 0 || ::listen(fd_, 16) != 0
      || ::getsockname(fd_, address, &size) != 0)
    throw std::runtime_error("cannot listen");
  port_ = ntohs(name.sin_port);
}

loopback_listener::~loopback_listener() { ::close(fd_); }

int loopback_listener::accept() const {
  int fd = ::accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC);
  limit_waits(fd);
  return fd;
}

scripted_server::scripted_server(script run) : path_(folder_.path("socket")), run_(std::move(run)) {
  listen_fd_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un name = unix_name(path_);
  if (::bind(listen_fd_, reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0
      || ::listen(listen_fd_, 16) != 0)
    throw std::runtime_error("cannot listen");
  thread_ = std::thread([this] {
    while (!ending_.load()) {
      int fd = ::accept4(listen_fd_, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0)
        return;
      limit_waits(fd);
      ++connections_;
      current_fd_.store(fd);
      if (!ending_.load())
        run_(fd);
      current_fd_.store(-1);
      ::close(fd);
    }
  });
}

scripted_server::~scripted_server() {
  ending_.store(true);
  ::shutdown(listen_fd_, SHUT_RDWR);
  if (int fd = current_fd_.load(); fd >= 0)
    ::shutdown(fd, SHUT_RDWR);
  thread_.join();
  ::close(listen_fd_);
}

scripted_server::script says(std::string answer) {
  return [answer = std::move(answer)](int fd) {
    (void)read_message(fd);
    send_text(fd, answer);
  };
}

std::string gzip(std::string_view plain) {
  z_stream z{};
  ::deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  std::string out(::deflateBound(&z, plain.size()) + 64, '\0');
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(plain.data()));
  z.avail_in = static_cast<uInt>(plain.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  ::deflate(&z, Z_FINISH);
  out.resize(out.size() - z.avail_out);
  ::deflateEnd(&z);
  return out;
}

std::string http_answer(const std::string& body, const std::string& headers) {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" + headers
    + "\r\n" + body;
}

} // namespace pfx::test
