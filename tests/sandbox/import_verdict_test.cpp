// What the offline judge makes of the journals of imports.
#include "tests/catch.hpp"
#include "tests/sandbox/pages.hpp"

using namespace pfx;
using namespace pfx::sandbox;
using namespace pfx::test;

TEST_CASE("imports are counted, and need no certificate of the CA", "[verdict]") {
  pages all;
  all.untroubled("create");
  all.imported("import");
  const auto out = good(all.verdict());
  CHECK(out.faults == std::vector<std::string>{});
  CHECK(out.clean());
  CHECK(out.delivered == 2);
  CHECK(out.imported == 1);
  CHECK(out.certificates == 1);
  CHECK(out.to_json().find("\"imported\":1") != std::string::npos);
}

TEST_CASE("an import that stands is ours or superseded by its digest", "[verdict]") {
  pages all;
  all.imported("import");
  all.uploaded("import", "import", "alreadyRecorded", "d");
  CHECK(good(all.verdict()).superseded == 0);
  all.uploaded("import", "something else", "alreadyRecorded", "e");
  const auto out = good(all.verdict());
  CHECK(out.superseded == 1);
  CHECK(out.duplicates == 0);
}

TEST_CASE("failures that must be alike are, or are named", "[verdict]") {
  pages all;
  const auto fail
    = [&](const std::string& context, const std::string& document, const std::string& alike) {
        all.service(line("ordered")
                      .text("context", context)
                      .text("kind", "bad:" + context)
                      .text("expected", "failure")
                      .text("alike", alike)
                      .flag("import", true));
        all.handed(context);
        all.recorded(context, document, false);
        all.judged(context, true);
      };
  fail("a", "one", "encryptedPfxPassword");
  fail("b", "one", "encryptedPfxPassword");
  fail("c", "other", "");
  CHECK(good(all.verdict()).clean());
  fail("d", "two", "encryptedPfxPassword");
  const auto out = good(all.verdict());
  CHECK_FALSE(out.clean());
  CHECK(mentions(out.faults, "2 different documents"));
  CHECK(mentions(out.faults, "bad:d"));
}
