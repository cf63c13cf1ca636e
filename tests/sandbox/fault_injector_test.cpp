// Which calls are befallen: by number, by share, for a span, at most so often, and not after the
// end.
#include "sandbox/fault_injector.hpp"
#include "tests/catch.hpp"

using namespace pfx;
using namespace pfx::sandbox;

namespace {

struct world {
  std::string written;
  std::unique_ptr<journal> log = journal::with([this](std::string_view piece) -> result<void> {
    written += piece;
    return {};
  });
  fault_injector faults;

  explicit world(const std::string& text, std::uint64_t seed = 1)
      : faults(read_fault_plan(text).value(), seed, *log) {}

  /// The numbers of the calls that were befallen.
  std::vector<std::uint64_t> hits(const std::string& call, int calls,
                                  fault_layer layer = fault_layer::wire) {
    std::vector<std::uint64_t> out;
    for (int n = 0; n < calls; ++n) {
      if (const auto one = faults.draw(layer, call)) {
        out.push_back(one.number);
      }
    }
    return out;
  }
};

using numbers = std::vector<std::uint64_t>;
constexpr const char* upload = "PfxRequests/upload";

} // namespace

TEST_CASE("calls are befallen by their number, each name counted for itself", "[faults]") {
  world one(R"({"faults":[{"fault":"close","numbers":[2,5],"span":2}]})");
  CHECK(one.hits(upload, 8) == numbers{2, 3, 5, 6});
  CHECK(one.hits("PfxRequests/download", 3) == numbers{2, 3});
  world named(R"({"faults":[{"fault":"close","numbers":[1],"calls":["PfxRequests/query"]}]})");
  CHECK(named.hits(upload, 3).empty());
  CHECK(named.hits("PfxRequests/query", 3) == numbers{1});
}

TEST_CASE("the same seed befalls the same calls, and about the share of them", "[faults]") {
  const auto text = R"({"faults":[{"fault":"close","share":0.2}]})";
  const auto first = world(text, 7).hits(upload, 2'000);
  CHECK(first == world(text, 7).hits(upload, 2'000));
  CHECK(first != world(text, 8).hits(upload, 2'000));
  CHECK(first.size() > 320);
  CHECK(first.size() < 480);
  world both(text, 7);
  CHECK(both.hits(upload, 2'000) != both.hits("PfxRequests/query", 2'000));
}

TEST_CASE("a rule ends after its times, and all rules after the end", "[faults]") {
  world some(R"({"faults":[{"fault":"close","share":1,"most":2,"span":3}]})");
  CHECK(some.hits(upload, 20).size() == 6);
  world few(R"({"until":{"calls":5},"faults":[{"fault":"close","share":1}]})");
  CHECK(few.hits(upload, 20).size() == 5);
  CHECK(few.faults.over());
  REQUIRE(few.log->sync());
  CHECK(few.written.find("faults_over") != std::string::npos);
  CHECK(few.written.find("faults_over") == few.written.rfind("faults_over"));
}

TEST_CASE("registering does not start the time of the faults", "[faults]") {
  world one(R"({"until":{"seconds":0.001},"faults":[{"fault":"close","share":1}]})");
  CHECK(one.hits("Connectors/register", 3).size() == 3);
  CHECK_FALSE(one.faults.over());
  (void)one.faults.draw(fault_layer::wire, upload);
  const auto begun = system_clock().boot();
  while (!one.faults.over()) {
    REQUIRE(system_clock().boot() - begun < 5'000);
  }
  CHECK(one.hits(upload, 3).empty());
}

TEST_CASE("each layer draws for itself", "[faults]") {
  world one(R"({"faults":[{"fault":"twice","share":1},{"fault":"refuse","share":1}]})");
  CHECK(one.hits("PfxRequests/download", 2).empty());
  CHECK(one.hits("PfxRequests/download", 2, fault_layer::desk) == numbers{1, 2});
  CHECK(one.hits("CertificateAuthority/submit", 2, fault_layer::authority) == numbers{1, 2});
  CHECK(one.hits("CertificateAuthority/find", 2, fault_layer::authority).empty());
}

TEST_CASE("spoiled handshakes are counted down", "[faults]") {
  world one(R"({"faults":[{"fault":"certificate","share":0}]})");
  CHECK(one.faults.next_identity() == 0);
  one.faults.spoil_handshakes(bad_certificate::stranger, 2);
  CHECK(one.faults.handshakes_spoiled());
  CHECK(one.faults.next_identity() == 3);
  CHECK(one.faults.next_identity() == 3);
  CHECK_FALSE(one.faults.handshakes_spoiled());
  CHECK(one.faults.next_identity() == 0);
}

TEST_CASE("what is noted can be joined", "[faults]") {
  world one(R"({"faults":[{"fault":"status","share":1,"status":429,"when":"after"}]})");
  const auto hit = one.faults.draw(fault_layer::wire, upload);
  REQUIRE(hit);
  one.faults.note(hit, "context", "rq-1");
  REQUIRE(one.log->sync());
  CHECK(one.written.starts_with(
    R"({"what":"fault_injected","fault":"status","call":"PfxRequests/upload","number":1,)"
    R"("when":"after","status":429,"context":"rq-1")"));
}
