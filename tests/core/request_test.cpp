// A request's words and canonical octets, and the pre-image of transaction ids.
#include "core/request.hpp"

#include <set>

#include "core/codec.hpp"
#include "core/limits.hpp"
#include "tests/catch.hpp"

using namespace pfx;

namespace {

pfx_request sample_create() {
  pfx_request one;
  one.context = "ctx-0001";
  one.kind = request_kind::pfx_create;
  one.kind_word = "pfxCreate";
  one.created = 1793534400000;
  one.expires = 1793620800000;
  one.device_id = "device";
  one.user_id = "user";
  one.user_principal_name = "ada@example.test";
  one.profile_id = "profile";
  one.recipients = {{"r1", {0x30, 0x03, 0x02, 0x01, 0x05}, key_transport::rsa_oaep_sha256},
                    {"r2", {0x30, 0x00}, key_transport::ecdh}};
  one.profile = pfx_profile::compatible;
  one.create.subject = "CN=Ada,O=\"A, B\"";
  one.create.alternative_names = {{name_type::upn, "ada@example.test"}, {name_type::uri, "a:b"}};
  one.create.key = key_algorithm::ec_p384;
  one.create.hash = hash_algorithm::sha512;
  one.create.usages = static_cast<key_usages>(key_usage::digital_signature);
  one.create.extended_usages = {"1.3.6.1.5.5.7.3.2", "1.3.6.1.5.5.7.3.4"};
  one.create.validity = {12, validity_unit::months};
  one.create.security_identifier = "S-1-5-21-1-2-3-1001";
  one.create.authority = "Contoso Issuing CA";
  one.create.certificate_template = "User";
  return one;
}

pfx_request sample_import() {
  pfx_request one;
  one.context = std::string("a\0b", 3);
  one.kind = request_kind::pfx_import;
  one.kind_word = "pfxImport";
  one.recipients = {{"r", {1}, key_transport::rsa_pkcs1}};
  one.import = {"ABCDEF", "smimeEncryption", "provider", "key", "oaepSha512", {1, 2, 3}, {4, 5}};
  return one;
}

/// What encode() writes for a request with these counts, up to and with the first wrong field.
errc code_of(const pfx_request& request) {
  const auto got = decode_request(encode(request));
  return got ? errc::none : got.error().code;
}

std::string field_of(const pfx_request& request) {
  const auto got = decode_request(encode(request));
  return got ? std::string() : got.error().field;
}

} // namespace

// -- words ------------------------------------------------------------------

template <class Value, class Reader>
void check_words(std::initializer_list<std::pair<Value, std::string_view>> words, Reader read) {
  for (const auto& [value, text] : words) {
    CAPTURE(text);
    CHECK(name_of(value) == text);
    CHECK(read(text) == std::optional<Value>(value));
  }
  for (const std::string_view text : {"", "unknown", "RSA2048", "Sha256", " days", "days ", "x"}) {
    CAPTURE(text);
    CHECK_FALSE(read(text).has_value());
  }
}

TEST_CASE("the protocol's words are known both ways and no others", "[core][request]") {
  check_words<request_kind>(
    {{request_kind::pfx_create, "pfxCreate"}, {request_kind::pfx_import, "pfxImport"}},
    request_kind_of);
  check_words<key_algorithm>({{key_algorithm::rsa2048, "rsa2048"},
                              {key_algorithm::rsa3072, "rsa3072"},
                              {key_algorithm::rsa4096, "rsa4096"},
                              {key_algorithm::ec_p256, "ecP256"},
                              {key_algorithm::ec_p384, "ecP384"},
                              {key_algorithm::ec_p521, "ecP521"}},
                             key_algorithm_of);
  check_words<hash_algorithm>({{hash_algorithm::sha256, "sha256"},
                               {hash_algorithm::sha384, "sha384"},
                               {hash_algorithm::sha512, "sha512"}},
                              hash_algorithm_of);
  check_words<name_type>({{name_type::rfc822, "rfc822"},
                          {name_type::upn, "upn"},
                          {name_type::dns, "dns"},
                          {name_type::uri, "uri"},
                          {name_type::ip, "ip"},
                          {name_type::directory_name, "directoryName"}},
                         name_type_of);
  check_words<validity_unit>({{validity_unit::days, "days"},
                              {validity_unit::months, "months"},
                              {validity_unit::years, "years"}},
                             validity_unit_of);
  check_words<key_transport>({{key_transport::rsa_pkcs1, "rsaPkcs1"},
                              {key_transport::rsa_oaep_sha256, "rsaOaepSha256"},
                              {key_transport::ecdh, "ecdh"}},
                             key_transport_of);
  check_words<pfx_profile>({{pfx_profile::modern, "modern"},
                            {pfx_profile::compatible, "compatible"},
                            {pfx_profile::legacy, "legacy"},
                            {pfx_profile::unchanged, "unchanged"}},
                           pfx_profile_of);
  check_words<key_usage>({{key_usage::digital_signature, "digitalSignature"},
                          {key_usage::non_repudiation, "nonRepudiation"},
                          {key_usage::key_encipherment, "keyEncipherment"},
                          {key_usage::data_encipherment, "dataEncipherment"},
                          {key_usage::key_agreement, "keyAgreement"},
                          {key_usage::key_cert_sign, "keyCertSign"},
                          {key_usage::crl_sign, "cRLSign"},
                          {key_usage::encipher_only, "encipherOnly"},
                          {key_usage::decipher_only, "decipherOnly"}},
                         key_usage_of);
}

TEST_CASE("only RSA keys are RSA", "[core][request]") {
  CHECK(is_rsa(key_algorithm::rsa2048));
  CHECK(is_rsa(key_algorithm::rsa4096));
  CHECK_FALSE(is_rsa(key_algorithm::ec_p256));
  CHECK_FALSE(is_rsa(key_algorithm::ec_p521));
}

// -- octets -----------------------------------------------------------------

TEST_CASE("a request survives its canonical form", "[core][request][codec]") {
  for (const auto& one : {sample_create(), sample_import()}) {
    const auto octets = encode(one);
    const auto got = decode_request(octets);
    REQUIRE(got);
    CHECK(*got == one);
    CHECK(encode(*got) == octets);
  }
}

TEST_CASE("a request of an unknown kind keeps the word it came with", "[core][request][codec]") {
  pfx_request one;
  one.context = "c";
  one.kind_word = "pfxRenew";
  const auto got = decode_request(encode(one));
  REQUIRE(got);
  CHECK(got->kind == request_kind::unknown);
  CHECK(got->kind_word == "pfxRenew");
}

TEST_CASE("the canonical form of a given request never changes", "[core][request][codec]") {
  // Golden: the fingerprints of requests in existing stores rest on these octets.
  CHECK(to_hex(encode(sample_import()))
        == "010000000361006202000000097066" // version, context, kind, "pf..."
           "78496d706f7274"
           "00000000000000000000000000000000" // created, expires
           "00000000000000000000000000000000" // four empty texts
           "00000001000000017200000001"       // one recipient
           "0101"
           "01"                       // modern
           "000000000000000001010000" // an empty order: subject, names, key, hash, usages
           "000000000000000001"       // extended usages, validity
           "000000000000000000000000"
           "00000006414243444546" // the import
           "0000000f736d696d65456e6372797074696f6e"
           "0000000870726f7669646572"
           "000000036b6579"
           "0000000a6f616570536861353132"
           "00000003010203"
           "000000020405");
}

TEST_CASE("every single field moves the canonical octets", "[core][request][codec]") {
  std::set<bytes> seen = {encode(sample_create())};
  std::size_t changes = 0;
  const auto with = [&](auto change) {
    auto one = sample_create();
    change(one);
    seen.insert(encode(one));
    ++changes;
  };
  with([](auto& r) { r.context += "x"; });
  with([](auto& r) { r.kind = request_kind::pfx_import; });
  with([](auto& r) { r.created += 1; });
  with([](auto& r) { r.expires += 1; });
  with([](auto& r) { r.device_id += "x"; });
  with([](auto& r) { r.user_id += "x"; });
  with([](auto& r) { r.user_principal_name += "x"; });
  with([](auto& r) { r.profile_id += "x"; });
  with([](auto& r) { r.recipients.pop_back(); });
  with([](auto& r) { std::swap(r.recipients[0], r.recipients[1]); });
  with([](auto& r) { r.recipients[0].transport = key_transport::rsa_pkcs1; });
  with([](auto& r) { r.profile = pfx_profile::modern; });
  with([](auto& r) { r.create.subject += "x"; });
  with([](auto& r) { r.create.alternative_names[0].type = name_type::rfc822; });
  with([](auto& r) { r.create.key = key_algorithm::ec_p256; });
  with([](auto& r) { r.create.hash = hash_algorithm::sha256; });
  with([](auto& r) { r.create.usages = 0; });
  with([](auto& r) { r.create.extended_usages.clear(); });
  with([](auto& r) { r.create.validity.value += 1; });
  with([](auto& r) { r.create.validity.unit = validity_unit::days; });
  with([](auto& r) { r.create.security_identifier += "x"; });
  with([](auto& r) { r.create.authority += "x"; });
  with([](auto& r) { r.create.certificate_template += "x"; });
  with([](auto& r) { std::swap(r.device_id, r.user_id); });
  with([](auto& r) { r.import.encrypted_password = {1}; });
  CHECK(seen.size() == changes + 1);
}

TEST_CASE("a form that is cut anywhere is refused as damaged", "[core][request][codec]") {
  for (const auto& one : {sample_create(), sample_import()}) {
    const auto octets = encode(one);
    for (std::size_t size = 0; size < octets.size(); ++size) {
      const auto got = decode_request(byte_view(octets).first(size));
      REQUIRE_FALSE(got);
      CHECK(got.error().code == errc::corrupt);
    }
  }
}

TEST_CASE("octets behind the form are refused", "[core][request][codec]") {
  auto octets = encode(sample_create());
  octets.push_back(0);
  const auto got = decode_request(octets);
  REQUIRE_FALSE(got);
  CHECK(got.error().field == "request.end");
}

TEST_CASE("another version is told from damage", "[core][request][codec]") {
  auto octets = encode(sample_create());
  octets[0] = 2;
  CHECK(decode_request(octets).error().code == errc::store_newer);
  octets[0] = 0;
  CHECK(decode_request(octets).error().code == errc::corrupt);
}

TEST_CASE("enumerators out of range are refused by name", "[core][request][codec]") {
  auto one = sample_create();
  const auto field = [&one](auto change) {
    auto changed = one;
    change(changed);
    return field_of(changed);
  };
  CHECK(field([](auto& r) { r.kind = static_cast<request_kind>(3); }) == "kind");
  CHECK(field([](auto& r) { r.profile = static_cast<pfx_profile>(0); }) == "pfxProfile");
  CHECK(field([](auto& r) { r.profile = static_cast<pfx_profile>(5); }) == "pfxProfile");
  CHECK(field([](auto& r) { r.create.key = static_cast<key_algorithm>(7); }) == "keyAlgorithm");
  CHECK(field([](auto& r) { r.create.hash = static_cast<hash_algorithm>(0); }) == "hashAlgorithm");
  CHECK(field([](auto& r) { r.create.usages = 1 << 9; }) == "keyUsages");
  CHECK(field([](auto& r) { r.create.validity.unit = static_cast<validity_unit>(255); })
        == "validity.unit");
  CHECK(field([](auto& r) { r.create.alternative_names[1].type = static_cast<name_type>(7); })
        == "subjectAlternativeNames.type");
  CHECK(field([](auto& r) { r.recipients[1].transport = static_cast<key_transport>(0); })
        == "keyTransport");
}

TEST_CASE("limits hold for stored requests too, and at the limit is fine",
          "[core][request][codec]") {
  auto one = sample_create();
  one.context = std::string(limits::request_context_bytes_max, 'c');
  CHECK(code_of(one) == errc::none);
  one.context += "c";
  CHECK(field_of(one) == "requestContext");
  one.context.clear();
  CHECK(field_of(one) == "requestContext");

  one = sample_create();
  one.recipients.resize(limits::recipients_max);
  CHECK(code_of(one) == errc::none);
  one.recipients.resize(limits::recipients_max + 1);
  CHECK(field_of(one) == "recipients");

  one = sample_create();
  one.create.extended_usages.assign(limits::extended_key_usages_max, "1.2");
  CHECK(code_of(one) == errc::none);
  one.create.extended_usages.emplace_back("1.2");
  CHECK(field_of(one) == "extendedKeyUsages");

  one = sample_create();
  one.create.alternative_names.resize(limits::alternative_names_max + 1);
  CHECK(field_of(one) == "subjectAlternativeNames");

  one = sample_create();
  one.recipients[0].certificate.resize(limits::certificate_bytes_max + 1);
  CHECK(field_of(one) == "recipients.certificate");

  one = sample_import();
  one.import.encrypted_pfx.resize(limits::pfx_bytes_max + 1);
  CHECK(field_of(one) == "encryptedPfxBlob");

  CHECK(decode_request(bytes(2 * limits::request_bytes_max + 1)).error().code == errc::too_large);
}

TEST_CASE("a count that promises millions costs nothing", "[core][request][codec]") {
  writer out;
  out.u8(1).text("c").u8(1).text("pfxCreate").i64(0).i64(0);
  out.text("").text("").text("").text("").u32(0xffffffffu);
  const auto got = decode_request(out.view());
  REQUIRE_FALSE(got);
  CHECK(got.error().field == "recipients");
}

TEST_CASE("every flipped bit is refused or decodes to another request", "[core][request][codec]") {
  const auto one = sample_create();
  const auto octets = encode(one);
  for (std::size_t at = 0; at < octets.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      auto changed = octets;
      changed[at] = static_cast<std::uint8_t>(changed[at] ^ (1 << bit));
      const auto got = decode_request(changed);
      if (got) {
        CHECK_FALSE(*got == one);
        CHECK(encode(*got) == changed); // canonical: one request, one form
      }
    }
  }
}

// -- transaction ids --------------------------------------------------------

TEST_CASE("the pre-image of a transaction id is the same for every instance and for ever",
          "[core][request][txid]") {
  // Golden vectors, made with Python's struct and hashlib. In the comment: SHA-256 of the octets.
  // e15e760cf818d4cf760c6b348468a5d09d14d6786859f9ff64d9a5f6f2a9ff6a
  CHECK(to_hex(transaction_id_preimage("contoso", "ctx-0001", "Contoso Issuing CA", 0))
        == "706678656e67696e652d747869642d3100000007636f6e746f736f000000086374782d30303031"
           "00000012436f6e746f736f2049737375696e672043410000000100");
  // 4696716bbfee174761de6b53dbaf5e95630934bf5b800b9f0ef84ace6e480249
  CHECK(to_hex(transaction_id_preimage("contoso", "ctx-0001", "Contoso Issuing CA", 7))
        == "706678656e67696e652d747869642d3100000007636f6e746f736f000000086374782d30303031"
           "00000012436f6e746f736f2049737375696e672043410000000107");
  // f3fac193da720f054035dba4168a975eeae50d8818a01345a2bd01e0efc37262
  CHECK(to_hex(transaction_id_preimage("", "c", "", 1))
        == "706678656e67696e652d747869642d31000000000000000163000000000000000101");
  // b0a843743bc0f58cd6b3b84f9c6581a4b9512ce93114b90be4745ee396441bd8
  CHECK(to_hex(transaction_id_preimage("t\xc3\xa9n", std::string("aaa\0b", 5), "CA", 2))
        == "706678656e67696e652d747869642d310000000474c3a96e000000056161610062"
           "0000000243410000000102");
}

TEST_CASE("texts that only differ in where one ends give different transaction ids",
          "[core][request][txid]") {
  CHECK(transaction_id_preimage("ab", "c", "d", 0) != transaction_id_preimage("a", "bc", "d", 0));
  CHECK(transaction_id_preimage("a", "bc", "d", 0) != transaction_id_preimage("a", "b", "cd", 0));
  CHECK(transaction_id_preimage("a", "b", "c", 0) != transaction_id_preimage("a", "b", "c", 1));
}

TEST_CASE("request keys differ by tenant, flow and context", "[core][request]") {
  const request_key key{"t", flow::pfx, "c"};
  CHECK(key == request_key{"t", flow::pfx, "c"});
  CHECK(key != request_key{"u", flow::pfx, "c"});
  CHECK(key != request_key{"t", flow::scep, "c"});
  CHECK(key != request_key{"t", flow::pfx, "C"});
}
