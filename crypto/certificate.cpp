// Certificates. The fields that everybody asks for are read from the octets by a reader of ours;
// the X509 of OpenSSL is made at once for foreign octets (its strictness is wanted there) and on
// first use for certificates of our own signing and those that were read before (its key decoder
// costs more than a P-256 signature).
#include "crypto/certificate.hpp"

#include "core/limits.hpp"
#include "crypto/certificate_fields.hpp"
#include "crypto/digest.hpp"
#include "crypto/key_bounds.hpp"
#include "crypto/key_der.hpp"
#include "crypto/name.hpp"
#include "crypto/openssl.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <mutex>

namespace pfx::crypto {

namespace {

constexpr std::size_t pem_characters_max = 32u << 20;
constexpr std::size_t pem_certificates_max = 1000;

x509_handle parse_x509(byte_view der) {
  const unsigned char* cursor = der.data();
  x509_handle out(::d2i_X509(nullptr, &cursor, static_cast<long>(der.size())));
  if (out != nullptr && cursor != der.data() + der.size())
    return nullptr;
  return out;
}

/// The DER of the next certificate block; empty octets at the end of the text.
result<bytes> next_pem_block(::BIO* source) {
  unsigned char* octets = nullptr;
  long size = 0;
  const auto no_passphrase = [](char*, int, int, void*) { return -1; };
  // Skips blocks of other kinds; the secure variant wipes them, there may be keys among them.
  if (::PEM_bytes_read_bio_secmem(&octets, &size, nullptr, PEM_STRING_X509, source, no_passphrase,
                                  nullptr)
      != 1) {
    const unsigned long last = ::ERR_peek_last_error();
    if (ERR_GET_LIB(last) == ERR_LIB_PEM && ERR_GET_REASON(last) == PEM_R_NO_START_LINE) {
      ::ERR_clear_error();
      return bytes();
    }
    return failure(drain_errors(errc::bad_input, "certificate", "reading PEM"));
  }
  bytes out(octets, octets + size);
  ::OPENSSL_secure_clear_free(octets, static_cast<std::size_t>(size));
  return out;
}

result<std::vector<certificate>> read_pem(std::string_view pem, std::size_t wanted) {
  const queue_guard guard;
  if (pem.size() > pem_characters_max) {
    return failure(errc::too_large, "certificate", "the PEM text is too large");
  }
  const bio_handle source = bio_over(as_bytes(pem));
  if (source == nullptr)
    return failure(drain_errors(errc::crypto, "", "reading PEM"));
  std::vector<certificate> out;
  while (out.size() < wanted) {
    auto der = next_pem_block(source.get());
    if (!der)
      return failure(std::move(der).error());
    if (der->empty())
      break;
    if (out.size() == pem_certificates_max) {
      return failure(errc::too_large, "certificate", "more than 1000 certificates in one PEM text");
    }
    auto cert = certificate::from_der(*der);
    if (!cert)
      return failure(std::move(cert).error());
    out.push_back(std::move(*cert));
  }
  return out;
}

} // namespace

struct certificate::state {
  bytes der;
  certificate_fields fields;
  digest thumbprint;
  digest public_key_hash;
  std::string issuer;
  std::string subject;
  mutable std::once_flag parsed_once;
  mutable x509_handle parsed;

  /// Shared between threads from here on: read, never changed (OpenSSL locks its own caches).
  ::X509* x509() const noexcept {
    std::call_once(parsed_once, [this] {
      const queue_guard guard;
      if (parsed == nullptr)
        parsed = parse_x509(der);
    });
    return parsed.get();
  }
  ::EVP_PKEY* pkey() const noexcept {
    const queue_guard guard;
    ::X509* x = x509();
    return x == nullptr ? nullptr : ::X509_get0_pubkey(x); // get0: lives as long as the X509
  }

  static result<certificate> make(bytes octets, x509_handle parsed);
};

result<certificate> certificate::state::make(bytes octets, x509_handle parsed) {
  auto fields = read_certificate_fields(octets);
  if (!fields)
    return failure(std::move(fields).error());
  auto issuer = name_to_text(fields->issuer);
  auto subject = name_to_text(fields->subject);
  if (!issuer || !subject) {
    return failure(errc::bad_input, "certificate", "a name in the certificate is malformed");
  }
  auto made = std::make_shared<state>();
  made->thumbprint = sha256(octets);
  made->public_key_hash = sha256(fields->public_key);
  made->der = std::move(octets);
  made->fields = std::move(*fields);
  made->issuer = std::move(*issuer);
  made->subject = std::move(*subject);
  made->parsed = std::move(parsed);
  return certificate(std::move(made));
}

certificate::certificate(std::shared_ptr<const state> s) noexcept : state_(std::move(s)) {}

result<certificate> certificate::from_der(byte_view der) {
  const queue_guard guard;
  if (der.size() > limits::certificate_bytes_max) {
    return failure(errc::too_large, "certificate", "is larger than 32 KiB");
  }
  x509_handle parsed = parse_x509(der);
  if (parsed == nullptr) {
    return failure(drain_errors(errc::bad_input, "certificate", "is not one DER certificate"));
  }
  return state::make(to_bytes(der), std::move(parsed));
}

result<certificate> certificate::from_known_der(byte_view der) {
  return detail::access::own(to_bytes(der));
}

result<certificate> certificate::from_pem(std::string_view pem) {
  auto found = read_pem(pem, 1);
  if (!found)
    return failure(std::move(found).error());
  if (found->empty())
    return failure(errc::bad_input, "certificate", "no certificate in the PEM text");
  return std::move(found->front());
}

result<std::vector<certificate>> certificate::all_from_pem(std::string_view pem) {
  auto found = read_pem(pem, pem_certificates_max + 1);
  if (found && found->empty()) {
    return failure(errc::bad_input, "certificate", "no certificate in the PEM text");
  }
  return found;
}

const bytes& certificate::der() const noexcept { return state_->der; }
const digest& certificate::thumbprint() const noexcept { return state_->thumbprint; }
const digest& certificate::public_key_hash() const noexcept { return state_->public_key_hash; }
const std::string& certificate::serial() const noexcept { return state_->fields.serial; }
const std::string& certificate::issuer() const noexcept { return state_->issuer; }
const std::string& certificate::subject() const noexcept { return state_->subject; }
unix_ms certificate::not_before() const noexcept { return state_->fields.not_before; }
unix_ms certificate::not_after() const noexcept { return state_->fields.not_after; }

std::string certificate::pem() const {
  constexpr std::size_t line = 64; // RFC 7468
  const std::string text = to_base64(state_->der);
  std::string out = "-----BEGIN CERTIFICATE-----\n";
  for (std::size_t from = 0; from < text.size(); from += line) {
    out.append(text, from, line).push_back('\n');
  }
  return out + "-----END CERTIFICATE-----\n";
}

bool certificate::is_rsa() const noexcept { return kind_of(state_->pkey()) == key_kind::rsa; }
bool certificate::is_ec() const noexcept { return kind_of(state_->pkey()) == key_kind::ec; }

int certificate::key_bits() const noexcept {
  const ::EVP_PKEY* key = state_->pkey();
  return key == nullptr ? 0 : ::EVP_PKEY_get_bits(key);
}

bool certificate::matches(const private_key& key) const {
  if (state_->public_key_hash == key.public_key_hash())
    return true;
  // The same key may be written in two ways (compressed points), so OpenSSL has the last word.
  const queue_guard guard;
  const ::EVP_PKEY* ours = state_->pkey();
  return ours != nullptr && ::EVP_PKEY_eq(ours, detail::access::pkey(key)) == 1;
}

bool certificate::could_be_issued_by(const certificate& issuer_certificate) const {
  const queue_guard guard;
  ::X509* mine = state_->x509();
  ::X509* its = issuer_certificate.state_->x509();
  return mine != nullptr && its != nullptr && ::X509_check_issued(its, mine) == X509_V_OK
    && verifies_quickly(issuer_certificate.state_->pkey());
}

bool certificate::issued_by(const certificate& issuer_certificate) const {
  const queue_guard guard;
  return could_be_issued_by(issuer_certificate)
    && ::X509_verify(state_->x509(), issuer_certificate.state_->pkey()) == 1;
}

// -- for the other files of this room ----------------------------------------------------------

::EVP_PKEY* detail::access::pkey(const certificate& cert) noexcept { return cert.state_->pkey(); }
::X509* detail::access::x509(const certificate& cert) noexcept { return cert.state_->x509(); }

const bytes& detail::access::subject_der(const certificate& cert) noexcept {
  return cert.state_->fields.subject;
}

const bytes& detail::access::public_key_der(const certificate& cert) noexcept {
  return cert.state_->fields.public_key;
}

result<certificate> detail::access::own(bytes der) {
  const queue_guard guard;
  if (der.size() > limits::certificate_bytes_max) {
    return failure(errc::too_large, "certificate", "is larger than 32 KiB");
  }
  return certificate::state::make(std::move(der), nullptr);
}

} // namespace pfx::crypto
