// Signs DER structures.
#include "crypto/sign.hpp"

#include "crypto/der.hpp"
#include "crypto/key_der.hpp"

#include <algorithm>

namespace pfx::crypto {

result<bytes> signature_algorithm(const ::EVP_PKEY* key, hash_algorithm hash) {
  const auto which = static_cast<std::uint8_t>(hash); // 1, 2, 3
  if (which < 1 || which > 3)
    return failure(errc::bad_input, "hashAlgorithm", "is unknown");
  switch (kind_of(key)) {
    case key_kind::rsa: { // sha256-, sha384-, sha512WithRSAEncryption: 1.2.840.113549.1.1.11 to 13
      const std::uint8_t octets[] = {0x30,
                                     0x0d,
                                     0x06,
                                     0x09,
                                     0x2a,
                                     0x86,
                                     0x48,
                                     0x86,
                                     0xf7,
                                     0x0d,
                                     0x01,
                                     0x01,
                                     static_cast<std::uint8_t>(10 + which),
                                     0x05,
                                     0x00};
      return to_bytes(byte_view(octets));
    }
    case key_kind::ec: { // ecdsa-with-SHA256, -384, -512: 1.2.840.10045.4.3.2 to 4
      const std::uint8_t octets[]
        = {0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86,
           0x48, 0xce, 0x3d, 0x04, 0x03, static_cast<std::uint8_t>(1 + which)};
      return to_bytes(byte_view(octets));
    }
    case key_kind::other:
      break;
  }
  return failure(errc::not_supported, "", "the signing key is neither RSA nor EC");
}

result<bytes> sign_structure(byte_view to_be_signed, ::EVP_PKEY* key, hash_algorithm hash) {
  const queue_guard guard;
  auto algorithm = signature_algorithm(key, hash);
  if (!algorithm)
    return algorithm;
  const digest_context context(::EVP_MD_CTX_new());
  bytes signature(static_cast<std::size_t>(EVP_PKEY_get_size(key)));
  std::size_t size = signature.size();
  if (context == nullptr
      || ::EVP_DigestSignInit(context.get(), nullptr, fetched_digest(hash), nullptr, key) != 1
      || ::EVP_DigestSign(context.get(), signature.data(), &size, to_be_signed.data(),
                          to_be_signed.size())
        != 1) {
    return failure(drain_errors(errc::crypto, "", "signing"));
  }
  static constexpr std::uint8_t no_unused_bits = 0;
  const bytes bits
    = der::tlv(der::bit_string, {byte_view(&no_unused_bits, 1), byte_view(signature).first(size)});
  return der::tlv(der::sequence, {to_be_signed, *algorithm, bits});
}

result<void> verify_structure(byte_view to_be_signed, byte_view algorithm, byte_view signature,
                              ::EVP_PKEY* key) {
  const queue_guard guard;
  if (key == nullptr || signature.empty() || signature[0] != 0)
    return failure(errc::crypto, "signature", "is none, or there is no key for it");
  for (const auto hash : {hash_algorithm::sha256, hash_algorithm::sha384, hash_algorithm::sha512}) {
    const auto known = signature_algorithm(key, hash);
    if (!known)
      return failure(known.error());
    if (!std::ranges::equal(*known, algorithm))
      continue;
    const digest_context context(::EVP_MD_CTX_new());
    const byte_view bits = signature.subspan(1);
    if (context == nullptr
        || ::EVP_DigestVerifyInit(context.get(), nullptr, fetched_digest(hash), nullptr, key) != 1
        || ::EVP_DigestVerify(context.get(), bits.data(), bits.size(), to_be_signed.data(),
                              to_be_signed.size())
          != 1) {
      return failure(errc::crypto, "signature", "does not verify");
    }
    return {};
  }
  return failure(errc::not_supported, "signature", "is of an algorithm that is not taken here");
}

} // namespace pfx::crypto
