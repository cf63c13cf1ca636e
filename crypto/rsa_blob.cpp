// CNG's RSA blobs, read and written octet for octet. Refuses what it would not write itself:
// leading zeros, lengths that do not add up, trailing octets, numbers that do not fit together.
#include "crypto/rsa_blob.hpp"

#include <algorithm>
#include <array>
#include <bit>

#include "crypto/der.hpp"
#include "crypto/key_der.hpp"
#include "crypto/rsa_check.hpp"

#include <openssl/core_names.h>

namespace pfx::crypto {

namespace {

// BCRYPT_RSAKEY_BLOB (bcrypt.h): Magic, BitLength, cbPublicExp, cbModulus, cbPrime1, cbPrime2.
constexpr std::uint32_t public_magic = 0x31415352;  // "RSA1"
constexpr std::uint32_t private_magic = 0x33415352; // "RSA3"
constexpr std::size_t header_octets = 6 * 4;
constexpr std::uint32_t bits_min = 512; ///< below it nothing is a key any more
constexpr std::size_t exponent_octets_max = 8;

struct header {
  std::uint32_t magic = 0;
  std::uint32_t bits = 0;
  std::uint32_t exponent = 0; ///< octets, as the next three
  std::uint32_t modulus = 0;
  std::uint32_t prime1 = 0;
  std::uint32_t prime2 = 0;
};

tl::unexpected<error> refused(std::string why) {
  return failure(errc::bad_input, "blob", std::move(why));
}

void put(std::uint8_t*& at, std::uint32_t value) {
  for (int i = 0; i < 4; ++i, value >>= 8)
    *at++ = static_cast<std::uint8_t>(value & 0xff);
}

std::uint32_t take(byte_view& from) {
  std::uint32_t value = 0;
  for (std::size_t i = 4; i-- > 0;)
    value = value << 8 | from[i];
  from = from.subspan(4);
  return value;
}

void write(std::uint8_t*& at, const header& value) {
  for (const auto word :
       {value.magic, value.bits, value.exponent, value.modulus, value.prime1, value.prime2})
    put(at, word);
}

/// Also proves that modulus and exponent have the lengths they should.
result<header> read_header(byte_view blob, std::uint32_t magic) {
  if (blob.size() < header_octets)
    return refused("is shorter than its header of 24 octets");
  header out;
  for (auto* word : {&out.magic, &out.bits, &out.exponent, &out.modulus, &out.prime1, &out.prime2})
    *word = take(blob);
  if (out.magic != magic)
    return refused(magic == public_magic ? "is no RSAPUBLICBLOB: its magic is not RSA1"
                                         : "is no RSAFULLPRIVATEBLOB: its magic is not RSA3");
  if (out.bits < bits_min || out.bits > static_cast<std::uint32_t>(rsa_bits_max))
    return refused("has a BitLength that is not between 512 and 16384");
  if (out.modulus != (out.bits + 7) / 8)
    return refused("has a cbModulus that does not fit its BitLength");
  if (out.exponent < 1 || out.exponent > exponent_octets_max)
    return refused("has a cbPublicExp that is not between 1 and 8");
  return out;
}

/// A number that is written without leading zeros.
bool minimal(byte_view number) { return !number.empty() && number[0] != 0; }

std::uint32_t bits_of(byte_view number) {
  return static_cast<std::uint32_t>(number.size() * 8)
    - static_cast<std::uint32_t>(std::countl_zero(number[0]));
}

byte_view next(byte_view& from, std::size_t size) {
  const auto out = from.first(size);
  from = from.subspan(size);
  return out;
}

bignum_handle number(const ::EVP_PKEY* key, const char* name) {
  ::BIGNUM* out = nullptr;
  if (::EVP_PKEY_get_bn_param(key, name, &out) != 1)
    return nullptr;
  return bignum_handle(out);
}

bool write_number(std::uint8_t*& at, const ::BIGNUM* value, std::size_t size) {
  const bool fits = ::BN_bn2binpad(value, at, static_cast<int>(size)) == static_cast<int>(size);
  at += size;
  return fits;
}

std::uint32_t octets_of(const bignum_handle& value) {
  return static_cast<std::uint32_t>(BN_num_bytes(value.get()));
}

constexpr std::uint8_t rsa_algorithm[] // rsaEncryption with NULL (RFC 3279 2.3.1)
  = {0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00};

void write_integer(der::back_writer& out, byte_view magnitude) {
  while (magnitude.size() > 1 && magnitude[0] == 0)
    magnitude = magnitude.subspan(1);
  static constexpr std::uint8_t zero = 0;
  const auto mark = out.mark();
  out.raw(magnitude);
  if ((magnitude[0] & 0x80) != 0)
    out.raw(byte_view(&zero, 1));
  out.wrap(der::integer, mark);
}

/// The same numbers as PKCS#8, the form that everything else here reads.
result<private_key> key_of_numbers(const std::array<byte_view, 8>& numbers, std::size_t size) {
  static constexpr std::uint8_t version[] = {der::integer, 0x01, 0x00};
  secret_bytes room(size + 256);
  der::back_writer out(std::span(room.data(), room.size()));
  const auto mark = out.mark();
  for (auto at = numbers.rbegin(); at != numbers.rend(); ++at)
    write_integer(out, *at);
  out.raw(version).wrap(der::sequence, mark).wrap(der::octet_string, mark);
  out.raw(rsa_algorithm).raw(version).wrap(der::sequence, mark);
  if (!out.ok())
    return failure(errc::internal, "", "a private key outgrew its buffer");
  return private_key::from_pkcs8(out.written());
}

} // namespace

result<bytes> to_rsa_public_blob(byte_view public_key_info) {
  const queue_guard guard;
  const unsigned char* cursor = public_key_info.data();
  const pkey_handle key(::d2i_PUBKEY(nullptr, &cursor, static_cast<long>(public_key_info.size())));
  if (key == nullptr || cursor != public_key_info.data() + public_key_info.size()
      || kind_of(key.get()) != key_kind::rsa)
    return failure(errc::bad_input, "publicKey", "is no RSA key");
  const auto n = number(key.get(), OSSL_PKEY_PARAM_RSA_N);
  const auto e = number(key.get(), OSSL_PKEY_PARAM_RSA_E);
  if (n == nullptr || e == nullptr || octets_of(e) > exponent_octets_max
      || BN_num_bits(n.get()) > rsa_bits_max)
    return failure(errc::bad_input, "publicKey", "has numbers that fit no blob");
  const header head{public_magic,
                    static_cast<std::uint32_t>(BN_num_bits(n.get())),
                    octets_of(e),
                    octets_of(n),
                    0,
                    0};
  bytes out(header_octets + head.exponent + head.modulus);
  std::uint8_t* at = out.data();
  write(at, head);
  if (!write_number(at, e.get(), head.exponent) || !write_number(at, n.get(), head.modulus))
    return failure(errc::internal, "", "a number outgrew its room");
  return out;
}

result<bytes> from_rsa_public_blob(byte_view blob) {
  const auto head = read_header(blob, public_magic);
  if (!head)
    return failure(head.error());
  if (head->prime1 != 0 || head->prime2 != 0)
    return refused("is a public blob with room for primes");
  if (blob.size() != header_octets + std::size_t{head->exponent} + head->modulus)
    return refused("has another length than its header says");
  auto rest = blob.subspan(header_octets);
  const auto e = next(rest, head->exponent);
  const auto n = next(rest, head->modulus);
  if (!minimal(n) || !minimal(e) || bits_of(n) != head->bits)
    return refused("has a number that does not have the length the header says");
  if ((n.back() & 1) == 0 || (e.back() & 1) == 0 || (e.size() == 1 && e[0] == 1))
    return refused("holds no RSA key: modulus and exponent must be odd, the exponent above 1");
  const bytes inner = der::tlv(der::sequence, {der::unsigned_integer(n), der::unsigned_integer(e)});
  static constexpr std::uint8_t no_unused_bits = 0;
  const bytes bits = der::tlv(der::bit_string, {byte_view(&no_unused_bits, 1), inner});
  return der::tlv(der::sequence, {rsa_algorithm, bits});
}

result<secret_bytes> to_rsa_full_private_blob(const private_key& key) {
  const queue_guard guard;
  const ::EVP_PKEY* const pair = detail::access::pkey(key);
  if (kind_of(pair) != key_kind::rsa)
    return failure(errc::bad_input, "key", "is no RSA key");
  const auto n = number(pair, OSSL_PKEY_PARAM_RSA_N);
  const auto e = number(pair, OSSL_PKEY_PARAM_RSA_E);
  const auto d = number(pair, OSSL_PKEY_PARAM_RSA_D);
  const auto p = number(pair, OSSL_PKEY_PARAM_RSA_FACTOR1);
  const auto q = number(pair, OSSL_PKEY_PARAM_RSA_FACTOR2);
  const auto dp = number(pair, OSSL_PKEY_PARAM_RSA_EXPONENT1);
  const auto dq = number(pair, OSSL_PKEY_PARAM_RSA_EXPONENT2);
  const auto qi = number(pair, OSSL_PKEY_PARAM_RSA_COEFFICIENT1);
  if (!n || !e || !d || !p || !q || !dp || !dq || !qi || octets_of(e) > exponent_octets_max)
    return failure(errc::bad_input, "key", "has numbers that fit no blob");
  const header head{private_magic, static_cast<std::uint32_t>(BN_num_bits(n.get())),
                    octets_of(e),  octets_of(n),
                    octets_of(p),  octets_of(q)};
  secret_bytes out(header_octets + head.exponent + 2 * std::size_t{head.modulus}
                   + 3 * std::size_t{head.prime1} + 2 * std::size_t{head.prime2});
  std::uint8_t* at = out.data();
  write(at, head);
  const bool fit = write_number(at, e.get(), head.exponent)
    && write_number(at, n.get(), head.modulus) && write_number(at, p.get(), head.prime1)
    && write_number(at, q.get(), head.prime2) && write_number(at, dp.get(), head.prime1)
    && write_number(at, dq.get(), head.prime2) && write_number(at, qi.get(), head.prime1)
    && write_number(at, d.get(), head.modulus);
  if (!fit)
    return failure(errc::bad_input, "key", "has numbers that fit no blob");
  return out;
}

result<private_key> from_rsa_full_private_blob(byte_view blob) {
  const queue_guard guard;
  const auto head = read_header(blob, private_magic);
  if (!head)
    return failure(head.error());
  if (head->prime1 < 1 || head->prime1 > head->modulus || head->prime2 < 1
      || head->prime2 > head->modulus)
    return refused("has primes that are empty or longer than the modulus");
  const auto size = head->exponent + 2 * std::size_t{head->modulus} + 3 * std::size_t{head->prime1}
    + 2 * std::size_t{head->prime2};
  if (blob.size() != header_octets + size)
    return refused("has another length than its header says");
  auto rest = blob.subspan(header_octets);
  const auto e = next(rest, head->exponent);
  const auto n = next(rest, head->modulus);
  const auto p = next(rest, head->prime1);
  const auto q = next(rest, head->prime2);
  const auto dp = next(rest, head->prime1);
  const auto dq = next(rest, head->prime2);
  const auto qi = next(rest, head->prime1);
  const auto d = next(rest, head->modulus);
  if (!minimal(n) || !minimal(e) || !minimal(p) || !minimal(q) || bits_of(n) != head->bits)
    return refused("has a number that does not have the length the header says");
  auto key = key_of_numbers({n, e, d, p, q, dp, dq, qi}, size);
  if (!key && key.error().code == errc::too_large)
    return key;
  if (!key)
    return refused("holds no RSA key");
  if (auto sound = check_rsa_pair(detail::access::pkey(*key)); !sound)
    return failure(errc::bad_input, "blob", sound.error().message);
  return key;
}

} // namespace pfx::crypto
