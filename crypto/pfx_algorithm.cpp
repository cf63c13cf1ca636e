// Reads what a PKCS#12 file is encrypted and authenticated with. Refuses counts, salts and key
// lengths over their limits, and everything that is not read here, before any work is done on it.
#include "crypto/pfx_derive.hpp"
#include "crypto/pfx_parts.hpp"

#include <array>

namespace pfx::crypto::pfx_parts {

namespace {

using namespace std::string_view_literals;

constexpr auto pbes2 = "\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0d"sv;
constexpr auto pbkdf2 = "\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0c"sv;
constexpr auto pbmac1 = "\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0e"sv;
constexpr std::size_t mac_key_octets_min = 20; ///< RFC 9579: shorter ones MUST NOT be accepted
constexpr std::size_t mac_key_octets_max = 64; ///< as long as SHA-512's output

template <class T>
struct named {
  std::string_view oid;
  T value;
};

constexpr std::array<named<hash>, 5> digests{
  {{"\x2b\x0e\x03\x02\x1a"sv, hash::sha1},
   {"\x60\x86\x48\x01\x65\x03\x04\x02\x04"sv, hash::sha224},
   {"\x60\x86\x48\x01\x65\x03\x04\x02\x01"sv, hash::sha256},
   {"\x60\x86\x48\x01\x65\x03\x04\x02\x02"sv, hash::sha384},
   {"\x60\x86\x48\x01\x65\x03\x04\x02\x03"sv, hash::sha512}}};
constexpr std::array<named<hash>, 5> hmacs{{{"\x2a\x86\x48\x86\xf7\x0d\x02\x07"sv, hash::sha1},
                                            {"\x2a\x86\x48\x86\xf7\x0d\x02\x08"sv, hash::sha224},
                                            {"\x2a\x86\x48\x86\xf7\x0d\x02\x09"sv, hash::sha256},
                                            {"\x2a\x86\x48\x86\xf7\x0d\x02\x0a"sv, hash::sha384},
                                            {"\x2a\x86\x48\x86\xf7\x0d\x02\x0b"sv, hash::sha512}}};
constexpr std::array<named<cipher>, 4> pbes2_ciphers{
  {{"\x60\x86\x48\x01\x65\x03\x04\x01\x02"sv, cipher::aes128_cbc},
   {"\x60\x86\x48\x01\x65\x03\x04\x01\x16"sv, cipher::aes192_cbc},
   {"\x60\x86\x48\x01\x65\x03\x04\x01\x2a"sv, cipher::aes256_cbc},
   {"\x2a\x86\x48\x86\xf7\x0d\x03\x07"sv, cipher::des_ede3_cbc}}};
/// RFC 7292 appendix C; the two with RC4 are not read.
constexpr std::array<named<cipher>, 4> pkcs12_ciphers{
  {{"\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x01\x03"sv, cipher::des_ede3_cbc},
   {"\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x01\x04"sv, cipher::des_ede_cbc},
   {"\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x01\x05"sv, cipher::rc2_128_cbc},
   {"\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x01\x06"sv, cipher::rc2_40_cbc}}};

template <class T, std::size_t N>
std::optional<T> find(const std::array<named<T>, N>& among, byte_view oid) {
  for (const auto& one : among) {
    if (is(oid, one.oid))
      return one.value;
  }
  return std::nullopt;
}

constexpr std::array<std::size_t, 5> hash_octets{20, 28, 32, 48, 64};
constexpr std::array<std::size_t, ciphers> key_octets{16, 24, 32, 24, 16, 5, 16};

bool absent_or_null(const std::optional<der::element>& parameters) {
  return !parameters || (parameters->tag == der::null && parameters->content.empty());
}

pfx_result<std::int64_t> read_count(const der::element& integer) {
  byte_view magnitude = integer.content;
  if (magnitude.empty() || (magnitude[0] & 0x80) != 0)
    return refuse(reason::malformed, "an iteration count is negative or empty");
  while (!magnitude.empty() && magnitude[0] == 0)
    magnitude = magnitude.subspan(1);
  if (magnitude.empty())
    return refuse(reason::malformed, "an iteration count is zero");
  std::int64_t count = 0;
  for (const std::uint8_t octet : magnitude) {
    count = count << 8 | octet;
    if (count > pfx_limits::iterations_max)
      return refuse(reason::too_much, "an iteration count is over 2,000,000");
  }
  return count;
}

pfx_result<byte_view> read_salt(const der::element& salt) {
  if (salt.content.size() > pfx_limits::salt_octets_max)
    return refuse(reason::too_much, "a salt is longer than 1,024 octets");
  return salt.content;
}

struct pbkdf2_parameters {
  derivation key;
  std::optional<std::size_t> key_octets;
  byte_view prf_oid;
};

/// PBKDF2-params (RFC 8018 A.2).
pfx_result<pbkdf2_parameters> read_pbkdf2(const algorithm& from) {
  if (!is(from.oid, pbkdf2))
    return refuse(reason::unsupported, "a key derivation that is not PBKDF2");
  if (!from.parameters || from.parameters->tag != der::sequence)
    return refuse(reason::malformed, "PBKDF2 without parameters");
  der::reader walk(from.parameters->content);
  if (walk.peek() == der::sequence)
    return refuse(reason::unsupported, "a PBKDF2 salt from elsewhere");
  const auto salt = walk.next(der::octet_string);
  const auto count = walk.next(der::integer);
  const auto length = walk.next(der::integer);
  const bool prf_given = walk.peek() == der::sequence;
  const auto prf = prf_given ? read_algorithm(walk) : std::nullopt;
  if (!salt || !count || prf_given != prf.has_value() || !walk.at_end())
    return refuse(reason::malformed, "PBKDF2 parameters are malformed");
  pbkdf2_parameters out;
  out.key.by = derivation::scheme::pbkdf2;
  if (prf) {
    const auto known = find(hmacs, prf->oid);
    if (!known)
      return refuse(reason::unsupported, "a PBKDF2 function that is not HMAC with SHA-1 or SHA-2");
    if (!absent_or_null(prf->parameters))
      return refuse(reason::malformed, "an HMAC with parameters");
    out.key.with = *known;
    out.prf_oid = prf->oid;
  }
  auto octets = read_salt(*salt);
  auto iterations = read_count(*count);
  if (!octets || !iterations)
    return tl::unexpected(octets ? iterations.error() : octets.error());
  out.key.salt = *octets;
  out.key.iterations = *iterations;
  if (length) {
    auto value = read_count(*length);
    if (!value)
      return refuse(value.error().why, "a PBKDF2 key length is out of bounds");
    out.key_octets = static_cast<std::size_t>(*value);
  }
  return out;
}

/// PBES2-params (RFC 8018 A.4).
pfx_result<encryption> read_pbes2(const algorithm& from) {
  if (!from.parameters || from.parameters->tag != der::sequence)
    return refuse(reason::malformed, "PBES2 without parameters");
  der::reader walk(from.parameters->content);
  const auto kdf = read_algorithm(walk);
  const auto scheme = read_algorithm(walk);
  if (!kdf || !scheme || !walk.at_end())
    return refuse(reason::malformed, "PBES2 parameters are malformed");
  const auto with = find(pbes2_ciphers, scheme->oid);
  if (!with)
    return refuse(reason::unsupported, "a PBES2 cipher that is neither AES-CBC nor 3DES");
  auto key = read_pbkdf2(*kdf);
  if (!key)
    return tl::unexpected(std::move(key).error());
  if (key->key_octets && *key->key_octets != key_octets[static_cast<std::size_t>(*with)])
    return refuse(reason::malformed, "a key length that is not the cipher's");
  if (!scheme->parameters || scheme->parameters->tag != der::octet_string
      || scheme->parameters->content.size() != block_octets(*with))
    return refuse(reason::malformed, "an initialisation vector is missing or has another length");
  encryption out;
  out.key = key->key;
  out.with = *with;
  out.iv = scheme->parameters->content;
  out.cipher_oid = scheme->oid;
  out.kdf_oid = kdf->oid;
  out.prf_oid = key->prf_oid;
  return out;
}

/// pkcs-12PbeParams (RFC 7292 appendix C).
pfx_result<encryption> read_pkcs12_pbe(const algorithm& from, cipher with) {
  if (!from.parameters || from.parameters->tag != der::sequence)
    return refuse(reason::malformed, "an encryption without parameters");
  der::reader walk(from.parameters->content);
  const auto salt = walk.next(der::octet_string);
  const auto count = walk.next(der::integer);
  if (!salt || !count || !walk.at_end())
    return refuse(reason::malformed, "an encryption's parameters are malformed");
  auto octets = read_salt(*salt);
  auto iterations = read_count(*count);
  if (!octets || !iterations)
    return tl::unexpected(octets ? iterations.error() : octets.error());
  encryption out;
  out.key = derivation{derivation::scheme::pkcs12, hash::sha1, *octets, *iterations};
  out.with = with;
  out.cipher_oid = from.oid;
  out.kdf_oid = from.oid;
  return out;
}

/// PBMAC1-params (RFC 9579 section 4); MacData's own salt and count mean nothing then.
pfx_result<mac_check> read_pbmac1(const algorithm& from) {
  if (!from.parameters || from.parameters->tag != der::sequence)
    return refuse(reason::malformed, "PBMAC1 without parameters");
  der::reader walk(from.parameters->content);
  const auto kdf = read_algorithm(walk);
  const auto scheme = read_algorithm(walk);
  if (!kdf || !scheme || !walk.at_end())
    return refuse(reason::malformed, "PBMAC1 parameters are malformed");
  const auto with = find(hmacs, scheme->oid);
  if (!with)
    return refuse(reason::unsupported, "a PBMAC1 that is not HMAC with SHA-1 or SHA-2");
  if (!absent_or_null(scheme->parameters))
    return refuse(reason::malformed, "an HMAC with parameters");
  auto key = read_pbkdf2(*kdf);
  if (!key)
    return tl::unexpected(std::move(key).error());
  if (!key->key_octets || *key->key_octets < mac_key_octets_min)
    return refuse(reason::malformed, "PBMAC1 without a key length, or with one below 20");
  if (*key->key_octets > mac_key_octets_max)
    return refuse(reason::too_much, "a PBMAC1 key is longer than 64 octets");
  return mac_check{key->key, *with, *key->key_octets, {}, scheme->oid};
}

/// The MAC of RFC 7292 appendix B.4: its key is as long as the digest.
pfx_result<mac_check> read_classic_mac(const algorithm& from, const der::element& salt,
                                       const std::optional<der::element>& count) {
  const auto with = find(digests, from.oid);
  if (!with)
    return refuse(reason::unsupported, "a MAC that is not of SHA-1 or SHA-2");
  if (!absent_or_null(from.parameters))
    return refuse(reason::malformed, "a digest with parameters");
  auto octets = read_salt(salt);
  pfx_result<std::int64_t> iterations = 1; // DEFAULT 1
  if (count)
    iterations = read_count(*count);
  if (!octets || !iterations)
    return tl::unexpected(octets ? iterations.error() : octets.error());
  return mac_check{{derivation::scheme::pkcs12, *with, *octets, *iterations},
                   *with,
                   hash_octets[static_cast<std::size_t>(*with)],
                   {},
                   from.oid};
}

} // namespace

tl::unexpected<pfx_refusal> refuse(reason why, std::string message) {
  errc code = errc::bad_input;
  switch (why) {
    case reason::malformed:
      break;
    case reason::too_much:
    case reason::needs_time:
      code = errc::too_large;
      break;
    case reason::unsupported:
      code = errc::not_supported;
      break;
    case reason::not_opened:
      code = errc::crypto;
      break;
  }
  return tl::unexpected(pfx_refusal{why, {code, "encryptedPfxBlob", std::move(message)}});
}

bool is(byte_view oid, std::string_view content) noexcept {
  return std::string_view(reinterpret_cast<const char*>(oid.data()), oid.size()) == content;
}

std::optional<algorithm> read_algorithm(der::reader& from) {
  const auto whole = from.next(der::sequence);
  if (!whole)
    return std::nullopt;
  der::reader walk(whole->content);
  const auto oid = walk.next(der::object_identifier);
  if (!oid)
    return std::nullopt;
  algorithm out{oid->content, walk.at_end() ? std::nullopt : walk.next()};
  if (!walk.at_end())
    return std::nullopt;
  return out;
}

pfx_result<encryption> read_encryption(const algorithm& from, byte_view cipher_text) {
  pfx_result<encryption> out = refuse(reason::unsupported, "an encryption that is not read here");
  if (is(from.oid, pbes2)) {
    out = read_pbes2(from);
  } else if (const auto with = find(pkcs12_ciphers, from.oid)) {
    out = read_pkcs12_pbe(from, *with);
  }
  if (!out)
    return out;
  if (!has_cipher(out->with)) {
    return refuse(reason::unsupported,
                  "the file is encrypted with RC2, and OpenSSL's legacy provider, which has it, "
                  "cannot be loaded on this machine");
  }
  if (cipher_text.empty() || cipher_text.size() % block_octets(out->with) != 0)
    return refuse(reason::malformed, "an encrypted content is not of whole blocks");
  out->cipher_text = cipher_text;
  return out;
}

pfx_result<mac_check> read_mac(const der::element& mac_data) {
  der::reader walk(mac_data.content);
  const auto info = walk.next(der::sequence);
  const auto salt = walk.next(der::octet_string);
  const auto count = walk.next(der::integer);
  if (!info || !salt || !walk.at_end())
    return refuse(reason::malformed, "the MAC is malformed");
  der::reader inside(info->content);
  const auto how = read_algorithm(inside);
  const auto value = inside.next(der::octet_string);
  if (!how || !value || !inside.at_end())
    return refuse(reason::malformed, "the MAC is malformed");
  auto out = is(how->oid, pbmac1) ? read_pbmac1(*how) : read_classic_mac(*how, *salt, count);
  if (!out)
    return out;
  if (value->content.size() != hash_octets[static_cast<std::size_t>(out->with)])
    return refuse(reason::malformed, "the MAC is not as long as its hash");
  out->value = value->content;
  return out;
}

} // namespace pfx::crypto::pfx_parts
