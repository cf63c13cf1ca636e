// Private keys: making and loading them. RSA and EC on the named NIST curves; refuses other kinds,
// encrypted files and anything behind the key.
#include "crypto/private_key.hpp"

#include "crypto/digest.hpp"
#include "crypto/key_der.hpp"
#include "crypto/openssl.hpp"

#include <openssl/decoder.h>

#include <algorithm>
#include <string>

namespace pfx::crypto {

namespace {

constexpr std::size_t pkcs8_octets_max = 64u << 10;
constexpr std::size_t pem_characters_max = 128u << 10;

using pkcs8_handle = handle<::PKCS8_PRIV_KEY_INFO, ::PKCS8_PRIV_KEY_INFO_free>;
using decoder_handle = handle<::OSSL_DECODER_CTX, ::OSSL_DECODER_CTX_free>;

::EVP_PKEY* make_pair(key_algorithm algorithm) {
  const auto rsa
    = [](std::size_t bits) { return ::EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", bits); };
  const auto ec
    = [](const char* name) { return ::EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", name); };
  switch (algorithm) {
    case key_algorithm::rsa2048:
      return rsa(2048);
    case key_algorithm::rsa3072:
      return rsa(3072);
    case key_algorithm::rsa4096:
      return rsa(4096);
    case key_algorithm::ec_p256:
      return ec("P-256");
    case key_algorithm::ec_p384:
      return ec("P-384");
    case key_algorithm::ec_p521:
      return ec("P-521");
  }
  return nullptr;
}

/// Says no to every passphrase question: encrypted keys are refused, and nobody is asked on a tty.
int no_passphrase(char*, std::size_t, std::size_t*, const ::OSSL_PARAM[], void*) { return 0; }

} // namespace

struct private_key::state {
  pkey_handle key;
  bytes public_info; ///< SubjectPublicKeyInfo: asked for by every CSR, certificate and comparison
  digest public_hash;

  /// For what is known to be a pair.
  static result<private_key> make(pkey_handle pair);
};

result<private_key> private_key::state::make(pkey_handle pair) {
  if (kind_of(pair.get()) == key_kind::rsa && ::EVP_PKEY_get_bits(pair.get()) > rsa_bits_max) {
    return failure(errc::too_large, "", "the RSA key is longer than 16384 bits");
  }
  auto info = public_key_info(pair.get());
  if (!info)
    return failure(std::move(info).error());
  auto made = std::make_unique<state>();
  made->key = std::move(pair);
  made->public_hash = sha256(*info);
  made->public_info = std::move(*info);
  return private_key(std::move(made));
}

private_key::private_key(std::unique_ptr<state> s) noexcept : state_(std::move(s)) {}
private_key::private_key(private_key&&) noexcept = default;
private_key& private_key::operator=(private_key&&) noexcept = default;
private_key::~private_key() = default;

result<private_key> private_key::generate(key_algorithm algorithm) {
  const queue_guard guard;
  pkey_handle key(make_pair(algorithm));
  if (key == nullptr)
    return failure(drain_errors(errc::crypto, "", "making a key"));
  return state::make(std::move(key));
}

result<private_key> private_key::from_pkcs8(byte_view der) {
  const queue_guard guard;
  if (der.size() > pkcs8_octets_max)
    return failure(errc::too_large, "", "the key is too large");
  // Our own form first; foreign ones (compressed points, attributes, no public half) by OpenSSL.
  if (pkey_handle own = key_from_own_info(der); own != nullptr)
    return state::make(std::move(own)); // it was written out whole to compare it
  const unsigned char* cursor = der.data();
  const pkcs8_handle info(
    ::d2i_PKCS8_PRIV_KEY_INFO(nullptr, &cursor, static_cast<long>(der.size())));
  if (info == nullptr)
    return failure(drain_errors(errc::bad_input, "", "reading a PKCS#8 key"));
  if (cursor != der.data() + der.size())
    return failure(errc::bad_input, "", "octets follow the PKCS#8 key");
  pkey_handle key(::EVP_PKCS82PKEY(info.get()));
  if (key == nullptr)
    return failure(drain_errors(errc::bad_input, "", "reading a PKCS#8 key"));
  return detail::access::adopt(std::move(key));
}

result<private_key> private_key::from_pem(std::string_view pem) {
  const queue_guard guard;
  if (pem.size() > pem_characters_max)
    return failure(errc::too_large, "", "the text is too large");
  const bio_handle source = bio_over(as_bytes(pem));
  ::EVP_PKEY* made = nullptr;
  const decoder_handle decoder(::OSSL_DECODER_CTX_new_for_pkey(
    &made, "PEM", nullptr, nullptr, OSSL_KEYMGMT_SELECT_KEYPAIR, nullptr, nullptr));
  if (source == nullptr || decoder == nullptr
      || ::OSSL_DECODER_CTX_set_passphrase_cb(decoder.get(), &no_passphrase, nullptr) != 1
      || ::OSSL_DECODER_from_bio(decoder.get(), source.get()) != 1) {
    ::EVP_PKEY_free(made);
    return failure(drain_errors(errc::bad_input, "", "no unencrypted private key in the PEM text"));
  }
  pkey_handle key(made);
  return detail::access::adopt(std::move(key));
}

result<secret_bytes> private_key::to_pkcs8() const { return private_key_info(state_->key.get()); }

result<secret_bytes> private_key::to_pem() const {
  auto der = to_pkcs8();
  if (!der)
    return der;
  constexpr std::string_view head = "-----BEGIN PRIVATE KEY-----\n";
  constexpr std::string_view foot = "-----END PRIVATE KEY-----\n";
  constexpr std::size_t line_octets = 48; // 64 characters, RFC 7468
  const std::size_t lines = (der->size() + line_octets - 1) / line_octets;
  secret_bytes out(head.size() + foot.size() + lines * 65 + 1); // EVP_EncodeBlock adds a NUL
  std::uint8_t* cursor = std::copy(head.begin(), head.end(), out.data());
  for (std::size_t from = 0; from < der->size(); from += line_octets) {
    const std::size_t size = std::min(line_octets, der->size() - from);
    cursor += ::EVP_EncodeBlock(cursor, der->data() + from, static_cast<int>(size));
    *cursor++ = '\n';
  }
  cursor = std::copy(foot.begin(), foot.end(), cursor);
  out.shrink(static_cast<std::size_t>(cursor - out.data()));
  return out;
}

result<bytes> private_key::public_key() const { return state_->public_info; }

digest private_key::public_key_hash() const { return state_->public_hash; }

::EVP_PKEY* detail::access::pkey(const private_key& key) noexcept { return key.state_->key.get(); }

result<private_key> detail::access::adopt(pkey_handle key) {
  const queue_guard guard;
  auto made = private_key::state::make(std::move(key));
  // A public key alone passes OpenSSL's decoders too; it must not pose as a pair.
  if (made && !private_key_info(pkey(*made)))
    return failure(errc::bad_input, "", "the key has no complete private half");
  return made;
}

} // namespace pfx::crypto
