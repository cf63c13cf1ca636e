// Private keys: making and loading them. RSA and EC on the named NIST curves; refuses other kinds,
// encrypted files and anything behind the key.
#include "crypto/private_key.hpp"

#include "crypto/der.hpp"
#include "crypto/digest.hpp"
#include "crypto/key_bounds.hpp"
#include "crypto/key_der.hpp"
#include "crypto/openssl.hpp"

#include <openssl/pem.h>

#include <algorithm>
#include <string>

namespace pfx::crypto {

namespace {

constexpr std::size_t pkcs8_octets_max = 64u << 10;
constexpr std::size_t pem_characters_max = 128u << 10;

using pkcs8_handle = handle<::PKCS8_PRIV_KEY_INFO, ::PKCS8_PRIV_KEY_INFO_free>;

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

/// One PEM block; its octets are wiped at the end.
struct pem_block {
  std::string label;
  secret_bytes octets;
};

/// The first private key of the text, of whatever kind. Says no to every passphrase question:
/// encrypted keys are refused, and nobody is asked on a tty.
std::optional<pem_block> first_private_block(std::string_view pem) {
  const bio_handle source = bio_over(as_bytes(pem));
  const auto no_passphrase = [](char*, int, int, void*) { return -1; };
  unsigned char* octets = nullptr;
  char* label = nullptr;
  long size = 0;
  if (source == nullptr
      || ::PEM_bytes_read_bio_secmem(&octets, &size, &label, PEM_STRING_EVP_PKEY, source.get(),
                                     no_passphrase, nullptr)
        != 1)
    return std::nullopt;
  const auto length = static_cast<std::size_t>(size);
  pem_block out{label, secret_bytes(byte_view(octets, length))};
  ::OPENSSL_secure_clear_free(octets, length);
  ::OPENSSL_secure_free(label);
  return out;
}

/// PrivateKeyInfo around a key of the traditional form; empty if it names no curve.
secret_bytes with_algorithm(byte_view inner, bool ec) {
  static constexpr std::uint8_t version[] = {der::integer, 0x01, 0x00};
  static constexpr std::uint8_t null[] = {der::null, 0x00};
  byte_view parameters = null;
  if (ec) { // ECPrivateKey (RFC 5915) says it in [0]
    const auto outer = der::only(inner, der::sequence);
    der::reader walk(outer ? outer->content : byte_view());
    const bool begins = walk.next(der::integer) && walk.next(der::octet_string);
    const auto curve = begins ? walk.next(der::context_constructed(0)) : std::nullopt;
    if (!curve)
      return {};
    parameters = curve->content;
  }
  const auto type = der::oid(ec ? "1.2.840.10045.2.1" : "1.2.840.113549.1.1.1");
  secret_bytes room(inner.size() + parameters.size() + 64); // headers
  der::back_writer out(std::span(room.data(), room.size()));
  const std::size_t mark = out.mark();
  out.raw(inner).wrap(der::octet_string, mark);
  const std::size_t algorithm = out.mark();
  out.raw(parameters).raw(*type).wrap(der::sequence, algorithm);
  out.raw(version).wrap(der::sequence, mark);
  return out.ok() ? secret_bytes(out.written()) : secret_bytes();
}

} // namespace

struct private_key::state {
  pkey_handle key;
  bytes public_info; ///< SubjectPublicKeyInfo: asked for by every CSR, certificate and comparison
  digest public_hash;

  /// For what is known to be a pair.
  static result<private_key> make(pkey_handle pair);
};

result<private_key> private_key::state::make(pkey_handle pair) {
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
  if (auto bounded = check_key_bounds(der); !bounded)
    return failure(std::move(bounded).error());
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
  const auto block = first_private_block(pem);
  if (!block || block->label == PEM_STRING_PKCS8)
    return failure(drain_errors(errc::bad_input, "", "no unencrypted private key in the PEM text"));
  if (block->label == PEM_STRING_PKCS8INF)
    return from_pkcs8(block->octets.view());
  const bool ec = block->label == PEM_STRING_ECPRIVATEKEY;
  if (!ec && block->label != PEM_STRING_RSA)
    return failure(errc::not_supported, "", "the key is neither RSA nor EC");
  const auto whole = with_algorithm(block->octets.view(), ec);
  if (whole.empty())
    return failure(errc::bad_input, "", "the key is malformed, or names no curve");
  return from_pkcs8(whole.view());
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
