// The embedded CA: one transaction id, one certificate, whatever happens in between.
#include <filesystem>
#include <fstream>
#include <set>
#include <thread>

#include <sys/wait.h>
#include <unistd.h>

#include "tests/catch.hpp"
#include "tests/connect/ca_support.hpp"
#include "tests/connect/http_support.hpp"

using namespace pfx;
using namespace pfx::connect::ca;
using namespace pfx::test;

namespace {

std::unique_ptr<authority> open_ca(embedded_options options) {
  return good(make_embedded_authority(std::move(options)));
}

using kind = issuance_event::what;

} // namespace

TEST_CASE("the same CSR under the same transaction id gets the same certificate", "[ca]") {
  const scratch folder;
  const ca_world world;
  journal_spy journal;
  auto options = world.options(folder.path("ca"));
  options.journal = journal.callback();
  const auto ca = open_ca(std::move(options));
  const auto what = submission_of("one", make_csr(csr_names("Alice")));
  const auto first = ca->submit(what);
  const auto again = ca->submit(what);
  const auto found = ca->find(what.transaction_id);
  REQUIRE(first.status == ca_status::issued);
  CHECK(again.status == ca_status::issued);
  CHECK(again.certificate == first.certificate);
  CHECK(found.status == ca_status::issued);
  CHECK(found.certificate == first.certificate);
  REQUIRE(journal.events.size() == 1);
  const auto leaf = good(crypto::certificate::from_der(first.certificate));
  CHECK(journal.events[0].kind == kind::issued);
  CHECK(journal.events[0].serial_number == leaf.serial());
  CHECK(journal.events[0].thumbprint == leaf.thumbprint());
  CHECK(journal.events[0].public_key_hash == leaf.public_key_hash());
  CHECK(journal.events[0].transaction_id == what.transaction_id);
  CHECK(leaf.issued_by(world.identity().cert));
  CHECK_FALSE(leaf.is_ca());
  CHECK(leaf.subject() == "CN=Alice,O=Example Test");
  CHECK(leaf.extended_usages() == std::vector<std::string>{"1.3.6.1.5.5.7.3.2"});
}

TEST_CASE("another CSR under a known transaction id is a conflict and issues nothing", "[ca]") {
  const scratch folder;
  const ca_world world;
  journal_spy journal;
  auto options = world.options(folder.path("ca"));
  options.journal = journal.callback();
  const auto ca = open_ca(std::move(options));
  const auto names = csr_names("Alice");
  const auto first = ca->submit(submission_of("one", make_csr(names)));
  const auto other = ca->submit(submission_of("one", make_csr(names))); // another key
  CHECK(other.status == ca_status::conflict);
  CHECK(other.certificate.empty());
  CHECK(ca->find(txid("one")).certificate == first.certificate);
  CHECK(journal.events.size() == 1);
}

TEST_CASE("what was never submitted was never seen", "[ca]") {
  const scratch folder;
  const ca_world world;
  const auto ca = open_ca(world.options(folder.path("ca")));
  CHECK(ca->find(txid("nobody")).status == ca_status::never_seen);
}

TEST_CASE("many threads with two CSRs under one transaction id get one certificate", "[ca]") {
  const scratch folder;
  const ca_world world;
  journal_spy journal;
  auto options = world.options(folder.path("ca"));
  options.journal = journal.callback();
  const auto ca = open_ca(std::move(options));
  const std::vector<bytes> csrs = {make_csr(csr_names("A")), make_csr(csr_names("B"))};
  std::mutex mutex;
  std::set<bytes> certificates;
  int conflicts = 0;
  std::vector<std::thread> threads;
  for (std::size_t n = 0; n < 8; ++n) {
    threads.emplace_back([&, n] {
      const auto answer = ca->submit(submission_of("raced", csrs[n % 2]));
      const std::scoped_lock lock(mutex);
      if (answer.status == ca_status::issued) {
        certificates.insert(answer.certificate);
      }
      conflicts += answer.status == ca_status::conflict ? 1 : 0;
    });
  }
  for (auto& one : threads) {
    one.join();
  }
  CHECK(certificates.size() == 1);
  CHECK(conflicts == 4);
  CHECK(journal.events.size() == 1);
}

TEST_CASE("a CA that is opened again knows what it issued, refused, revoked and closed", "[ca]") {
  const scratch folder;
  const ca_world world;
  const auto alice = submission_of("alice", make_csr(csr_names("Alice")));
  auto bad = submission_of("bad", make_csr(csr_names("Bad")));
  bad.certificate_template = "DomainController";
  bytes certificate;
  revoke_order order;
  {
    auto options = world.options(folder.path("ca"));
    options.templates = {"User"};
    const auto ca = open_ca(std::move(options));
    certificate = ca->submit(alice).certificate;
    const auto leaf = good(crypto::certificate::from_der(certificate));
    order = {leaf.issuer(), leaf.serial(), revocation_reason::superseded, 1'700'000'000'000};
    CHECK(ca->submit(bad).status == ca_status::refused);
    CHECK(ca->revoke(order).status == revoke_status::done);
    CHECK(ca->close(txid("closed")).status == ca_status::closed);
  }
  const auto ca = open_ca(world.options(folder.path("ca"))); // now any template would do
  CHECK(ca->submit(alice).certificate == certificate);
  CHECK(ca->find(txid("bad")).status == ca_status::refused);
  CHECK(ca->submit(bad).status == ca_status::refused);
  CHECK(ca->submit(submission_of("closed", make_csr(csr_names("C")))).status == ca_status::closed);
}

TEST_CASE("a CA that is killed right after its answer has not forgotten it", "[ca][crash]") {
  const scratch folder;
  const ca_world world;
  const auto what = submission_of("one", make_csr(csr_names("Alice")));
  const auto child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    // The journal's call comes after the index's sync and is the last thing this process does.
    auto options = world.options(folder.path("ca"));
    options.journal = [&](const issuance_event& event) -> result<void> {
      std::ofstream(folder.path("serial")) << event.serial_number;
      ::_exit(7);
    };
    const auto ca = make_embedded_authority(std::move(options));
    if (ca) {
      (void)(*ca)->submit(what);
    }
    ::_exit(1);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  REQUIRE(WEXITSTATUS(status) == 7);
  journal_spy journal;
  auto options = world.options(folder.path("ca"));
  options.journal = journal.callback();
  const auto ca = open_ca(std::move(options));
  const auto found = ca->find(what.transaction_id);
  REQUIRE(found.status == ca_status::issued);
  std::string serial;
  std::ifstream(folder.path("serial")) >> serial;
  CHECK(good(crypto::certificate::from_der(found.certificate)).serial() == serial);
  // The journal never confirmed it, so it is told once more, and then no more.
  CHECK(ca->submit(what).certificate == found.certificate);
  CHECK(journal.events.size() == 1);
}

TEST_CASE("no certificate leaves while the journal does not take it", "[ca]") {
  const scratch folder;
  const ca_world world;
  journal_spy journal;
  journal.broken = true;
  auto options = world.options(folder.path("ca"));
  options.journal = journal.callback();
  const auto ca = open_ca(std::move(options));
  const auto what = submission_of("one", make_csr(csr_names("Alice")));
  const auto first = ca->submit(what);
  CHECK(first.status == ca_status::unknown);
  CHECK(first.certificate.empty());
  CHECK(first.maybe_arrived);
  CHECK(ca->find(what.transaction_id).status == ca_status::unknown);
  journal.broken = false;
  CHECK(ca->submit(what).status == ca_status::issued);
  CHECK(journal.events.size() == 1);
}

TEST_CASE("a waiting request is pending as often as told and then issued", "[ca]") {
  const scratch folder;
  const ca_world world;
  const auto what = submission_of("one", make_csr(csr_names("Alice")));
  const auto key_hash = good(crypto::parse_csr(what.certificate_request)).public_key_hash;
  {
    auto options = world.options(folder.path("ca"));
    options.pending_answers = 3;
    const auto ca = open_ca(std::move(options));
    const auto first = ca->submit(what);
    CHECK(first.status == ca_status::pending);
    CHECK_FALSE(first.pending_id.empty());
    const auto found = ca->find(what.transaction_id);
    CHECK(found.status == ca_status::pending);
    CHECK(found.pending_public_key_hash == key_hash);
    CHECK(ca->submit(submission_of("one", make_csr(csr_names("B")))).status == ca_status::conflict);
    CHECK(ca->close(what.transaction_id).status == ca_status::pending);
  }
  auto options = world.options(folder.path("ca"));
  options.pending_answers = 3;
  const auto ca = open_ca(std::move(options)); // the count survives
  const auto found = ca->find(what.transaction_id);
  REQUIRE(found.status == ca_status::issued);
  CHECK(good(crypto::certificate::from_der(found.certificate)).public_key_hash() == key_hash);
}

TEST_CASE("what the CA refuses stays refused, with a reason", "[ca]") {
  const scratch folder;
  const ca_world world;
  auto options = world.options(folder.path("ca"));
  options.templates = {"User"};
  const auto ca = open_ca(std::move(options));
  submission what;
  SECTION("octets that are no CSR") { what = submission_of("x", bytes{1, 2, 3}); }
  SECTION("a CSR whose signature does not verify") {
    auto csr = make_csr(csr_names("Alice"));
    csr.back() ^= 1;
    what = submission_of("x", csr);
  }
  SECTION("a template that it does not have") {
    what = submission_of("x", make_csr(csr_names("Alice")));
    what.certificate_template = "Admin";
  }
  SECTION("no validity") {
    what = submission_of("x", make_csr(csr_names("Alice")));
    what.validity.value = 0;
  }
  SECTION("a SID beside a CSR without one") {
    what = submission_of("x", make_csr(csr_names("Alice")));
    what.security_identifier = "S-1-5-21-1-2-3-1105";
  }
  SECTION("a CSR with a SID that the submission does not name") {
    auto names = csr_names("Alice");
    names.security_identifier = "S-1-5-21-1-2-3-1105";
    what = submission_of("x", make_csr(names));
  }
  SECTION("two different SIDs") {
    auto names = csr_names("Alice");
    names.security_identifier = "S-1-5-21-1-2-3-1105";
    what = submission_of("x", make_csr(names));
    what.security_identifier = "S-1-5-21-1-2-3-500";
  }
  SECTION("no name at all") {
    crypto::csr_options names;
    const auto key = good(crypto::private_key::generate(key_algorithm::ec_p256));
    const auto csr = crypto::build_csr(key, names);
    what = submission_of("x", csr ? *csr : bytes{0x30, 0x00});
  }
  const auto answer = ca->submit(what);
  CHECK(answer.status == ca_status::refused);
  CHECK_FALSE(answer.reason.empty());
  CHECK(answer.certificate.empty());
  const auto found = ca->find(what.transaction_id);
  CHECK(found.status == ca_status::refused);
  CHECK(found.reason == answer.reason);
}

TEST_CASE("a certificate ends with its CA at the latest, and by calendar before", "[ca]") {
  const scratch folder;
  const ca_world world;
  const auto ca = open_ca(world.options(folder.path("ca")));
  auto what = submission_of("long", make_csr(csr_names("Alice")));
  what.validity = {2, validity_unit::years};
  const auto root = world.identity();
  const auto cut = good(crypto::certificate::from_der(ca->submit(what).certificate));
  CHECK(cut.not_after() == root.cert.not_after());
  auto brief = submission_of("brief", make_csr(csr_names("Bob")));
  brief.validity = {2, validity_unit::days};
  const auto now = system_clock().wall();
  const auto leaf = good(crypto::certificate::from_der(ca->submit(brief).certificate));
  CHECK(leaf.not_after() >= now + 2 * ca_day_ms - 2'000);
  CHECK(leaf.not_after() <= now + 2 * ca_day_ms + 10'000);
  CHECK(leaf.not_before() <= now);
}

TEST_CASE("a SID that CSR and submission agree on is certified", "[ca]") {
  const scratch folder;
  const ca_world world;
  const auto ca = open_ca(world.options(folder.path("ca")));
  auto names = csr_names("Alice");
  names.security_identifier = "S-1-5-21-1-2-3-1105";
  auto what = submission_of("one", make_csr(names));
  what.security_identifier = names.security_identifier;
  const auto answer = ca->submit(what);
  REQUIRE(answer.status == ca_status::issued);
  const auto leaf = good(crypto::certificate::from_der(answer.certificate));
  CHECK(leaf.security_identifier() == names.security_identifier);
}

TEST_CASE("revocation knows its own serials only and happens once", "[ca]") {
  const scratch folder;
  const ca_world world;
  journal_spy journal;
  auto options = world.options(folder.path("ca"));
  options.journal = journal.callback();
  const auto ca = open_ca(std::move(options));
  const auto answer = ca->submit(submission_of("one", make_csr(csr_names("Alice"))));
  const auto leaf = good(crypto::certificate::from_der(answer.certificate));
  const revoke_order order{leaf.issuer(), leaf.serial(), revocation_reason::superseded, 1};
  auto foreign = order;
  foreign.issuer = "CN=Somebody Else";
  auto unknown = order;
  unknown.serial_number = "0102";
  CHECK(ca->revoke(foreign).status == revoke_status::not_found);
  CHECK(ca->revoke(unknown).status == revoke_status::not_found);
  journal.broken = true;
  CHECK(ca->revoke(order).status == revoke_status::unknown);
  journal.broken = false;
  // The index has it already, the journal has not: it is told before the answer.
  CHECK(ca->revoke(order).status == revoke_status::already);
  CHECK(ca->revoke(order).status == revoke_status::already);
  REQUIRE(journal.events.size() == 2);
  CHECK(journal.events[1].kind == kind::revoked);
  CHECK(journal.events[1].serial_number == leaf.serial());
  CHECK(ca->find(txid("one")).status == ca_status::issued);
}

TEST_CASE("a closed transaction id issues nothing any more", "[ca]") {
  const scratch folder;
  const ca_world world;
  const auto ca = open_ca(world.options(folder.path("ca")));
  CHECK(ca->close(txid("one")).status == ca_status::closed);
  CHECK(ca->close(txid("one")).status == ca_status::closed);
  CHECK(ca->submit(submission_of("one", make_csr(csr_names("A")))).status == ca_status::closed);
  const auto issued = ca->submit(submission_of("two", make_csr(csr_names("B"))));
  const auto too_late = ca->close(txid("two"));
  CHECK(too_late.status == ca_status::issued);
  CHECK(too_late.certificate == issued.certificate);
}

TEST_CASE("one index has one owner", "[ca]") {
  const scratch folder;
  const ca_world world;
  const auto ca = open_ca(world.options(folder.path("ca")));
  const auto second = make_embedded_authority(world.options(folder.path("ca")));
  REQUIRE_FALSE(second);
  CHECK(second.error().code == errc::store_locked);
}

TEST_CASE("a damaged index is not opened as if it were empty", "[ca]") {
  const scratch folder;
  const ca_world world;
  {
    const auto ca = open_ca(world.options(folder.path("ca")));
    for (const auto* id : {"one", "two", "three"}) {
      REQUIRE(ca->submit(submission_of(id, make_csr(csr_names(id)))).status == ca_status::issued);
    }
  }
  std::size_t damaged = 0;
  for (const auto& file : std::filesystem::directory_iterator(folder.path("ca"))) {
    if (file.path().extension() == ".log" && file.file_size() > 500) {
      std::fstream log(file.path(), std::ios::in | std::ios::out | std::ios::binary);
      log.seekp(static_cast<std::streamoff>(file.file_size() / 2));
      log.write("\xff\x00\xff\x00\xff\x00\xff\x00", 8);
      ++damaged;
    }
  }
  REQUIRE(damaged > 0);
  const auto opened = make_embedded_authority(world.options(folder.path("ca")));
  REQUIRE_FALSE(opened);
  CHECK(opened.error().code == errc::corrupt);
}

TEST_CASE("an identity that is no CA is not taken", "[ca]") {
  const scratch folder;
  const ca_world world;
  const ca_world other;
  auto options = world.options(folder.path("ca"));
  options.identity.key = other.identity().key;
  CHECK(make_embedded_authority(std::move(options)).error().code == errc::bad_input);
}
