// EnvelopedData for one recipient. Writes AES-256-CBC only; reads only what it writes: other
// content types (AuthEnvelopedData among them) and other kinds of recipients are refused before any
// decryption.
#include "crypto/cms.hpp"

#include "crypto/key_der.hpp"
#include "crypto/openssl.hpp"

#include <openssl/rsa.h>

namespace pfx::crypto {

namespace {

constexpr std::size_t plaintext_octets_max = 64u << 10;
constexpr std::size_t enveloped_octets_max = 128u << 10;

using cms_handle = handle<::CMS_ContentInfo, ::CMS_ContentInfo_free>;

error encrypting() { return drain_errors(errc::crypto, "", "encrypting to a recipient"); }

result<void> check_transport(const certificate& recipient, key_transport transport) {
  const auto refuse
    = [](std::string why) { return failure(errc::policy, "keyTransport", std::move(why)); };
  switch (transport) {
    case key_transport::rsa_pkcs1:
    case key_transport::rsa_oaep_sha256:
      if (!recipient.is_rsa())
        return refuse("needs an RSA key, the certificate has another");
      return {};
    case key_transport::ecdh:
      if (!on_known_curve(detail::access::pkey(recipient))) {
        return refuse("needs an EC key on P-256, -384 or -521, the certificate has another");
      }
      return {};
  }
  return refuse("is unknown");
}

/// RFC 8017 A.2.1 with SHA-256 for both hashes, empty label.
bool set_oaep(::EVP_PKEY_CTX* context) {
  return context != nullptr && ::EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) > 0
    && ::EVP_PKEY_CTX_set_rsa_oaep_md(context, fetched().sha256) > 0
    && ::EVP_PKEY_CTX_set_rsa_mgf1_md(context, fetched().sha256) > 0;
}

/// dhSinglePass-stdDH-sha256kdf (RFC 5753 7.1.4) with aes256-wrap; OpenSSL's default KDF is SHA-1.
/// Its type (X9.63) is OpenSSL's to set: it takes a type that was set before for an unknown one.
bool set_ecdh(::CMS_RecipientInfo* recipient, ::EVP_PKEY_CTX* context) {
  ::EVP_CIPHER_CTX* wrap = ::CMS_RecipientInfo_kari_get0_ctx(recipient); // get0: the recipient's
  return context != nullptr && wrap != nullptr
    && ::EVP_PKEY_CTX_set_ecdh_kdf_md(context, fetched().sha256) > 0
    && ::EVP_EncryptInit_ex(wrap, fetched().aes_256_wrap, nullptr, nullptr, nullptr) == 1;
}

bool add_recipient(::CMS_ContentInfo* cms, const certificate& recipient, key_transport transport) {
  // CMS_KEY_PARAM leaves the key's parameters to be set here before anything is encrypted.
  ::CMS_RecipientInfo* added = ::CMS_add1_recipient_cert(cms, detail::access::x509(recipient),
                                                         CMS_KEY_PARAM); // add1: takes a reference
  if (added == nullptr)
    return false;
  ::EVP_PKEY_CTX* context = ::CMS_RecipientInfo_get0_pkey_ctx(added); // get0: the recipient's
  switch (transport) {
    case key_transport::rsa_pkcs1:
      return context != nullptr;
    case key_transport::rsa_oaep_sha256:
      return set_oaep(context);
    case key_transport::ecdh:
      return set_ecdh(added, context);
  }
  return false;
}

/// Streams the plaintext through the cipher directly: CMS_final would leave a copy on the stack.
bool write_content(::CMS_ContentInfo* cms, byte_view plaintext) {
  const bio_handle chain(::CMS_dataInit(cms, nullptr));
  if (chain == nullptr)
    return false;
  std::size_t written = 0;
  const bool all = plaintext.empty()
    || (::BIO_write_ex(chain.get(), plaintext.data(), plaintext.size(), &written) == 1
        && written == plaintext.size());
  return all && BIO_flush(chain.get()) == 1 && ::CMS_dataFinal(cms, chain.get()) == 1;
}

/// One recipient of a kind that encrypt_to makes.
bool is_ours(::CMS_ContentInfo* cms) {
  if (::OBJ_obj2nid(::CMS_get0_type(cms)) != NID_pkcs7_enveloped)
    return false;
  STACK_OF(CMS_RecipientInfo)* all = ::CMS_get0_RecipientInfos(cms); // get0: the message's
  if (all == nullptr || sk_CMS_RecipientInfo_num(all) != 1)
    return false;
  const int type = ::CMS_RecipientInfo_type(sk_CMS_RecipientInfo_value(all, 0));
  return type == CMS_RECIPINFO_TRANS || type == CMS_RECIPINFO_AGREE;
}

} // namespace

result<bytes> encrypt_to(const certificate& recipient, key_transport transport,
                         byte_view plaintext) {
  const queue_guard guard;
  if (plaintext.size() > plaintext_octets_max) {
    return failure(errc::too_large, "", "a secret for a device has at most 64 KiB");
  }
  if (auto fits = check_transport(recipient, transport); !fits) {
    return failure(std::move(fits).error());
  }
  const cms_handle cms(
    ::CMS_encrypt(nullptr, nullptr, fetched().aes_256_cbc, CMS_PARTIAL | CMS_BINARY));
  if (cms == nullptr || !add_recipient(cms.get(), recipient, transport)
      || !write_content(cms.get(), plaintext)) {
    return failure(encrypting());
  }
  bytes out = encode_der(&::i2d_CMS_ContentInfo, cms.get());
  if (out.empty())
    return failure(encrypting());
  return out;
}

result<secret_bytes> decrypt_with(const certificate& recipient, const private_key& key,
                                  byte_view enveloped_data) {
  const queue_guard guard;
  // One error for every cause: what exactly was wrong is nobody's business but the maker's
  // (Manger).
  const auto refuse = [] { return failure(errc::crypto, "", "the message does not open"); };
  if (enveloped_data.size() > enveloped_octets_max)
    return refuse();
  const unsigned char* cursor = enveloped_data.data();
  const cms_handle cms(
    ::d2i_CMS_ContentInfo(nullptr, &cursor, static_cast<long>(enveloped_data.size())));
  if (cms == nullptr || cursor != enveloped_data.data() + enveloped_data.size()
      || !is_ours(cms.get())) {
    return refuse();
  }
  const bio_handle sink(::BIO_new(::BIO_s_mem())); // wiped when it is freed (BUF_MEM_free)
  if (sink == nullptr
      || ::CMS_decrypt(cms.get(), detail::access::pkey(key), detail::access::x509(recipient),
                       nullptr, sink.get(), CMS_BINARY)
        != 1) {
    return refuse();
  }
  char* octets = nullptr;
  const long size = BIO_get_mem_data(sink.get(), &octets);
  if (size < 0)
    return refuse();
  return secret_bytes(
    byte_view(reinterpret_cast<const std::uint8_t*>(octets), static_cast<std::size_t>(size)));
}

} // namespace pfx::crypto
