// What the engine makes of a download: good entries whole, bad ones answerable, and nothing of one
// entry takes another along.
#include "tests/catch.hpp"

#include <random>

#include "connect/service/codec.hpp"
#include "core/limits.hpp"
#include "crypto/digest.hpp"
#include "tests/connect/service_offers.hpp"

using namespace pfx;
using namespace pfx::connect::service;
using namespace pfx::test;

TEST_CASE("a create request comes through whole", "[service][download]") {
  offer got = only(create_entry());
  CHECK(got.context == "ctx-1");
  CHECK(got.lease_number == 3);
  CHECK(got.lease_ms == 600'000);
  REQUIRE(got.request.has_value());
  CHECK(*got.request == sample_create());
  CHECK(got.fingerprint == crypto::sha256(encode(sample_create())));
}

TEST_CASE("an import request comes through whole", "[service][download]") {
  offer got = only(import_entry());
  REQUIRE(got.request.has_value());
  CHECK(*got.request == sample_import());
}

TEST_CASE("a request's text is golden", "[service][download]") {
  pfx_request request = sample_create();
  request.recipients.resize(1);
  CHECK(
    encode_request(request, 7, 300'000)
    == R"({"requestContext":"ctx-1","kind":"pfxCreate","leaseNumber":7,"leaseSeconds":300,)"
       R"("createdDateTime":"2026-11-01T12:00:00Z","expiresDateTime":"2026-11-02T12:00:00.250Z",)"
       R"("deviceId":"device-1","userId":"user-1","userPrincipalName":"anna@example.org",)"
       R"("profileId":"profile-1","recipients":[{"recipientId":"r-1","certificate":"MAMCAQE=",)"
       R"("keyTransport":"rsaOaepSha256"}],"certificate":{"subject":"CN=Änna,O=Example",)"
       R"("subjectAlternativeNames":[{"type":"rfc822","value":"anna@example.org"},)"
       R"({"type":"directoryName","value":"CN=x"}],"keyAlgorithm":"ecP384",)"
       R"("hashAlgorithm":"sha384","keyUsages":["digitalSignature","keyAgreement"],)"
       R"("extendedKeyUsages":["1.3.6.1.5.5.7.3.2"],"validity":{"value":12,"unit":"months"},)"
       R"("securityIdentifier":"S-1-5-21-1-2-3-1105","certificateAuthority":"Corp CA",)"
       R"("certificateTemplate":"User"},"pfxProfile":"compatible"})");
}

TEST_CASE("an entry that nobody can be answered about is reported, the others live",
          "[service][download]") {
  json good = create_entry();
  std::vector<std::string> texts = {good.dump()};
  for (const json& bad : {json(), json(""), json(7), json(true), json::array(), json::object(),
                          json(std::string(513, 'x'))}) {
    json entry = good;
    entry["requestContext"] = bad;
    texts.push_back(entry.dump());
  }
  json without = good;
  without.erase("requestContext");
  texts.push_back(without.dump());
  for (const char* no_entry : {"null", "7", "\"x\"", "[]", "true", "{}"})
    texts.emplace_back(no_entry);
  std::string twice = good.dump();
  twice.insert(1, "\"requestContext\":\"ctx-2\",");
  texts.push_back(twice);
  good["requestContext"] = std::string(512, 'x');
  texts.push_back(good.dump());
  auto got = decode_download_answer(encode_download_answer(texts, true));
  REQUIRE(got.has_value());
  CHECK(got->more);
  REQUIRE(got->offers.size() == 2);
  CHECK(got->offers[0].request.has_value());
  CHECK(got->offers[1].context == std::string(512, 'x'));
  REQUIRE(got->unanswerable.size() == texts.size() - 2);
  CHECK(got->unanswerable[0].field == "value[1].requestContext");
  CHECK(got->unanswerable[0].code == errc::bad_input);
}

TEST_CASE("a bad entry does not take its neighbours along", "[service][download]") {
  json bad = create_entry();
  bad["requestContext"] = "ctx-bad";
  bad["recipients"] = 7;
  json last = import_entry();
  last["requestContext"] = "ctx-last";
  auto got = decode_download_answer(
    encode_download_answer({create_entry().dump(), bad.dump(), last.dump()}, false));
  REQUIRE(got.has_value());
  REQUIRE(got->offers.size() == 3);
  CHECK(got->offers[0].request.has_value());
  CHECK(got->offers[1].context == "ctx-bad");
  CHECK(got->offers[1].request.error().field == "recipients");
  CHECK(got->offers[2].request.has_value());
}

TEST_CASE("a kind of tomorrow is no error, however it is built", "[service][download]") {
  json entry = create_entry();
  entry["kind"] = "pfxRenew";
  offer got = only(entry);
  REQUIRE(got.request.has_value());
  CHECK(got.request->kind == request_kind::unknown);
  CHECK(got.request->kind_word == "pfxRenew");
  CHECK(got.request->device_id == "device-1");
  CHECK(got.request->create == create_order());
  json bare = {{"requestContext", "ctx-1"},
               {"kind", "PFXCREATE"},
               {"leaseNumber", 1},
               {"leaseSeconds", 60},
               {"expiresDateTime", "2026-11-02T12:00:00Z"},
               {"deviceId", 7}};
  REQUIRE(only(bare).request.has_value());
  CHECK(only(bare).request->kind == request_kind::unknown);
  bare.erase("expiresDateTime");
  CHECK(wrong(bare).field == "expiresDateTime");
  for (const json& bad : {json(""), json(1), json::array({"pfxCreate"})}) {
    entry["kind"] = bad;
    CHECK(wrong(entry).field == "kind");
  }
}

TEST_CASE("unknown fields change nothing", "[service][download]") {
  json entry = create_entry();
  offer before = only(entry);
  entry["tomorrow"] = {{"a", {1, 2, 3}}};
  entry["certificate"]["tomorrow"] = 1;
  entry["recipients"][0]["tomorrow"] = nullptr;
  offer after = only(entry);
  REQUIRE(after.request.has_value());
  CHECK(*after.request == *before.request);
  CHECK(after.fingerprint == before.fingerprint);
}

TEST_CASE("an entry over its limit is refused as a whole, also if the weight is unknown fields",
          "[service][download]") {
  json entry = create_entry();
  entry["padding"] = std::string(limits::request_bytes_max, 'x');
  offer got = only(entry);
  CHECK(got.context == "ctx-1");
  CHECK(got.lease_number == 3);
  REQUIRE_FALSE(got.request.has_value());
  CHECK(got.request.error().code == errc::too_large);
  CHECK(got.request.error().field == "request");
  entry["padding"] = "";
  entry["padding"] = std::string(limits::request_bytes_max - entry.dump().size(), 'x');
  CHECK(only(entry).request.has_value());
}

TEST_CASE("the fingerprint tells requests apart, readable or not, and ignores the lease",
          "[service][download]") {
  json good = create_entry();
  json bad = good;
  bad["recipients"] = 7;
  for (json entry : {good, bad}) {
    digest first = only(entry).fingerprint;
    entry["leaseNumber"] = 9;
    entry["leaseSeconds"] = 61;
    entry["unknown"] = 1;
    CHECK(only(entry).fingerprint == first);
    entry["deviceId"] = "device-2";
    CHECK_FALSE(only(entry).fingerprint == first);
  }
  CHECK_FALSE(only(good).fingerprint == only(bad).fingerprint);
}

TEST_CASE("what is wrong with the body itself refuses the whole", "[service][download]") {
  std::string entry = create_entry().dump();
  for (const std::string& bad : std::vector<std::string>{
         "",
         "<html><body>Sign in</body></html>",
         "null",
         "[]",
         "7",
         "{}",
         "{\"value\":null}",
         "{\"value\":{}}",
         "{\"value\":\"[]\"}",
         "{\"value\":true}",
         "{\"value\":[],\"more\":1}",
         "{\"value\":[],\"more\":\"true\"}",
         "{\"value\":[],\"value\":[]}",
         "{\"value\":[],\"more\":true,\"more\":true}",
         "{\"value\":[],\"x\":{\"a\":1,\"a\":1}}",
         "{\"value\":[" + entry + "]",
         "{\"value\":[" + entry + ",]}",
         "{\"value\":[]} x",
         "{\"value\":{\"x\":{\"a\":1,\"a\":1}},\"value\":[]}",
         "{\"value\":[1,2,{\"a\":1,\"a\":1}],\"value\":[1]}",
         "{\"value\":[{\"a\":{\"x\":{\"b\":1,\"b\":1}},\"a\":[1]}],\"value\":[]}",
         "{\"error\":{\"code\":\"InternalError\"}}"}) {
    INFO(bad);
    auto got = decode_download_answer(bad);
    REQUIRE_FALSE(got.has_value());
    CHECK(got.error().code == errc::bad_input);
  }
  CHECK(decode_download_answer("{\"value\":[]}").has_value());
  CHECK_FALSE(decode_download_answer("{\"value\":[],\"more\":null}")->more);
}

TEST_CASE("duplicates whose path leads nowhere any more are still found", "[service][download]") {
  std::string text = create_entry().dump();
  text.insert(1, "\"a\":{\"x\":{\"b\":1,\"b\":1}},\"a\":[1],\"a\":{\"1\":2},");
  offer got = only(text);
  REQUIRE_FALSE(got.request.has_value());
  CHECK(got.request.error().message == "appears twice");
}

TEST_CASE("a flood of duplicates cannot hide one", "[service][download]") {
  std::string flood = "{\"requestContext\":\"flood\"";
  for (int i = 0; i < 200; ++i)
    flood += ",\"a\":1";
  std::string hidden = create_entry().dump();
  hidden.insert(1, "\"deviceId\":\"device-evil\",");
  auto got = decode_download_answer(encode_download_answer({flood + "}", hidden}, false));
  REQUIRE_FALSE(got.has_value());
  CHECK(got.error().code == errc::bad_input);
}

TEST_CASE("a batch of more than five hundred is too large", "[service][download]") {
  std::vector<std::string> texts(500, "{}");
  CHECK(decode_download_answer(encode_download_answer(texts, false))->unanswerable.size() == 500);
  texts.emplace_back("{}");
  auto got = decode_download_answer(encode_download_answer(texts, false));
  REQUIRE_FALSE(got.has_value());
  CHECK(got.error().code == errc::too_large);
}

TEST_CASE("no changed octet of a body makes the decoder fall", "[service][download]") {
  std::mt19937 random(20261101);
  std::string body = encode_download_answer({create_entry().dump(), import_entry().dump()}, true);
  std::size_t refused = 0;
  for (int round = 0; round < 3'000; ++round) {
    std::string other = body;
    for (int i = 0; i < 1 + round % 4; ++i)
      other[random() % other.size()] = static_cast<char>("\"{}[],:0-e\\u\x80\xff n"[random() % 17]);
    auto got = decode_download_answer(other);
    refused += got ? 0 : 1;
    if (got)
      CHECK(got->offers.size() + got->unanswerable.size() <= 3);
  }
  CHECK(refused > 1'000);
}
