// What the engine makes of a download, entry by entry: every field missing, of a wrong type, out of
// its limits, there twice; and nothing of it takes another entry along.
#include "tests/catch.hpp"

#include <random>

#include <nlohmann/json.hpp>

#include "connect/service/codec.hpp"
#include "core/limits.hpp"
#include "crypto/digest.hpp"
#include "tests/connect/service_samples.hpp"

using namespace pfx;
using namespace pfx::connect::service;
using nlohmann::json;
using pfx::test::sample_create;
using pfx::test::sample_import;

namespace {

json create_entry() { return json::parse(encode_request(sample_create(), 3, 600'000)); }
json import_entry() { return json::parse(encode_request(sample_import(), 3, 600'000)); }

/// The only offer of a body with one entry.
offer only(const std::string& entry) {
  auto got = decode_download_answer(encode_download_answer({entry}, false));
  REQUIRE(got.has_value());
  REQUIRE(got->unanswerable.empty());
  REQUIRE(got->offers.size() == 1);
  return std::move(got->offers.front());
}
offer only(const json& entry) { return only(entry.dump()); }

error wrong(const json& entry) {
  offer got = only(entry);
  CHECK(got.context == "ctx-1");
  CHECK(got.fingerprint.present());
  REQUIRE_FALSE(got.request.has_value());
  return got.request.error();
}

/// "certificate.validity.unit" for "/certificate/validity/unit"; indices in brackets.
std::string field_of(const std::string& pointer) {
  std::string out;
  std::istringstream in(pointer.substr(1));
  for (std::string token; std::getline(in, token, '/');)
    out += token.find_first_not_of("0123456789") == std::string::npos
             ? "[" + token + "]"
             : (out.empty() ? "" : ".") + token;
  return out;
}

const std::vector<std::string> mandatory_everywhere = {
  "/kind", "/leaseNumber", "/leaseSeconds", "/expiresDateTime", "/deviceId", "/recipients",
  "/recipients/1/recipientId", "/recipients/1/certificate", "/recipients/1/keyTransport"};
const std::vector<std::string> mandatory_in_create = {
  "/certificate", "/certificate/subject", "/certificate/keyAlgorithm", "/certificate/validity",
  "/certificate/validity/value", "/certificate/validity/unit",
  "/certificate/certificateAuthority", "/certificate/subjectAlternativeNames/0/type",
  "/certificate/subjectAlternativeNames/0/value"};
const std::vector<std::string> mandatory_in_import = {
  "/thumbprint", "/providerName", "/keyName", "/paddingScheme", "/encryptedPfxBlob",
  "/encryptedPfxPassword"};
const std::vector<std::string> optional_everywhere = {"/createdDateTime", "/userId",
                                                      "/userPrincipalName", "/profileId"};
const std::vector<std::string> optional_in_create = {
  "/pfxProfile", "/certificate/hashAlgorithm", "/certificate/subjectAlternativeNames",
  "/certificate/keyUsages", "/certificate/extendedKeyUsages", "/certificate/securityIdentifier",
  "/certificate/certificateTemplate"};
const std::vector<std::string> optional_in_import = {"/intendedPurpose"};

struct form {
  json entry;
  std::vector<std::string> mandatory;
  std::vector<std::string> optional;
};

std::vector<form> forms() {
  auto join = [](std::vector<std::string> left, const std::vector<std::string>& right) {
    left.insert(left.end(), right.begin(), right.end());
    return left;
  };
  return {{create_entry(), join(mandatory_everywhere, mandatory_in_create),
           join(optional_everywhere, optional_in_create)},
          {import_entry(), join(mandatory_everywhere, mandatory_in_import),
           join(optional_everywhere, optional_in_import)}};
}

void erase(json& from, const std::string& pointer) {
  auto at = json::json_pointer(pointer);
  from[at.parent_pointer()].erase(at.back());
}

/// Values of every JSON type but the one that stands there, and the type's own wrong ones.
std::vector<json> other_types(const json& right) {
  std::vector<json> all = {json("text"), json(1.5), json(-1), json(true), json::array(),
                           json::object(), json(json::array({json()}))};
  std::vector<json> out;
  for (const json& value : all) {
    bool same = value.type() == right.type() || (value.is_array() && right.is_array());
    if (!same)
      out.push_back(value);
  }
  if (!right.is_number())
    out.push_back(json(7));
  return out;
}

} // namespace

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

TEST_CASE("each mandatory field is missed by its name, absent or null", "[service][download]") {
  for (const form& each : forms()) {
    for (const std::string& pointer : each.mandatory) {
      INFO(pointer);
      json entry = each.entry;
      REQUIRE(entry.contains(json::json_pointer(pointer)));
      erase(entry, pointer);
      error absent = wrong(entry);
      CHECK(absent.code == errc::bad_input);
      CHECK(absent.field == field_of(pointer));
      entry = each.entry;
      entry[json::json_pointer(pointer)] = nullptr;
      CHECK(wrong(entry).field == field_of(pointer));
    }
  }
}

TEST_CASE("each optional field may be absent or null, and the two are one", "[service][download]") {
  for (const form& each : forms()) {
    offer full = only(each.entry);
    for (const std::string& pointer : each.optional) {
      INFO(pointer);
      json absent = each.entry;
      REQUIRE(absent.contains(json::json_pointer(pointer)));
      erase(absent, pointer);
      json null = each.entry;
      null[json::json_pointer(pointer)] = nullptr;
      offer first = only(absent);
      offer second = only(null);
      REQUIRE(first.request.has_value());
      REQUIRE(second.request.has_value());
      CHECK(*first.request == *second.request);
      CHECK_FALSE(*first.request == *full.request); // so the field is read at all
      CHECK_FALSE(first.fingerprint == full.fingerprint);
    }
  }
}

TEST_CASE("each field of a wrong type is named and nothing throws", "[service][download]") {
  for (const form& each : forms()) {
    auto pointers = each.mandatory;
    pointers.insert(pointers.end(), each.optional.begin(), each.optional.end());
    for (const std::string& pointer : pointers) {
      for (const json& value : other_types(each.entry[json::json_pointer(pointer)])) {
        INFO(pointer << " = " << value.dump());
        json entry = each.entry;
        entry[json::json_pointer(pointer)] = value;
        error said = wrong(entry);
        CHECK(said.code == errc::bad_input);
        CHECK(said.field.starts_with(field_of(pointer)));
      }
    }
  }
}

TEST_CASE("each field that appears twice is named", "[service][download]") {
  std::string text = create_entry().dump();
  auto twice = [&](const std::string& key) {
    std::string out = text;
    auto at = out.find("\"" + key + "\":");
    REQUIRE(at != std::string::npos);
    out.insert(at, "\"" + key + "\":null,");
    return only(out);
  };
  for (const char* key : {"kind", "deviceId", "userId", "recipients", "pfxProfile", "certificate"}) {
    INFO(key);
    offer got = twice(key);
    REQUIRE_FALSE(got.request.has_value());
    CHECK(got.request.error().code == errc::bad_input);
    CHECK(got.request.error().message == "appears twice");
    CHECK(got.lease_number == 3);
  }
  CHECK(twice("validity").request.error().field == "certificate.validity");
  CHECK(twice("unit").request.error().field == "certificate.validity.unit");
  CHECK(twice("recipientId").request.error().field == "recipients[0].recipientId");
  offer lease = twice("leaseNumber");
  CHECK(lease.request.error().field == "leaseNumber");
  CHECK(lease.lease_number == 0);
  std::string unknown = text;
  unknown.insert(1, "\"other\":{\"a\":1,\"a\":2},");
  CHECK(only(unknown).request.error().field == "other.a");
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
  json bare = {{"requestContext", "ctx-1"}, {"kind", "PFXCREATE"}, {"leaseNumber", 1},
               {"leaseSeconds", 60}, {"expiresDateTime", "2026-11-02T12:00:00Z"}, {"deviceId", 7}};
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

TEST_CASE("unknown words are named", "[service][download]") {
  for (const char* pointer :
       {"/recipients/1/keyTransport", "/certificate/keyAlgorithm", "/certificate/hashAlgorithm",
        "/certificate/validity/unit", "/certificate/subjectAlternativeNames/1/type", "/pfxProfile",
        "/certificate/keyUsages/1"}) {
    for (const char* word : {"nonsense", "RSA2048", "sha1", " modern", "modern "}) {
      INFO(pointer);
      json entry = create_entry();
      entry[json::json_pointer(pointer)] = word;
      error said = wrong(entry);
      CHECK(said.code == errc::bad_input);
      CHECK(said.field == field_of(pointer));
    }
  }
  json entry = create_entry();
  entry["pfxProfile"] = "\x1b[31mred";
  CHECK(wrong(entry).message.find('\x1b') == std::string::npos);
}

TEST_CASE("lease numbers and seconds out of range are named", "[service][download]") {
  for (const json& bad : {json(0), json(-1), json(1.0), json("1"), json(1e30)}) {
    json entry = create_entry();
    entry["leaseNumber"] = bad;
    offer got = only(entry);
    CHECK(got.lease_number == 0);
    CHECK(got.request.error() == error{errc::bad_input, "leaseNumber", got.request.error().message});
    CHECK(got.lease_ms == 600'000);
  }
  for (const json& bad : {json(0), json(-5), json(UINT64_MAX), json(31 * 86'400 + 1)}) {
    json entry = create_entry();
    entry["leaseSeconds"] = bad;
    CHECK(wrong(entry).field == "leaseSeconds");
    CHECK(only(entry).lease_number == 3);
  }
  json entry = create_entry();
  entry["leaseNumber"] = UINT64_MAX;
  CHECK(only(entry).lease_number == UINT64_MAX);
}

TEST_CASE("times that are none are named", "[service][download]") {
  for (const char* bad : {"", "tomorrow", "2026-11-02", "2026-13-01T00:00:00Z",
                          "2026-11-02T12:00:00", "2026-11-02T25:00:00Z"}) {
    json entry = create_entry();
    entry["expiresDateTime"] = bad;
    CHECK(wrong(entry).field == "expiresDateTime");
    entry = create_entry();
    entry["createdDateTime"] = bad;
    CHECK(wrong(entry).field == "createdDateTime");
  }
}

TEST_CASE("binary values must be strict base64 of something within its limit",
          "[service][download]") {
  json create = create_entry();
  for (const char* bad : {"", "=", "AA=", "A A=", "AA==\n", "_-8=", "AB==", "MAMCAQE"}) {
    INFO(bad);
    create["recipients"][0]["certificate"] = bad;
    CHECK(wrong(create).field == "recipients[0].certificate");
    json import = import_entry();
    import["encryptedPfxBlob"] = bad;
    CHECK(wrong(import).field == "encryptedPfxBlob");
  }
  create["recipients"][0]["certificate"] =
    crypto::to_base64(bytes(limits::certificate_bytes_max + 1, 1));
  CHECK(wrong(create).code == errc::too_large);
  CHECK(wrong(create).field == "recipients[0].certificate");
  json import = import_entry();
  import["encryptedPfxBlob"] = crypto::to_base64(bytes(limits::pfx_bytes_max, 1));
  CHECK(only(import).request.has_value());
  import["encryptedPfxBlob"] = crypto::to_base64(bytes(limits::pfx_bytes_max + 1, 1));
  CHECK(wrong(import).code == errc::too_large);
  import = import_entry();
  import["encryptedPfxPassword"] = crypto::to_base64(bytes(2'049, 1));
  CHECK(wrong(import).field == "encryptedPfxPassword");
}

TEST_CASE("counts out of their limits are named", "[service][download]") {
  json entry = create_entry();
  json one = entry["recipients"][0];
  entry["recipients"] = json::array();
  CHECK(wrong(entry).field == "recipients");
  for (std::size_t i = 0; i < limits::recipients_max; ++i)
    entry["recipients"].push_back(one);
  CHECK(only(entry).request.has_value());
  entry["recipients"].push_back(one);
  CHECK(wrong(entry) == error{errc::bad_input, "recipients", wrong(entry).message});
  for (auto [name, value, most] :
       std::vector<std::tuple<const char*, json, std::size_t>>{
         {"subjectAlternativeNames", {{"type", "dns"}, {"value", "a"}}, 500},
         {"extendedKeyUsages", "1.2.3", 500}}) {
    entry = create_entry();
    entry["certificate"][name] = json::array();
    for (std::size_t i = 0; i < most; ++i)
      entry["certificate"][name].push_back(value);
    CHECK(only(entry).request.has_value());
    entry["certificate"][name].push_back(value);
    CHECK(wrong(entry).code == errc::too_large);
    CHECK(wrong(entry).field == std::string("certificate.") + name);
  }
  entry = create_entry();
  entry["certificate"]["validity"]["value"] = 0;
  CHECK(wrong(entry).field == "certificate.validity.value");
  entry["certificate"]["validity"]["value"] = std::uint64_t{UINT32_MAX} + 1;
  CHECK(wrong(entry).field == "certificate.validity.value");
  entry = create_entry();
  entry["certificate"]["extendedKeyUsages"][0] = "anyExtendedKeyUsage";
  CHECK(wrong(entry).field == "certificate.extendedKeyUsages[0]");
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
         "", "<html><body>Sign in</body></html>", "null", "[]", "7", "{}", "{\"value\":null}",
         "{\"value\":{}}", "{\"value\":\"[]\"}", "{\"value\":true}", "{\"value\":[],\"more\":1}",
         "{\"value\":[],\"more\":\"true\"}", "{\"value\":[],\"value\":[]}",
         "{\"value\":[],\"more\":true,\"more\":true}", "{\"value\":[],\"x\":{\"a\":1,\"a\":1}}",
         "{\"value\":[" + entry + "]", "{\"value\":[" + entry + ",]}", "{\"value\":[]} x",
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
