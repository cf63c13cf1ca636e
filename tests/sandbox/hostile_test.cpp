// The box with faults, over HTTPS: what a connector sees, and that the books stay right.
#include <fstream>
#include <sstream>

#include "connect/ca/https_authority.hpp"
#include "connect/service/client.hpp"
#include "connect/service/codec.hpp"
#include "core/limits.hpp"
#include "crypto/digest.hpp"
#include "crypto/request.hpp"
#include "sandbox/hostile_wire.hpp"
#include "sandbox/sandbox.hpp"
#include "tests/catch.hpp"
#include "tests/sandbox/support.hpp"

using namespace pfx;
using namespace pfx::test;
namespace service = pfx::connect::service;
namespace http = pfx::connect::http;
using connect::ca::ca_status;

namespace {

std::string file_text(const std::string& path) {
  std::ifstream in(path);
  std::stringstream out;
  out << in.rdbuf();
  return out.str();
}

/// A box whose faults are those of the text, and one connector.
struct hostile {
  scratch folder;
  std::unique_ptr<pfx::sandbox::sandbox> box;
  service::caller who;
  std::unique_ptr<service::pfx_request_service> desk;
  std::unique_ptr<connect::ca::authority> ca;

  explicit hostile(const std::string& faults, std::uint64_t requests = 1) {
    pfx::sandbox::options options;
    options.directory = folder.path("box");
    options.requests = requests;
    options.devices = 4;
    options.redeliver_share = 0;
    options.faults = pfx::sandbox::read_fault_plan("{\"faults\":[" + faults + "]}").value();
    box = good(pfx::sandbox::sandbox::start(options));
    const auto key = good(crypto::private_key::generate(key_algorithm::ec_p256));
    crypto::csr_options names;
    names.subject = "CN=connector";
    const auto answer = service::register_connector(
      client_of(box->url()),
      {box->registration_code(), "c", "m", "1", {}, good(crypto::build_csr(key, names))});
    REQUIRE(answer);
    who = {answer->connector_id, 1, std::string(32, 'f')};
    auto for_desk = client_of(box->url());
    auto for_ca = client_of(box->ca_url());
    for (auto* one : {&for_desk, &for_ca}) {
      one->identity.emplace();
      one->identity->certificate_pem
        = good(crypto::certificate::from_der(answer->certificate)).pem();
      one->identity->key_pem = good(key.to_pem());
    }
    desk = good(service::make_client(std::move(for_desk)));
    ca = good(connect::ca::make_https_authority(std::move(for_ca)));
  }

  [[nodiscard]] http::client_options client_of(const std::string& url) const {
    http::client_options out;
    out.base_url = url;
    out.trusted_roots_pem = file_text(box->server_roots_path());
    out.call_timeout_ms = 1'000;
    return out;
  }

  auto check_in() { return desk->check_in(who, {"1.0", {}, false, "{}"}); }
  auto download() { return desk->download(who, {50, {request_kind::pfx_create}, 60'000}); }

  static digest id_of(const pfx_request& request, std::uint8_t generation = 0) {
    return crypto::sha256(
      transaction_id_preimage("sandbox", request.context, request.create.authority, generation));
  }
  connect::ca::ca_answer submit(const pfx_request& request, const bytes& csr,
                                std::uint8_t generation = 0) {
    return ca->submit({id_of(request, generation), csr, request.create.certificate_template,
                       request.create.validity, request.create.security_identifier});
  }
  [[nodiscard]] std::string journal_text() const {
    return file_text(folder.path("box/journal.jsonl"));
  }
};

bytes csr_for(const pfx_request& request, const crypto::private_key& key) {
  crypto::csr_options names;
  names.subject = request.create.subject;
  names.security_identifier = request.create.security_identifier;
  return good(crypto::build_csr(key, names));
}

/// The request of an answer's first offer.
pfx_request first_of(const service::answer<service::download_answer>& got) {
  REQUIRE(got);
  REQUIRE_FALSE(got->offers.empty());
  REQUIRE(got->offers.front().request);
  return *got->offers.front().request;
}

} // namespace

TEST_CASE("an upload whose answer is lost stays recorded", "[hostile]") {
  for (const auto* fault : {R"({"fault":"close","when":"after","numbers":[1],"span":2)",
                            R"({"fault":"cut","numbers":[1])", R"({"fault":"length","numbers":[1])",
                            R"({"fault":"html","when":"after","numbers":[1])",
                            R"({"fault":"late","seconds":3,"numbers":[1])",
                            R"({"fault":"drip","seconds":5,"numbers":[1])",
                            R"({"fault":"redirect","when":"after","numbers":[1])",
                            R"({"fault":"status","status":502,"when":"after","numbers":[1])"}) {
    CAPTURE(fault);
    hostile one(std::string(fault) + R"(,"calls":["PfxRequests/upload"]})");
    REQUIRE(one.check_in());
    const auto got = one.download();
    const auto request = first_of(got);
    const auto document = service::encode_result_document(fail_with(service_code::conflict, "x"));
    const service::upload_entry entry{request.context, 1, crypto::sha256(document), document};
    CHECK_FALSE(one.desk->upload(one.who, {entry}));
    const auto again = one.desk->upload(one.who, {entry});
    REQUIRE(again);
    CHECK(again->front().status == service::upload_status::already_recorded);
    CHECK(again->front().stands.result_digest == entry.result_digest);
    const auto verdict = good(one.box->verdict());
    CHECK(verdict.duplicates == 0);
    CHECK(verdict.faults_injected >= 1); // libcurl sends again by itself what was closed at once
    CHECK(verdict.injected.size() == 1);
  }
}

TEST_CASE("a call that fails before it is served leaves nothing", "[hostile]") {
  for (const auto* fault :
       {R"({"fault":"status","status":503)", R"({"fault":"html")", R"({"fault":"redirect")",
        R"({"fault":"late","seconds":3,"when":"before")"}) {
    CAPTURE(fault);
    hostile one(std::string(fault) + R"(,"numbers":[1],"calls":["PfxRequests/download"]})");
    REQUIRE(one.check_in());
    CHECK_FALSE(one.download());
    const auto got = one.download();
    REQUIRE(got);
    REQUIRE(got->offers.size() == 1);
    CHECK(got->offers.front().lease_number == 1);
  }
}

TEST_CASE("Retry-After is said as the file says", "[hostile]") {
  hostile one(R"({"fault":"status","status":429,"retryAfter":7,"numbers":[1],)"
              R"("calls":["Connectors/checkIn"]},)"
              R"({"fault":"status","retryAfter":-5,"numbers":[2],)"
              R"("calls":["Connectors/checkIn"]},)"
              R"({"fault":"status","retryAfter":"garbage","numbers":[3],)"
              R"("calls":["Connectors/checkIn"]},)"
              R"({"fault":"status","retryAfter":315360000,"numbers":[4],)"
              R"("calls":["Connectors/checkIn"]},)"
              R"({"fault":"status","retryAfter":{"date":300},"numbers":[5],)"
              R"("calls":["Connectors/checkIn"]},)"
              R"({"fault":"status","status":401,"numbers":[6],)"
              R"("calls":["Connectors/checkIn"]})");
  const auto waits = [&] {
    const auto out = one.check_in();
    REQUIRE_FALSE(out);
    return out.error();
  };
  CHECK(waits().retry_after_ms == 7'000);
  CHECK(waits().retry_after_ms == 0);
  CHECK(waits().retry_after_ms == 0);
  CHECK(waits().retry_after_ms == limits::asked_wait_ms_max);
  const auto by_date = waits().retry_after_ms;
  CHECK(by_date > 200'000);
  CHECK(by_date <= 300'000);
  CHECK(waits().what.code == errc::unauthorized);
  CHECK(one.check_in());
}

TEST_CASE("bad certificates are shown for so many handshakes", "[hostile]") {
  for (const auto* which : {"expired", "wrongName", "stranger"}) {
    CAPTURE(which);
    hostile one(R"({"fault":"certificate","calls":["Connectors/checkIn"],"numbers":[1],)"
                R"("handshakes":2,"which":")"
                + std::string(which) + "\"}");
    CHECK(one.check_in()); // answered, and the connection is ended
    for (int n = 0; n < 2; ++n) {
      const auto refused = one.check_in();
      REQUIRE_FALSE(refused);
      CHECK(refused.error().what.code == errc::unauthorized);
    }
    CHECK(one.check_in());
  }
}

TEST_CASE("a download's answer is doubled, reordered, contradicted and littered", "[hostile]") {
  hostile one(
    R"({"fault":"twice","numbers":[1],"count":2},{"fault":"again","numbers":[2],"count":50},)"
    R"({"fault":"otherBody","numbers":[3]},{"fault":"junk","numbers":[5]})",
    4);
  REQUIRE(one.check_in());
  const auto twice = one.download();
  REQUIRE(twice);
  CHECK(twice->offers.size() == 6);
  const auto again = one.download();
  REQUIRE(again);
  REQUIRE(again->offers.size() == 4);
  for (const auto& offer : again->offers) {
    CHECK(offer.lease_number == 2);
  }
  const auto nothing = one.download(); // nothing there to be contradicted
  REQUIRE(nothing);
  CHECK(nothing->offers.empty());
  CHECK(good(one.box->verdict()).injected
        == std::map<std::string, std::uint64_t>{{"again", 4}, {"twice", 1}});
}

TEST_CASE("another body stands behind the first one", "[hostile]") {
  hostile one(R"({"fault":"otherBody","numbers":[1]})");
  REQUIRE(one.check_in());
  const auto got = one.download();
  REQUIRE(got);
  REQUIRE(got->offers.size() == 2);
  REQUIRE(got->offers[1].request);
  CHECK(got->offers[0].context == got->offers[1].context);
  CHECK(got->offers[0].request->user_principal_name != got->offers[1].request->user_principal_name);
}

TEST_CASE("a lease that is taken is lost in the books too", "[hostile]") {
  hostile one(R"({"fault":"leaseTaken","numbers":[1],"calls":["PfxRequests/renewLeases"]})");
  REQUIRE(one.check_in());
  const auto request = first_of(one.download());
  const auto renewed = one.desk->renew_leases(one.who, 60'000, {{request.context, 1}});
  REQUIRE(renewed);
  CHECK_FALSE(renewed->front().held);
  const auto document = service::encode_result_document(fail_with(service_code::conflict, "x"));
  const auto uploaded
    = one.desk->upload(one.who, {{request.context, 1, crypto::sha256(document), document}});
  REQUIRE(uploaded);
  CHECK(uploaded->front().status == service::upload_status::lease_lost);
}

TEST_CASE("a stale epoch is said once, and the next epoch is taken", "[hostile]") {
  hostile one(R"({"fault":"staleEpoch","numbers":[1],"calls":["Connectors/checkIn"]})");
  const auto refused = one.check_in();
  REQUIRE_FALSE(refused);
  CHECK(refused.error().what.code == errc::stale_epoch);
  CHECK(refused.error().highest_epoch == 1);
  one.who.epoch = 2;
  CHECK(one.check_in());
}

TEST_CASE("a CA that errs keeps to its word, and what it issues can be revoked", "[hostile]") {
  for (const std::string fault : {"wrongKey", "expired"}) {
    CAPTURE(fault);
    hostile one("{\"fault\":\"" + fault + "\",\"numbers\":[1]}");
    REQUIRE(one.check_in());
    const auto request = first_of(one.download());
    const auto key = good(crypto::private_key::generate(key_algorithm::ec_p256));
    const auto csr = csr_for(request, key);
    const auto bad = one.submit(request, csr);
    REQUIRE(bad.status == ca_status::issued);
    const auto leaf = good(crypto::certificate::from_der(bad.certificate));
    CHECK(leaf.matches(key) == (fault == "expired"));
    CHECK((leaf.not_after() < system_clock().wall()) == (fault == "expired"));
    CHECK(one.submit(request, csr).certificate == bad.certificate);
    CHECK(one.ca->find(hostile::id_of(request)).certificate == bad.certificate);
    const auto other
      = csr_for(request, good(crypto::private_key::generate(key_algorithm::ec_p256)));
    CHECK(one.submit(request, other).status == ca_status::conflict);
    const auto revoke = [&] {
      return one.ca->revoke({leaf.issuer(), leaf.serial(), {}, system_clock().wall()}).status;
    };
    CHECK(revoke() == connect::ca::revoke_status::done);
    CHECK(revoke() == connect::ca::revoke_status::already);
    const auto live = one.box->progress();
    CHECK(live.certificates == 1);
    CHECK(live.revoked_certificates == 1);
  }
}

TEST_CASE("a spoiled certificate that is delivered is found", "[hostile]") {
  hostile one(R"({"fault":"expired","numbers":[1]})");
  REQUIRE(one.check_in());
  const auto request = first_of(one.download());
  const auto document = service::encode_result_document(
    fulfil(request, {}, [&](const pfx_request& asked, const bytes& csr) {
      const auto bad = one.submit(asked, csr);
      return certified{bad.certificate, bad.chain};
    }));
  REQUIRE(one.desk->upload(one.who, {{request.context, 1, crypto::sha256(document), document}}));
  CHECK(mentions(good(one.box->verdict()).faults, "spoiled by the CA on purpose, and delivered"));
}

TEST_CASE("a failure is excused where the CA left no other end, and only there", "[hostile]") {
  hostile one(R"({"fault":"refuse","numbers":[1]})", 2);
  REQUIRE(one.check_in());
  const auto got = one.download();
  REQUIRE(got);
  REQUIRE(got->offers.size() == 2);
  const auto key = good(crypto::private_key::generate(key_algorithm::ec_p256));
  const auto& request = *got->offers[0].request;
  CHECK(one.submit(request, csr_for(request, key)).status == ca_status::refused);
  CHECK(one.ca->find(hostile::id_of(request)).status == ca_status::refused);
  for (const auto& offer : got->offers) {
    const auto document
      = service::encode_result_document(fail_with(service_code::non_retryable, offer.context));
    REQUIRE(one.desk->upload(one.who, {{offer.context, 1, crypto::sha256(document), document}}));
  }
  const auto verdict = good(one.box->verdict());
  CHECK(verdict.excused == 1);
  CHECK(verdict.expected_failures == 1);
  CHECK(verdict.failed == 1);
  CHECK(verdict.faults_total == 1);
}

TEST_CASE("pending ends after so many answers, and conflict is said of nothing", "[hostile]") {
  hostile one(R"({"fault":"pending","numbers":[1],"answers":2},{"fault":"conflict","numbers":[2]})",
              2);
  REQUIRE(one.check_in());
  const auto got = one.download();
  REQUIRE(got);
  const auto key = good(crypto::private_key::generate(key_algorithm::ec_p256));
  const auto& first = *got->offers[0].request;
  const auto& second = *got->offers[1].request;
  CHECK(one.submit(first, csr_for(first, key)).status == ca_status::pending);
  CHECK(one.submit(second, csr_for(second, key)).status == ca_status::conflict);
  CHECK(one.ca->find(hostile::id_of(second)).status == ca_status::never_seen);
  const auto waiting = one.ca->find(hostile::id_of(first));
  CHECK(waiting.status == ca_status::pending);
  CHECK(waiting.pending_public_key_hash == key.public_key_hash());
  CHECK(one.ca->find(hostile::id_of(first)).status == ca_status::pending);
  const auto issued = one.ca->find(hostile::id_of(first));
  REQUIRE(issued.status == ca_status::issued);
  CHECK(good(crypto::certificate::from_der(issued.certificate)).matches(key));
}

TEST_CASE("another request's certificate, and an expired issuer, are mere words", "[hostile]") {
  hostile one(R"({"fault":"otherRequest","numbers":[2]},{"fault":"expiredChain","numbers":[3]})",
              3);
  REQUIRE(one.check_in());
  const auto got = one.download();
  REQUIRE(got);
  std::vector<connect::ca::ca_answer> said;
  const auto key = good(crypto::private_key::generate(key_algorithm::ec_p256));
  for (const auto& offer : got->offers) {
    said.push_back(one.submit(*offer.request, csr_for(*offer.request, key)));
  }
  CHECK(said[1].certificate == said[0].certificate);
  CHECK(good(crypto::certificate::from_der(said[2].chain.at(0))).not_after()
        < system_clock().wall());
  for (std::size_t at : {1u, 2u}) {
    const auto right = one.ca->find(hostile::id_of(*got->offers[at].request));
    CHECK(right.certificate != said[0].certificate);
    CHECK(good(crypto::certificate::from_der(right.chain.at(0))).not_after()
          > system_clock().wall());
  }
  CHECK(one.box->progress().certificates == 3);
}

TEST_CASE("a call is known by its path", "[hostile]") {
  CHECK(pfx::sandbox::call_of("/service/PfxRequests/upload?x=1") == "PfxRequests/upload");
  CHECK(pfx::sandbox::call_of("/ca/CertificateAuthority/find") == "CertificateAuthority/find");
  CHECK(pfx::sandbox::call_of("/elsewhere").empty());
}
