// Bodies of the small calls: golden texts, round trips, and every way in which they can be wrong.
#include "tests/catch.hpp"

#include <random>

#include <nlohmann/json.hpp>

#include "connect/service/codec.hpp"
#include "tests/connect/service_samples.hpp"

using namespace pfx;
using namespace pfx::connect::service;
using namespace pfx::test;
using nlohmann::json;

namespace {

const std::string who_text = R"({"connectorId":"connector-1","epoch":18446744073709551615,)"
                             R"("runId":"00112233445566778899aabbccddeeff")";
const std::string x_hash = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881";

/// A decoder with its value forgotten: the fault, or nothing.
using probe = std::function<std::optional<error>(std::string_view)>;

template <class T>
probe probe_of(result<T> (*decode)(std::string_view)) {
  return [decode](std::string_view body) -> std::optional<error> {
    auto got = decode(body);
    return got ? std::nullopt : std::optional<error>(got.error());
  };
}

struct call {
  const char* name;
  std::string body; ///< complete and right
  probe decode;
  std::vector<std::string> mandatory;
};

register_order full_register() {
  return {"code-1", "connector", "machine", "0.1.0", {"pfxCreate", "pfxImport"}, sample_der()};
}
check_in_order full_check_in() {
  return {"0.1.0", {7, sample_digest()}, true, R"({"queue":{"open":3}})"};
}
check_in_answer full_check_in_answer() {
  return {anchor{6, sample_digest()}, "0.2.0", sample_time, sample_time + 1, "warning"};
}
upload_answer full_upload_answer() {
  return {"ctx-1",
          upload_status::already_recorded,
          {sample_digest(), true, sample_digest("t"), "connector-2"},
          "words"};
}
query_answer full_query_answer() {
  return {
    "ctx-1", query_state::recorded, 4, {sample_digest(), true, sample_digest("t"), "c-2"}, "CA"};
}

std::vector<call> calls_of_connectors() {
  caller who = sample_caller();
  return {
    {"register",
     encode_register(full_register()),
     probe_of(decode_register),
     {"/code", "/connectorName", "/certificateRequest"}},
    {"register answer",
     encode_register_answer({"connector-1", sample_der(), {sample_der(2)}}),
     probe_of(decode_register_answer),
     {"/value", "/value/connectorId", "/value/certificate", "/value/chain"}},
    {"caller",
     encode_download(who, {}),
     probe_of(decode_caller),
     {"/connectorId", "/epoch", "/runId"}},
    {"renew", encode_renew(who, sample_der()), probe_of(decode_renew), {"/certificateRequest"}},
    {"renew answer",
     encode_renew_answer(sample_der()),
     probe_of(decode_renew_answer),
     {"/value", "/value/certificate"}},
    {"import keys",
     encode_import_keys(who, {{"p", "k", sample_der()}}),
     probe_of(decode_import_keys),
     {"/keys", "/keys/0/providerName", "/keys/0/keyName", "/keys/0/publicKey"}},
    {"import keys answer",
     encode_import_keys_answer(),
     probe_of(decode_import_keys_answer),
     {"/value"}},
    {"check in",
     encode_check_in(who, full_check_in()),
     probe_of(decode_check_in),
     {"/connectorVersion", "/anchor", "/anchor/sequence", "/anchor/auditHead"}},
    {"check in answer",
     encode_check_in_answer(full_check_in_answer()),
     probe_of(decode_check_in_answer),
     {"/value", "/value/anchor/sequence", "/value/anchor/auditHead", "/value/lifecycle"}},
  };
}

std::vector<call> calls_of_requests() {
  caller who = sample_caller();
  return {
    {"download",
     encode_download(who, {100, {request_kind::pfx_create}, 60'000}),
     probe_of(decode_download),
     {"/downloadParameters", "/downloadParameters/maxRequests", "/downloadParameters/kinds",
      "/downloadParameters/leaseSeconds"}},
    {"renew leases",
     encode_renew_leases(who, 60'000, {{"ctx-1", 3}}),
     [](std::string_view body) -> std::optional<error> {
       std::int64_t ignored = 0;
       auto got = decode_renew_leases(body, ignored);
       return got ? std::nullopt : std::optional<error>(got.error());
     },
     {"/leaseSeconds", "/leases", "/leases/0/requestContext", "/leases/0/leaseNumber"}},
    {"renew leases answer",
     encode_renew_leases_answer({{"ctx-1", true}}),
     probe_of(decode_renew_leases_answer),
     {"/value", "/value/0/requestContext", "/value/0/held"}},
    {"upload",
     encode_upload(who, {{"ctx-1", 3, sample_digest(), {1, 2}}}),
     probe_of(decode_upload),
     {"/results", "/results/0/requestContext", "/results/0/leaseNumber",
      "/results/0/resultDigest"}},
    {"upload answer",
     encode_upload_answer({full_upload_answer()}),
     probe_of(decode_upload_answer),
     {"/value", "/value/0/requestContext", "/value/0/status", "/value/0/resultDigest",
      "/value/0/succeeded"}},
    {"query", encode_query(who, {"ctx-1"}), probe_of(decode_query), {"/requestContexts"}},
    {"query answer",
     encode_query_answer({{full_query_answer()}, true}),
     probe_of(decode_query_answer),
     {"/value", "/value/0/requestContext", "/value/0/state", "/value/0/resultDigest",
      "/value/0/succeeded"}},
  };
}

std::vector<call> calls() {
  auto out = calls_of_connectors();
  for (call& one : calls_of_requests())
    out.push_back(std::move(one));
  return out;
}

} // namespace

TEST_CASE("what the engine says is golden", "[service][calls]") {
  caller who = sample_caller();
  CHECK(encode_register(full_register())
        == R"({"code":"code-1","connectorName":"connector","machineName":"machine",)"
           R"("connectorVersion":"0.1.0","features":["pfxCreate","pfxImport"],)"
           R"("certificateRequest":"MAMCAQE="})");
  CHECK(encode_renew(who, sample_der()) == who_text + R"(,"certificateRequest":"MAMCAQE="})");
  CHECK(encode_import_keys(who, {{"p", "k", sample_der()}})
        == who_text + R"(,"keys":[{"providerName":"p","keyName":"k","publicKey":"MAMCAQE="}]})");
  CHECK(encode_check_in(who, full_check_in())
        == who_text + R"(,"connectorVersion":"0.1.0","anchor":{"sequence":7,"auditHead":")" + x_hash
          + R"("},"reconciled":true,"health":{"queue":{"open":3}}})");
  CHECK(encode_download(who, {100, {request_kind::pfx_create, request_kind::pfx_import}, 600'000})
        == who_text
          + R"(,"downloadParameters":{"maxRequests":100,"kinds":["pfxCreate",)"
            R"("pfxImport"],"leaseSeconds":600}})");
  CHECK(encode_renew_leases(who, 600'000, {{"ctx-1", 3}, {"ctx-2", 1}})
        == who_text
          + R"(,"leaseSeconds":600,"leases":[{"requestContext":"ctx-1","leaseNumber":3},)"
            R"({"requestContext":"ctx-2","leaseNumber":1}]})");
  CHECK(
    encode_upload(who, {{"ctx-1", 3, sample_digest(), {1, 2}}, {"ctx-2", 1, sample_digest(), {}}})
    == who_text + R"(,"results":[{"requestContext":"ctx-1","leaseNumber":3,"resultDigest":")"
      + x_hash + R"(","result":"AQI="},{"requestContext":"ctx-2","leaseNumber":1,)"
      + R"("resultDigest":")" + x_hash + R"("}]})");
  CHECK(encode_query(who, {"ctx-1"}) == who_text + R"(,"requestContexts":["ctx-1"]})");
  CHECK(encode_query_handed_to_me(who, "") == who_text + R"(,"handedToMe":true})");
  CHECK(encode_query_handed_to_me(who, "ctx-9")
        == who_text + R"(,"handedToMe":true,"after":"ctx-9"})");
}

TEST_CASE("what the service says is golden", "[service][calls]") {
  CHECK(encode_register_answer({"c-1", sample_der(), {sample_der(2)}})
        == R"({"value":{"connectorId":"c-1","certificate":"MAMCAQE=","chain":["MAMCAQI="]}})");
  CHECK(encode_renew_answer(sample_der()) == R"({"value":{"certificate":"MAMCAQE="}})");
  CHECK(encode_import_keys_answer() == R"({"value":true})");
  CHECK(encode_check_in_answer(full_check_in_answer())
        == R"({"value":{"anchor":{"sequence":6,"auditHead":")" + x_hash
          + R"("},"latestVersion":"0.2.0","deprecatedAfter":"2026-11-01T12:00:00Z",)"
          + R"("unsupportedAfter":"2026-11-01T12:00:00.001Z","lifecycle":"warning"}})");
  CHECK(encode_renew_leases_answer({{"ctx-1", false}})
        == R"({"value":[{"requestContext":"ctx-1","held":false}]})");
  CHECK(encode_upload_answer({{"ctx-1", upload_status::lease_lost, {}, ""}})
        == R"({"value":[{"requestContext":"ctx-1","status":"leaseLost","resultDigest":null,)"
           R"("succeeded":null,"certificateThumbprint":null,"recordedBy":null,"message":null}]})");
  CHECK(encode_query_answer({{{"ctx-1", query_state::leased, 2, {}}}, true})
        == R"({"value":[{"requestContext":"ctx-1","state":"leased","leaseNumber":2,)"
           R"("resultDigest":null,"succeeded":null,"certificateThumbprint":null,)"
           R"("recordedBy":null,"certificateAuthority":null}],"more":true})");
  CHECK(encode_error("staleEpoch", "epoch 3 is old", 7)
        == R"({"error":{"code":"staleEpoch","message":"epoch 3 is old","highestEpoch":7}})");
  CHECK(encode_error("x", "y") == R"({"error":{"code":"x","message":"y"}})");
}

TEST_CASE("what one side says the other side hears", "[service][calls]") {
  caller who = sample_caller();
  auto again = *decode_caller(encode_query(who, {}));
  CHECK(again.connector_id == who.connector_id);
  CHECK(again.epoch == who.epoch);
  CHECK(again.run_id == who.run_id);

  auto order = *decode_register(encode_register(full_register()));
  CHECK(encode_register(order) == encode_register(full_register()));
  auto entered = *decode_check_in(encode_check_in(who, full_check_in()));
  CHECK(encode_check_in(who, entered) == encode_check_in(who, full_check_in()));
  auto told = *decode_check_in_answer(encode_check_in_answer(full_check_in_answer()));
  CHECK(encode_check_in_answer(told) == encode_check_in_answer(full_check_in_answer()));
  CHECK_FALSE(decode_check_in_answer(encode_check_in_answer({{}, "", {}, {}, "supported"}))
                ->last_known.has_value());

  auto wanted = *decode_download(encode_download(who, {100, {request_kind::pfx_import}, 90'000}));
  CHECK(wanted.requests_max == 100);
  CHECK(wanted.kinds == std::vector{request_kind::pfx_import});
  CHECK(wanted.lease_ms == 90'000);

  std::int64_t lease_ms = 0;
  auto claims
    = *decode_renew_leases(encode_renew_leases(who, 90'000, {{"a", 1}, {"b", 2}}), lease_ms);
  CHECK(lease_ms == 90'000);
  REQUIRE(claims.size() == 2);
  CHECK(claims[1].context == "b");
  CHECK(claims[1].lease_number == 2);

  auto entries = *decode_upload(
    encode_upload(who, {{"a", 1, sample_digest(), {9}}, {"b", 2, sample_digest(), {}}}));
  REQUIRE(entries.size() == 2);
  CHECK(entries[0].result_document == bytes{9});
  CHECK(entries[0].result_digest == sample_digest());
  CHECK(entries[1].result_document.empty());

  CHECK(decode_query(encode_query(who, {"a", "b"}))->contexts
        == std::vector<std::string>{"a", "b"});
  auto mine = *decode_query(encode_query_handed_to_me(who, "a"));
  CHECK(mine.handed_to_me);
  CHECK(mine.after == "a");
  CHECK(*decode_renew(encode_renew(who, sample_der())) == sample_der());
  CHECK(*decode_renew_answer(encode_renew_answer(sample_der())) == sample_der());
  CHECK(decode_import_keys(encode_import_keys(who, {{"p", "k", {1}}}))->at(0).key_name == "k");
  auto registered = *decode_register_answer(encode_register_answer({"c", {1}, {{2}, {3}}}));
  CHECK(registered.chain.size() == 2);
}

TEST_CASE("every status and state goes round", "[service][calls]") {
  for (auto status :
       {upload_status::accepted, upload_status::already_recorded, upload_status::lease_lost,
        upload_status::result_missing, upload_status::rejected, upload_status::unknown_request}) {
    upload_answer answer = full_upload_answer();
    answer.status = status;
    auto got = decode_upload_answer(encode_upload_answer({answer}));
    REQUIRE(got->size() == 1);
    CHECK(got->at(0).status == status);
    CHECK(got->at(0).message == "words");
    bool stands = status == upload_status::accepted || status == upload_status::already_recorded;
    CHECK(got->at(0).stands.result_digest.present() == stands);
    CHECK(got->at(0).stands.thumbprint.present() == stands);
    CHECK(got->at(0).stands.succeeded == stands);
  }
  for (auto state :
       {query_state::open, query_state::leased, query_state::recorded, query_state::unknown}) {
    query_answer answer = full_query_answer();
    answer.state = state;
    auto got = decode_query_answer(encode_query_answer({{answer}, false}));
    CHECK(got->answers.at(0).state == state);
    CHECK(got->answers.at(0).lease_number == 4);
    CHECK(got->answers.at(0).stands.result_digest.present() == (state == query_state::recorded));
  }
  CHECK_FALSE(
    decode_upload_answer(
      encode_upload_answer({{"c", upload_status::accepted, {sample_digest(), false, {}, ""}, ""}}))
      ->at(0)
      .stands.thumbprint.present());
}

TEST_CASE("each mandatory field of each body is missed", "[service][calls]") {
  for (const call& each : calls()) {
    INFO(each.name);
    REQUIRE_FALSE(each.decode(each.body).has_value());
    for (const std::string& pointer : each.mandatory) {
      INFO(pointer);
      json::json_pointer at(pointer);
      json body = json::parse(each.body);
      REQUIRE(body.contains(at));
      body[at] = nullptr;
      auto wrong = each.decode(body.dump());
      REQUIRE(wrong.has_value());
      CHECK(wrong->code == errc::bad_input);
      CHECK(wrong->field.ends_with(at.back()));
      body = json::parse(each.body);
      body[at.parent_pointer()].erase(at.back());
      CHECK(each.decode(body.dump()) == wrong);
    }
  }
}

TEST_CASE("no member of any body may be of a wrong type", "[service][calls]") {
  const std::vector<json> types = {json("?"),
                                   json(-1),
                                   json(1.5),
                                   json(true),
                                   json::array(),
                                   json::object(),
                                   json::array({json()})};
  for (const call& each : calls()) {
    json flat = json::parse(each.body).flatten();
    for (const auto& [pointer, right] : flat.items()) {
      for (const json& value : types) {
        bool foreign = pointer.starts_with("/health")
          || (each.name != std::string("caller")
              && (pointer == "/connectorId" || pointer == "/epoch" || pointer == "/runId"))
          || (each.name == std::string("caller") && pointer.starts_with("/download"));
        if (foreign || value.type() == right.type())
          continue;
        INFO(each.name << " " << pointer << " = " << value.dump());
        json body = json::parse(each.body);
        body[json::json_pointer(pointer)] = value;
        auto wrong = each.decode(body.dump());
        REQUIRE(wrong.has_value());
        CHECK(wrong->code == errc::bad_input);
        CHECK_FALSE(wrong->field.empty());
      }
    }
  }
}

TEST_CASE("a key that appears twice refuses each body", "[service][calls]") {
  for (const call& each : calls()) {
    INFO(each.name);
    std::string body = each.body;
    body.insert(1, "\"tomorrow\":{\"a\":1,\"a\":1},");
    auto wrong = each.decode(body);
    REQUIRE(wrong.has_value());
    CHECK(wrong->field == "/tomorrow/a");
  }
}

TEST_CASE("what is no JSON object refuses each body", "[service][calls]") {
  for (const call& each : calls())
    for (const char* bad : {"", "null", "[]", "7", "\"value\"", "<html></html>", "{", "{}x"}) {
      INFO(each.name << ": " << bad);
      auto wrong = each.decode(bad);
      REQUIRE(wrong.has_value());
      CHECK(wrong->code == errc::bad_input);
    }
}

TEST_CASE("fields of tomorrow change no body", "[service][calls]") {
  for (const call& each : calls()) {
    std::string body = each.body;
    body.insert(1, "\"tomorrow\":{\"a\":[1,null]},");
    CHECK_FALSE(each.decode(body).has_value());
  }
}

TEST_CASE("no changed octet of any body makes a decoder fall", "[service][calls]") {
  std::mt19937 random(42);
  for (const call& each : calls())
    for (int round = 0; round < 300; ++round) {
      std::string other = each.body;
      for (int i = 0; i < 1 + round % 3; ++i)
        other[random() % other.size()] = static_cast<char>(random() % 256);
      (void)each.decode(other);
    }
  SUCCEED();
}

TEST_CASE("a status of tomorrow is no answer, the others stand", "[service][calls]") {
  json body = json::parse(encode_upload_answer({full_upload_answer(), full_upload_answer()}));
  body["value"][0]["status"] = "postponed";
  auto got = decode_upload_answer(body.dump());
  REQUIRE(got.has_value());
  CHECK(got->size() == 1);
  json page = json::parse(encode_query_answer({{full_query_answer()}, false}));
  page["value"][0]["state"] = "postponed"; // a reconcile on a guess would be worse
  CHECK(decode_query_answer(page.dump()).error().field == "value[0].state");
}

TEST_CASE("digests, run ids and codes must be what they are", "[service][calls]") {
  json upload = json::parse(encode_upload(sample_caller(), {{"a", 1, sample_digest(), {1}}}));
  for (const char* bad :
       {"", "00", "zz", "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a488"}) {
    upload["results"][0]["resultDigest"] = bad;
    CHECK(decode_upload(upload.dump()).error().field == "results[0].resultDigest");
  }
  json who = json::parse(encode_query(sample_caller(), {}));
  for (const char* bad : {"", "00", "zz112233445566778899aabbccddeeff"}) {
    who["runId"] = bad;
    CHECK(decode_caller(who.dump()).error().field == "runId");
  }
  CHECK(decode_import_keys_answer(R"({"value":false})").error().field == "value");
  CHECK(decode_import_keys_answer(R"({"value":"true"})").error().field == "value");
}
