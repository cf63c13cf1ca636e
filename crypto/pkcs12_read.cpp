// Reads PKCS#12 files back and tells what they were written with. For files of our own making; the
// outer iteration counts are bounded, those inside encrypted contents are read before they are
// used.
#include "crypto/pkcs12.hpp"

#include "core/limits.hpp"
#include "crypto/der.hpp"
#include "crypto/openssl.hpp"
#include "crypto/pkcs12_parts.hpp"

#include <algorithm>
#include <optional>

namespace pfx::crypto {

namespace {

using pbes2_handle = handle<::PBE2PARAM, ::PBE2PARAM_free>;
using pbkdf2_handle = handle<::PBKDF2PARAM, ::PBKDF2PARAM_free>;
using pbe_handle = handle<::PBEPARAM, ::PBEPARAM_free>;

/// What one AlgorithmIdentifier of a password-based encryption says.
struct encryption_parameters {
  std::string cipher;
  std::string kdf;
  std::string prf;
  int iterations = 0;
  int salt_octets = 0;

  bool operator==(const encryption_parameters&) const = default;
};

auto unreadable(std::string why) {
  return failure(errc::bad_input, "encryptedPfxBlob", std::move(why));
}

std::string oid_text(const ::ASN1_OBJECT* object) {
  return object == nullptr ? std::string()
                           : der::dotted({::OBJ_get0_data(object), ::OBJ_length(object)});
}

/// 0 if it is not a count between 1 and the limit.
int count_of(const ::ASN1_INTEGER* value) {
  std::int64_t count = 0;
  if (value == nullptr || ::ASN1_INTEGER_get_int64(&count, value) != 1)
    return 0;
  return count < 1 || count > pkcs12_iterations_max ? 0 : static_cast<int>(count);
}

std::optional<encryption_parameters> read_pbes2(const ::ASN1_TYPE* parameter) {
  const pbes2_handle pbes2(
    static_cast<::PBE2PARAM*>(::ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(PBE2PARAM), parameter)));
  if (pbes2 == nullptr)
    return std::nullopt;
  const pbkdf2_handle pbkdf2(static_cast<::PBKDF2PARAM*>(
    ::ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(PBKDF2PARAM), pbes2->keyfunc->parameter)));
  if (::OBJ_obj2nid(pbes2->keyfunc->algorithm) != NID_id_pbkdf2 || pbkdf2 == nullptr
      || ::ASN1_TYPE_get(pbkdf2->salt) != V_ASN1_OCTET_STRING) {
    return std::nullopt;
  }
  encryption_parameters out;
  out.cipher = oid_text(pbes2->encryption->algorithm);
  out.kdf = oid_text(pbes2->keyfunc->algorithm);
  // RFC 8018 A.2: the default PRF is HMAC-SHA-1.
  out.prf = pbkdf2->prf == nullptr ? "1.2.840.113549.2.7" : oid_text(pbkdf2->prf->algorithm);
  out.iterations = count_of(pbkdf2->iter);
  out.salt_octets = ::ASN1_STRING_length(pbkdf2->salt->value.octet_string);
  return out;
}

std::optional<encryption_parameters> read_algorithm(const ::X509_ALGOR* algorithm) {
  const ::ASN1_OBJECT* object = nullptr;
  ::X509_ALGOR_get0(&object, nullptr, nullptr, algorithm); // get0
  const ::ASN1_TYPE* parameter = algorithm->parameter;
  std::optional<encryption_parameters> out;
  if (::OBJ_obj2nid(object) == NID_pbes2) {
    out = read_pbes2(parameter);
  } else if (const pbe_handle pbe{static_cast<::PBEPARAM*>(
               ::ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(PBEPARAM), parameter))}) {
    out = encryption_parameters{oid_text(object), oid_text(object), "", count_of(pbe->iter),
                                ::ASN1_STRING_length(pbe->salt)};
  }
  if (out && out->iterations == 0)
    return std::nullopt;
  return out;
}

/// The parameters of the shrouded key among the bags, if there is one.
std::optional<encryption_parameters> key_parameters(const bags_handle& bags) {
  for (int i = 0; bags != nullptr && i < sk_PKCS12_SAFEBAG_num(bags.get()); ++i) {
    const ::PKCS12_SAFEBAG* bag = sk_PKCS12_SAFEBAG_value(bags.get(), i);
    if (::PKCS12_SAFEBAG_get_nid(bag) != NID_pkcs8ShroudedKeyBag)
      continue;
    const ::X509_ALGOR* algorithm = nullptr;
    ::X509_SIG_get0(::PKCS12_SAFEBAG_get0_pkcs8(bag), &algorithm, nullptr); // get0
    return read_algorithm(algorithm);
  }
  return std::nullopt;
}

struct found_parameters {
  std::optional<encryption_parameters> key;
  std::optional<encryption_parameters> certificates;
};

result<found_parameters> read_safes(const ::PKCS12* file, const secret_bytes& password) {
  const safes_handle safes(::PKCS12_unpack_authsafes(file));
  if (safes == nullptr)
    return unreadable("the contents are malformed");
  found_parameters out;
  for (int i = 0; i < sk_PKCS7_num(safes.get()); ++i) {
    ::PKCS7* safe = sk_PKCS7_value(safes.get(), i);
    bags_handle bags;
    if (PKCS7_type_is_data(safe)) {
      bags.reset(::PKCS12_unpack_p7data(safe));
    } else if (PKCS7_type_is_encrypted(safe)) {
      out.certificates = read_algorithm(safe->d.encrypted->enc_data->algorithm);
      if (!out.certificates)
        return unreadable("an encryption with unknown parameters");
      bags.reset(
        ::PKCS12_unpack_p7encdata(safe, password.text().data(), static_cast<int>(password.size())));
    }
    if (bags == nullptr)
      return unreadable("a content does not open");
    if (auto key = key_parameters(bags))
      out.key = std::move(key);
  }
  return out;
}

/// The MAC's parameters; refuses counts that are out of bounds before anybody derives a key.
result<pkcs12_parameters> read_mac(const ::PKCS12* file) {
  const ::X509_ALGOR* algorithm = nullptr;
  const ::ASN1_OCTET_STRING* salt = nullptr;
  const ::ASN1_INTEGER* iterations = nullptr;
  ::PKCS12_get0_mac(nullptr, &algorithm, &salt, &iterations, file); // get0
  if (algorithm == nullptr || salt == nullptr)
    return unreadable("there is no MAC");
  pkcs12_parameters out;
  const ::ASN1_OBJECT* object = nullptr;
  ::X509_ALGOR_get0(&object, nullptr, nullptr, algorithm);
  out.mac_digest = oid_text(object);
  out.mac_iterations = iterations == nullptr ? 1 : count_of(iterations); // RFC 7292: DEFAULT 1
  out.mac_salt_bytes = ::ASN1_STRING_length(salt);
  if (out.mac_iterations == 0)
    return unreadable("the MAC's iterations are out of bounds");
  return out;
}

struct opened_file {
  pkcs12_handle file;
  pkcs12_parameters mac;
};

/// Frame, bounds and MAC: what must hold before anything inside is looked at.
result<opened_file> open_file(byte_view der, const secret_bytes& password) {
  if (der.size() > limits::pfx_bytes_max) {
    return failure(errc::too_large, "encryptedPfxBlob", "the file is larger than 128 KiB");
  }
  pkcs12_handle file = parse_pkcs12_frame(der);
  if (file == nullptr)
    return unreadable("is not one PKCS#12 file");
  auto mac = read_mac(file.get());
  if (!mac)
    return failure(std::move(mac).error());
  if (::PKCS12_verify_mac(file.get(), password.text().data(), static_cast<int>(password.size()))
      != 1) {
    return failure(errc::crypto, "encryptedPfxBlob", "the password or the MAC is wrong");
  }
  return opened_file{std::move(file), std::move(*mac)};
}

result<certificate> certificate_of(::X509* x) {
  return certificate::from_der(encode_der(&::i2d_X509, x));
}

} // namespace

result<pkcs12_content> read_pkcs12(byte_view der, const secret_bytes& password) {
  const queue_guard guard;
  auto opened = open_file(der, password);
  if (!opened)
    return failure(std::move(opened).error());
  // Also bounds the counts inside before PKCS12_parse runs them.
  if (auto inside = read_safes(opened->file.get(), password); !inside) {
    return failure(std::move(inside).error());
  }
  secret_bytes terminated(password.size() + 1); // PKCS12_parse takes a C string
  std::copy(password.view().begin(), password.view().end(), terminated.data());
  terminated.data()[password.size()] = 0;
  ::EVP_PKEY* raw_key = nullptr;
  ::X509* raw_leaf = nullptr;
  STACK_OF(X509)* raw_chain = nullptr;
  const int parsed
    = ::PKCS12_parse(opened->file.get(), terminated.text().data(), &raw_key, &raw_leaf, &raw_chain);
  pkey_handle key(raw_key); // all three are ours
  const x509_handle leaf(raw_leaf);
  const certificates_handle chain(raw_chain);
  if (parsed != 1 || key == nullptr || leaf == nullptr) {
    return unreadable("no key with its certificate inside");
  }
  auto pair = detail::access::adopt(std::move(key));
  auto cert = certificate_of(leaf.get());
  if (!pair)
    return failure(std::move(pair).error());
  if (!cert)
    return failure(std::move(cert).error());
  pkcs12_content out{std::move(*pair), std::move(*cert), {}, {}};
  for (int i = 0; chain != nullptr && i < sk_X509_num(chain.get()); ++i) {
    auto link = certificate_of(sk_X509_value(chain.get(), i));
    if (!link)
      return failure(std::move(link).error());
    out.chain.push_back(std::move(*link));
  }
  int alias_size = 0;
  const unsigned char* alias = ::X509_alias_get0(leaf.get(), &alias_size); // get0: the leaf's
  if (alias != nullptr && alias_size > 0) {
    out.friendly_name = to_text({alias, static_cast<std::size_t>(alias_size)});
  }
  return out;
}

result<pkcs12_parameters> inspect_pkcs12(byte_view der, const secret_bytes& password) {
  const queue_guard guard;
  auto opened = open_file(der, password);
  if (!opened)
    return failure(std::move(opened).error());
  auto inside = read_safes(opened->file.get(), password);
  if (!inside)
    return failure(std::move(inside).error());
  if (!inside->key)
    return unreadable("there is no encrypted key");
  pkcs12_parameters out = std::move(opened->mac);
  const encryption_parameters& key = *inside->key;
  if (inside->certificates
      && (inside->certificates->kdf != key.kdf || inside->certificates->prf != key.prf
          || inside->certificates->iterations != key.iterations
          || inside->certificates->salt_octets != key.salt_octets)) {
    return unreadable("keys and certificates are derived with different parameters");
  }
  out.key_encryption = key.cipher;
  out.cert_encryption = inside->certificates ? inside->certificates->cipher : std::string();
  out.kdf = key.kdf;
  out.prf = key.prf;
  out.kdf_iterations = key.iterations;
  out.kdf_salt_bytes = key.salt_octets;
  return out;
}

} // namespace pfx::crypto
