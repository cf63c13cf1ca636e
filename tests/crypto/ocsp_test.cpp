// OCSP: requests of openssl read, our answers judged by openssl, and requests that nobody should
// send. Moments are the machine's own, because openssl compares with them.
#include "tests/catch.hpp"

#include "crypto/der.hpp"
#include "crypto/extensions.hpp"
#include "crypto/ocsp.hpp"
#include "crypto/oids.hpp"
#include "tests/crypto/support.hpp"

using namespace pfx;
using namespace pfx::crypto;
using namespace pfx::crypto::test;

namespace {

struct office {
  temporary_folder folder;
  unix_ms today = system_clock().wall() / 1000 * 1000;
  ca_identity ca;
  ca_identity responder;

  explicit office(key_algorithm algorithm = key_algorithm::ec_p256)
      : ca(*make_root({"CN=Status CA,O=Test", algorithm, today - day, today + 30 * day})),
        responder(made_responder()) {
    write_file(folder.file("ca.pem"), ca.cert.pem());
  }
  [[nodiscard]] ca_identity made_responder() const {
    auto key = *private_key::generate(key_algorithm::ec_p256);
    auto cert = *issue_ocsp_responder(ca, key, today - 60'000, today + day);
    return {std::move(cert), std::move(key)};
  }
  /// What `openssl ocsp` asks.
  [[nodiscard]] ocsp_request asked(std::vector<std::string> arguments) const {
    std::vector<std::string> all{"ocsp", "-reqout", folder.file("req"), "-issuer",
                                 folder.file("ca.pem")};
    all.insert(all.end(), arguments.begin(), arguments.end());
    const auto said = openssl(all);
    CAPTURE(said.output);
    REQUIRE(said.status == 0);
    const auto request = read_ocsp_request(read_file(folder.file("req")));
    INFO((request ? std::string() : to_string(request.error())));
    REQUIRE(request);
    return *request;
  }
  [[nodiscard]] bytes answered(const ocsp_request& request,
                               std::vector<ocsp_answer> answers) const {
    const auto out = sign_ocsp_response(
      responder, {request, std::move(answers), today - 1000, today + 3'600'000, today});
    REQUIRE(out);
    return *out;
  }
  /// What openssl says of an answer about this serial.
  [[nodiscard]] cli_answer judged(byte_view answer, const std::string& serial,
                                  const std::string& hash = "-sha1") const {
    write_file(folder.file("resp"), answer);
    return openssl({"ocsp", "-no_nonce", "-respin", folder.file("resp"), "-CAfile",
                    folder.file("ca.pem"), "-issuer", folder.file("ca.pem"), hash, "-serial",
                    serial});
  }
  /// What it says of an answer as one to the request in "req", with the nonce that is in there.
  [[nodiscard]] cli_answer matched(byte_view answer) const {
    write_file(folder.file("resp"), answer);
    return openssl({"ocsp", "-no_nonce", "-reqin", folder.file("req"), "-respin",
                    folder.file("resp"), "-CAfile", folder.file("ca.pem")});
  }
};

bool says(const cli_answer& answer, const std::string& words) {
  return answer.output.find(words) != std::string::npos;
}

// -- requests octet by octet ------

const bytes sha1_algorithm{0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a, 0x05, 0x00};
const bytes serial_five{0x02, 0x01, 0x05};

bytes id_of(byte_view algorithm, std::size_t hash_size, byte_view serial) {
  const bytes hash(hash_size, 0x5a);
  return der::tlv(
    der::sequence,
    {algorithm, der::tlv(der::octet_string, hash), der::tlv(der::octet_string, hash), serial});
}
bytes one_of(byte_view id, byte_view extensions = {}) {
  return der::tlv(der::sequence, {id, extensions});
}
const bytes plain_one = one_of(id_of(sha1_algorithm, 20, serial_five));

bytes request_of(byte_view list, byte_view extensions = {}, byte_view version = {}) {
  return der::tlv(der::sequence,
                  der::tlv(der::sequence, {version, der::tlv(der::sequence, list), extensions}));
}
bytes tagged(unsigned tag, byte_view extensions) {
  return der::tlv(der::context_constructed(tag), der::tlv(der::sequence, extensions));
}
bytes nonce_of(byte_view value) { return encode_extension(oids::ocsp_nonce, false, value); }
bytes nonce_of(std::size_t size) {
  return nonce_of(byte_view(der::tlv(der::octet_string, bytes(size, 7))));
}

errc fault(byte_view der) {
  const auto out = read_ocsp_request(der);
  return out ? errc::none : out.error().code;
}

} // namespace

TEST_CASE("openssl's requests are read and name their CA", "[ocsp][openssl]") {
  const office at;
  const ocsp_issuer own(at.ca.cert);
  const ocsp_issuer other(make_ca().cert);
  for (const auto* hash : {"-sha1", "-sha256"}) {
    const auto request = at.asked({hash, "-serial", "0x00ab12", "-no_nonce"});
    REQUIRE(request.asked.size() == 1);
    CHECK(request.asked[0].serial == "ab12");
    CHECK(own.is_named_by(request.asked[0]));
    CHECK_FALSE(other.is_named_by(request.asked[0]));
    CHECK(request.nonce.empty());
  }
  const auto request = at.asked({"-sha512", "-serial", "1", "-nonce"});
  CHECK(request.asked[0].hash == ocsp_hash::other);
  CHECK_FALSE(own.is_named_by(request.asked[0]));
  CHECK(request.nonce.size() == 16);
}

TEST_CASE("openssl believes our good, revoked and unknown", "[ocsp][openssl]") {
  for (const auto algorithm : {key_algorithm::ec_p256, key_algorithm::rsa2048}) {
    const office at(algorithm);
    for (const auto* hash : {"-sha1", "-sha256"}) {
      const auto request = at.asked({hash, "-serial", "0xab12"});
      auto said
        = at.judged(at.answered(request, {{certificate_status::good, 0, 0}}), "0xab12", hash);
      CAPTURE(said.output);
      CHECK(says(said, "Response verify OK"));
      CHECK(says(said, "0xab12: good"));
      const ocsp_answer gone{certificate_status::revoked, at.today - day / 2, 4};
      said = at.judged(at.answered(request, {gone}), "0xab12", hash);
      CHECK(says(said, "0xab12: revoked"));
      CHECK(says(said, "Reason: superseded"));
      CHECK(says(said, "Revocation Time"));
      said = at.judged(at.answered(request, {{certificate_status::unknown, 0, 0}}), "0xab12", hash);
      CHECK(says(said, "0xab12: unknown"));
    }
  }
}

TEST_CASE("openssl refuses our answer if a nonce, a key or an octet is another",
          "[ocsp][openssl]") {
  const office at;
  auto request = at.asked({"-serial", "7"});
  const auto good = at.answered(request, {{certificate_status::good, 0, 0}});
  REQUIRE(request.nonce.size() == 16);
  CHECK(says(at.judged(good, "7"), "Response verify OK"));
  const auto match = at.matched(good);
  CHECK(says(match, "Response verify OK"));
  CHECK_FALSE(says(match, "once")); // neither a warning nor an error about it
  auto bad = good;
  bad[bad.size() / 3] ^= 1;
  CHECK_FALSE(says(at.judged(bad, "7"), "Response verify OK"));
  request.nonce[0] ^= 1;
  const auto replayed = at.answered(request, {{certificate_status::good, 0, 0}});
  CHECK(says(at.matched(replayed), "Nonce Verify error"));
  const office stranger;
  const auto foreign = stranger.answered(request, {{certificate_status::good, 0, 0}});
  CHECK_FALSE(says(at.judged(foreign, "7"), "Response verify OK"));
}

TEST_CASE("one answer may speak of several certificates", "[ocsp][openssl]") {
  const office at;
  const auto request = at.asked({"-serial", "1", "-serial", "2", "-serial", "3"});
  REQUIRE(request.asked.size() == 3);
  const auto answer = at.answered(request,
                                  {{certificate_status::good, 0, 0},
                                   {certificate_status::revoked, at.today - 5'000, 0},
                                   {certificate_status::unknown, 0, 0}});
  CHECK(says(at.judged(answer, "1"), "1: good"));
  CHECK(says(at.judged(answer, "2"), "2: revoked"));
  CHECK(says(at.judged(answer, "3"), "3: unknown"));
  CHECK_FALSE(sign_ocsp_response(at.responder, {request, {}, at.today, at.today + 1000, at.today}));
  CHECK_FALSE(sign_ocsp_response(at.responder, {request, {{}, {}}, at.today, at.today + 1000, 0}));
  CHECK_FALSE(
    sign_ocsp_response(at.responder, {request, {{}, {}, {}}, at.today, at.today, at.today}));
}

TEST_CASE("a responder may sign answers and nothing else", "[ocsp][openssl]") {
  const office at;
  const auto& cert = at.responder.cert;
  CHECK_FALSE(cert.is_ca());
  CHECK(cert.usages() == static_cast<key_usages>(key_usage::digital_signature));
  CHECK(cert.extended_usages() == std::vector<std::string>{"1.3.6.1.5.5.7.3.9"});
  CHECK(cert.issued_by(at.ca.cert));
  CHECK(cert.subject() == "CN=OCSP Responder,CN=Status CA,O=Test");
  write_file(at.folder.file("cert.pem"), cert.pem());
  const auto said = openssl({"x509", "-in", at.folder.file("cert.pem"), "-noout", "-text"});
  CHECK(says(said, "OCSP No Check"));
  CHECK(says(said, "OCSP Signing"));
}

TEST_CASE("answers without a signature are three octets and a frame", "[ocsp]") {
  CHECK(to_hex(ocsp_error(ocsp_status::malformed_request)) == "30030a0101");
  CHECK(to_hex(ocsp_error(ocsp_status::internal_error)) == "30030a0102");
  CHECK(to_hex(ocsp_error(ocsp_status::try_later)) == "30030a0103");
  CHECK(to_hex(ocsp_error(ocsp_status::unauthorized)) == "30030a0106");
}

TEST_CASE("a nonce has 1 to 32 octets, or the request is malformed", "[ocsp]") {
  for (const std::size_t size : {1U, 16U, 32U}) {
    const auto request = read_ocsp_request(request_of(plain_one, tagged(2, nonce_of(size))));
    REQUIRE(request);
    CHECK(request->nonce == bytes(size, 7));
  }
  for (const std::size_t size : {0U, 33U, 128U, 4000U}) {
    CAPTURE(size);
    CHECK(fault(request_of(plain_one, tagged(2, nonce_of(size)))) == errc::bad_input);
  }
  const bytes bare(16, 7); // not in an OCTET STRING of its own
  CHECK(fault(request_of(plain_one, tagged(2, nonce_of(byte_view(bare))))) == errc::bad_input);
  const bytes two = der::tlv(der::sequence, {nonce_of(8), nonce_of(8)});
  CHECK(fault(request_of(plain_one, der::tlv(der::context_constructed(2), two)))
        == errc::bad_input);
}

TEST_CASE("a request has limits", "[ocsp]") {
  bytes list;
  for (std::size_t n = 0; n < ocsp_certificates_max; ++n)
    der::append(list, plain_one);
  CHECK(fault(request_of(list)) == errc::none);
  der::append(list, plain_one);
  CHECK(fault(request_of(list)) == errc::too_large);
  CHECK(fault(bytes(ocsp_request_bytes_max + 1, 0x30)) == errc::too_large);
  bytes extensions;
  for (std::uint8_t n = 0; n < 33; ++n)
    der::append(extensions, encode_extension(bytes{0x2a, n}, false, bytes{0x05, 0x00}));
  CHECK(fault(request_of(plain_one, tagged(2, extensions))) == errc::bad_input);
}

TEST_CASE("requests that RFC 6960 does not know are malformed", "[ocsp]") {
  const bytes sha256_algorithm = unhex("300b0609608648016503040201");
  CHECK(fault(request_of(plain_one)) == errc::none);
  CHECK(fault(request_of(one_of(id_of(sha256_algorithm, 32, serial_five)))) == errc::none);
  CHECK(fault(request_of(plain_one, {}, unhex("a003020100"))) == errc::none); // version 1, written
  CHECK(fault(request_of(plain_one, {}, unhex("a003020101"))) == errc::bad_input);
  CHECK(fault(request_of({})) == errc::bad_input);
  CHECK(fault(request_of(one_of(id_of(sha1_algorithm, 32, serial_five)))) == errc::bad_input);
  CHECK(fault(request_of(one_of(id_of(sha256_algorithm, 20, serial_five)))) == errc::bad_input);
  CHECK(fault(request_of(one_of(id_of(unhex("300706052b0e03021b"), 64, serial_five))))
        == errc::none); // a hash that we do not know
  CHECK(fault(request_of(one_of(id_of(unhex("300706052b0e03021b"), 65, serial_five))))
        == errc::bad_input);
  CHECK(fault(request_of(one_of(id_of(unhex("300a06052b0e03021a0201"), 20, serial_five))))
        == errc::bad_input);
  CHECK(fault(request_of(one_of(id_of(sha1_algorithm, 20, unhex("0200"))))) == errc::bad_input);
  const bytes long_serial = der::tlv(der::integer, bytes(22, 1));
  CHECK(fault(request_of(one_of(id_of(sha1_algorithm, 20, long_serial)))) == errc::bad_input);
  const bytes unknown = bytes{0x2a, 0x03};
  const bytes critical = encode_extension(unknown, true, bytes{0x05, 0x00});
  const bytes harmless = encode_extension(unknown, false, bytes{0x05, 0x00});
  CHECK(fault(request_of(plain_one, tagged(2, harmless))) == errc::none);
  CHECK(fault(request_of(plain_one, tagged(2, critical))) == errc::bad_input);
  const bytes id = id_of(sha1_algorithm, 20, serial_five);
  CHECK(fault(request_of(one_of(id, tagged(0, harmless)))) == errc::none);
  CHECK(fault(request_of(one_of(id, tagged(0, critical)))) == errc::bad_input);
  CHECK(fault(request_of(plain_one, tagged(3, harmless))) == errc::bad_input);
  auto trailing = request_of(plain_one);
  trailing.push_back(0);
  CHECK(fault(trailing) == errc::bad_input);
}

TEST_CASE("a request that is cut anywhere is malformed, and one that is changed never fatal",
          "[ocsp]") {
  const auto good = request_of(plain_one, tagged(2, nonce_of(std::size_t{8})));
  REQUIRE(fault(good) == errc::none);
  for (std::size_t at = 0; at < good.size(); ++at) {
    CHECK(fault(byte_view(good).first(at)) == errc::bad_input);
    for (const unsigned flip : {0x01U, 0x20U, 0x80U, 0xffU}) {
      auto bad = good;
      bad[at] = static_cast<std::uint8_t>(bad[at] ^ flip);
      const auto read = read_ocsp_request(bad);
      CHECK((!read || read->asked.size() == 1));
    }
  }
}
