// The offline judge and the journal under it: what is planted in the lines is found in the verdict.
#include <algorithm>
#include <fstream>
#include <mutex>
#include <thread>

#include "crypto/digest.hpp"
#include "sandbox/journal.hpp"
#include "sandbox/sandbox.hpp"
#include "tests/catch.hpp"
#include "tests/sandbox/pages.hpp"

using namespace pfx;
using namespace pfx::sandbox;
using namespace pfx::test;

TEST_CASE("an untroubled run is clean", "[verdict]") {
  pages all;
  for (const auto* context : {"a", "b \" \\ ü", "c"}) {
    all.untroubled(context);
  }
  const auto out = good(all.verdict());
  CHECK(out.clean());
  CHECK(out.faults == std::vector<std::string>{});
  CHECK(out.requests == 3);
  CHECK(out.delivered == 3);
  CHECK(out.certificates == 3);
  CHECK(out.judged == 3);
  CHECK(out.p50_ms == 3); // handed out, issued, uploaded, recorded: one tick each
  CHECK(out.to_json().find("\"clean\":true") != std::string::npos);
}

TEST_CASE("what was handed out and not recorded is lost", "[verdict]") {
  pages all;
  all.untroubled("a");
  all.ordered("b");
  all.handed("b");
  all.ordered("c"); // never handed out: waits
  auto out = good(all.verdict());
  CHECK(out.lost == 1);
  CHECK(out.waiting == 1);
  CHECK_FALSE(out.clean());
  CHECK(mentions(out.faults, "b: was handed out and never recorded"));
}

TEST_CASE("poison may stay unrecorded", "[verdict]") {
  pages all;
  all.ordered("poison-1", "anything");
  all.handed("poison-1");
  CHECK(good(all.verdict()).clean());
}

TEST_CASE("a second accepted result is found", "[verdict]") {
  pages all;
  all.untroubled("a");
  all.recorded("a", "a");
  CHECK(good(all.verdict()).duplicates == 1);
}

TEST_CASE("a second digest of one connector is found, another connector's is not a fault",
          "[verdict]") {
  pages all;
  all.untroubled("a");
  SECTION("one connector") {
    all.uploaded("a", "something else", "alreadyRecorded");
    CHECK(good(all.verdict()).duplicates == 1);
  }
  SECTION("one connector, before anything stood") {
    all.ordered("b");
    all.handed("b");
    all.uploaded("b", "first", "leaseLost");
    all.issued("b", "second");
    all.recorded("b", "second");
    CHECK(good(all.verdict()).duplicates == 1);
  }
  SECTION("two connectors") {
    all.uploaded("a", "something else", "alreadyRecorded", "other");
    const auto out = good(all.verdict());
    CHECK(out.clean());
    CHECK(out.superseded == 1);
  }
  SECTION("one connector after an amnesia that it noticed") {
    all.service(line("checked_in").text("connector", "c").flag("reconciled", true));
    all.uploaded("a", "something else", "alreadyRecorded");
    CHECK(good(all.verdict()).duplicates == 0);
  }
}

TEST_CASE("a certificate too many is found, a revoked one is not", "[verdict]") {
  pages all;
  all.untroubled("a");
  SECTION("a second one of the request") {
    all.issued("a", "twin", 1);
    const auto out = good(all.verdict());
    CHECK(out.surplus_certificates == 1);
    CHECK(mentions(out.faults, "a: certificate 5etwin is unrevoked"));
  }
  SECTION("a second one that was revoked") {
    all.issued("a", "twin", 1);
    all.revoked("twin");
    const auto out = good(all.verdict());
    CHECK(out.clean());
    CHECK(out.revoked_certificates == 1);
    CHECK(out.twice_certified == 1);
  }
  SECTION("one of no request") {
    all.authority(line("issued")
                    .text("txid", hex_of("?"))
                    .text("serial", "77")
                    .text("thumbprint", hex_of("?")));
    CHECK(mentions(good(all.verdict()).faults, "of no request"));
  }
  SECTION("one beside a recorded failure") {
    all.ordered("b");
    all.handed("b");
    all.issued("b", "b");
    all.recorded("b", "b", false);
    CHECK(good(all.verdict()).surplus_certificates == 1);
  }
  SECTION("the recorded one is revoked") {
    all.revoked("a");
    const auto out = good(all.verdict());
    CHECK(out.surplus_certificates == 1);
    CHECK(mentions(out.faults, "is recorded and revoked"));
  }
  SECTION("the recorded one never came from the CA") {
    all.ordered("b");
    all.handed("b");
    all.recorded("b", "forged");
    CHECK(mentions(good(all.verdict()).faults, "never issued by the CA"));
  }
  SECTION("one request is under way") {
    all.ordered("b", "anything");
    all.handed("b");
    all.issued("b", "b");
    CHECK(good(all.verdict()).surplus_certificates == 0);
  }
}

TEST_CASE("one public key under two requests is found", "[verdict]") {
  pages all;
  all.untroubled("a");
  all.untroubled("b");
  SECTION("among the delivered") {
    all.judged("b", true, "key of a");
    CHECK(good(all.verdict()).shared_keys == 1);
  }
  SECTION("among the certified, though revoked") {
    all.authority(line("issued")
                    .text("txid", txid_of("b", 1))
                    .text("serial", "99")
                    .text("thumbprint", hex_of("z"))
                    .text("public_key", hex_of("key of a")));
    all.authority(line("revoked").text("serial", "99"));
    CHECK(good(all.verdict()).shared_keys == 1);
  }
}

TEST_CASE("a failure is counted by what was expected", "[verdict]") {
  pages all;
  for (const auto* context : {"right", "wrong"}) {
    all.ordered(context, "failure");
    all.handed(context);
    all.recorded(context, context, false);
  }
  all.judged("right", true);
  all.judged("wrong", false);
  all.service(line("fault").text("context", "wrong").text("text", "the failure has another code"));
  all.ordered("good");
  all.handed("good");
  all.recorded("good", "x", false);
  const auto out = good(all.verdict());
  CHECK(out.expected_failures == 1);
  CHECK(out.failed == 2);
  CHECK(mentions(out.faults, "another code"));
}

TEST_CASE("a rejected result is a fault, the failure after it is none", "[verdict]") {
  pages all;
  all.ordered("a", "failure");
  all.handed("a");
  all.uploaded("a", "garbage", "rejected");
  all.recorded("a", "failure", false);
  const auto out = good(all.verdict());
  CHECK(out.duplicates == 0);
  CHECK(mentions(out.faults, "was rejected"));
}

TEST_CASE("a result that was rejected on purpose may end as a failure", "[verdict]") {
  pages all;
  all.ordered("a");
  all.handed("a");
  all.service(line("upload")
                .text("context", "a")
                .text("connector", "c")
                .text("digest", hex_of("x"))
                .flag("document", true)
                .text("status", "rejected")
                .flag("on_purpose", true));
  all.recorded("a", "failure", false);
  all.judged("a", false);
  all.service(line("fault").text("context", "a").text("text", "a good request failed"));
  const auto out = good(all.verdict());
  CHECK(out.clean());
  CHECK(out.expected_failures == 1);
}

TEST_CASE("re-deliveries are counted with their acknowledgements", "[verdict]") {
  pages all;
  all.untroubled("a");
  all.untroubled("b");
  all.handed("a", true);
  all.handed("b", true);
  all.uploaded("a", "a", "alreadyRecorded");
  const auto out = good(all.verdict());
  CHECK(out.redelivered == 2);
  CHECK(out.acknowledged == 1);
  CHECK(out.takeovers == 0);
}

TEST_CASE("a torn last line is left out, a damaged one in the middle is not", "[verdict]") {
  pages all;
  all.untroubled("a");
  SECTION("torn") {
    all.raw("{\"what\":\"recorded\",\"con");
    CHECK(good(all.verdict()).clean());
  }
  SECTION("damaged") {
    all.raw("{\"what\":\"recorded\",\"con\n");
    all.untroubled("b");
    CHECK(all.verdict().error().code == errc::corrupt);
  }
  SECTION("no object") {
    all.raw("7\n");
    CHECK(all.verdict().error().code == errc::corrupt);
  }
}

TEST_CASE("journals that are not there are no clean run", "[verdict]") {
  const scratch folder;
  CHECK(judge(folder.folder()).error().code == errc::io);
}

// -- the journal itself ------

TEST_CASE("sync returns when every line before it is written, many at once", "[journal]") {
  std::mutex mutex;
  std::string written;
  std::size_t commits = 0;
  const auto log = journal::with([&](std::string_view piece) -> result<void> {
    const std::scoped_lock lock(mutex);
    written += piece;
    ++commits;
    return {};
  });
  std::vector<std::thread> threads;
  for (int n = 0; n < 8; ++n) {
    threads.emplace_back([&, n] {
      for (int m = 0; m < 50; ++m) {
        const auto name = "line-" + std::to_string(n) + "-" + std::to_string(m) + ".";
        log->append(line("x").text("name", name));
        CHECK(log->sync());
        const std::scoped_lock lock(mutex);
        CHECK(written.find(name) != std::string::npos);
      }
    });
  }
  for (auto& one : threads) {
    one.join();
  }
  CHECK(std::count(written.begin(), written.end(), '\n') == 400);
  CHECK(commits <= 400);
}

TEST_CASE("a journal that failed once takes nothing more", "[journal]") {
  bool broken = false;
  std::size_t commits = 0;
  const auto log = journal::with([&](std::string_view) -> result<void> {
    ++commits;
    return broken ? result<void>(failure(errc::io, "", "no")) : result<void>();
  });
  log->append(line("a"));
  CHECK(log->sync());
  broken = true;
  log->append(line("b"));
  CHECK_FALSE(log->sync());
  broken = false;
  log->append(line("c"));
  CHECK_FALSE(log->sync());
  CHECK(commits == 2);
}

TEST_CASE("a journal is never written over", "[journal]") {
  const scratch folder;
  CHECK(journal::create(folder.path("j")));
  CHECK(journal::create(folder.path("j")).error().code == errc::conflict);
  CHECK(journal::create(folder.path("no/such/folder")).error().code == errc::io);
}
