// What a CSR may ask of the embedded CA, built octet by octet, because our own builder refuses most
// of it; and the DER reader that looks at it.
#include "connect/ca/der.hpp"
#include "connect/ca/issuable.hpp"
#include "tests/catch.hpp"
#include "tests/connect/ca_support.hpp"

using namespace pfx;
using namespace pfx::connect::ca;
using namespace pfx::test;

namespace {

bytes hex(std::string_view text) { return good(from_hex(text)); }

bytes joined(std::initializer_list<bytes> pieces) {
  bytes out;
  for (const auto& one : pieces) {
    out.insert(out.end(), one.begin(), one.end());
  }
  return out;
}

/// A CSR, already parsed, with these extensions.
crypto::csr asking_for(std::initializer_list<bytes> extensions) {
  crypto::csr out;
  out.subject = hex("300c310a300806035504030c0161");
  out.extensions = der::wrap(0x30, joined(extensions));
  return out;
}

const bytes ca_true = hex("300f0603551d130101ff040530030101ff");
const bytes ca_false = hex("30090603551d1304023000");
const bytes ca_false_spelt = hex("300c0603551d13040530030101"
                                 "00");
const bytes path_length = hex("300c0603551d130405300302010"
                              "0");
const bytes signs_certificates = hex("300b0603551d0f040403020204");
const bytes signs_lists = hex("300b0603551d0f040403020102");
const bytes signs = hex("300b0603551d0f040403020780");
const bytes email_names = hex("30120603551d11040b3009810761406578616d70");
const bytes own_key_id = hex("300b0603551d0e040404020102");

} // namespace

TEST_CASE("key usage, names and extended key usage are copied as they stand", "[ca][der]") {
  const auto allowed = issuable_extensions(asking_for({signs, email_names}), "");
  REQUIRE(allowed);
  CHECK(*allowed == der::wrap(0x30, joined({signs, email_names})));
}

TEST_CASE("a CSR that asks to be a CA is refused", "[ca][der]") {
  for (const auto& bad : {ca_true, path_length, signs_certificates, signs_lists}) {
    CAPTURE(to_hex(bad));
    const auto allowed = issuable_extensions(asking_for({signs == bad ? ca_true : bad}), "");
    REQUIRE_FALSE(allowed);
    CHECK(allowed.error().code == errc::policy);
  }
}

TEST_CASE("CA:FALSE is accepted and left to the CA", "[ca][der]") {
  for (const auto& harmless : {ca_false, ca_false_spelt}) {
    const auto allowed = issuable_extensions(asking_for({signs, harmless}), "");
    REQUIRE(allowed);
    CHECK(*allowed == der::wrap(0x30, signs));
  }
}

TEST_CASE("extensions that nobody knows, or twice, or broken, are refused", "[ca][der]") {
  CHECK_FALSE(issuable_extensions(asking_for({own_key_id}), ""));
  CHECK_FALSE(issuable_extensions(asking_for({signs, signs}), ""));
  auto cut = asking_for({signs, email_names});
  cut.extensions.pop_back();
  CHECK_FALSE(issuable_extensions(cut, ""));
  auto trailing = asking_for({signs});
  trailing.extensions.push_back(0);
  CHECK_FALSE(issuable_extensions(trailing, ""));
  CHECK_FALSE(
    issuable_extensions(asking_for({hex("300a0603551d0f0403020780")}), "")); // lengths lie
}

TEST_CASE("a nameless CSR needs an alternative name", "[ca][der]") {
  auto nameless = asking_for({signs});
  nameless.subject = hex("3000");
  CHECK_FALSE(issuable_extensions(nameless, ""));
  auto named = asking_for({signs, email_names});
  named.subject = hex("3000");
  CHECK(issuable_extensions(named, ""));
}

TEST_CASE("the DER reader refuses what X.690 forbids", "[ca][der]") {
  byte_view rest;
  for (const auto* bad : {"", "30", "3080", "308001020000", "30810100", "3082000100", "1f810100",
                          "300201", "30847fffffff", "3085010000000000"}) {
    CAPTURE(bad);
    const auto octets = hex(bad);
    CHECK_FALSE(der::first(octets, rest));
  }
  const auto two = hex("02010105"
                       "00");
  const auto first = der::first(two, rest);
  REQUIRE(first);
  CHECK(first->tag == 0x02);
  CHECK(to_hex(rest) == "0500");
  CHECK_FALSE(der::only(two));
}

TEST_CASE("the DER reader reads lengths of all sizes it writes", "[ca][der]") {
  for (const std::size_t size : {0u, 1u, 127u, 128u, 255u, 256u, 65'535u, 65'536u}) {
    const bytes contents(size, 0x5a);
    const auto whole = der::wrap(0x04, contents);
    const auto read = der::only(whole);
    REQUIRE(read);
    CHECK(read->value.size() == size);
  }
}

TEST_CASE("object identifiers are spelt as dots, malformed ones not at all", "[ca][der]") {
  CHECK(der::dotted(hex("551d13")) == "2.5.29.19");
  CHECK(der::dotted(hex("2b0601040182371902")) == "1.3.6.1.4.1.311.25.2");
  CHECK(der::dotted(hex("8837")) == "2.999"); // X.660's own example
  CHECK(der::dotted(hex("55")) == "2.5");
  CHECK(der::dotted(hex("551d80")).empty());                   // ends inside an arc
  CHECK(der::dotted(hex("55801d")).empty());                   // an arc with a leading zero septet
  CHECK(der::dotted(hex("55ffffffffffffffffffff7f")).empty()); // an arc over 64 bits
  CHECK(der::dotted({}).empty());
}
