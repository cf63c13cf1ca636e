// Keys: the order of octets is the order of values, and what is no key is not taken for one.
#include "storage/keys.hpp"

#include "tests/catch.hpp"

using namespace pfx;
using namespace pfx::storage;

namespace {

const request_key some = {"contoso", flow::pfx, "ctx"};

bool within(const keys::range& range, const bytes& key) {
  return range.first <= key && key < range.last;
}

} // namespace

TEST_CASE("numbers and times sort as octets like they sort as values", "[storage][keys]") {
  CHECK(keys::audit(1) < keys::audit(255));
  CHECK(keys::audit(255) < keys::audit(256));
  CHECK(keys::audit(256) < keys::audit(~std::uint64_t{0}));
  CHECK(keys::due(-2, some) < keys::due(-1, some));
  CHECK(keys::due(-1, some) < keys::due(0, some));
  CHECK(keys::due(0, some) < keys::due(1, some));
  CHECK(keys::trail(some, 9) < keys::trail(some, 10));
}

TEST_CASE("ranges hold what they name and nothing beside it", "[storage][keys]") {
  CHECK(within(keys::all(keys::prefix::record), keys::record(some)));
  CHECK(!within(keys::all(keys::prefix::record), keys::settled(some)));
  CHECK(within(keys::trail_of(some), keys::trail(some, 0)));
  CHECK(within(keys::trail_of(some), keys::trail(some, ~std::uint64_t{0})));
  CHECK(!within(keys::trail_of(some), keys::trail({"contoso", flow::pfx, "ctx2"}, 0)));
  CHECK(!within(keys::trail_of(some), keys::trail({"contoso", flow::scep, "ctx"}, 0)));
  CHECK(within(keys::audit_from(5), keys::audit(5)));
  CHECK(!within(keys::audit_from(5), keys::audit(4)));
  CHECK(within(keys::audit_from(0), keys::audit(~std::uint64_t{0})));
  CHECK(within(keys::due_before(5), keys::due(4, some)));
  CHECK(!within(keys::due_before(5), keys::due(5, some)));
  const request_key high = {"t", flow::pfx, "\xff\xff"};
  CHECK(within(keys::trail_of(high), keys::trail(high, ~std::uint64_t{0})));
}

TEST_CASE("a key is read back, or not at all", "[storage][keys]") {
  CHECK(keys::request_of(keys::prefix::record, keys::record(some)) == some);
  CHECK(keys::request_of_due(keys::due(7, some)) == some);
  CHECK(keys::audit_sequence(keys::audit(7)) == 7u);
  CHECK(!keys::request_of(keys::prefix::record, keys::settled(some)));
  CHECK(!keys::request_of_due(keys::record(some)));
  CHECK(!keys::audit_sequence(keys::meta("7")));
  CHECK(!keys::request_of(keys::prefix::record, {}));
  const auto full = keys::record(some);
  for (std::size_t size = 0; size < full.size(); ++size) {
    CHECK(!keys::request_of(keys::prefix::record, byte_view(full).first(size)));
  }
  auto longer = full;
  longer.push_back(0);
  CHECK(!keys::request_of(keys::prefix::record, longer));
  CHECK(!keys::request_of(keys::prefix::record, keys::record({"t", static_cast<flow>(0), "c"})));
}

TEST_CASE("request keys have limits", "[storage][keys]") {
  CHECK(keys::check(some));
  CHECK(keys::check({"", flow::scep, std::string(512, 'c')}));
  CHECK(keys::check({std::string(256, 't'), flow::pfx, "c"}));
  CHECK(!keys::check({"t", flow::pfx, ""}));
  CHECK(!keys::check({"t", flow::pfx, std::string(513, 'c')}));
  CHECK(keys::check({"t", flow::revocation, std::string(8'192, 'c')}));
  CHECK(!keys::check({"t", flow::revocation, std::string(8'193, 'c')}));
  CHECK(!keys::check({"t", flow::scep, std::string(513, 'c')}));
  CHECK(!keys::check({std::string(257, 't'), flow::pfx, "c"}));
  CHECK(!keys::check({"t", static_cast<flow>(0), "c"}));
  CHECK(!keys::check({"t", static_cast<flow>(9), "c"}));
}
