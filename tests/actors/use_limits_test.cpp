// How often connector keys may be used within an hour.
#include "actors/tasks/use_limits.hpp"

#include "tests/catch.hpp"

using namespace pfx;

TEST_CASE("limits of use slide over the hour and count each subject by itself",
          "[actors][import]") {
  constexpr boot_ms hour = 3'600'000;
  actors::tasks::use_limits uses(4, 6);
  const auto take = [&](const char* thumbprint, const char* recipient, boot_ms now) {
    const auto done = uses.take({thumbprint}, {recipient}, now);
    return done ? std::string() : done.error().field;
  };
  for (int i = 0; i < 4; ++i) {
    CHECK(take("a", "x", 10 * hour).empty());
  }
  CHECK(take("a", "x", 10 * hour) == "thumbprint");
  CHECK(take("b", "x", 10 * hour).empty());
  CHECK(take("b", "x", 10 * hour).empty());
  CHECK(take("b", "x", 10 * hour) == "recipients[0].certificate");
  CHECK(take("b", "y", 10 * hour).empty());
  CHECK(take("a", "z", 11 * hour) == "thumbprint"); // the last hour still counts in full
  CHECK(take("a", "z", 11 * hour + hour / 2).empty());
  CHECK(take("a", "z", 13 * hour).empty());
}

TEST_CASE("a use that is given back counts no more, also in the next hour", "[actors][import]") {
  constexpr std::int64_t hour = 3'600'000;
  actors::tasks::use_limits uses(1, 1);
  for (const auto later : {std::int64_t{0}, hour}) {
    CHECK(uses.take({"a"}, {"x"}, 10 * hour));
    CHECK_FALSE(uses.take({"a"}, {"y"}, 10 * hour));
    uses.give_back({"a"}, {"x"}, 10 * hour + later);
    CHECK(uses.take({"a"}, {"x"}, 10 * hour + later));
    uses.give_back({"a"}, {"x"}, 10 * hour + later);
  }
  uses.give_back({"never"}, {"counted"}, 0);
  CHECK(uses.take({"never"}, {"counted"}, 0));
  CHECK_FALSE(uses.take({"never"}, {"counted"}, 0));
}

TEST_CASE("a clock that was read before an hour's end clears no count of the next hour",
          "[actors][import]") {
  constexpr std::int64_t hour = 3'600'000;
  actors::tasks::use_limits uses(3, 3);
  CHECK(uses.take({"a"}, {"x"}, 11 * hour - 1));
  CHECK(uses.take({"a"}, {"x"}, 11 * hour));
  CHECK(uses.take({"a"}, {"x"}, 11 * hour));
  CHECK_FALSE(uses.take({"a"}, {"y"}, 11 * hour));
  uses.give_back({"a"}, {"x"}, 11 * hour - 1); // one, and no more
  CHECK(uses.take({"a"}, {"x"}, 11 * hour - 1));
  CHECK_FALSE(uses.take({"a"}, {"y"}, 11 * hour - 1));
  CHECK_FALSE(uses.take({"a"}, {"y"}, 11 * hour));
  CHECK_FALSE(uses.take({"b"}, {"x"}, 11 * hour));
}

TEST_CASE("another thumbprint for the same ciphertext does not widen the limit",
          "[actors][import]") {
  actors::tasks::use_limits uses(2, 100);
  CHECK(uses.take({"a", "ciphertext"}, {"x"}, 0));
  CHECK(uses.take({"b", "ciphertext"}, {"x"}, 0));
  CHECK_FALSE(uses.take({"c", "ciphertext"}, {"x"}, 0));
}
