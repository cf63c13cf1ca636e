// Errors out of OpenSSL's queue and the algorithms that are fetched once.
#include "crypto/openssl.hpp"

#include <openssl/err.h>

#include <climits>
#include <cstdlib>
#include <unistd.h>

namespace pfx::crypto {

namespace {

constexpr std::size_t drained_reasons_max = 8;

algorithms fetch_all() noexcept {
  algorithms all;
  all.sha1 = ::EVP_MD_fetch(nullptr, "SHA1", nullptr);
  all.sha256 = ::EVP_MD_fetch(nullptr, "SHA2-256", nullptr);
  all.sha384 = ::EVP_MD_fetch(nullptr, "SHA2-384", nullptr);
  all.sha512 = ::EVP_MD_fetch(nullptr, "SHA2-512", nullptr);
  all.aes_256_gcm = ::EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
  all.aes_256_cbc = ::EVP_CIPHER_fetch(nullptr, "AES-256-CBC", nullptr);
  all.aes_256_wrap = ::EVP_CIPHER_fetch(nullptr, "AES-256-WRAP", nullptr);
  all.hkdf = ::EVP_KDF_fetch(nullptr, "HKDF", nullptr);
  const bool complete = all.sha1 != nullptr && all.sha256 != nullptr && all.sha384 != nullptr
    && all.sha512 != nullptr && all.aes_256_gcm != nullptr && all.aes_256_cbc != nullptr
    && all.aes_256_wrap != nullptr && all.hkdf != nullptr;
  if (!complete)
    give_up("OpenSSL's default provider lacks an algorithm");
  return all;
}

} // namespace

const algorithms& fetched() noexcept {
  // Raw pointers on purpose: freeing them after OpenSSL's own exit handler would be a use after
  // free.
  static const algorithms all = fetch_all();
  return all;
}

const ::EVP_MD* fetched_digest(hash_algorithm hash) noexcept {
  switch (hash) {
    case hash_algorithm::sha256:
      return fetched().sha256;
    case hash_algorithm::sha384:
      return fetched().sha384;
    case hash_algorithm::sha512:
      return fetched().sha512;
  }
  return nullptr;
}

void give_up(std::string_view why) noexcept {
  constexpr std::string_view prefix = "pfxengine: fatal: ";
  // Nothing can be done about a failed write to stderr on the way to abort().
  if (::write(STDERR_FILENO, prefix.data(), prefix.size()) >= 0
      && ::write(STDERR_FILENO, why.data(), why.size()) >= 0) {
    static_cast<void>(!::write(STDERR_FILENO, "\n", 1));
  }
  std::abort();
}

error drain_errors(errc code, std::string field, std::string_view doing) {
  error out{code, std::move(field), std::string(doing)};
  std::size_t reasons = 0;
  while (const unsigned long entry = ::ERR_get_error()) {
    const char* reason = ::ERR_reason_error_string(entry);
    if (reason == nullptr || reasons >= drained_reasons_max)
      continue;
    out.message += reasons == 0 ? ": " : "; ";
    out.message += reason;
    ++reasons;
  }
  return out;
}

queue_guard::~queue_guard() { ::ERR_clear_error(); }

bio_handle bio_over(byte_view octets) noexcept {
  if (octets.size() > static_cast<std::size_t>(INT_MAX))
    return nullptr;
  static constexpr std::uint8_t nothing = 0; // BIO_new_mem_buf refuses a null pointer
  return bio_handle(
    ::BIO_new_mem_buf(octets.empty() ? &nothing : octets.data(), static_cast<int>(octets.size())));
}

} // namespace pfx::crypto
