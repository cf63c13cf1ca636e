// Derivations, decryption and MACs of PKCS#12 files by OpenSSL, in a library context of their own
// that has the legacy provider. Keys and plain octets pass only through buffers that are wiped.
#include "crypto/pfx_derive.hpp"

#include "crypto/openssl.hpp"
#include "crypto/text.hpp"

#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/provider.h>

#include <algorithm>
#include <array>

namespace pfx::crypto::pfx_parts {

namespace {

constexpr std::size_t mac_octets_max = 64;

constexpr std::array<const char*, 5> hash_names{"SHA1", "SHA2-224", "SHA2-256", "SHA2-384",
                                                "SHA2-512"};
constexpr std::array<const char*, ciphers> cipher_names{
  "AES-128-CBC", "AES-192-CBC", "AES-256-CBC", "DES-EDE3-CBC",
  "DES-EDE-CBC", "RC2-40-CBC",  "RC2-CBC"}; // RC2-CBC has 128 effective bits unless told otherwise

/// Made once per process, read-only from then on, never freed (as fetched(), for its reasons).
struct toolbox {
  ::OSSL_LIB_CTX* context = nullptr;
  ::EVP_KDF* pbkdf2 = nullptr;
  ::EVP_KDF* pkcs12 = nullptr;
  std::array<::EVP_CIPHER*, ciphers> by_name{};
};

toolbox open_toolbox() noexcept {
  const queue_guard guard;
  toolbox out;
  out.context = ::OSSL_LIB_CTX_new();
  if (out.context == nullptr || ::OSSL_PROVIDER_load(out.context, "default") == nullptr)
    give_up("OpenSSL's default provider cannot be loaded");
  // Without it there is no RC2, and has_cipher says so.
  static_cast<void>(::OSSL_PROVIDER_load(out.context, "legacy"));
  out.pbkdf2 = ::EVP_KDF_fetch(out.context, OSSL_KDF_NAME_PBKDF2, nullptr);
  out.pkcs12 = ::EVP_KDF_fetch(out.context, "PKCS12KDF", nullptr);
  if (out.pbkdf2 == nullptr || out.pkcs12 == nullptr)
    give_up("OpenSSL's default provider lacks a key derivation");
  for (std::size_t i = 0; i < ciphers; ++i)
    out.by_name[i] = ::EVP_CIPHER_fetch(out.context, cipher_names[i], nullptr);
  return out;
}

const toolbox& tools() noexcept {
  static const toolbox all = open_toolbox();
  return all;
}

template <class E>
constexpr std::size_t place(E value) {
  return static_cast<std::size_t>(value);
}

/// What the derived octets are for (RFC 7292 B.3); PBKDF2 knows no difference.
enum class use : int { key = 1, iv = 2, mac = 3 };

tl::unexpected<pfx_refusal> broken(std::string_view doing) {
  return refuse(reason::unsupported, drain_errors(errc::crypto, "", doing).message);
}

pfx_result<secret_bytes> derive(const derivation& how, use purpose, std::size_t size,
                                const password_form& password) {
  const bool pbkdf2 = how.by == derivation::scheme::pbkdf2;
  const kdf_context context(::EVP_KDF_CTX_new(pbkdf2 ? tools().pbkdf2 : tools().pkcs12));
  const secret_bytes& secret = pbkdf2 ? password.octets : password.bmp;
  // OSSL_PARAM has no const; what is passed is only read. No octets still need a place.
  static std::uint8_t nowhere = 0;
  const auto octets = [](const char* name, byte_view value) {
    return ::OSSL_PARAM_construct_octet_string(
      name, value.empty() ? &nowhere : const_cast<std::uint8_t*>(value.data()), value.size());
  };
  auto iterations = static_cast<std::uint64_t>(how.iterations);
  // The id of PKCS12KDF; for PBKDF2 the same place turns off the lower bounds of SP 800-132.
  int number = pbkdf2 ? 1 : static_cast<int>(purpose);
  std::string digest(hash_names[place(how.with)]);
  const std::array<::OSSL_PARAM, 6> parameters{
    octets(OSSL_KDF_PARAM_PASSWORD, secret.view()),
    octets(OSSL_KDF_PARAM_SALT, how.salt),
    ::OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_ITER, &iterations),
    ::OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest.data(), 0),
    ::OSSL_PARAM_construct_int(pbkdf2 ? OSSL_KDF_PARAM_PKCS5 : OSSL_KDF_PARAM_PKCS12_ID, &number),
    ::OSSL_PARAM_construct_end()};
  secret_bytes out(size);
  if (context == nullptr
      || ::EVP_KDF_derive(context.get(), out.data(), out.size(), parameters.data()) != 1)
    return broken("deriving a key");
  return out;
}

/// Latin-1, whose code points are Unicode's first 256.
secret_bytes latin1_to_utf8(byte_view latin1) {
  secret_bytes out(2 * latin1.size());
  std::size_t size = 0;
  for (const std::uint8_t octet : latin1) {
    if (octet < 0x80) {
      out.data()[size++] = octet;
    } else {
      out.data()[size++] = static_cast<std::uint8_t>(0xc0 | octet >> 6);
      out.data()[size++] = static_cast<std::uint8_t>(0x80 | (octet & 0x3f));
    }
  }
  out.shrink(size);
  return out;
}

/// UTF-16BE with a terminator. Octets that are no UTF-8 are taken for Latin-1, as OpenSSL does.
std::optional<secret_bytes> to_bmp(byte_view text) {
  unsigned char* made = nullptr;
  int size = 0;
  const auto* characters = reinterpret_cast<const char*>(text.data());
  if (::OPENSSL_utf82uni(characters == nullptr ? "" : characters, static_cast<int>(text.size()),
                         &made, &size)
      == nullptr)
    return std::nullopt;
  secret_bytes out(byte_view(made, static_cast<std::size_t>(size)));
  ::OPENSSL_clear_free(made, static_cast<std::size_t>(size));
  return out;
}

} // namespace

std::vector<password_form> forms_of(const secret_bytes& password) {
  std::vector<password_form> out;
  auto bmp = to_bmp(password.view());
  if (!bmp)
    return out;
  if (!password.empty() && !utf8_characters(password.text())) {
    out.push_back({password.duplicate(), bmp->duplicate(), false});
    out.push_back({latin1_to_utf8(password.view()), std::move(*bmp), true});
    return out;
  }
  out.push_back({password.duplicate(), std::move(*bmp), false});
  if (password.empty())
    out.push_back({secret_bytes(), secret_bytes(), false});
  return out;
}

bool has_cipher(cipher which) noexcept { return tools().by_name[place(which)] != nullptr; }

pfx_result<secret_bytes> decrypt(const encryption& lock, const password_form& password) {
  const queue_guard guard;
  const ::EVP_CIPHER* with = tools().by_name[place(lock.with)];
  if (with == nullptr)
    return refuse(reason::unsupported, "a cipher that OpenSSL does not have here");
  auto key = derive(lock.key, use::key, static_cast<std::size_t>(EVP_CIPHER_get_key_length(with)),
                    password);
  if (!key)
    return key;
  secret_bytes iv(lock.iv);
  if (iv.empty()) {
    auto derived = derive(lock.key, use::iv, block_octets(lock.with), password);
    if (!derived)
      return derived;
    iv = std::move(*derived);
  }
  const cipher_context context(::EVP_CIPHER_CTX_new());
  secret_bytes out(lock.cipher_text.size() + block_octets(lock.with));
  int size = 0;
  int rest = 0;
  if (context == nullptr
      || ::EVP_DecryptInit_ex2(context.get(), with, key->data(), iv.data(), nullptr) != 1
      || ::EVP_DecryptUpdate(context.get(), out.data(), &size, lock.cipher_text.data(),
                             static_cast<int>(lock.cipher_text.size()))
        != 1)
    return broken("decrypting");
  if (::EVP_DecryptFinal_ex(context.get(), out.data() + size, &rest) != 1)
    return refuse(reason::not_opened, "an encrypted part does not open");
  out.shrink(static_cast<std::size_t>(size) + static_cast<std::size_t>(rest));
  return out;
}

pfx_result<void> verify(const mac_check& mac, byte_view authenticated,
                        const password_form& password) {
  const queue_guard guard;
  const auto key = derive(mac.key, use::mac, mac.key_octets, password);
  if (!key)
    return tl::unexpected(key.error());
  std::array<std::uint8_t, mac_octets_max> value{};
  std::size_t size = 0;
  if (::EVP_Q_mac(tools().context, "HMAC", nullptr, hash_names[place(mac.with)], nullptr,
                  key->data(), key->size(), authenticated.data(), authenticated.size(),
                  value.data(), value.size(), &size)
      == nullptr)
    return broken("computing a MAC");
  if (!equal_constant_time(byte_view(value).first(size), mac.value))
    return refuse(reason::not_opened, "the password or the MAC is wrong");
  return {};
}

} // namespace pfx::crypto::pfx_parts
