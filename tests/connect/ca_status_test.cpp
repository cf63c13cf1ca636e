// What the embedded CA says of its certificates: lists, OCSP, and addresses inside them.
#include <thread>

#include "storage/ca_index.hpp"
#include "tests/connect/ca_office.hpp"

using namespace pfx;
using namespace pfx::connect::ca;
using namespace pfx::test;

TEST_CASE("what is revoked is in the next list, with reason, times and the promised number",
          "[ca][crl]") {
  const office at;
  const auto alice = at.issued("alice");
  const auto bob = at.issued("bob");
  CHECK(at.list().revoked.empty());
  CHECK(at.list().number == "1");
  const auto answer
    = at.revoke(alice, revocation_reason::key_compromise, at.time.now - 2 * hour_ms);
  CHECK(answer.status == revoke_status::done);
  CHECK(answer.crl_number == 2);
  const auto list = at.list();
  CHECK(list.number == "2");
  REQUIRE(list.revoked.size() == 1);
  CHECK(list.revoked[0].serial == alice.serial());
  CHECK(list.revoked[0].reason == 1);
  CHECK(list.revoked[0].revoked_at == at.time.now);
  CHECK(list.revoked[0].invalid_since == at.time.now - 2 * hour_ms);
  const auto again = at.revoke(alice, revocation_reason::superseded);
  CHECK(again.status == revoke_status::already);
  CHECK(again.crl_number == 2);
  CHECK(at.list().number == "2"); // nothing new
  CHECK(at.revoke(bob).crl_number == 3);
  CHECK(at.list().revoked.size() == 2);
  CHECK(at.list().find(alice.serial())->reason == 1); // the first order counts
  CHECK(at.list().find(bob.serial())->invalid_since == 0);
}

TEST_CASE("a list is signed once and again before its end", "[ca][crl]") {
  office at;
  const auto first = good(at.ca->current_crl());
  CHECK(good(at.ca->current_crl()) == first);
  at.time.now += 11 * hour_ms;
  CHECK(good(at.ca->current_crl()) == first);
  at.time.now += 2 * hour_ms;
  const auto second = good(at.ca->current_crl());
  CHECK(second->number == first->number + 1);
  CHECK(second->tag != first->tag);
  CHECK(second->next_update > first->next_update);
  at.time.now -= 48 * hour_ms; // a clock that was set back
  CHECK(good(at.ca->current_crl())->this_update <= at.time.now);
}

TEST_CASE("a list that cannot be made is not tried again for everybody who asks", "[ca][crl]") {
  office at;
  CHECK(good(at.ca->current_crl())->number == 1);
  at.time.now = 253'402'300'799'000 - hour_ms; // a list would end behind the last year of X.509
  const auto fault = at.ca->current_crl().error();
  for (int i = 0; i < 10; ++i) {
    CHECK(at.ca->current_crl().error().message == fault.message);
  }
  at.time.now += 60'000;
  CHECK_FALSE(at.ca->current_crl());
  CHECK_FALSE(at.ca->upkeep());
  at.ca.reset();
  CHECK(good(good(storage::ca_index::open(at.folder.path("ca")))->last_crl_number()) == 3);
}

TEST_CASE("a CA that may not sign lists does not promise any", "[ca][crl]") {
  const ca_world world;
  crypto::sign_options plan;
  plan.subject = good(from_hex("300c310a300806035504030c0158")); // CN=X
  plan.public_key = good(world.identity().key.public_key());
  // basicConstraints with CA:TRUE, keyUsage with keyCertSign alone
  plan.extensions
    = good(from_hex("3021300f0603551d130101ff040530030101ff300e0603551d0f0101ff040403020204"));
  plan.serial = crypto::random_serial();
  plan.not_before = world.identity().cert.not_before();
  plan.not_after = world.identity().cert.not_after();
  plan.add_standard_extensions = false;
  const scratch folder;
  const auto made = [&](const crypto::status_locations& where) {
    auto options = world.options(folder.path("ca"));
    options.identity.cert = good(crypto::sign_certificate(world.identity(), plan));
    options.locations = where;
    const auto out = make_embedded_authority(std::move(options));
    return out ? std::string() : to_string(out.error());
  };
  CHECK(made({}).empty());
  for (const crypto::status_locations& where :
       {crypto::status_locations{"http://ca.test/x.crl", "", ""},
        crypto::status_locations{"", "http://ca.test/ocsp", ""}}) {
    CHECK(made(where).find("identity: may not sign revocation lists") != std::string::npos);
  }
}

TEST_CASE("numbers of lists grow over restarts, and what was revoked stays so", "[ca][crl]") {
  office at;
  const auto alice = at.issued("alice");
  CHECK(at.revoke(alice).status == revoke_status::done);
  const auto before = good(at.ca->current_crl())->number;
  at.open();
  const auto after = good(at.ca->current_crl());
  CHECK(after->number == before + 1);
  CHECK(at.list().find(alice.serial()) != nullptr);
  const auto asked = at.request(alice.serial());
  CHECK(verdict_of(at.ca->answer_ocsp(asked).der, asked) == 0xa1);
}

TEST_CASE("what has ended leaves the list, but not before a list had it after its end",
          "[ca][crl]") {
  office at;
  const auto alice = at.issued("alice"); // for a day
  CHECK(at.revoke(alice).status == revoke_status::done);
  at.time.now += 7 * 24 * hour_ms;
  CHECK(at.list().revoked.size() == 1);
  at.time.now += 2 * 24 * hour_ms;
  CHECK(at.list().revoked.empty());
  const auto asked = at.request(alice.serial());
  CHECK(verdict_of(at.ca->answer_ocsp(asked).der, asked) == 0xa1); // OCSP has no such limit
}

TEST_CASE("a revocation is not taken back", "[ca][crl]") {
  const office at;
  const auto alice = at.issued("alice");
  CHECK(at.revoke(alice, static_cast<revocation_reason>(8)).status == revoke_status::refused);
  CHECK(at.revoke(alice).status == revoke_status::done);
  CHECK(at.revoke(alice, static_cast<revocation_reason>(8)).status == revoke_status::refused);
  CHECK(at.list().revoked.size() == 1);
}

TEST_CASE("OCSP says good, revoked and unknown of what there is", "[ca][ocsp]") {
  const office at;
  const auto alice = at.issued("alice");
  const auto asked = at.request(alice.serial());
  auto reply = at.ca->answer_ocsp(asked);
  CHECK(status_of(reply.der) == 0);
  CHECK(verdict_of(reply.der, asked) == 0x80);
  CHECK(reply.cacheable);
  CHECK(reply.next_update > at.time.now);
  CHECK(at.ca->answer_ocsp(asked).der == reply.der); // kept, not signed again
  CHECK(at.revoke(alice).status == revoke_status::done);
  reply = at.ca->answer_ocsp(asked);
  CHECK(verdict_of(reply.der, asked) == 0xa1);
  const auto nobody = at.request("0102030405");
  reply = at.ca->answer_ocsp(nobody);
  CHECK(status_of(reply.der) == 0);
  CHECK(verdict_of(reply.der, nobody) == 0x82);
  CHECK_FALSE(reply.cacheable);
}

TEST_CASE("an answer with a nonce is made for one caller", "[ca][ocsp]") {
  const office at;
  const auto alice = at.issued("alice");
  const auto asked = at.request(alice.serial(), bytes(16, 0x77));
  const auto reply = at.ca->answer_ocsp(asked);
  CHECK(status_of(reply.der) == 0);
  CHECK_FALSE(reply.cacheable);
  const bytes nonce(16, 0x77);
  CHECK(std::search(reply.der.begin(), reply.der.end(), nonce.begin(), nonce.end())
        != reply.der.end());
}

TEST_CASE("OCSP requests that are none, or about others, get an error of the protocol",
          "[ca][ocsp]") {
  const office at;
  const auto alice = at.issued("alice");
  CHECK(status_of(at.ca->answer_ocsp({}).der) == 1);
  CHECK(status_of(at.ca->answer_ocsp(as_bytes("GET me that")).der) == 1);
  CHECK(status_of(at.ca->answer_ocsp(at.request(alice.serial(), bytes(33, 1))).der) == 1);
  CHECK(status_of(at.ca->answer_ocsp(bytes(20'000, 0x30)).der) == 1);
  CHECK(status_of(at.ca->answer_ocsp(at.request(alice.serial(), {}, false)).der) == 6);
}

TEST_CASE("the responder is renewed before its end, and is a certificate of this CA",
          "[ca][ocsp]") {
  office at;
  const auto alice = at.issued("alice");
  const auto asked = at.request(alice.serial());
  const auto responder_in = [](const bytes& reply) {
    // The certificate stands last: its DER is what the answer ends with.
    for (std::size_t from = 0; from < reply.size(); ++from) {
      if (reply[from] == 0x30) {
        if (auto cert = crypto::certificate::from_der(byte_view(reply).subspan(from))) {
          return *cert;
        }
      }
    }
    throw std::runtime_error("no certificate in the answer");
  };
  const auto first = responder_in(at.ca->answer_ocsp(asked).der);
  CHECK(first.issued_by(at.world.identity().cert));
  CHECK(first.not_after() - first.not_before() <= 8 * ca_day_ms);
  at.time.now += 3 * ca_day_ms;
  CHECK(responder_in(at.ca->answer_ocsp(asked).der).serial() == first.serial());
  at.time.now += ca_day_ms;
  CHECK(at.ca->upkeep());
  const auto second = responder_in(at.ca->answer_ocsp(asked).der);
  CHECK(second.serial() != first.serial());
  CHECK(second.not_after() > first.not_after());
  // It is in the CA's books like everything that the CA's key signed, so it can be revoked.
  const auto about = at.request(second.serial());
  CHECK(verdict_of(at.ca->answer_ocsp(about).der, about) == 0x80);
  at.time.now += 30 * ca_day_ms; // the CA itself has ended
  CHECK(status_of(at.ca->answer_ocsp(asked).der) == 3);
  CHECK_FALSE(at.ca->upkeep());
}

TEST_CASE("certificates carry the addresses that are configured, and none else", "[ca]") {
  office at;
  const auto has = [](const crypto::certificate& cert, std::string_view words) {
    return to_text(cert.der()).find(words) != std::string::npos;
  };
  CHECK_FALSE(has(at.issued("before"), "http"));
  at.open({"http://ca.test/one.crl", "http://ca.test/ocsp/one", "http://ca.test/one.cer"});
  const auto cert = at.issued("after");
  for (const auto* word :
       {"http://ca.test/one.crl", "http://ca.test/ocsp/one", "http://ca.test/one.cer"}) {
    CHECK(has(cert, word));
  }
  at.open({"", "http://ca.test/ocsp", ""});
  CHECK(has(at.issued("only ocsp"), "http://ca.test/ocsp"));
  for (const auto* bad : {"https://ca.test/x", "ldap://ca.test", "http://", "http://a b",
                          "http://\"", "http://\xc3\xbc.test", "ca.test/one.crl"}) {
    auto options = at.world.options(at.folder.path("other"));
    options.locations.crl = bad;
    const auto made = make_embedded_authority(std::move(options));
    REQUIRE_FALSE(made);
    CHECK(made.error().field == "locations.crl");
  }
}

TEST_CASE("whoever was told of a revocation finds it in the very next list and answer, also in a "
          "crowd",
          "[ca][crl][ocsp]") {
  const office at;
  const auto issuer = at.world.identity().cert;
  constexpr std::size_t threads_count = 4;
  constexpr std::size_t each = 5;
  std::vector<crypto::certificate> certs;
  for (std::size_t n = 0; n < threads_count * each; ++n) {
    certs.push_back(at.issued("crowd" + std::to_string(n)));
  }
  std::mutex mutex;
  std::vector<std::string> faults;
  const auto check = [&](bool kept, const char* what) {
    const std::scoped_lock lock(mutex);
    if (!kept) {
      faults.emplace_back(what);
    }
  };
  const auto work = [&](std::size_t from) {
    for (std::size_t n = from; n < from + each; ++n) {
      const auto asked = at.request(certs[n].serial());
      check(verdict_of(at.ca->answer_ocsp(asked).der, asked) == 0x80, "not good before");
      const auto told = at.ca->revoke(
        {certs[n].issuer(), certs[n].serial(), revocation_reason::superseded, at.time.now});
      check(told.status == revoke_status::done, "not revoked");
      check(verdict_of(at.ca->answer_ocsp(asked).der, asked) == 0xa1, "good afterwards");
      const auto list = at.ca->current_crl();
      const auto read = list ? crypto::read_crl((*list)->der, issuer)
                             : result<crypto::revocation_list>(failure(list.error()));
      check(read && read->find(certs[n].serial()) != nullptr, "not in the next list");
      check(list && (*list)->number >= told.crl_number, "in an earlier list than promised");
    }
  };
  std::vector<std::thread> threads;
  for (std::size_t n = 0; n < threads_count; ++n) {
    threads.emplace_back(work, n * each);
  }
  for (auto& one : threads) {
    one.join();
  }
  CHECK(faults == std::vector<std::string>{});
  CHECK(at.list().revoked.size() == threads_count * each);
}
