// docs/openapi.json against the codecs, in both directions: what the codecs write is documented,
// and what is documented is read. The schema checker knows the keywords that the document uses, no
// more.
#include "tests/catch.hpp"

#include <map>
#include <set>

#include <nlohmann/json.hpp>

#include "connect/ca/wire.hpp"
#include "connect/service/codec.hpp"
#include "tests/connect/schema_checker.hpp"
#include "tests/connect/service_samples.hpp"

using namespace pfx;
using namespace pfx::connect::service;
using namespace pfx::test;
using nlohmann::json;
namespace wire = pfx::connect::ca::wire;

namespace {

/// Decodes a body and writes it again: what the codec understood of it.
using echo = std::function<std::optional<std::string>(const std::string&)>;
struct body {
  std::string schema;
  std::string text;
  echo again;
};

template <class T, class Encode>
echo echo_of(result<T> (*decode)(std::string_view), Encode encode) {
  return [decode, encode](const std::string& text) -> std::optional<std::string> {
    auto value = decode(text);
    return value ? std::optional<std::string>(encode(*value)) : std::nullopt;
  };
}

/// As echo_of, for bodies that begin with their caller.
template <class T, class Encode>
echo call_echo(result<T> (*decode)(std::string_view), Encode encode) {
  return [decode, encode](const std::string& text) -> std::optional<std::string> {
    auto who = decode_caller(text);
    auto value = decode(text);
    return who && value ? std::optional<std::string>(encode(*who, *value)) : std::nullopt;
  };
}

recorded stands() { return {sample_digest(), true, sample_digest("t"), "connector-2"}; }

std::vector<body> connector_bodies() {
  caller who = sample_caller();
  check_in_order order{"0.1.0", {7, sample_digest()}, true, R"({"queue":{"open":3}})"};
  check_in_answer told{anchor{6, sample_digest()}, "0.2.0", sample_time, sample_time, "warning"};
  return {
    {"RegisterCall", encode_register({"code", "name", "machine", "0.1.0", {"f"}, sample_der()}),
     echo_of(decode_register, encode_register)},
    {"RegisterAnswer", encode_register_answer({"c", sample_der(), {sample_der(2)}}),
     echo_of(decode_register_answer, encode_register_answer)},
    {"RenewCall", encode_renew(who, sample_der()), call_echo(decode_renew, encode_renew)},
    {"RenewAnswer", encode_renew_answer(sample_der()),
     echo_of(decode_renew_answer, encode_renew_answer)},
    {"ImportKeysCall", encode_import_keys(who, {{"p", "k", {1}}}),
     call_echo(decode_import_keys, encode_import_keys)},
    {"ImportKeysAnswer", encode_import_keys_answer(),
     echo_of(decode_import_keys_answer, [](bool) { return encode_import_keys_answer(); })},
    {"CheckInCall", encode_check_in(who, order), call_echo(decode_check_in, encode_check_in)},
    {"CheckInAnswer", encode_check_in_answer(told),
     echo_of(decode_check_in_answer, encode_check_in_answer)},
  };
}

echo download_echo() {
  return echo_of(decode_download_answer, [](const download_answer& got) {
    std::vector<std::string> texts;
    for (const offer& one : got.offers)
      texts.push_back(one.request ? encode_request(*one.request, one.lease_number, one.lease_ms)
                                  : "refused: " + one.request.error().field);
    texts.resize(texts.size() + got.unanswerable.size(), "refused: requestContext");
    return encode_download_answer(texts, got.more);
  });
}

std::vector<body> request_bodies() {
  caller who = sample_caller();
  auto query_again = call_echo(decode_query, [](const caller& by, const query_order& order) {
    return order.handed_to_me ? encode_query_handed_to_me(by, order.after)
                              : encode_query(by, order.contexts);
  });
  echo leases_again = [](const std::string& text) -> std::optional<std::string> {
    std::int64_t lease_ms = 0;
    auto by = decode_caller(text);
    auto claims = decode_renew_leases(text, lease_ms);
    return by && claims ? std::optional(encode_renew_leases(*by, lease_ms, *claims)) : std::nullopt;
  };
  auto upload_answer_again = echo_of(decode_upload_answer, encode_upload_answer);
  auto query_answer_again = echo_of(decode_query_answer, encode_query_answer);
  return {
    {"DownloadCall", encode_download(who, {7, {request_kind::pfx_create}, 60'000}),
     call_echo(decode_download, encode_download)},
    {"DownloadAnswer", encode_download_answer({encode_request(sample_create(), 3, 60'000)}, true),
     download_echo()},
    {"DownloadAnswer", encode_download_answer({encode_request(sample_import(), 3, 60'000)}, true),
     download_echo()},
    {"RenewLeasesCall", encode_renew_leases(who, 60'000, {{"a", 1}}), leases_again},
    {"RenewLeasesAnswer", encode_renew_leases_answer({{"a", true}}),
     echo_of(decode_renew_leases_answer, encode_renew_leases_answer)},
    {"UploadCall", encode_upload(who, {{"a", 3, sample_digest(), {1}}}),
     call_echo(decode_upload, encode_upload)},
    {"UploadAnswer", encode_upload_answer({{"a", upload_status::accepted, stands(), "m"}}),
     upload_answer_again},
    {"UploadAnswer", encode_upload_answer({{"a", upload_status::rejected, {}, "m"}}),
     upload_answer_again},
    {"QueryCall", encode_query(who, {"a"}), query_again},
    {"QueryCall", encode_query_handed_to_me(who, "a"), query_again},
    {"QueryAnswer", encode_query_answer({{{"a", query_state::recorded, 2, stands(), "CA"}}, true}),
     query_answer_again},
    {"QueryAnswer", encode_query_answer({{{"a", query_state::leased, 2, {}, "CA"}}, true}),
     query_answer_again},
  };
}

std::vector<body> document_bodies() {
  auto again = [](const std::string& text) -> std::optional<std::string> {
    auto value = decode_result_document(as_bytes(text));
    return value ? std::optional(to_text(encode_result_document(*value))) : std::nullopt;
  };
  return {{"ResultDocument", to_text(encode_result_document(sample_success())), again},
          {"ResultDocument", to_text(encode_result_document(sample_failure())), again}};
}

std::vector<body> ca_bodies() {
  namespace ca = connect::ca;
  ca::submission what{
    sample_digest(), sample_der(), "User", {12, validity_unit::months}, "S-1-5-1"};
  ca::ca_answer issued{ca::ca_status::issued, sample_der(), {sample_der(2)}, "", {}, "r", 0, true,
                       sample_digest()};
  ca::ca_answer pending{ca::ca_status::pending, {}, {}, "id", sample_digest(), "r", 0, true};
  ca::ca_answer refused{ca::ca_status::refused, {}, {}, "", {}, "r", 0, true};
  ca::revoke_order revoke{"CN=x", "0a", ca::revocation_reason::superseded, sample_time};
  auto answer_again = echo_of(wire::decode_answer,
                              [](const ca::ca_answer& got) { return wire::encode_answer(got); });
  return {
    {"CaSubmitCall", wire::encode_submit(what), echo_of(wire::decode_submit, wire::encode_submit)},
    {"CaFindCall", wire::encode_find(sample_digest()),
     echo_of(wire::decode_find, wire::encode_find)},
    {"CaAnswer", wire::encode_answer(issued), answer_again},
    {"CaAnswer", wire::encode_answer(pending), answer_again},
    {"CaAnswer", wire::encode_answer(refused), answer_again},
    {"CaRevokeCall", wire::encode_revoke(revoke),
     echo_of(wire::decode_revoke, wire::encode_revoke)},
    {"CaRevokeAnswer", wire::encode_answer(ca::revoke_answer{ca::revoke_status::done, "r", 0, 17}),
     echo_of(wire::decode_revoke_answer,
             [](const ca::revoke_answer& got) { return wire::encode_answer(got); })},
  };
}

/// As little as each body may say: what can be null is null.
std::vector<body> bare_bodies() {
  pfx_request create = sample_create();
  create.created = 0;
  create.user_id = create.user_principal_name = create.profile_id = "";
  pfx_request import = sample_import();
  import.created = 0;
  import.user_id = import.user_principal_name = import.profile_id = "";
  create.create.security_identifier = create.create.certificate_template = "";
  import.import.intended_purpose = "";
  recorded failed{sample_digest(), false, {}, ""};
  auto upload_again = echo_of(decode_upload_answer, encode_upload_answer);
  std::vector<body> out
    = {{"CheckInAnswer", encode_check_in_answer({{}, "", {}, {}, "supported"}),
        echo_of(decode_check_in_answer, encode_check_in_answer)},
       {"DownloadAnswer",
        encode_download_answer({encode_request(create, 1, 1'000), encode_request(import, 1, 1'000)},
                               false),
        download_echo()},
       {"UploadAnswer", encode_upload_answer({{"a", upload_status::accepted, failed, ""}}),
        upload_again},
       {"UploadAnswer", encode_upload_answer({{"a", upload_status::lease_lost, {}, ""}}),
        upload_again},
       {"QueryAnswer", encode_query_answer({{{"a", query_state::recorded, 0, failed}}, false}),
        echo_of(decode_query_answer, encode_query_answer)}};
  using enum connect::ca::revocation_reason;
  for (auto reason : {unspecified, key_compromise, superseded, cessation_of_operation})
    out.push_back({"CaRevokeCall", wire::encode_revoke({"CN=x", "0a", reason, sample_time}),
                   echo_of(wire::decode_revoke, wire::encode_revoke)});
  return out;
}

std::vector<body> all_bodies() {
  std::vector<body> out;
  for (auto more : {connector_bodies(), request_bodies(), document_bodies(), ca_bodies()})
    out.insert(out.end(), more.begin(), more.end());
  return out;
}

const json& schema_of(const body& one) { return openapi_schema(one.schema); }

/// True if the codec refused this text, or one entry of it.
bool refused(const std::optional<std::string>& again) {
  return !again || again->find("refused: ") != std::string::npos;
}

} // namespace

TEST_CASE("what the codecs write is what the document says", "[service][openapi]") {
  auto bodies = all_bodies();
  for (body& bare : bare_bodies())
    bodies.push_back(std::move(bare));
  for (const body& one : bodies) {
    INFO(one.schema << ": " << one.text);
    schema_checker held;
    held.check(schema_of(one), json::parse(one.text), "");
    CHECK(held.faults == std::vector<std::string>{});
    CHECK(one.again(one.text) == one.text);
  }
}

TEST_CASE("the checker itself refuses what it must", "[service][openapi]") {
  for (const char* bad :
       {R"({"value":[{"requestContext":"a"}]})", R"({"value":[{"requestContext":"a","held":1}]})",
        R"({"value":[{"requestContext":"a","held":null}]})", R"({"value":{}})", "[]", "{}",
        R"({"value":[{"requestContext":"a","held":true,"x":1}]})", R"({"value":[],"more":1})"}) {
    schema_checker held;
    held.check(openapi_schema("RenewLeasesAnswer"), json::parse(bad), "");
    CHECK_FALSE(held.faults.empty());
  }
}

TEST_CASE("every documented property is read by the codecs", "[service][openapi]") {
  for (const body& one : all_bodies()) {
    json whole = json::parse(one.text);
    schema_checker held;
    held.check(schema_of(one), whole, "");
    for (const seen_property& property : held.properties) {
      INFO(one.schema << " without " << property.value);
      json less = whole;
      json::json_pointer at(property.value);
      less[at.parent_pointer()].erase(at.back());
      auto again = one.again(less.dump());
      if (property.required)
        CHECK(refused(again));
      else
        CHECK((!refused(again) && *again != one.text));
    }
  }
}

TEST_CASE("every documented word is understood and comes back", "[service][openapi]") {
  for (const body& one : all_bodies()) {
    json whole = json::parse(one.text);
    schema_checker held;
    held.check(schema_of(one), whole, "");
    for (const seen_property& property : held.properties) {
      if (property.words.is_null() || property.words.size() < 2)
        continue;
      for (const json& word : property.words) {
        INFO(one.schema << " " << property.value << " = " << word.dump());
        json other = whole;
        other[json::json_pointer(property.value)] = word;
        auto again = one.again(other.dump());
        REQUIRE_FALSE(refused(again));
        CHECK(json::parse(*again)[json::json_pointer(property.value)] == word);
      }
    }
  }
}

TEST_CASE("every word that a codec can write is documented", "[service][openapi]") {
  namespace ca = connect::ca;
  auto documented = [](std::initializer_list<std::pair<std::string, const char*>> places) {
    std::set<std::string> out;
    for (const auto& [schema, property] : places)
      for (const json& word : openapi_schema(schema).at("properties").at(property).at("enum"))
        out.insert(word.get<std::string>());
    return out;
  };
  auto written = []<class Enum>(Enum first, int last) {
    std::set<std::string> out;
    for (int value = static_cast<int>(first); value <= last; ++value)
      out.insert(std::string(name_of(static_cast<Enum>(value))));
    return out;
  };
  CHECK(documented({{"UploadRecorded", "status"}, {"UploadNotRecorded", "status"}})
        == written(upload_status::accepted, 6));
  CHECK(documented({{"QueryRecorded", "state"}, {"QueryNotRecorded", "state"}})
        == written(query_state::open, 4));
  CHECK(documented({{"PfxCreateRequest", "kind"}, {"PfxImportRequest", "kind"}})
        == written(request_kind::pfx_create, 2));
  CHECK(documented({{"Recipient", "keyTransport"}}) == written(key_transport::rsa_pkcs1, 3));
  CHECK(documented({{"PfxCreateRequest", "pfxProfile"}}) == written(pfx_profile::modern, 3));
  CHECK(documented({{"PfxImportRequest", "pfxProfile"}}) == written(pfx_profile::modern, 4));
  CHECK(documented({{"CertificateOrder", "keyAlgorithm"}}) == written(key_algorithm::rsa2048, 6));
  CHECK(documented({{"CertificateOrder", "hashAlgorithm"}}) == written(hash_algorithm::sha256, 3));
  CHECK(documented({{"Validity", "unit"}}) == written(validity_unit::days, 3));
  CHECK(documented({{"CaIssued", "status"}, {"CaPending", "status"}, {"CaNoCertificate", "status"}})
        == written(ca::ca_status::issued, 7));
  CHECK(openapi_schema("CaRevokeAnswer")
          .at("properties")
          .at("value")
          .at("properties")
          .at("status")
          .at("enum")
          .get<std::set<std::string>>()
        == written(ca::revoke_status::done, 4));
  std::set<int> codes; // those that the decoder does not replace by their class
  for (int code = 4'000; code < 4'200; ++code) {
    json document = json::parse(to_text(encode_result_document(sample_failure())));
    document["errorCode"] = code;
    auto got = decode_result_document(to_bytes(document.dump()));
    if (got && static_cast<int>(got->code) == code)
      codes.insert(code);
  }
  CHECK(
    openapi_schema("ResultFailed").at("properties").at("errorCode").at("enum").get<std::set<int>>()
    == codes);
  std::set<std::string> usages;
  for (int bit = 0; bit < 9; ++bit)
    usages.insert(std::string(name_of(static_cast<key_usage>(1 << bit))));
  const json& order = openapi_schema("CertificateOrder").at("properties");
  CHECK(order.at("keyUsages").at("items").at("enum").get<std::set<std::string>>() == usages);
  CHECK(order.at("subjectAlternativeNames")
          .at("items")
          .at("properties")
          .at("type")
          .at("enum")
          .get<std::set<std::string>>()
        == written(name_type::rfc822, 6));
}

TEST_CASE("the document has no keyword that goes unchecked", "[service][openapi]") {
  for (const auto& [name, schema] : openapi()["components"]["schemas"].items()) {
    INFO(name);
    CHECK(unknown_keywords(schema) == std::set<std::string>{});
  }
}

TEST_CASE("no schema has a property that no sample shows", "[service][openapi]") {
  std::map<std::string, std::set<const json*>> missing;
  for (const body& one : all_bodies())
    if (auto all = properties_of(schema_of(one)); !missing.contains(one.schema))
      missing[one.schema] = all;
  for (const body& one : all_bodies()) {
    schema_checker held;
    held.check(schema_of(one), json::parse(one.text), "");
    for (const seen_property& property : held.properties)
      missing[one.schema].erase(property.schema);
  }
  // What stands recorded is null in entries where nothing is recorded: four names in each.
  CHECK(missing["UploadAnswer"].size() == 4);
  CHECK(missing["QueryAnswer"].size() == 4);
  for (const auto& [schema, left] : missing)
    if (schema != "UploadAnswer" && schema != "QueryAnswer") {
      INFO(schema);
      CHECK(left.empty());
    }
}

TEST_CASE("every path leads to schemas that the samples cover", "[service][openapi]") {
  std::set<std::string> shown;
  for (const body& one : all_bodies())
    shown.insert(one.schema);
  std::set<std::string> paths;
  for (const auto& [path, item] : openapi()["paths"].items()) {
    INFO(path);
    paths.insert(path);
    auto named = [](const json& holder) {
      std::string ref = holder["content"]["application/json"]["schema"]["$ref"];
      return ref.substr(ref.rfind('/') + 1);
    };
    CHECK(shown.contains(named(item["post"]["requestBody"])));
    CHECK(shown.contains(named(item["post"]["responses"]["200"])));
    for (const auto& [status, answer] : item["post"]["responses"].items())
      if (status != "200")
        CHECK(named(resolved(answer)) == "Error");
  }
  CHECK(paths
        == std::set<std::string>{"/Connectors/register", "/Connectors/renew",
                                 "/Connectors/importKeys", "/Connectors/checkIn",
                                 "/PfxRequests/download", "/PfxRequests/renewLeases",
                                 "/PfxRequests/upload", "/PfxRequests/query",
                                 "/CertificateAuthority/submit", "/CertificateAuthority/find",
                                 "/CertificateAuthority/close", "/CertificateAuthority/revoke"});
  schema_checker held;
  held.check(openapi_schema("Error"), json::parse(encode_error("staleEpoch", "old", 7)), "");
  held.check(openapi_schema("Error"), json::parse(encode_error("x", "y")), "");
  held.check(openapi_schema("Error"), json::parse(wire::encode_error("x", "y")), "");
  CHECK(held.faults.empty());
  CHECK(openapi()["components"]["parameters"]["apiVersion"]["schema"]["enum"][0] == api_version);
  CHECK(wire::api_version == api_version);
}
