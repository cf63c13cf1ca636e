// OpenSSL's Ed25519, both ways.
#include "crypto/ed25519.hpp"

#include <algorithm>

#include "crypto/openssl.hpp"
#include "crypto/random.hpp"

namespace pfx::crypto {

namespace {

constexpr std::size_t seed_octets = 32;

pkey_handle private_half(const secret_bytes& seed) {
  return pkey_handle(
    ::EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, seed.data(), seed.size()));
}

} // namespace

result<ed25519_pair> make_ed25519() { return ed25519_from(random_secret(seed_octets)); }

result<ed25519_pair> ed25519_from(secret_bytes seed) {
  const queue_guard guard;
  if (seed.size() != seed_octets)
    return failure(errc::bad_input, "key", "must have 32 octets");
  const auto key = private_half(seed);
  ed25519_pair out;
  std::size_t size = out.key.size();
  if (key == nullptr || ::EVP_PKEY_get_raw_public_key(key.get(), out.key.data(), &size) != 1
      || size != out.key.size())
    return failure(drain_errors(errc::crypto, "key", "reading an Ed25519 key"));
  out.seed = std::move(seed);
  return out;
}

result<ed25519_signature> sign_ed25519(const ed25519_pair& by, byte_view octets) {
  const queue_guard guard;
  const auto key = private_half(by.seed);
  const digest_context context(::EVP_MD_CTX_new());
  ed25519_signature out{};
  std::size_t size = out.size();
  if (key == nullptr || context == nullptr
      || ::EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key.get()) != 1
      || ::EVP_DigestSign(context.get(), out.data(), &size, octets.data(), octets.size()) != 1
      || size != out.size())
    return failure(drain_errors(errc::crypto, "key", "signing"));
  // A fault of the machine in the middle of a signature can tell the key.
  if (!verify_ed25519(by.key, octets, out))
    return failure(errc::crypto, "key", "the signature just made does not verify");
  return out;
}

bool verify_ed25519(const ed25519_public& by, byte_view octets,
                    const ed25519_signature& signature) noexcept {
  const queue_guard guard;
  const pkey_handle key(
    ::EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, by.data(), by.size()));
  const digest_context context(::EVP_MD_CTX_new());
  return key != nullptr && context != nullptr
    && ::EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key.get()) == 1
    && ::EVP_DigestVerify(context.get(), signature.data(), signature.size(), octets.data(),
                          octets.size())
    == 1;
}

} // namespace pfx::crypto
