// Every field of a request missing, of a wrong type, out of its limits, there twice.
#include "tests/catch.hpp"

#include "connect/service/codec.hpp"
#include "core/limits.hpp"
#include "crypto/digest.hpp"
#include "tests/connect/service_offers.hpp"

using namespace pfx;
using namespace pfx::connect::service;
using namespace pfx::test;

namespace {

const std::vector<std::string> mandatory_everywhere = {"/kind",
                                                       "/leaseNumber",
                                                       "/leaseSeconds",
                                                       "/expiresDateTime",
                                                       "/deviceId",
                                                       "/recipients",
                                                       "/recipients/1/recipientId",
                                                       "/recipients/1/certificate",
                                                       "/recipients/1/keyTransport"};
const std::vector<std::string> mandatory_in_create
  = {"/certificate",
     "/certificate/subject",
     "/certificate/keyAlgorithm",
     "/certificate/validity",
     "/certificate/validity/value",
     "/certificate/validity/unit",
     "/certificate/certificateAuthority",
     "/certificate/subjectAlternativeNames/0/type",
     "/certificate/subjectAlternativeNames/0/value"};
const std::vector<std::string> mandatory_in_import
  = {"/thumbprint",    "/providerName",     "/keyName",
     "/paddingScheme", "/encryptedPfxBlob", "/encryptedPfxPassword"};
const std::vector<std::string> optional_everywhere
  = {"/createdDateTime", "/userId", "/userPrincipalName", "/profileId"};
const std::vector<std::string> optional_in_create = {"/pfxProfile",
                                                     "/certificate/hashAlgorithm",
                                                     "/certificate/subjectAlternativeNames",
                                                     "/certificate/keyUsages",
                                                     "/certificate/extendedKeyUsages",
                                                     "/certificate/securityIdentifier",
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
  std::vector<json> all = {json("text"),
                           json(1.5),
                           json(-1),
                           json(true),
                           json::array(),
                           json::object(),
                           json(json::array({json()}))};
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
  for (const char* key :
       {"kind", "deviceId", "userId", "recipients", "pfxProfile", "certificate"}) {
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
    CHECK(got.request.error()
          == error{errc::bad_input, "leaseNumber", got.request.error().message});
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
  create["recipients"][0]["certificate"]
    = crypto::to_base64(bytes(limits::certificate_bytes_max + 1, 1));
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
  for (auto [name, value, most] : std::vector<std::tuple<const char*, json, std::size_t>>{
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

TEST_CASE("a request's size is that of its text without white space", "[service][download]") {
  json entry = create_entry();
  entry["later"] = {{"deep", json::array({json::array(), json::object(), nullptr, true, -17, 2.5})},
                    {"empty", json::object()},
                    {"fill", ""}};
  auto& fill = entry["later"]["fill"];
  fill = std::string(limits::request_bytes_max - entry.dump().size(), 'x');
  REQUIRE(entry.dump().size() == limits::request_bytes_max);
  CHECK(only(entry).request.has_value());
  CHECK(only(entry.dump(2)).request.has_value());
  fill = std::string(fill.get<std::string>().size(), '"'); // as text, each is two octets
  CHECK(only(entry).request.has_value());
  fill = fill.get<std::string>() + "x";
  CHECK(wrong(entry).code == errc::too_large);
  CHECK(wrong(entry).field == "request");
  entry = create_entry();
  entry["later"] = json::array();
  while (entry.dump().size() <= limits::request_bytes_max) { // nothing but small parts
    for (int i = 0; i < 500; ++i)
      entry["later"].push_back({{"a", json::array({1})}});
  }
  CHECK(wrong(entry).code == errc::too_large);
}
