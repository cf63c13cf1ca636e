// The one door to OpenSSL: owners of its objects, its error queue as one error, its algorithms
// fetched once. No other header of this room includes openssl/; connect/http may, for TLS streams.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/cms.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "core/request.hpp"
#include "core/secret.hpp"

namespace pfx::crypto {

class certificate;
class private_key;

template <auto Free>
struct deleter {
  template <class T>
  void operator()(T* object) const noexcept {
    static_cast<void>(Free(object));
  }
};
/// Sole owner of an OpenSSL object. Convention of the C calls: get0/set0 do not touch the count
/// (get0: borrowed; set0: the callee owns from then on), get1/set1 take one more reference.
template <class T, auto Free>
using handle = std::unique_ptr<T, deleter<Free>>;

using bio_handle = handle<::BIO, ::BIO_free_all>;
using bignum_handle = handle<::BIGNUM, ::BN_clear_free>;
using digest_context = handle<::EVP_MD_CTX, ::EVP_MD_CTX_free>;
using cipher_context = handle<::EVP_CIPHER_CTX, ::EVP_CIPHER_CTX_free>;
using kdf_context = handle<::EVP_KDF_CTX, ::EVP_KDF_CTX_free>;
using pkey_handle = handle<::EVP_PKEY, ::EVP_PKEY_free>;
using x509_handle = handle<::X509, ::X509_free>;
using object_handle = handle<::ASN1_OBJECT, ::ASN1_OBJECT_free>;

/// The algorithms of this room, fetched once per process: an implicit fetch costs half a SHA-256
/// and takes a lock (OpenSSL 3.0). Never freed. Read-only after the first call, hence thread-safe.
struct algorithms {
  ::EVP_MD* sha1 = nullptr;
  ::EVP_MD* sha256 = nullptr;
  ::EVP_MD* sha384 = nullptr;
  ::EVP_MD* sha512 = nullptr;
  ::EVP_CIPHER* aes_256_gcm = nullptr;
  ::EVP_CIPHER* aes_256_cbc = nullptr;
  ::EVP_CIPHER* aes_256_wrap = nullptr;
  ::EVP_KDF* hkdf = nullptr;
};
[[nodiscard]] const algorithms& fetched() noexcept;
[[nodiscard]] const ::EVP_MD* fetched_digest(hash_algorithm hash) noexcept;

/// Ends the process with one line on stderr: for a machine on which no cryptography is possible.
[[noreturn]] void give_up(std::string_view why) noexcept;

/// Empties this thread's OpenSSL error queue into one error: "`doing`: reason; reason".
/// Reasons are OpenSSL's constant texts only, never the data that goes with them.
[[nodiscard]] error drain_errors(errc code, std::string field, std::string_view doing);

/// Leaves the error queue empty when a function of this room returns, whatever happened: libcurl
/// and Beast read the same queue and would take old entries for theirs.
struct queue_guard {
  queue_guard() noexcept = default;
  queue_guard(const queue_guard&) = delete;
  queue_guard& operator=(const queue_guard&) = delete;
  ~queue_guard();
};

/// A source over octets that outlive it; null if they are too many for OpenSSL's int.
[[nodiscard]] bio_handle bio_over(byte_view octets) noexcept;

/// Calls an i2d function: length first, then into a buffer of ours.
template <class Encode, class T>
[[nodiscard]] bytes encode_der(Encode encode, T* object) {
  const int size = encode(object, nullptr);
  if (size <= 0)
    return {};
  bytes out(static_cast<std::size_t>(size));
  unsigned char* cursor = out.data();
  if (encode(object, &cursor) != size)
    return {};
  return out;
}

namespace detail {

/// How rooms that speak to OpenSSL themselves (this one, TLS streams) reach the objects inside.
/// What is returned is borrowed (get0): it lives as long as its owner and is shared between
/// threads, so it may be read and used with, never changed.
struct access {
  [[nodiscard]] static ::EVP_PKEY* pkey(const private_key& key) noexcept;
  /// Null if the certificate's key is of a kind that OpenSSL cannot use.
  [[nodiscard]] static ::EVP_PKEY* pkey(const certificate& cert) noexcept;
  /// Never null for certificates from `from_der`; null for one we signed around a broken key, and
  /// for octets given to `from_known_der` that were not known.
  [[nodiscard]] static ::X509* x509(const certificate& cert) noexcept;
  [[nodiscard]] static const bytes& subject_der(const certificate& cert) noexcept;
  [[nodiscard]] static const bytes& public_key_der(const certificate& cert) noexcept;
  /// Takes ownership; refuses kinds of keys that this room does not work with.
  [[nodiscard]] static result<private_key> adopt(pkey_handle key);
  /// A certificate of our own signing: fields are read from the octets, the X509 is made on first
  /// use.
  [[nodiscard]] static result<certificate> own(bytes der);
};

} // namespace detail
} // namespace pfx::crypto
