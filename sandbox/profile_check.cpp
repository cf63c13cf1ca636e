// Compares the parameters that a file was written with with its profile's.
#include "sandbox/profile_check.hpp"

#include "crypto/pkcs12.hpp"

namespace pfx::sandbox {

namespace {

constexpr int iterations_min = 2048;
constexpr std::string_view aes256_cbc = "2.16.840.1.101.3.4.1.42";
constexpr std::string_view pbe_sha1_3des = "1.2.840.113549.1.12.1.3";
constexpr std::string_view pbkdf2 = "1.2.840.113549.1.5.12";
constexpr std::string_view hmac_sha256 = "1.2.840.113549.2.9";
constexpr std::string_view sha256_digest = "2.16.840.1.101.3.4.2.1";
constexpr std::string_view sha1_digest = "1.3.14.3.2.26";

struct profile_row {
  std::string_view cipher;
  std::string_view kdf;
  std::string_view prf;
  std::string_view mac;
  int salt_bytes;
};
constexpr profile_row modern = {aes256_cbc, pbkdf2, hmac_sha256, sha256_digest, 16};
constexpr profile_row compatible = {aes256_cbc, pbkdf2, hmac_sha256, sha256_digest, 8};
constexpr profile_row legacy = {pbe_sha1_3des, pbe_sha1_3des, "", sha1_digest, 8};

} // namespace

std::vector<std::string> check_profile(pfx_profile profile, byte_view file,
                                       const secret_bytes& password) {
  std::vector<std::string> out;
  const auto seen = crypto::inspect_pkcs12(file, password);
  if (!seen) {
    return {"the parameters of the PFX can't be read: " + to_string(seen.error())};
  }
  const auto& row = profile == pfx_profile::legacy ? legacy
    : profile == pfx_profile::compatible           ? compatible
                                                   : modern;
  const auto words = [&](const char* what, const std::string& is, std::string_view must) {
    if (is != must) {
      out.push_back(std::string(what) + " is \"" + is + "\" in a file of profile "
                    + std::string(name_of(profile)));
    }
  };
  const auto count = [&](const char* what, int is, bool good) {
    if (!good) {
      out.push_back(std::string(what) + ": " + std::to_string(is) + " in a file of profile "
                    + std::string(name_of(profile)));
    }
  };
  words("the key encryption", seen->key_encryption, row.cipher);
  words("the certificate encryption", seen->cert_encryption, row.cipher);
  words("the KDF", seen->kdf, row.kdf);
  words("the PRF", seen->prf, row.prf);
  words("the MAC digest", seen->mac_digest, row.mac);
  count("KDF iterations", seen->kdf_iterations, seen->kdf_iterations >= iterations_min);
  count("octets of the KDF salt", seen->kdf_salt_bytes, seen->kdf_salt_bytes == row.salt_bytes);
  count("octets of the MAC salt", seen->mac_salt_bytes, seen->mac_salt_bytes == row.salt_bytes);
  count("MAC iterations", seen->mac_iterations, seen->mac_iterations >= iterations_min);
  return out;
}

} // namespace pfx::sandbox
