// Notices to the SCEP service: durable before they are sent, sent until they are answered, and no
// certificate before that.
#include "actors/tasks/scep_notices.hpp"

#include <set>

#include "tests/actors/harness.hpp"
#include "tests/catch.hpp"

using namespace pfx;
using namespace pfx::test;
using namespace pfx::connect::intune;
using actors::tasks::scep_notices;

namespace {

/// The validation service in memory.
class fake_scep final : public scep_service {
public:
  answer<scep_verdict> validate(const scep_request&) override { return say("validate"); }
  answer<scep_verdict> notify_success(const scep_success& notice) override {
    successes.push_back(notice);
    return say("success");
  }
  answer<scep_verdict> notify_failure(const scep_failure& notice) override {
    failures.push_back(notice);
    return say("failure");
  }
  std::vector<std::string> calls;
  std::vector<scep_success> successes;
  std::vector<scep_failure> failures;
  scep_verdict next{scep_code::success, "Success", "", "id"};
  std::size_t lose = 0; ///< answers
  std::function<void()> on_call;

private:
  answer<scep_verdict> say(const char* name) {
    calls.emplace_back(name);
    if (on_call) {
      on_call();
    }
    if (lose > 0) {
      --lose;
      return refusal({errc::unknown_outcome, "", "cut"});
    }
    return next;
  }
};

struct responder {
  bench b;
  fake_scep service;
  std::unique_ptr<scep_notices> notices;

  responder() {
    b.start();
    begin();
  }
  void begin() {
    notices
      = std::make_unique<scep_notices>(b.plant, service, actors::tasks::through_disk(b.plant));
    REQUIRE(notices->load());
  }
  /// The process ends and another one begins.
  void crash() {
    notices.reset();
    b.crash();
    b.time.now += 1'000;
    b.start();
    begin();
  }
  [[nodiscard]] static scep_success success(const std::string& transaction) {
    scep_success out;
    out.request = {transaction, bytes{0x30, 1, 2, 3}};
    out.thumbprint = std::string(40, 'a');
    out.serial_number = "1234";
    out.expires = 1'800'000'000'000;
    out.issuing_authority = "CN=CA";
    out.ca_configuration = "CA";
    return out;
  }
  [[nodiscard]] static scep_failure failure_of(const std::string& transaction) {
    return {{transaction, bytes{0x30, 9}}, -2146885628, "the CA refused it"};
  }
  [[nodiscard]] std::optional<scep_notice> stored(const std::string& transaction) const {
    return b.plant.store->find_notice({"tenant", flow::scep, transaction}).value();
  }
  [[nodiscard]] bool keeps_request(const std::string& transaction) const {
    return b.plant.store->find_blob({"tenant", flow::scep, transaction}, blob_kind::request)
      .value()
      .has_value();
  }
};

} // namespace

TEST_CASE("a success is durable before it is sent, and lets the certificate go when confirmed",
          "[actors][scep]") {
  responder r;
  bool durable = false;
  r.service.on_call = [&] { durable = r.stored("t1").has_value() && r.keeps_request("t1"); };
  const auto out = r.notices->issued(responder::success("t1"));
  REQUIRE(out);
  CHECK(durable);
  CHECK(out->may_go());
  CHECK(r.stored("t1")->state == notice_state::confirmed);
  CHECK_FALSE(r.keeps_request("t1")); // it held a challenge
  REQUIRE(r.service.successes.size() == 1);
  CHECK(r.service.successes[0].request.certificate_request == bytes{0x30, 1, 2, 3});
  CHECK(r.service.successes[0].ca_configuration == "CA");
}

TEST_CASE("without an answer nothing goes, and the service is told until it answers",
          "[actors][scep]") {
  responder r;
  r.service.lose = 3;
  const auto out = r.notices->issued(responder::success("t1"));
  REQUIRE(out);
  CHECK_FALSE(out->may_go());
  CHECK(out->state == notice_state::waiting);
  CHECK(r.notices->waiting() == 1);
  r.notices->retry_due(); // not yet: there is a wait
  CHECK(r.service.successes.size() <= 2);
  for (int i = 0; i < 100 && r.notices->waiting() > 0; ++i) {
    r.b.time.now += 1'000;
    r.notices->retry_due();
  }
  CHECK(r.notices->waiting() == 0);
  REQUIRE(r.service.successes.size() == 4);
  CHECK(r.notices->state_of("t1")->may_go());
  CHECK(r.service.successes[3].serial_number == r.service.successes[0].serial_number);
}

TEST_CASE("a process that ends before the answer tells it in its next life", "[actors][scep]") {
  responder r;
  r.service.lose = 1;
  REQUIRE_FALSE(r.notices->issued(responder::success("t1"))->may_go());
  REQUIRE(r.notices->failed(responder::failure_of("t2")));
  r.crash();
  CHECK(r.notices->waiting() == 1);
  r.notices->retry_due();
  CHECK(r.notices->waiting() == 0);
  CHECK(r.notices->state_of("t1")->may_go());
  CHECK(r.service.failures.size() == 1);
}

TEST_CASE("a service that refuses a success keeps the certificate here for good",
          "[actors][scep]") {
  responder r;
  r.service.next = {scep_code::challenge_expired, "ChallengeExpired", "", "id"};
  const auto out = r.notices->issued(responder::success("t1"));
  REQUIRE(out);
  CHECK(out->state == notice_state::refused);
  CHECK(out->code_text == "ChallengeExpired");
  r.service.next = {scep_code::success, "Success", "", "id"};
  CHECK_FALSE(r.notices->issued(responder::success("t1"))->may_go()); // its word was given
  CHECK(r.service.successes.size() == 1);
}

TEST_CASE("the same words are told once, others about the same transaction are refused",
          "[actors][scep]") {
  responder r;
  REQUIRE(r.notices->issued(responder::success("t1"))->may_go());
  CHECK(r.notices->issued(responder::success("t1"))->may_go());
  CHECK(r.service.successes.size() == 1);
  auto other = responder::success("t1");
  other.serial_number = "9999";
  CHECK(r.notices->issued(other).error().code == errc::conflict);
  auto csr = responder::success("t1");
  csr.request.certificate_request = bytes{0x30, 7};
  CHECK(r.notices->issued(csr).error().code == errc::conflict);
  CHECK(r.notices->failed(responder::failure_of("t1")).error().code == errc::conflict);
  CHECK(r.service.calls.size() == 1);
  r.crash();
  CHECK(r.notices->issued(responder::success("t1"))->may_go());
  CHECK(r.notices->issued(other).error().code == errc::conflict);
  CHECK(r.service.calls.size() == 1);
}

TEST_CASE("a failure is told until it is answered, and holds nobody up", "[actors][scep]") {
  responder r;
  r.service.lose = 2;
  REQUIRE(r.notices->failed(responder::failure_of("t1")));
  CHECK(r.notices->waiting() == 1);
  for (int i = 0; i < 100 && r.notices->waiting() > 0; ++i) {
    r.b.time.now += 1'000;
    r.notices->retry_due();
  }
  REQUIRE(r.service.failures.size() == 3);
  CHECK(r.service.failures[2].hresult == -2146885628);
  CHECK(r.service.failures[2].description == "the CA refused it");
  CHECK(r.stored("t1")->state == notice_state::confirmed);
}

TEST_CASE("what nobody answers for a week is given up, and no certificate goes", "[actors][scep]") {
  responder r;
  r.service.lose = 1'000'000;
  REQUIRE_FALSE(r.notices->issued(responder::success("t1"))->may_go());
  r.b.time.now += scep_notices::deadline_ms + 1;
  r.notices->retry_due();
  CHECK(r.notices->waiting() == 0);
  CHECK(r.stored("t1")->state == notice_state::refused);
}

TEST_CASE("a disk that takes nothing lets nothing out", "[actors][scep]") {
  responder r;
  r.b.free_bytes = 0;
  CHECK_FALSE(r.notices->issued(responder::success("t1")));
  CHECK(r.service.calls.empty());
  CHECK(r.notices->waiting() == 0);
  r.b.free_bytes = 1ull << 40;
  // The answer comes, and then the disk is full: as if it had not come.
  r.service.on_call = [&] { r.b.free_bytes = 0; };
  CHECK_FALSE(r.notices->issued(responder::success("t1"))->may_go());
  r.service.on_call = {};
  r.b.free_bytes = 1ull << 40;
  r.b.time.now += 60'000;
  r.notices->retry_due();
  CHECK(r.notices->state_of("t1")->may_go());
}

TEST_CASE("admission is the service's word, and an error is none", "[actors][scep]") {
  responder r;
  const scep_request request{"t1", bytes{0x30}};
  CHECK(r.notices->admit(request)->accepted);
  r.service.next = {scep_code::subject_name_mismatch, "SubjectNameMismatch", "CN", "id"};
  const auto no = r.notices->admit(request);
  REQUIRE(no);
  CHECK_FALSE(no->accepted);
  CHECK(no->why.find("SubjectNameMismatch") != std::string::npos);
  r.service.lose = 1;
  CHECK_FALSE(r.notices->admit(request));
  CHECK(r.notices->waiting() == 0); // no notice is due for any of these
  CHECK(r.notices->state_of("t1").error().code == errc::not_found);
}

TEST_CASE("each of the 25 result codes has a meaning, and one alone is a yes", "[actors][scep]") {
  std::set<std::string_view> words;
  std::size_t yes = 0;
  for (std::size_t i = 0; i < actors::tasks::scep_code_count; ++i) {
    const auto& one = actors::tasks::meaning_of(static_cast<scep_code>(i));
    CHECK(static_cast<std::size_t>(one.code) == i);
    CHECK_FALSE(one.word.empty());
    words.insert(one.word);
    yes += one.accepted ? 1 : 0;
  }
  CHECK(words.size() == 25);
  CHECK(yes == 1);
  CHECK_FALSE(actors::tasks::meaning_of(static_cast<scep_code>(200)).accepted);
}

TEST_CASE("an ended notice is forgotten with its time, a waiting one never", "[actors][scep]") {
  responder r;
  REQUIRE(r.notices->issued(responder::success("old"))->may_go());
  r.service.lose = 1'000'000;
  REQUIRE_FALSE(r.notices->issued(responder::success("waits"))->may_go());
  REQUIRE(r.b.plant.store->verify().value().scep_notices == 2);
  REQUIRE(r.b.plant.store->purge(r.b.time.wall() + 1'000, 1'000));
  CHECK_FALSE(r.stored("old"));
  CHECK(r.stored("waits"));
  CHECK(r.keeps_request("waits"));
}
