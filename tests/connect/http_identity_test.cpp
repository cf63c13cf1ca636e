// An identity that changes while clients run: the next connection shows the new one, kept ones are
// not used again, and one that is none changes nothing.
#include "tests/catch.hpp"

#include <mutex>

#include "tests/connect/http_support.hpp"

using namespace pfx;
using namespace pfx::test;
using namespace pfx::connect;

namespace {

http::tls_identity identity_of(const tls_party& who) {
  return {who.certificate_pem, {}, secret(who.key_pem)};
}

/// A server that tells by whose certificate it was called.
struct host {
  std::mutex mutex;
  std::vector<bytes> seen;
  std::unique_ptr<http::server> server
    = std::move(*http::server::start(tls_server(world().server), [this](const auto& in) {
        const std::lock_guard lock(mutex);
        seen.push_back(to_bytes(in.from.certificate_der));
        return http::server_response{200, {}, "{}"};
      }));
  std::unique_ptr<http::client> client(const std::shared_ptr<const http::identity_box>& box) {
    auto options = tls_client(*server);
    options.shared_identity = box;
    auto made = http::client::make(std::move(options));
    REQUIRE(made.has_value());
    return std::move(*made);
  }
};

} // namespace

TEST_CASE("a client shows what lies in the box, and what is put there later", "[http][tls]") {
  host h;
  const auto box = std::make_shared<http::identity_box>(identity_of(world().client));
  auto first = h.client(box);
  auto second = h.client(box);
  REQUIRE(first->get("/a").has_value());
  REQUIRE(second->get("/a").has_value());
  CHECK(h.seen.size() == 2);
  CHECK(h.seen[0] == world().client.certificate_der);
  CHECK(h.seen[1] == world().client.certificate_der);

  box->put(identity_of(world().foreign_client)); // one that this server does not take
  CHECK_FALSE(first->get("/a").has_value());     // no kept connection is used again
  CHECK_FALSE(second->get("/a").has_value());
  CHECK(h.seen.size() == 2);

  box->put(identity_of(world().client));
  CHECK(first->get("/a").has_value());
  CHECK(second->get("/a").has_value());
  CHECK(h.seen.back() == world().client.certificate_der);
}

TEST_CASE("what cannot be an identity changes nothing", "[http][tls]") {
  host h;
  const auto box = std::make_shared<http::identity_box>(identity_of(world().client));
  auto at = h.client(box);
  REQUIRE(at->get("/a").has_value());
  box->put({"nonsense", {}, secret("nonsense")});
  CHECK(at->get("/a").has_value());
  box->put({world().client.certificate_pem, {}, secret(world().server.key_pem)});
  CHECK(at->get("/a").has_value());
  CHECK(h.seen.size() == 3);
}

TEST_CASE("an identity is given once", "[http][tls]") {
  host h;
  auto options = tls_client(*h.server, &world().client);
  options.shared_identity = std::make_shared<http::identity_box>(identity_of(world().client));
  CHECK_FALSE(http::client::make(std::move(options)).has_value());
  auto broken = tls_client(*h.server);
  broken.shared_identity
    = std::make_shared<http::identity_box>(http::tls_identity{"nonsense", {}, secret("x")});
  CHECK_FALSE(http::client::make(std::move(broken)).has_value());
}
