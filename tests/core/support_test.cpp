// Support of a version: the worse of words and dates, six months after the next release.
#include "core/support.hpp"

#include "tests/catch.hpp"

using namespace pfx;
using support::standing;

namespace {

unix_ms at(const char* text) { return *from_rfc3339(text); }
const unix_ms now = at("2026-11-23T12:00:00Z");

standing judged(const support::notice& said) { return support::judge(said, "0.1.0", now).is; }

} // namespace

TEST_CASE("the service's word counts, and one that is unknown does not", "[core][support]") {
  CHECK(judged({}) == standing::unknown);
  CHECK(judged({"supported", "", {}, {}}) == standing::supported);
  CHECK(judged({"warning", "", {}, {}}) == standing::deprecated);
  CHECK(judged({"error", "", {}, {}}) == standing::unsupported);
  CHECK(judged({"Warning", "", {}, {}}) == standing::unknown);
  CHECK(judged({"retired", "", {}, {}}) == standing::unknown);
  for (const auto* word : {"", "supported", "warning", "error"})
    CHECK(support::word_of(support::standing_of(word)) == word);
}

TEST_CASE("dates count though the word has not followed yet", "[core][support]") {
  CHECK(judged({"supported", "", now + 1, {}}) == standing::supported);
  CHECK(judged({"supported", "", now, {}}) == standing::deprecated);
  CHECK(judged({"supported", "", now - 1, now + 1}) == standing::deprecated);
  CHECK(judged({"supported", "", {}, now}) == standing::unsupported);
  CHECK(judged({"warning", "", now - 1, now}) == standing::unsupported);
  // A word that is worse than the dates stands.
  CHECK(judged({"error", "", now + 1, now + 2}) == standing::unsupported);
}

TEST_CASE("support ends six months after the next release, to the day", "[core][support]") {
  const auto by = [](const char* released, const char* today) {
    return support::judge({"supported", "", at(released), {}}, "0.1.0", at(today)).is;
  };
  CHECK(by("2026-01-15T08:00:00Z", "2026-07-15T07:59:59Z") == standing::deprecated);
  CHECK(by("2026-01-15T08:00:00Z", "2026-07-15T08:00:00Z") == standing::unsupported);
  CHECK(by("2026-08-31T00:00:00Z", "2027-02-27T23:59:59Z") == standing::deprecated);
  CHECK(by("2026-08-31T00:00:00Z", "2027-02-28T00:00:00Z") == standing::unsupported);
  CHECK(by("2027-08-31T00:00:00Z", "2028-02-28T23:59:59Z") == standing::deprecated);
  CHECK(by("2027-08-31T00:00:00Z", "2028-02-29T00:00:00Z") == standing::unsupported);
}

TEST_CASE("the sentence says until when, and what is newest", "[core][support]") {
  CHECK(support::judge({"supported", "0.2.0", {}, {}}, "0.1.0", now).sentence.empty());
  const auto soon
    = support::judge({"warning", "0.2.0", at("2026-11-01T00:00:00Z"), {}}, "0.1.0", now);
  CHECK(
    soon.sentence
    == "version 0.1.0 is deprecated, and not supported from 2027-05-01 on; the newest is 0.2.0");
  const auto over
    = support::judge({"supported", "0.2.0", at("2026-01-01T00:00:00Z"), {}}, "0.1.0", now);
  CHECK(over.sentence
        == "version 0.1.0 is no longer supported since 2026-07-01; the newest is 0.2.0");
  CHECK(support::judge({"error", "0.1.0", {}, {}}, "0.1.0", now).sentence
        == "version 0.1.0 is no longer supported");
  const auto foreign = support::judge({"error", "x\x1b[2J\n", {}, {}}, "0.1.0", now);
  CHECK(foreign.sentence.find('\x1b') == std::string::npos);
  CHECK(foreign.sentence.find('\n') == std::string::npos);
}
