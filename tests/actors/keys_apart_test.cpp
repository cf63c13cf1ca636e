// One key, one request: what the CA is shown under two requests never holds the same key.
#include "crypto/request.hpp"
#include "tests/actors/harness.hpp"
#include "tests/catch.hpp"

using namespace pfx;
using test::bench;

TEST_CASE("no two requests have one key", "[actors]") {
  bench b;
  constexpr std::size_t count = 5;
  for (std::size_t i = 0; i < count; ++i) {
    b.service.offer(b.request("r" + std::to_string(i)));
  }
  b.start();
  REQUIRE(b.advance_until([&] { return b.service.all_recorded(); }, 200'000));
  REQUIRE(b.stop());
  b.start(); // nor after a restart: a reserve of keys is never written
  b.service.offer(b.request("later"));
  REQUIRE(b.advance_until([&] { return b.service.all_recorded(); }, 200'000));
  std::set<digest> keys;
  for (const auto& [id, slot] : b.ca->slots) {
    const auto csr = crypto::parse_csr(slot.csr);
    REQUIRE(csr.has_value());
    keys.insert(csr->public_key_hash);
  }
  CHECK(b.ca->slots.size() == count + 1);
  CHECK(keys.size() == count + 1);
}
