// The roots that the switch will follow: only what was verified lies beside the package, and what
// was spoilt there is replaced.
#include "release/staging.hpp"

#include <map>

#include "tests/catch.hpp"
#include "tests/release/scratch.hpp"

using namespace pfx;
using namespace pfx::test;
using release::staging_folder;

namespace {

/// A mirror that may serve garbage under a name, for so many calls, and counts what it is asked.
class mirror final : public release::feed {
public:
  explicit mirror(const maker_room& room) : below_(room.feed()) {}
  void cancel() noexcept override {}
  result<std::string> document(const std::string& name, std::size_t bytes_max) override {
    ++asked[name];
    if (spoilt[name] > 0 && spoilt[name]-- > 0)
      return std::string("garbage");
    return below_->document(name, bytes_max);
  }
  result<std::string> part(const std::string& name, std::uint64_t offset,
                           std::size_t count) override {
    return below_->part(name, offset, count);
  }
  std::map<std::string, int> asked, spoilt;

private:
  std::unique_ptr<release::feed> below_;
};

/// Roots 1, 2 and 3, each with a release key of its own besides.
struct three_roots {
  three_roots() {
    room.put("feed/2.root", signed_by(release::encode(sample_root(2)), {1, 2}));
    auto third = sample_root(3);
    third.releases = release_role(1, {11, 12, 16});
    room.put("feed/3.root", signed_by(release::encode(third), {2, 3}));
    auto opened = staging_folder::open(room.path("staging"));
    REQUIRE(opened);
    staging = std::make_unique<staging_folder>(std::move(*opened));
  }
  /// A fresh process that knows what was followed before, and follows what it can.
  release::trust_store trust(bool follow = true) const {
    auto out = room.trust();
    REQUIRE(out);
    if (follow)
      REQUIRE(out->follow_all(*room.feed(), release_now));
    return std::move(*out);
  }
  std::string staged(int number) const {
    return text_at(room.path("staging/roots/" + std::to_string(number) + ".root"));
  }
  std::string fed(int number) const {
    return text_at(room.path("feed/" + std::to_string(number) + ".root"));
  }
  /// As the switch does it.
  result<std::uint32_t> switch_follows() const {
    auto own = room.trust("own");
    REQUIRE(own);
    const auto from = release::open_folder_feed(room.path("staging/roots"));
    if (auto done = own->follow_all(*from, release_now); !done)
      return failure(done.error());
    return own->trusted_root().number;
  }
  maker_room room;
  std::unique_ptr<staging_folder> staging;
};

} // namespace

TEST_CASE("roots are kept beside the package for whoever verifies again", "[release]") {
  const three_roots at;
  REQUIRE(at.staging->keep_roots(*at.room.feed(), at.trust(), release_now));
  CHECK(*at.switch_follows() == 3);
  for (const int number : {1, 2, 3})
    CHECK(at.staged(number) == at.fed(number));
}

TEST_CASE("a mirror that serves garbage for the second call spoils no root", "[release]") {
  const three_roots at;
  mirror from(at.room);
  auto trust = at.trust();
  from.spoilt = {{"1.root", 9}, {"2.root", 9}, {"3.root", 9}};
  REQUIRE(at.staging->keep_roots(from, trust, release_now));
  CHECK(from.asked.empty()); // all were verified on the way
  CHECK(*at.switch_follows() == 3);
}

TEST_CASE("garbage that lies in the staging folder is replaced", "[release]") {
  const three_roots at;
  static_cast<void>(at.trust());
  for (const auto* name : {"1.root", "2.root", "3.root", "4.root"})
    at.room.put(std::string("staging/roots/") + name, "garbage");
  // A process that followed nothing by itself: only root 3 is in its memory.
  mirror from(at.room);
  REQUIRE(at.staging->keep_roots(from, at.trust(), release_now));
  CHECK(*at.switch_follows() == 3);
  CHECK_FALSE(std::filesystem::exists(at.room.path("staging/roots/4.root")));
  for (const int number : {1, 2, 3})
    CHECK(at.staged(number) == at.fed(number));
  CHECK(from.asked["3.root"] == 0);
  CHECK(from.asked["2.root"] == 1);
  CHECK(from.asked["1.root"] == 1);
  REQUIRE(at.staging->keep_roots(from, at.trust(), release_now));
  CHECK(from.asked["2.root"] == 1); // what is good is not fetched again
}

TEST_CASE("an older root of the feed that leads nowhere is told and not written", "[release]") {
  const three_roots at;
  static_cast<void>(at.trust());
  mirror from(at.room);
  const auto refused = [&](const std::string& text) {
    const auto honest = at.fed(2);
    at.room.put("feed/2.root", text);
    const auto done = at.staging->keep_roots(from, at.trust(false), release_now);
    at.room.put("feed/2.root", honest);
    return !done && done.error().code == errc::crypto && done.error().field == "2.root"
      && at.staged(2).empty();
  };
  CHECK(refused("garbage"));
  CHECK(refused(at.fed(1)));
  CHECK(refused(at.fed(3)));
  CHECK(refused(signed_by(release::encode(sample_root(2)), {1}))); // too few
  CHECK(refused(release::encode(sample_root(2))));
  auto others = sample_root(2);
  others.roots = release_role(1, {7});
  CHECK(refused(signed_by(release::encode(others), {7}))); // root 3 does not follow it
  // Once it is honest again, it goes on.
  REQUIRE(at.staging->keep_roots(from, at.trust(), release_now));
  CHECK(*at.switch_follows() == 3);
}

TEST_CASE("the walk down ends at a root that nobody has any more", "[release]") {
  const three_roots at;
  static_cast<void>(at.trust());
  std::filesystem::remove(at.room.path("feed/2.root"));
  at.room.put("staging/roots/2.root", "garbage");
  mirror from(at.room);
  REQUIRE(at.staging->keep_roots(from, at.trust(), release_now));
  CHECK(from.asked["2.root"] == 1);
  CHECK(from.asked["1.root"] == 0);
  CHECK_FALSE(std::filesystem::exists(at.room.path("staging/roots/2.root")));
  CHECK(at.staged(3) == at.fed(3));
}
