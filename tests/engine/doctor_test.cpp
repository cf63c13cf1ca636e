// The doctor's calls: who wants the connector's certificate gets it, and each side's refusal is
// told as what it is.
#include "tests/catch.hpp"

#include <algorithm>
#include <array>
#include <thread>

#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "connect/http/tls.hpp"
#include "crypto/issue.hpp"
#include "engine/doctor.hpp"
#include "engine/identity_files.hpp"
#include "tests/connect/http_support.hpp"
#include "tests/engine/sealed_room.hpp"

namespace {

using namespace pfx;
using namespace pfx::engine;
using test::must;
using test::world;

constexpr std::int64_t day_ms = 86'400'000;

/// A server that lets nobody in without a certificate of its root.
class strict_server {
public:
  explicit strict_server(const std::string& client_root)
      : context_(strict_context(client_root)),
        thread_([this](const std::stop_token& end) { serve(end); }) {}
  ~strict_server() {
    thread_.request_stop();
    ::close(test::connect_tcp(listener_.port()));
  }
  strict_server(const strict_server&) = delete;

  [[nodiscard]] std::string url() const {
    return "https://localhost:" + std::to_string(listener_.port());
  }

private:
  static connect::http::tls::context strict_context(const std::string& client_root) {
    auto out = must(connect::http::tls::make_server_context(world().server.certificate_pem,
                                                            world().server.key_pem, client_root));
    ::SSL_CTX_set_verify(out.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    return out;
  }
  void serve(const std::stop_token& end) {
    while (!end.stop_requested()) {
      const int fd = listener_.accept();
      answer(fd);
      ::close(fd);
    }
  }
  void answer(int fd) {
    const std::unique_ptr<SSL, void (*)(SSL*)> ssl(::SSL_new(context_.get()), ::SSL_free);
    ::SSL_set_fd(ssl.get(), fd);
    std::array<char, 4'096> octets{};
    if (::SSL_accept(ssl.get()) == 1
        && ::SSL_read(ssl.get(), octets.data(), static_cast<int>(octets.size())) > 0) {
      const std::string said = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
      (void)::SSL_write(ssl.get(), said.data(), static_cast<int>(said.size()));
    }
    ::shutdown(fd, SHUT_WR); // and the rest is read, so that no reset overtakes an alert
    while (::recv(fd, octets.data(), octets.size(), 0) > 0) {}
  }

  connect::http::tls::context context_;
  test::loopback_listener listener_;
  std::jthread thread_;
};

/// A connector, registered or not, before a service and a CA that want certificates of `office`, or
/// of somebody else.
struct practice {
  test::sealed_room room;
  unix_ms now = system_clock().wall();
  crypto::ca_identity office = must(
    crypto::make_root({"CN=Office", key_algorithm::ec_p256, now - 10 * day_ms, now + 10 * day_ms}));
  std::unique_ptr<strict_server> there;

  explicit practice(bool trusted = true)
      : there(std::make_unique<strict_server>(trusted ? office.cert.pem() : world().client_root)) {
    room.settings.service.url = there->url();
    room.settings.service.trusted_roots_file = room.folder.write("roots.pem", world().server_root);
    room.settings.authorities.resize(1);
    room.settings.authorities.front().name = "CA";
    room.settings.authorities.front().url = there->url();
  }
  void become_registered() const {
    must(detail::write_sealed_key(room.settings, detail::key_path(room.settings)));
    const auto key = must(crypto::private_key::from_pkcs8(
      must(detail::read_sealed_key(room.settings, detail::key_path(room.settings))).view()));
    crypto::leaf_options leaf;
    leaf.names.subject = "CN=connector-1";
    leaf.names.extended_usages = {"1.3.6.1.5.5.7.3.2"};
    leaf.not_before = now - day_ms;
    leaf.not_after = now + 9 * day_ms;
    const auto own = must(crypto::issue_leaf(office, key, leaf));
    must(detail::write_new_file(room.settings.identity_file,
                                as_bytes(detail::identity_text("connector-1", own, {}))));
  }
  [[nodiscard]] finding of(const std::string& area) const {
    const auto all = diagnose(room.settings, 5'000);
    const auto found = std::ranges::find(all, area, &finding::area);
    REQUIRE(found != all.end());
    return *found;
  }
};

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

} // namespace

TEST_CASE("the doctor shows the connector's certificate to those who want it", "[engine][doctor]") {
  practice p;
  p.become_registered();
  for (const auto* area : {"service", "ca"}) {
    const auto found = p.of(area);
    INFO(found.what);
    CHECK(found.how == verdict::good);
    CHECK(has(found.what, "status 404"));
  }
}

TEST_CASE("without an identity the doctor judges nobody who wants one", "[engine][doctor]") {
  practice p;
  for (const auto* area : {"service", "ca"}) {
    const auto found = p.of(area);
    INFO(found.what);
    CHECK(found.how == verdict::warning);
    CHECK(has(found.what, "can be judged after `pfxengine register`"));
    CHECK(has(found.advice, "pfxengine register CODE"));
    CHECK_FALSE(has(found.advice, "firewall"));
  }
  p.become_registered();
  p.room.folder.write("data/identity.json", "nonsense");
  CHECK(has(p.of("service").advice, "what is said of the identity"));
}

TEST_CASE("the doctor tells a refusal of our certificate from one of theirs", "[engine][doctor]") {
  practice p(false);
  p.become_registered();
  const auto service = p.of("service");
  INFO(service.what);
  CHECK(service.how == verdict::fault);
  CHECK(has(service.what, "refused our certificate"));
  CHECK(has(service.advice, "register anew"));
  CHECK(has(p.of("ca").advice, "let the CA trust"));

  p.room.folder.write("roots.pem", world().foreign_root);
  const auto stranger = p.of("service");
  INFO(stranger.what);
  CHECK(stranger.how == verdict::fault);
  CHECK(has(stranger.what, "is not who it must be"));
  CHECK(has(stranger.advice, "trustedRootsFile"));
}
