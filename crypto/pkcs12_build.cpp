// Writes PKCS#12 files. OpenSSL's PKCS12_create leaves salts and the PRF to its version's taste, so
// the parts are put together here, each parameter named.
#include "crypto/pkcs12.hpp"

#include "core/limits.hpp"
#include "crypto/der.hpp"
#include "crypto/digest.hpp"
#include "crypto/oids.hpp"
#include "crypto/openssl.hpp"
#include "crypto/pfx_file.hpp"
#include "crypto/random.hpp"
#include "crypto/text.hpp"

namespace pfx::crypto {

namespace {

constexpr std::size_t password_octets_max = 256;
constexpr std::size_t friendly_name_octets_max = 256;
constexpr int salt_octets_min = 8;
constexpr int salt_octets_max = 64;

void free_bags(STACK_OF(PKCS12_SAFEBAG) * bags) {
  sk_PKCS12_SAFEBAG_pop_free(bags, ::PKCS12_SAFEBAG_free);
}
void free_safes(STACK_OF(PKCS7) * safes) { sk_PKCS7_pop_free(safes, ::PKCS7_free); }

using pkcs12_handle = handle<::PKCS12, ::PKCS12_free>;
using pkcs7_handle = handle<::PKCS7, ::PKCS7_free>;
using bags_handle = handle<STACK_OF(PKCS12_SAFEBAG), &free_bags>;
using safes_handle = handle<STACK_OF(PKCS7), &free_safes>;
using algorithm_handle = handle<::X509_ALGOR, ::X509_ALGOR_free>;
using shrouded_handle = handle<::X509_SIG, ::X509_SIG_free>;
using pkcs8_handle = handle<::PKCS8_PRIV_KEY_INFO, ::PKCS8_PRIV_KEY_INFO_free>;
using bag_handle = handle<::PKCS12_SAFEBAG, ::PKCS12_SAFEBAG_free>;

/// OpenSSL wants the password as char and int; both fit after check().
struct password_view {
  const char* text;
  int size;
};

error building() { return drain_errors(errc::crypto, "", "building a PKCS#12 file"); }

result<void> check(const pkcs12_input& input, const pkcs12_options& options) {
  const auto refuse = [](const char* field, std::string why) {
    return failure(errc::bad_input, field, std::move(why));
  };
  if (input.password.empty() || input.password.size() > password_octets_max) {
    return refuse("password", "must have 1 to 256 octets");
  }
  if (input.password.text().find('\0') != std::string_view::npos
      || !utf8_characters(input.password.text())) {
    return refuse("password", "must be UTF-8 without NUL");
  }
  if (input.friendly_name.size() > friendly_name_octets_max || !utf8_characters(input.friendly_name)
      || has_control(input.friendly_name)) {
    return refuse("friendlyName", "must be UTF-8 of at most 256 octets without control characters");
  }
  if (input.chain.size() > limits::chain_certificates_max) {
    return failure(errc::too_large, "chain", "more than 8 certificates");
  }
  const auto iterations_fit = [](int n) { return n >= 1 && n <= pfx_limits::iterations_max; };
  const auto salt_fits = [](int n) { return n >= salt_octets_min && n <= salt_octets_max; };
  if (!iterations_fit(options.kdf_iterations) || !iterations_fit(options.mac_iterations)) {
    return refuse("iterations", "must be 1 to 2,000,000");
  }
  if (!salt_fits(options.kdf_salt_bytes) || !salt_fits(options.mac_salt_bytes)) {
    return refuse("salt", "must have 8 to 64 octets");
  }
  if (!input.leaf.matches(input.key))
    return refuse("certificate", "is not for the private key");
  return {};
}

int prf_of(hash_algorithm hash) {
  switch (hash) {
    case hash_algorithm::sha256:
      return NID_hmacWithSHA256;
    case hash_algorithm::sha384:
      return NID_hmacWithSHA384;
    case hash_algorithm::sha512:
      return NID_hmacWithSHA512;
  }
  return NID_undef;
}

/// A fresh AlgorithmIdentifier with a salt of its own.
algorithm_handle make_algorithm(const pkcs12_options& options) {
  bytes salt = random_bytes(static_cast<std::size_t>(options.kdf_salt_bytes));
  switch (options.cipher) {
    case pkcs12_options::encryption::pbes2_aes256_cbc:
      // No IV given: OpenSSL draws one.
      return algorithm_handle(::PKCS5_pbe2_set_iv(::EVP_aes_256_cbc(), options.kdf_iterations,
                                                  salt.data(), options.kdf_salt_bytes, nullptr,
                                                  prf_of(options.prf)));
    case pkcs12_options::encryption::pbe_sha1_3des:
      return algorithm_handle(::PKCS5_pbe_set(NID_pbe_WithSHA1And3_Key_TripleDES_CBC,
                                              options.kdf_iterations, salt.data(),
                                              options.kdf_salt_bytes));
  }
  return nullptr;
}

bool add_attributes(::PKCS12_SAFEBAG* bag, const pkcs12_input& input, bytes key_id) {
  if (::PKCS12_add_localkeyid(bag, key_id.data(), static_cast<int>(key_id.size())) != 1)
    return false;
  return input.friendly_name.empty()
    || ::PKCS12_add_friendlyname_utf8(bag, input.friendly_name.data(),
                                      static_cast<int>(input.friendly_name.size()))
    == 1;
}

/// push moves the bag into the stack, which frees it from then on.
bool push(bags_handle& bags, bag_handle bag) {
  if (bag == nullptr || sk_PKCS12_SAFEBAG_push(bags.get(), bag.get()) <= 0)
    return false;
  static_cast<void>(bag.release());
  return true;
}

bags_handle key_bags(const pkcs12_input& input, password_view password, const bytes& key_id,
                     const pkcs12_options& options) {
  auto plain = input.key.to_pkcs8();
  if (!plain)
    return nullptr;
  const unsigned char* cursor = plain->data();
  // Freed with its key wiped; EVP_PKEY2PKCS8 would leave an unwiped copy on the way.
  const pkcs8_handle info(
    ::d2i_PKCS8_PRIV_KEY_INFO(nullptr, &cursor, static_cast<long>(plain->size())));
  algorithm_handle algorithm = make_algorithm(options);
  if (info == nullptr || algorithm == nullptr)
    return nullptr;
  shrouded_handle shrouded(
    ::PKCS8_set0_pbe(password.text, password.size, info.get(), algorithm.get()));
  if (shrouded == nullptr)
    return nullptr;
  static_cast<void>(algorithm.release()); // set0: now in `shrouded`
  bag_handle bag(::PKCS12_SAFEBAG_create0_pkcs8(shrouded.get()));
  if (bag == nullptr)
    return nullptr;
  static_cast<void>(shrouded.release()); // create0: now in `bag`
  bags_handle bags(sk_PKCS12_SAFEBAG_new_null());
  if (bags == nullptr || !add_attributes(bag.get(), input, key_id) || !push(bags, std::move(bag))) {
    return nullptr;
  }
  return bags;
}

/// A CertBag (RFC 7292 4.2.3) from the octets: PKCS12_SAFEBAG_create_cert would need an X509, and
/// making that costs more than signing a certificate does.
bag_handle bag_of(const certificate& cert) {
  const auto inside = der::context_constructed(0);
  const bytes value = der::tlv(inside, der::tlv(der::octet_string, cert.der()));
  const bytes kind = der::tlv(der::object_identifier, byte_view(oids::x509_certificate));
  const bytes content = der::tlv(inside, der::tlv(der::sequence, {kind, value}));
  const bytes bag = der::tlv(
    der::sequence, {der::tlv(der::object_identifier, byte_view(oids::certificate_bag)), content});
  const unsigned char* cursor = bag.data();
  return bag_handle(::d2i_PKCS12_SAFEBAG(nullptr, &cursor, static_cast<long>(bag.size())));
}

bags_handle certificate_bags(const pkcs12_input& input, const bytes& key_id) {
  bags_handle bags(sk_PKCS12_SAFEBAG_new_null());
  bag_handle leaf = bag_of(input.leaf);
  if (bags == nullptr || leaf == nullptr || !add_attributes(leaf.get(), input, key_id)
      || !push(bags, std::move(leaf))) {
    return nullptr;
  }
  for (const certificate& link : input.chain) {
    if (!push(bags, bag_of(link)))
      return nullptr;
  }
  return bags;
}

/// EncryptedData (RFC 7292 4.1) around the certificates, with our algorithm instead of a default
/// one.
pkcs7_handle encrypted_safe(STACK_OF(PKCS12_SAFEBAG) * bags, password_view password,
                            const pkcs12_options& options) {
  pkcs7_handle safe(::PKCS7_new());
  algorithm_handle algorithm = make_algorithm(options);
  if (safe == nullptr || algorithm == nullptr
      || ::PKCS7_set_type(safe.get(), NID_pkcs7_encrypted) != 1) {
    return nullptr;
  }
  ::PKCS7_ENC_CONTENT* content = safe->d.encrypted->enc_data;
  ::ASN1_OBJECT_free(content->content_type);
  content->content_type = ::OBJ_nid2obj(NID_pkcs7_data); // static object, free is a no-op
  ::X509_ALGOR_free(content->algorithm);
  content->algorithm = algorithm.release();
  ::ASN1_OCTET_STRING_free(content->enc_data);
  content->enc_data = ::PKCS12_item_i2d_encrypt(content->algorithm, ASN1_ITEM_rptr(PKCS12_SAFEBAGS),
                                                password.text, password.size, bags, 1);
  if (content->enc_data == nullptr)
    return nullptr;
  return safe;
}

} // namespace

pkcs12_options pkcs12_options::modern() {
  pkcs12_options out;
  out.cipher = encryption::pbes2_aes256_cbc;
  out.kdf_iterations = 2048;
  out.kdf_salt_bytes = 16;
  out.prf = hash_algorithm::sha256;
  out.mac_sha1 = false;
  out.mac_iterations = 2048;
  out.mac_salt_bytes = 16;
  return out;
}

pkcs12_options pkcs12_options::compatible() {
  pkcs12_options out = modern();
  out.kdf_salt_bytes = 8;
  out.mac_salt_bytes = 8;
  return out;
}

pkcs12_options pkcs12_options::legacy() {
  pkcs12_options out = modern();
  out.cipher = encryption::pbe_sha1_3des;
  out.kdf_salt_bytes = 8;
  out.mac_sha1 = true;
  out.mac_salt_bytes = 8;
  return out;
}

pkcs12_options pkcs12_options::of(pfx_profile profile) {
  switch (profile) {
    case pfx_profile::compatible:
      return compatible();
    case pfx_profile::legacy:
      return legacy();
    case pfx_profile::modern:
    case pfx_profile::unchanged: // never written; the caller keeps the file as it came
      break;
  }
  return modern();
}

result<bytes> build_pkcs12(const pkcs12_input& input, const pkcs12_options& options) {
  const queue_guard guard;
  if (auto checked = check(input, options); !checked)
    return failure(std::move(checked).error());
  const password_view password{input.password.text().data(),
                               static_cast<int>(input.password.size())};
  const bytes key_id = sha1(input.leaf.der()); // as PKCS12_create does; it only has to be the same
  const bags_handle certificates = certificate_bags(input, key_id);
  const bags_handle keys = key_bags(input, password, key_id, options);
  if (certificates == nullptr || keys == nullptr)
    return failure(building());
  pkcs7_handle certificate_safe = encrypted_safe(certificates.get(), password, options);
  pkcs7_handle key_safe(::PKCS12_pack_p7data(keys.get())); // the bag inside is encrypted already
  const safes_handle safes(sk_PKCS7_new_null());
  if (certificate_safe == nullptr || key_safe == nullptr || safes == nullptr) {
    return failure(building());
  }
  for (pkcs7_handle* safe : {&certificate_safe, &key_safe}) {
    if (sk_PKCS7_push(safes.get(), safe->get()) <= 0)
      return failure(building());
    static_cast<void>(safe->release()); // the stack's from here on
  }
  const pkcs12_handle file(::PKCS12_add_safes(safes.get(), NID_pkcs7_data));
  bytes salt = random_bytes(static_cast<std::size_t>(options.mac_salt_bytes));
  if (file == nullptr
      || ::PKCS12_set_mac(file.get(), password.text, password.size, salt.data(),
                          options.mac_salt_bytes, options.mac_iterations,
                          options.mac_sha1 ? fetched().sha1 : fetched().sha256)
        != 1) {
    return failure(building());
  }
  bytes out = encode_der(&::i2d_PKCS12, file.get());
  if (out.empty())
    return failure(building());
  if (out.size() > limits::pfx_bytes_max) {
    return failure(errc::too_large, "encryptedPfxBlob", "the file is larger than 128 KiB");
  }
  return out;
}

} // namespace pfx::crypto
