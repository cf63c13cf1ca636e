// PS256 both ways, RS256 one way.
#include "crypto/rsa_signature.hpp"

#include "crypto/key_der.hpp"
#include "crypto/openssl.hpp"

#include <openssl/rsa.h>

namespace pfx::crypto {

namespace {

enum class padding : std::uint8_t { pss = 0, pkcs1 };

bool set_padding(::EVP_PKEY_CTX* over, padding wanted) {
  if (wanted == padding::pkcs1)
    return ::EVP_PKEY_CTX_set_rsa_padding(over, RSA_PKCS1_PADDING) == 1;
  return ::EVP_PKEY_CTX_set_rsa_padding(over, RSA_PKCS1_PSS_PADDING) == 1
    && ::EVP_PKEY_CTX_set_rsa_pss_saltlen(over, RSA_PSS_SALTLEN_DIGEST) == 1
    && ::EVP_PKEY_CTX_set_rsa_mgf1_md(over, fetched().sha256) == 1;
}

bool fits(const ::EVP_PKEY* key) {
  return key != nullptr && kind_of(key) == key_kind::rsa
    && ::EVP_PKEY_get_bits(key) >= rsa_signer_bits_min;
}

bool verify(::EVP_PKEY* key, padding of, byte_view octets, byte_view signature) {
  const digest_context context(::EVP_MD_CTX_new());
  ::EVP_PKEY_CTX* parameters = nullptr; // the context's own
  return context != nullptr
    && ::EVP_DigestVerifyInit(context.get(), &parameters, fetched().sha256, nullptr, key) == 1
    && set_padding(parameters, of)
    && ::EVP_DigestVerify(context.get(), signature.data(), signature.size(), octets.data(),
                          octets.size())
    == 1;
}

} // namespace

result<bytes> sign_pss_sha256(const private_key& key, byte_view octets) {
  const queue_guard guard;
  ::EVP_PKEY* pair = detail::access::pkey(key);
  if (kind_of(pair) != key_kind::rsa)
    return failure(errc::not_supported, "", "the key is not an RSA key");
  if (::EVP_PKEY_get_bits(pair) < rsa_signer_bits_min)
    return failure(errc::not_supported, "", "the RSA key is shorter than 2048 bits");
  const digest_context context(::EVP_MD_CTX_new());
  ::EVP_PKEY_CTX* parameters = nullptr; // the context's own
  bytes signature(static_cast<std::size_t>(EVP_PKEY_get_size(pair)));
  std::size_t size = signature.size();
  if (context == nullptr
      || ::EVP_DigestSignInit(context.get(), &parameters, fetched().sha256, nullptr, pair) != 1
      || !set_padding(parameters, padding::pss)
      || ::EVP_DigestSign(context.get(), signature.data(), &size, octets.data(), octets.size())
        != 1) {
    return failure(drain_errors(errc::crypto, "", "signing"));
  }
  signature.resize(size);
  if (!verify(pair, padding::pss, octets, signature))
    return failure(errc::crypto, "", "the signature just made does not verify");
  return signature;
}

bool verify_pss_sha256(const certificate& cert, byte_view octets, byte_view signature) {
  const queue_guard guard;
  ::EVP_PKEY* key = detail::access::pkey(cert);
  return fits(key) && verify(key, padding::pss, octets, signature);
}

bool verify_pkcs1_sha256(const certificate& cert, byte_view octets, byte_view signature) {
  const queue_guard guard;
  ::EVP_PKEY* key = detail::access::pkey(cert);
  return fits(key) && verify(key, padding::pkcs1, octets, signature);
}

} // namespace pfx::crypto
