// The service's bodies and its promise: what an answer tells is in the journal, synced, before it
// leaves.
#include "connect/service/codec.hpp"
#include "crypto/digest.hpp"
#include "crypto/request.hpp"
#include "sandbox/service.hpp"
#include "tests/catch.hpp"
#include "tests/sandbox/support.hpp"

using namespace pfx;
using namespace pfx::sandbox;
using namespace pfx::test;

namespace {

/// A service without a network. The journal is a string that can be made to fail.
struct office {
  double redeliver = 0; ///< share of the recorded requests
  std::vector<std::pair<std::string, double>> mix = {};
  std::string written;
  bool broken = false;
  std::unique_ptr<journal> log = journal::with([this](std::string_view piece) -> result<void> {
    if (broken) {
      return failure(errc::io, "journal", "is broken on purpose");
    }
    written += piece;
    return {};
  });
  order_book orders = book(mix);
  registrar desk{
    {"code-1", "code-2"},
    good(crypto::make_root({"CN=Clients", key_algorithm::ec_p256, system_clock().wall() - 1000,
                            system_clock().wall() + 86'400'000})),
    3'600'000};
  import_desk imports{1, importer().stranger};
  judge_line judges{{judge_with(), [this](std::uint64_t n) { return order_of(n); }, {}, *log}};
  request_service desk_service{options(), desk, imports, *log, judges};
  std::string certificate; ///< of the connector that calls

  order order_of(std::uint64_t n) {
    auto out = orders.at(n);
    CHECK(imports.complete(out));
    return out;
  }

  service_options options() {
    service_options out;
    out.books = {60'000, redeliver, 1};
    out.order_of = [this](std::uint64_t n) { return order_of(n); };
    out.text_of = [this](const order& what, const hand_out& given) {
      return orders.text(what, given.lease_number, given.lease_ms, given.copy);
    };
    out.certified = [](const digest&) {};
    return out;
  }

  connect::http::server_response post(const std::string& call, const std::string& body) {
    connect::http::server_request request;
    request.method = "POST";
    request.target = "/service/" + call;
    request.body = body;
    request.from.certificate_der = certificate;
    return desk_service.handle(request);
  }

  result<service::register_answer> enrol(const std::string& code, const bytes& csr) {
    service::register_order order{code, "connector", "machine", "1.0", {}, csr};
    const auto answer = post("Connectors/register", service::encode_register(order));
    if (answer.status != 200) {
      return failure(errc::unauthorized, "", answer.body);
    }
    return service::decode_register_answer(answer.body);
  }

  service::caller enter(const std::string& code = "code-1") {
    const auto key = good(crypto::private_key::generate(key_algorithm::ec_p256));
    crypto::csr_options names;
    names.subject = "CN=connector";
    const auto answer = good(enrol(code, good(crypto::build_csr(key, names))));
    certificate = pfx::to_text(answer.certificate);
    service::caller who{answer.connector_id, 1, std::string(32, 'a')};
    CHECK(post("Connectors/checkIn", service::encode_check_in(who, {"1.0", {}, false, "{}"})).status
          == 200);
    return who;
  }
};

bytes new_csr() {
  const auto key = good(crypto::private_key::generate(key_algorithm::ec_p256));
  crypto::csr_options names;
  names.subject = "CN=connector";
  return good(crypto::build_csr(key, names));
}

} // namespace

TEST_CASE("a code serves one key, and that key as often as it asks", "[service]") {
  office one;
  const auto csr = new_csr();
  const auto first = good(one.enrol("code-1", csr));
  const auto again = good(one.enrol("code-1", csr));
  CHECK(again.connector_id == first.connector_id);
  CHECK(again.certificate == first.certificate);
  CHECK_FALSE(one.enrol("code-1", new_csr()));
  CHECK_FALSE(one.enrol("no-such-code", new_csr()));
  CHECK_FALSE(one.enrol("", new_csr()));
  CHECK_FALSE(one.enrol("code-2", bytes{1, 2, 3}));
  CHECK(good(one.enrol("code-2", new_csr())).connector_id != first.connector_id);
  const auto leaf = good(crypto::certificate::from_der(first.certificate));
  CHECK(leaf.common_name() == first.connector_id);
  CHECK(leaf.extended_usages() == std::vector<std::string>{"1.3.6.1.5.5.7.3.2"});
}

TEST_CASE("every other call needs the connector's own certificate", "[service]") {
  office one;
  auto who = one.enter();
  const auto body = service::encode_download(who, {});
  CHECK(one.post("PfxRequests/download", body).status == 200);
  auto stranger = who;
  stranger.connector_id = "somebody";
  CHECK(one.post("PfxRequests/download", service::encode_download(stranger, {})).status == 403);
  one.certificate = pfx::to_text(devices().root().der());
  CHECK(one.post("PfxRequests/download", body).status == 401);
  one.certificate.clear();
  CHECK(one.post("PfxRequests/download", body).status == 401);
}

TEST_CASE("paths, methods and bodies that are none are refused", "[service]") {
  office one;
  const auto who = one.enter();
  CHECK(one.post("PfxRequests/erase", service::encode_download(who, {})).status == 404);
  for (const auto* body : {"", "{", "[]", "{}", "null", "{\"connectorId\":1}"}) {
    CAPTURE(body);
    for (const auto* call : {"PfxRequests/download", "PfxRequests/upload", "PfxRequests/query",
                             "PfxRequests/renewLeases", "Connectors/checkIn", "Connectors/renew",
                             "Connectors/importKeys", "Connectors/register"}) {
      CAPTURE(call);
      CHECK(one.post(call, body).status == 400);
    }
  }
  connect::http::server_request request;
  request.method = "GET";
  request.target = "/service/PfxRequests/download";
  CHECK(one.desk_service.handle(request).status == 405);
  request.target = "/";
  CHECK(one.desk_service.handle(request).status == 404);
}

TEST_CASE("a stale run is told the highest epoch", "[service]") {
  office one;
  auto who = one.enter();
  auto later = who;
  later.epoch = 9;
  later.run_id = std::string(32, 'b');
  CHECK(
    one.post("Connectors/checkIn", service::encode_check_in(later, {"1.0", {}, false, "{}"})).status
    == 200);
  for (const auto& [call, body] : std::vector<std::pair<std::string, std::string>>{
         {"PfxRequests/download", service::encode_download(who, {})},
         {"Connectors/checkIn", service::encode_check_in(who, {"1.0", {}, false, "{}"})},
         {"PfxRequests/query", service::encode_query(who, {"x"})}}) {
    const auto answer = one.post(call, body);
    CHECK(answer.status == 409);
    CHECK(answer.body.find("\"staleEpoch\"") != std::string::npos);
    CHECK(answer.body.find("\"highestEpoch\":9") != std::string::npos);
  }
  CHECK(one.written.find("stale_epoch") != std::string::npos);
}

TEST_CASE("a run that begins with something else than a check-in is noted", "[service]") {
  office one;
  auto who = one.enter();
  CHECK(one.written.find("before its checkIn") == std::string::npos);
  who.epoch = 2;
  who.run_id = std::string(32, 'c');
  CHECK(one.post("PfxRequests/download", service::encode_download(who, {})).status == 200);
  one.judges.drain();
  REQUIRE(one.log->sync());
  CHECK(one.written.find("before its checkIn") != std::string::npos);
}

TEST_CASE("a renewed certificate ends the old one by being used", "[service]") {
  office one;
  const auto who = one.enter();
  const auto old = one.certificate;
  const auto answer = one.post("Connectors/renew", service::encode_renew(who, new_csr()));
  REQUIRE(answer.status == 200);
  const auto fresh = pfx::to_text(good(service::decode_renew_answer(answer.body)));
  const auto body = service::encode_download(who, {});
  CHECK(one.post("PfxRequests/download", body).status == 200); // the old one still
  one.certificate = fresh;
  CHECK(one.post("PfxRequests/download", body).status == 200);
  one.certificate = old;
  CHECK(one.post("PfxRequests/download", body).status == 401);
}

TEST_CASE("an answer leaves after its journal lines are synced", "[service]") {
  office one;
  const auto who = one.enter();
  const auto first = one.orders.at(0);
  REQUIRE(one.desk_service.enqueue(first, "Sandbox-CA"));
  one.written.clear();
  const auto given = one.post("PfxRequests/download", service::encode_download(who, {}));
  REQUIRE(given.status == 200);
  CHECK(one.written.find("\"what\":\"handed_out\"") != std::string::npos);
  const auto document = service::encode_result_document(fulfil(first.request));
  service::upload_entry entry{first.context, 1, crypto::sha256(document), document};
  const auto accepted = one.post("PfxRequests/upload", service::encode_upload(who, {entry}));
  REQUIRE(accepted.status == 200);
  CHECK(accepted.body.find("accepted") != std::string::npos);
  CHECK(one.written.find("\"what\":\"recorded\"") != std::string::npos);
  one.judges.drain();
  CHECK(one.judges.so_far().judged == 1);
  CHECK(one.judges.so_far().faults == 0);
}

TEST_CASE("nothing is told while the journal is broken", "[service]") {
  office one;
  const auto who = one.enter();
  const auto first = one.orders.at(0);
  REQUIRE(one.desk_service.enqueue(first, "Sandbox-CA"));
  REQUIRE(one.post("PfxRequests/download", service::encode_download(who, {})).status == 200);
  one.broken = true;
  const auto document = service::encode_result_document(fulfil(first.request));
  service::upload_entry entry{first.context, 1, crypto::sha256(document), document};
  const auto answer = one.post("PfxRequests/upload", service::encode_upload(who, {entry}));
  CHECK(answer.status == 503);
  CHECK(answer.headers.count("Retry-After") == 1);
  CHECK(one.written.find("\"what\":\"recorded\"") == std::string::npos);
  CHECK(one.post("PfxRequests/query", service::encode_query(who, {first.context})).status == 503);
  CHECK(one.post("PfxRequests/download", service::encode_download(who, {})).status == 503);
}

TEST_CASE("a result is rejected for its digest or its form, and never for its quality",
          "[service]") {
  office one;
  const auto who = one.enter();
  const auto what = one.orders.at(0);
  one.desk_service.enqueue(what, "Sandbox-CA");
  one.post("PfxRequests/download", service::encode_download(who, {}));
  const auto upload = [&](const bytes& document, const digest& claimed) {
    const service::upload_entry entry{what.context, 1, claimed, document};
    return good(service::decode_upload_answer(
                  one.post("PfxRequests/upload", service::encode_upload(who, {entry})).body))
      .front();
  };
  const auto document = service::encode_result_document(fulfil(what.request));
  CHECK(upload(document, crypto::sha256(as_bytes("other"))).status
        == service::upload_status::rejected);
  const auto garbage = to_bytes("{\"succeeded\":");
  const auto rejected = upload(garbage, crypto::sha256(garbage));
  CHECK(rejected.status == service::upload_status::rejected);
  CHECK_FALSE(rejected.message.empty());
  faults_to_plant plant;
  plant.password = "bad";
  const auto poor = service::encode_result_document(fulfil(what.request, plant));
  const auto taken = upload(poor, crypto::sha256(poor));
  CHECK(taken.status == service::upload_status::accepted);
  CHECK(taken.stands.succeeded);
  CHECK(taken.stands.result_digest == crypto::sha256(poor));
  one.judges.drain();
  CHECK(one.judges.so_far().faults > 0);
}

TEST_CASE("import keys are announced, journaled, and one name stands for one key", "[service]") {
  office one;
  const auto who = one.enter();
  const auto& key = importer().announced;
  const auto announce = [&](const service::import_key& what) {
    return one.post("Connectors/importKeys", service::encode_import_keys(who, {what}));
  };
  one.written.clear();
  const auto first = announce(key);
  REQUIRE(first.status == 200);
  CHECK(good(service::decode_import_keys_answer(first.body)));
  CHECK(one.written.find("\"what\":\"key_announced\"") != std::string::npos);
  CHECK(one.written.find(to_hex(crypto::sha256(key.public_key))) != std::string::npos);
  one.written.clear();
  CHECK(announce(key).status == 200); // the same again, as at each start
  CHECK(one.written.find("key_announced") == std::string::npos);
  auto other = key;
  other.public_key = importer().stranger;
  const auto refused = announce(other);
  CHECK(refused.status == 409);
  CHECK(refused.body.find("\"conflict\"") != std::string::npos);
  CHECK(announce({key.provider_name, "no-key", {0x30, 0x00}}).status == 400);
  const auto later = one.enter("code-2"); // another connector of the tenant
  CHECK(one.post("Connectors/importKeys", service::encode_import_keys(later, {key})).status == 200);
  CHECK(one.post("Connectors/importKeys", service::encode_import_keys(later, {other})).status
        == 409);
}

TEST_CASE("imports wait for a key, and are the same to the octet for every connector",
          "[service]") {
  office one{1, {{"import", 1}}};
  const auto who = one.enter();
  const auto download = [&](const service::caller& from) {
    const auto answer = one.post("PfxRequests/download", service::encode_download(from, {}));
    REQUIRE(answer.status == 200);
    return good(service::decode_download_answer(answer.body)).offers;
  };
  for (std::uint64_t index = 0; index < 3; ++index) {
    REQUIRE(one.desk_service.enqueue(one.orders.at(index), "Sandbox-CA"));
  }
  CHECK(one.written.find("handed_out") == std::string::npos);
  CHECK(download(who).empty());
  REQUIRE(
    one.post("Connectors/importKeys", service::encode_import_keys(who, {importer().announced}))
      .status
    == 200);
  const auto mine = download(who);
  REQUIRE(mine.size() == 3);
  std::vector<service::upload_entry> results;
  for (const auto& offer : mine) {
    REQUIRE(offer.request);
    const auto document = service::encode_result_document(fulfil_import(*offer.request));
    results.push_back({offer.context, 1, crypto::sha256(document), document});
  }
  const auto accepted = one.post("PfxRequests/upload", service::encode_upload(who, results));
  for (const auto& answer : good(service::decode_upload_answer(accepted.body))) {
    CHECK(answer.status == service::upload_status::accepted);
    CHECK_FALSE(answer.stands.thumbprint.present());
  }
  const auto theirs = download(one.enter("code-2")); // recorded ones, handed out once more
  REQUIRE(theirs.size() == 3);
  for (std::size_t at = 0; at < 3; ++at) {
    REQUIRE(theirs[at].request);
    CHECK_FALSE(mine[at].request->import.encrypted_password.empty());
    CHECK(*mine[at].request == *theirs[at].request);
    CHECK(mine[at].fingerprint == theirs[at].fingerprint);
    CHECK(theirs[at].lease_number == 2);
  }
  one.judges.drain();
  CHECK(one.judges.so_far().judged == 3);
  CHECK(one.judges.so_far().first_faults == std::vector<std::string>{});
  CHECK(one.desk_service.counts().imported == 3);
}
