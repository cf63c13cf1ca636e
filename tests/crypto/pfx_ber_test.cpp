// BER to definite lengths: against OpenSSL's own rewriting, and what is refused.
#include "crypto/pfx_ber.hpp"

#include "crypto/openssl.hpp"
#include "tests/catch.hpp"
#include "tests/crypto/support.hpp"

using namespace pfx;
using namespace pfx::crypto;
using namespace pfx::crypto::test;

namespace {

std::optional<bytes> definite(byte_view in) {
  bytes out(in.size() + ber::growth_octets_max);
  const auto size = ber::make_definite(in, out);
  if (!size)
    return std::nullopt;
  out.resize(*size);
  return out;
}

std::string rewritten(std::string_view hex) {
  const auto out = definite(unhex(hex));
  return out ? to_hex(*out) : "refused";
}

} // namespace

TEST_CASE("definite lengths stay as they are", "[crypto][pfx][ber]") {
  for (const auto* same : {"3000", "0500", "30030201ff", "a003020103", "04020000",
                           "3106040130040131", "308180" /* length 128 */}) {
    std::string hex(same);
    if (hex == "308180")
      for (int i = 0; i < 64; ++i)
        hex += "0500";
    INFO(hex);
    CHECK(ber::is_definite(unhex(hex)));
    CHECK(rewritten(hex) == hex);
  }
}

TEST_CASE("other lengths and strings in pieces are made definite", "[crypto][pfx][ber]") {
  CHECK(rewritten("30800000") == "3000");
  CHECK(rewritten("3080020103"
                  "0000")
        == "3003020103");
  CHECK(rewritten("30810102") == "refused"); // the inner element is half
  CHECK(rewritten("3081020500") == "30020500");
  CHECK(rewritten("3084000000020500") == "30020500");
  CHECK(rewritten("308800000000000000020500") == "30020500");
  CHECK(rewritten("2480"
                  "040161"
                  "04026263"
                  "0000")
        == "0403616263");
  CHECK(rewritten("2408"
                  "040161"
                  "2403"
                  "040162")
        == "04026162");
  CHECK(rewritten("2480"
                  "0000")
        == "0400");
  CHECK(rewritten("a080"
                  "2480"
                  "040161"
                  "0000"
                  "0000")
        == "a003040161");
  CHECK(rewritten("2480"
                  "2480"
                  "040161"
                  "0000"
                  "0000")
        == "040161");
}

TEST_CASE("what is no BER is refused", "[crypto][pfx][ber]") {
  for (const auto* bad : {"",
                          "30",
                          "3080",
                          "308000",
                          "30800005",
                          "0480040100",
                          "0000",
                          "300200",
                          "30020000",
                          "3001",
                          "3082ffff00",
                          "308900000000000000000200",
                          "1f0100",
                          "3f8100",
                          "300000",
                          "2480050000",
                          "24800201010000",
                          "2403020101",
                          "2300",
                          "2c03040161",
                          "220400000000",
                          "30ff",
                          "3088ffffffffffffffff",
                          "3003050000"}) {
    INFO(bad);
    CHECK(rewritten(bad) == "refused");
    CHECK_FALSE(ber::is_definite(unhex(bad)));
  }
}

TEST_CASE("nesting is followed to a depth and no further", "[crypto][pfx][ber]") {
  const auto nested = [](std::size_t depth) {
    bytes out;
    for (std::size_t i = 0; i < depth; ++i)
      out.insert(out.end(), {0x30, 0x80});
    for (std::size_t i = 0; i < depth; ++i)
      out.insert(out.end(), {0x00, 0x00});
    return out;
  };
  CHECK(definite(nested(ber::depth_max)));
  CHECK_FALSE(definite(nested(ber::depth_max + 1)));
  CHECK_FALSE(definite(nested(30'000)));
  bytes open_only;
  for (int i = 0; i < 60'000; ++i)
    open_only.insert(open_only.end(), {0x24, 0x80});
  CHECK_FALSE(definite(open_only));
}

TEST_CASE("nothing is written behind the room there is", "[crypto][pfx][ber]") {
  const bytes in = unhex("3080"
                         "040161"
                         "040162"
                         "0000");
  for (std::size_t room = 0; room < 30; ++room) {
    bytes out(room + 8, 0xee);
    const auto size = ber::make_definite(in, std::span(out).first(room));
    if (size)
      CHECK(to_hex(byte_view(out).first(*size)) == "3006040161040162");
    for (std::size_t i = room; i < out.size(); ++i)
      CHECK(out[i] == 0xee);
  }
}

TEST_CASE("files of others come out as OpenSSL writes them again", "[crypto][pfx][ber][corpus]") {
  for (const auto* name :
       {"pkcs12-openssl/test-BER.p12", "pkcs12-made/nss.p12",
        "pkcs12-windows/EncryptionTests_pass_TestCert.pfx", "pkcs12-pyca/name-all-pwd.p12"}) {
    INFO(name);
    const bytes in = read_file(data_file(name));
    const unsigned char* cursor = in.data();
    const handle<::PKCS12, ::PKCS12_free> theirs(
      ::d2i_PKCS12(nullptr, &cursor, static_cast<long>(in.size())));
    REQUIRE(theirs != nullptr);
    const auto ours = definite(in);
    REQUIRE(ours);
    CHECK(*ours == encode_der(&::i2d_PKCS12, theirs.get()));
    CHECK(ber::is_definite(*ours));
  }
}
