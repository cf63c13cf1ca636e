// Reads PKCS#12 files back and tells what they were written with: the reader of foreign files with
// the questions one has about own ones. Refuses files without a MAC or without a key's certificate.
#include "crypto/pkcs12.hpp"

#include "crypto/openssl.hpp"
#include "crypto/pfx_parts.hpp"

#include <algorithm>

namespace pfx::crypto {

namespace {

/// RFC 8018 A.2: the default PRF is HMAC-SHA-1.
constexpr std::string_view prf_by_default = "1.2.840.113549.2.7";

auto unreadable(std::string why) {
  return failure(errc::bad_input, "encryptedPfxBlob", std::move(why));
}

/// What one encryption says of itself, as text.
struct lock_words {
  std::string cipher;
  std::string kdf;
  std::string prf;
  int iterations = 0;
  int salt_octets = 0;
};

lock_words words_of(const pfx_parts::encryption& lock) {
  lock_words out;
  out.cipher = der::dotted(lock.cipher_oid);
  out.kdf = der::dotted(lock.kdf_oid);
  if (lock.key.by == pfx_parts::derivation::scheme::pbkdf2)
    out.prf = lock.prf_oid.empty() ? std::string(prf_by_default) : der::dotted(lock.prf_oid);
  out.iterations = static_cast<int>(lock.key.iterations);
  out.salt_octets = static_cast<int>(lock.key.salt.size());
  return out;
}

bool same_derivation(const lock_words& left, const lock_words& right) {
  return left.kdf == right.kdf && left.prf == right.prf && left.iterations == right.iterations
    && left.salt_octets == right.salt_octets;
}

} // namespace

result<pkcs12_content> read_pkcs12(byte_view der, const secret_bytes& password) {
  const auto file = pfx_file::parse(der);
  if (!file)
    return failure(file.error().what);
  auto opened = file->open(password);
  if (!opened)
    return failure(std::move(opened).error().what);
  if (!opened->mac_verified)
    return unreadable("there is no MAC");
  auto& certificates = opened->certificates;
  for (private_key& key : opened->keys) {
    const auto leaf = std::ranges::find_if(
      certificates, [&key](const pfx_certificate& one) { return one.value.matches(key); });
    if (leaf == certificates.end())
      continue;
    pkcs12_content out{std::move(key), leaf->value, {}, std::move(leaf->friendly_name)};
    certificates.erase(leaf);
    for (pfx_certificate& link : certificates)
      out.chain.push_back(std::move(link.value));
    return out;
  }
  return unreadable("no key with its certificate inside");
}

result<pkcs12_parameters> inspect_pkcs12(byte_view der, const secret_bytes& password) {
  const queue_guard guard;
  const auto file = pfx_parts::read_frame(der);
  if (!file)
    return failure(file.error().what);
  if (!file->mac)
    return unreadable("there is no MAC");
  std::optional<lock_words> key;
  std::optional<lock_words> certificates;
  const auto opened = pfx_parts::open_frame(*file, password, pfx_limits::slow_iterations_max,
                                            [&](const pfx_parts::encryption& lock, bool of_key) {
                                              (of_key ? key : certificates) = words_of(lock);
                                            });
  if (!opened)
    return failure(opened.error().what);
  if (!key)
    return unreadable("there is no encrypted key");
  if (certificates && !same_derivation(*key, *certificates))
    return unreadable("keys and certificates are derived with different parameters");
  pkcs12_parameters out;
  out.key_encryption = key->cipher;
  out.cert_encryption = certificates ? certificates->cipher : std::string();
  out.kdf = key->kdf;
  out.prf = key->prf;
  out.kdf_iterations = key->iterations;
  out.kdf_salt_bytes = key->salt_octets;
  out.mac_digest = der::dotted(file->mac->digest_oid);
  out.mac_iterations = static_cast<int>(file->mac->key.iterations);
  out.mac_salt_bytes = static_cast<int>(file->mac->key.salt.size());
  return out;
}

} // namespace pfx::crypto
