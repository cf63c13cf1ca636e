// See pfx_maker.hpp.
#include "tests/crypto/pfx_maker.hpp"

#include "crypto/openssl.hpp"
#include "crypto/random.hpp"
#include "tests/catch.hpp"
#include "tests/crypto/support.hpp"

#include <openssl/hmac.h>
#include <openssl/provider.h>

#include <map>

#include <time.h>

namespace pfx::crypto::test {

namespace {

constexpr auto data = "1.2.840.113549.1.7.1";
constexpr auto encrypted_data = "1.2.840.113549.1.7.6";

const bytes null{0x05, 0x00};

std::string digest_oid(int hash) {
  static const std::map<int, std::string> all{{1, "1.3.14.3.2.26"},
                                              {224, "2.16.840.1.101.3.4.2.4"},
                                              {256, "2.16.840.1.101.3.4.2.1"},
                                              {384, "2.16.840.1.101.3.4.2.2"},
                                              {512, "2.16.840.1.101.3.4.2.3"}};
  return all.at(hash);
}

std::string hmac_oid(int hash) {
  static const std::map<int, std::string> all{
    {1, "7"}, {224, "8"}, {256, "9"}, {384, "10"}, {512, "11"}};
  return "1.2.840.113549.2." + all.at(hash);
}

const ::EVP_MD* digest_of(int hash) {
  static const std::map<int, const ::EVP_MD*> all{{1, ::EVP_sha1()},
                                                  {224, ::EVP_sha224()},
                                                  {256, ::EVP_sha256()},
                                                  {384, ::EVP_sha384()},
                                                  {512, ::EVP_sha512()}};
  return all.at(hash);
}

bytes pbkdf2(byte_view salt, std::int64_t iterations, std::optional<std::int64_t> key_octets,
             int prf) {
  parts all{octets(salt), integer(iterations)};
  if (key_octets)
    all.push_back(integer(*key_octets));
  if (prf != 0)
    all.push_back(seq({oid(hmac_oid(prf)), null}));
  return seq({oid("1.2.840.113549.1.5.12"), seq(all)});
}

bytes hmac(int hash, byte_view key, byte_view over) {
  bytes out(EVP_MAX_MD_SIZE);
  unsigned size = 0;
  REQUIRE(::HMAC(digest_of(hash), key.data(), static_cast<int>(key.size()), over.data(),
                 over.size(), out.data(), &size)
          != nullptr);
  out.resize(size);
  return out;
}

/// The default and the legacy provider, for RC2.
::OSSL_LIB_CTX* with_legacy() {
  static ::OSSL_LIB_CTX* const context = [] {
    ::OSSL_LIB_CTX* made = ::OSSL_LIB_CTX_new();
    REQUIRE(::OSSL_PROVIDER_load(made, "default") != nullptr);
    REQUIRE(::OSSL_PROVIDER_load(made, "legacy") != nullptr);
    return made;
  }();
  return context;
}

/// EncryptedPrivateKeyInfo and EncryptedContentInfo both want the algorithm beside the octets.
struct encrypted {
  bytes algorithm;
  bytes cipher_text;
};

encrypted encrypted_with(const pbe_shape& shape, byte_view plain, const std::string& password) {
  encrypted out{algorithm(shape), {}};
  const unsigned char* cursor = out.algorithm.data();
  const handle<::X509_ALGOR, ::X509_ALGOR_free> how(
    ::d2i_X509_ALGOR(nullptr, &cursor, static_cast<long>(out.algorithm.size())));
  unsigned char* made = nullptr;
  int size = 0;
  REQUIRE(::PKCS12_pbe_crypt_ex(how.get(), password.data(), static_cast<int>(password.size()),
                                plain.data(), static_cast<int>(plain.size()), &made, &size, 1,
                                with_legacy(), nullptr)
          != nullptr);
  out.cipher_text.assign(made, made + size);
  ::OPENSSL_free(made);
  return out;
}

double now_ms() {
  timespec at{};
  REQUIRE(::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &at) == 0);
  return static_cast<double>(at.tv_sec) * 1e3 + static_cast<double>(at.tv_nsec) / 1e6;
}

} // namespace

bytes join(const parts& all) {
  bytes out;
  for (const bytes& one : all)
    der::append(out, one);
  return out;
}
bytes seq(const parts& all) { return der::tlv(der::sequence, join(all)); }
bytes set(const parts& all) { return der::tlv(der::set, join(all)); }
bytes octets(byte_view content) { return der::tlv(der::octet_string, content); }
bytes explicit0(const bytes& content) { return der::tlv(der::context_constructed(0), content); }

bytes oid(const std::string& dotted) {
  auto out = der::oid(dotted);
  REQUIRE(out);
  return *out;
}

bytes integer(std::int64_t value) {
  bytes magnitude;
  for (int shift = 56; shift >= 0; shift -= 8)
    magnitude.push_back(static_cast<std::uint8_t>(value >> shift));
  return der::unsigned_integer(magnitude);
}

bytes algorithm(const pbe_shape& shape) {
  const bytes salt = random_bytes(shape.salt_octets);
  static const std::map<std::string, std::string> own{
    {"pbe-3des", "3"}, {"pbe-2des", "4"}, {"pbe-rc2-128", "5"}, {"pbe-rc2-40", "6"}};
  if (const auto found = own.find(shape.cipher); found != own.end()) {
    return seq({oid("1.2.840.113549.1.12.1." + found->second),
                seq({octets(salt), integer(shape.iterations)})});
  }
  static const std::map<std::string, std::string> modern{{"aes128", "2.16.840.1.101.3.4.1.2"},
                                                         {"aes192", "2.16.840.1.101.3.4.1.22"},
                                                         {"aes256", "2.16.840.1.101.3.4.1.42"},
                                                         {"des3", "1.2.840.113549.3.7"}};
  const bytes iv = random_bytes(shape.cipher == "des3" ? 8 : 16);
  return seq({oid("1.2.840.113549.1.5.13"),
              seq({pbkdf2(salt, shape.iterations, std::nullopt, shape.prf),
                   seq({oid(modern.at(shape.cipher)), octets(iv)})})});
}

bytes bmp(const std::u16string& units) {
  bytes content;
  for (const char16_t unit : units) {
    content.push_back(static_cast<std::uint8_t>(unit >> 8));
    content.push_back(static_cast<std::uint8_t>(unit & 0xff));
  }
  return der::tlv(der::bmp_string, content);
}
bytes attribute(const std::string& type, const parts& values) {
  return seq({oid(type), set(values)});
}
bytes friendly_name(const std::u16string& name) {
  return attribute("1.2.840.113549.1.9.20", {bmp(name)});
}
bytes local_key_id(byte_view id) { return attribute("1.2.840.113549.1.9.21", {octets(id)}); }

bytes bag(const std::string& type, const bytes& value, const parts& attributes) {
  parts all{oid(type), explicit0(value)};
  if (!attributes.empty())
    all.push_back(set(attributes));
  return seq(all);
}

bytes key_bag(const private_key& key, const parts& attributes) {
  const auto info = key.to_pkcs8();
  REQUIRE(info);
  return bag("1.2.840.113549.1.12.10.1.1", to_bytes(info->view()), attributes);
}

bytes shrouded_bag(const private_key& key, const pbe_shape& shape, const std::string& password,
                   const parts& attributes) {
  const auto info = key.to_pkcs8();
  REQUIRE(info);
  return raw_shrouded_bag(info->view(), shape, password, attributes);
}

bytes raw_shrouded_bag(byte_view private_key_info, const pbe_shape& shape,
                       const std::string& password, const parts& attributes) {
  const encrypted inside = encrypted_with(shape, private_key_info, password);
  return bag("1.2.840.113549.1.12.10.1.2", seq({inside.algorithm, octets(inside.cipher_text)}),
             attributes);
}

bytes hollow_bag(const bytes& algorithm, std::size_t size) {
  return bag("1.2.840.113549.1.12.10.1.2", seq({algorithm, octets(bytes(size))}));
}

bytes cert_bag(const certificate& cert, const parts& attributes) {
  return bag("1.2.840.113549.1.12.10.1.3",
             seq({oid("1.2.840.113549.1.9.22.1"), explicit0(octets(cert.der()))}), attributes);
}

bytes nested_bag(const parts& bags) { return bag("1.2.840.113549.1.12.10.1.6", seq(bags)); }

bytes plain_safe(const parts& bags) { return seq({oid(data), explicit0(octets(seq(bags)))}); }

bytes sealed_safe(const bytes& algorithm, byte_view cipher_text) {
  return seq(
    {oid(encrypted_data),
     explicit0(
       seq({integer(0), seq({oid(data), algorithm, der::tlv(der::context(0), cipher_text)})}))});
}

bytes encrypted_safe(const parts& bags, const pbe_shape& shape, const std::string& password) {
  const encrypted inside = encrypted_with(shape, seq(bags), password);
  return sealed_safe(inside.algorithm, inside.cipher_text);
}

bytes mac(const mac_shape& shape, byte_view over, const std::string& password) {
  bytes salt = random_bytes(8);
  const bool run = shape.iterations >= 1 && shape.iterations <= 2'000'000;
  const int count = run ? static_cast<int>(shape.iterations) : 1;
  if (shape.pbmac1_prf) {
    const bool long_key = shape.pbmac1_key_octets > 1024 || shape.pbmac1_key_octets < 1;
    bytes key(long_key ? 32 : static_cast<std::size_t>(shape.pbmac1_key_octets));
    REQUIRE(::PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()), salt.data(),
                                static_cast<int>(salt.size()), count, digest_of(*shape.pbmac1_prf),
                                static_cast<int>(key.size()), key.data())
            == 1);
    const bytes how
      = seq({oid("1.2.840.113549.1.5.14"),
             seq({pbkdf2(salt, shape.iterations, shape.pbmac1_key_octets, *shape.pbmac1_prf),
                  seq({oid(hmac_oid(shape.hash)), null})})});
    return seq({seq({how, octets(hmac(shape.hash, key, over))}), octets(bytes{1}), integer(1)});
  }
  bytes key(static_cast<std::size_t>(::EVP_MD_get_size(digest_of(shape.hash))));
  REQUIRE(::PKCS12_key_gen_utf8(password.data(), static_cast<int>(password.size()), salt.data(),
                                static_cast<int>(salt.size()), PKCS12_MAC_ID, count,
                                static_cast<int>(key.size()), key.data(), digest_of(shape.hash))
          == 1);
  return seq({seq({seq({oid(digest_oid(shape.hash)), null}), octets(hmac(shape.hash, key, over))}),
              octets(salt), integer(shape.iterations)});
}

bytes false_mac(byte_view count) {
  return seq({seq({seq({oid(digest_oid(256)), null}), octets(bytes(32))}), octets(bytes(8)),
              der::tlv(der::integer, count)});
}

bytes authenticated(const parts& safes) { return seq(safes); }

bytes file(byte_view over, const bytes& mac_data) {
  return seq({integer(3), seq({oid(data), explicit0(octets(over))}), mac_data});
}
bytes file(const parts& safes, const std::string& password, const mac_shape& shape) {
  const bytes over = authenticated(safes);
  return file(over, mac(shape, over, password));
}
bytes file_without_mac(const parts& safes) { return file(authenticated(safes), {}); }

pfx_result<pfx_contents> open(const bytes& file, const std::string& password, std::int64_t budget) {
  const auto parsed = pfx_file::parse(file);
  if (!parsed)
    return tl::unexpected(parsed.error());
  return parsed->open(secret(password), budget);
}

std::optional<pfx_refusal::reason> refusal(const bytes& file, const std::string& password,
                                           std::int64_t budget) {
  const auto out = open(file, password, budget);
  if (out)
    return std::nullopt;
  CHECK(out.error().what.field == "encryptedPfxBlob");
  CHECK_FALSE(out.error().what.message.empty());
  return out.error().why;
}

std::string words(const bytes& file, const std::string& password) {
  const auto out = open(file, password);
  return out ? "opens" : to_string(out.error().what);
}

cpu_clock::cpu_clock() : start_(now_ms()) {}
double cpu_clock::milliseconds() const { return now_ms() - start_; }

} // namespace pfx::crypto::test
