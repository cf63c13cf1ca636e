// What tests of imports share: a connector key, files, and requests that bring them.
#pragma once

#include <fstream>
#include <iterator>

#include "crypto/digest.hpp"
#include "crypto/pkcs12.hpp"
#include "tests/actors/harness.hpp"
#include "tests/catch.hpp"

namespace pfx::test {

inline constexpr std::string_view windows_thumbprint = "f5e1acb8c9c55a17605930515661548fb4cfc64c";

inline bytes windows_file() {
  std::ifstream in(std::string(PFX_TEST_DATA) + "/pkcs12-windows/EncryptionTests_pass_TestCert.pfx",
                   std::ios::binary);
  bytes out{std::istreambuf_iterator<char>(in), {}};
  REQUIRE(!out.empty());
  return out;
}

/// One key for all tests: making one takes a while.
inline const crypto::private_key& connector_key() {
  static const auto key = crypto::private_key::generate(key_algorithm::rsa2048);
  return key.value();
}

inline void make_key(bench& b, const std::string& name = "key") {
  REQUIRE(b.keys().import({"provider", name, {}, false}, connector_key()));
}

/// A file that asks for `iterations` in sum.
inline bytes file_with(const bench& b, int iterations, std::string_view password) {
  auto how = crypto::pkcs12_options::modern();
  how.kdf_iterations = how.mac_iterations = iterations / 3;
  const secret_bytes secret(as_bytes(password));
  return crypto::build_pkcs12({b.device.key, b.device.certificate, {}, "slow", secret}, how)
    .value();
}

inline pfx_request sample(const bench& b, const std::string& context = "i") {
  return b.import(context, windows_file(), "TestCert", std::string(windows_thumbprint));
}

} // namespace pfx::test
