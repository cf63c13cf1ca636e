// TLS contexts from PEM texts. Knows libssl and nothing of HTTP.
#include "connect/http/tls.hpp"

#include <vector>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

namespace pfx::connect::http::tls {

namespace {

constexpr std::size_t certificates_max = 1'000; ///< of one PEM text

template <class T, void (*End)(T*)>
struct ended {
  void operator()(T* object) const noexcept { End(object); }
};
void end_bio(BIO* bio) { ::BIO_free_all(bio); }
using bio = std::unique_ptr<BIO, ended<BIO, end_bio>>;
using x509 = std::unique_ptr<X509, ended<X509, ::X509_free>>;
using pkey = std::unique_ptr<EVP_PKEY, ended<EVP_PKEY, ::EVP_PKEY_free>>;
using store = std::unique_ptr<X509_STORE, ended<X509_STORE, ::X509_STORE_free>>;

bio view_of(std::string_view text) {
  return bio(::BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

/// Never asks a terminal for the passphrase of an encrypted key.
int no_passphrase(char*, int, int, void*) { return -1; }

tl::unexpected<error> refused(const char* field, const char* sentence) {
  ::ERR_clear_error();
  return failure(errc::bad_input, field, sentence);
}

result<std::vector<x509>> read_certificates(std::string_view pem, const char* field) {
  std::vector<x509> out;
  bio in = view_of(pem);
  while (in && out.size() < certificates_max) {
    x509 next(::PEM_read_bio_X509(in.get(), nullptr, no_passphrase, nullptr));
    if (!next)
      break;
    out.push_back(std::move(next));
  }
  unsigned long last = ::ERR_peek_last_error();
  bool at_end = ERR_GET_REASON(last) == PEM_R_NO_START_LINE;
  if (out.empty() || out.size() == certificates_max || !at_end)
    return refused(field, "is not a PEM text of certificates");
  ::ERR_clear_error();
  return out;
}

result<pkey> read_key(std::string_view pem, const char* field) {
  bio in = view_of(pem);
  pkey key(in ? ::PEM_read_bio_PrivateKey(in.get(), nullptr, no_passphrase, nullptr) : nullptr);
  if (!key)
    return refused(field, "is not an unencrypted private key in PEM");
  return key;
}

result<store> make_store(const std::vector<x509>& roots) {
  store out(::X509_STORE_new());
  if (!out)
    return failure(errc::internal, "", "no memory for a trust store");
  for (const auto& root : roots)
    if (::X509_STORE_add_cert(out.get(), root.get()) != 1)
      return refused("roots", "holds a certificate that cannot be trusted");
  // What the operator configured is the anchor, be it self-signed or not.
  ::X509_STORE_set_flags(out.get(), X509_V_FLAG_PARTIAL_CHAIN);
  return out;
}

bool use_identity(SSL_CTX* into, const std::vector<x509>& chain, EVP_PKEY* key) {
  if (::SSL_CTX_use_certificate(into, chain.front().get()) != 1
      || ::SSL_CTX_use_PrivateKey(into, key) != 1)
    return false;
  for (std::size_t i = 1; i < chain.size(); ++i)
    if (::SSL_CTX_add1_chain_cert(into, chain[i].get()) != 1)
      return false;
  return true;
}

result<void> ask_for_certificates(SSL_CTX* into, std::string_view roots_pem) {
  auto roots = read_certificates(roots_pem, "client_roots_pem");
  if (!roots)
    return failure(roots.error());
  auto trust = make_store(*roots);
  if (!trust)
    return failure(trust.error());
  ::SSL_CTX_set1_cert_store(into, trust->get());
  for (const auto& root : *roots)
    ::SSL_CTX_add_client_CA(into, root.get()); // names only; a hint to the client
  ::SSL_CTX_set_verify(into, SSL_VERIFY_PEER, nullptr);
  return {};
}

int alert_index() {
  static const int index = ::SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

void note_alert(const SSL* ssl, int where, int value) {
  const bool theirs = (where & SSL_CB_READ_ALERT) == SSL_CB_READ_ALERT;
  const bool ours = (where & SSL_CB_WRITE_ALERT) == SSL_CB_WRITE_ALERT;
  auto* cell = static_cast<int*>(::SSL_CTX_get_ex_data(::SSL_get_SSL_CTX(ssl), alert_index()));
  const int alert = value & 0xff;
  if (cell != nullptr && alert != SSL_AD_CLOSE_NOTIFY && (theirs || ours) && *cell >= 0)
    *cell = ours ? -alert : alert;
}

} // namespace

void context_end::operator()(ssl_ctx_st* over) const noexcept { ::SSL_CTX_free(over); }

result<context> make_server_context(std::string_view certificate_pem, std::string_view key_pem,
                                    std::string_view client_roots_pem) {
  context out(::SSL_CTX_new(::TLS_server_method()));
  if (!out || ::SSL_CTX_set_min_proto_version(out.get(), TLS1_2_VERSION) != 1)
    return failure(errc::internal, "", "no TLS context");
  ::SSL_CTX_set_options(out.get(),
                        SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET
                          | SSL_OP_CIPHER_SERVER_PREFERENCE);
  ::SSL_CTX_set_mode(out.get(),
                     SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER
                       | SSL_MODE_RELEASE_BUFFERS);
  // No resumption: every connection proves its certificate anew.
  ::SSL_CTX_set_session_cache_mode(out.get(), SSL_SESS_CACHE_OFF);
  ::SSL_CTX_set_num_tickets(out.get(), 0);
  auto chain = read_certificates(certificate_pem, "certificate_pem");
  if (!chain)
    return failure(chain.error());
  auto key = read_key(key_pem, "key_pem");
  if (!key)
    return failure(key.error());
  if (::X509_check_private_key(chain->front().get(), key->get()) != 1)
    return refused("key_pem", "is not the key of the certificate");
  if (!use_identity(out.get(), *chain, key->get()))
    return refused("certificate_pem", "is refused by the TLS library");
  if (!client_roots_pem.empty())
    if (auto asked = ask_for_certificates(out.get(), client_roots_pem); !asked)
      return failure(asked.error());
  return out;
}

struct client_material::parts {
  store trust;
  std::vector<x509> chain;
  pkey key;
};

client_material::client_material() : parts_(std::make_unique<parts>()) {}
client_material::~client_material() = default;

result<std::shared_ptr<const client_material>> client_material::make(
  std::string_view roots_pem, std::string_view certificate_pem, std::string_view key_pem) {
  std::shared_ptr<client_material> out(new client_material);
  if (!roots_pem.empty()) {
    auto roots = read_certificates(roots_pem, "trusted_roots_pem");
    if (!roots)
      return failure(roots.error());
    auto trust = make_store(*roots);
    if (!trust)
      return failure(trust.error());
    out->parts_->trust = std::move(*trust);
  }
  if (!certificate_pem.empty()) {
    auto chain = read_certificates(certificate_pem, "identity.certificate_pem");
    if (!chain)
      return failure(chain.error());
    auto key = read_key(key_pem, "identity.key_pem");
    if (!key)
      return failure(key.error());
    if (::X509_check_private_key(chain->front().get(), key->get()) != 1)
      return refused("identity.key_pem", "is not the key of the certificate");
    out->parts_->chain = std::move(*chain);
    out->parts_->key = std::move(*key);
  }
  return std::shared_ptr<const client_material>(std::move(out));
}

bool client_material::install(ssl_ctx_st* into, int* alert) const noexcept {
  if (parts_->trust)
    ::SSL_CTX_set1_cert_store(into, parts_->trust.get());
  if (parts_->key && !use_identity(into, parts_->chain, parts_->key.get())) {
    ::ERR_clear_error();
    return false;
  }
  if (::SSL_CTX_set_ex_data(into, alert_index(), alert) != 1)
    return false;
  ::SSL_CTX_set_info_callback(into, note_alert);
  return true;
}

bool refuses_certificate(int alert, bool handshake_done) noexcept {
  switch (alert) {
    case SSL_AD_HANDSHAKE_FAILURE: // what TLS 1.2 says to a client without a certificate
      return !handshake_done;
    case SSL_AD_BAD_CERTIFICATE:
    case SSL_AD_UNSUPPORTED_CERTIFICATE:
    case SSL_AD_CERTIFICATE_REVOKED:
    case SSL_AD_CERTIFICATE_EXPIRED:
    case SSL_AD_CERTIFICATE_UNKNOWN:
    case SSL_AD_UNKNOWN_CA:
    case SSL_AD_ACCESS_DENIED:
    case SSL_AD_CERTIFICATE_REQUIRED:
      return true;
    default:
      return false;
  }
}

} // namespace pfx::connect::http::tls
