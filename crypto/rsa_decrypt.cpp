// RSA decryption that does not tell whether it succeeded: random octets are drawn first, and what
// came out is chosen octet by octet with a mask. Refuses keys that are not RSA, never ciphertexts.
#include "crypto/rsa_decrypt.hpp"

#include <algorithm>
#include <array>

#include "crypto/digest.hpp"
#include "crypto/key_der.hpp"
#include "crypto/openssl.hpp"
#include "crypto/random.hpp"

#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/rsa.h>

namespace pfx::crypto {

namespace {

using pkey_context = handle<::EVP_PKEY_CTX, ::EVP_PKEY_CTX_free>;

constexpr int rsa_bits_min = 2048;
/// Length of the octets that stand in for a plaintext of OAEP: as long as the passwords that the
/// engine makes itself, one block of every HMAC, and within every modulus.
constexpr std::size_t stand_in_octets = 32;
constexpr std::size_t pkcs1_overhead = 11; ///< RFC 8017 7.2.1

struct padding_word {
  rsa_padding value;
  std::string_view word;
};
constexpr std::array padding_words{padding_word{rsa_padding::pkcs1, "pkcs1"},
                                   padding_word{rsa_padding::oaep_sha256, "oaepSha256"},
                                   padding_word{rsa_padding::oaep_sha384, "oaepSha384"},
                                   padding_word{rsa_padding::oaep_sha512, "oaepSha512"}};

constexpr char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

/// Null for PKCS#1 v1.5.
const ::EVP_MD* hash_of(rsa_padding padding) noexcept {
  switch (padding) {
    case rsa_padding::oaep_sha256:
      return fetched().sha256;
    case rsa_padding::oaep_sha384:
      return fetched().sha384;
    case rsa_padding::oaep_sha512:
      return fetched().sha512;
    case rsa_padding::pkcs1:
      break;
  }
  return nullptr;
}

bool known(rsa_padding padding) noexcept {
  return padding >= rsa_padding::pkcs1 && padding <= rsa_padding::oaep_sha512;
}

bool set_padding(::EVP_PKEY_CTX* context, rsa_padding padding) {
  const ::EVP_MD* hash = hash_of(padding);
  if (hash == nullptr)
    return ::EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1;
  return ::EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) == 1
    && ::EVP_PKEY_CTX_set_rsa_oaep_md(context, hash) == 1
    && ::EVP_PKEY_CTX_set_rsa_mgf1_md(context, hash) == 1;
}

/// OpenSSL 3.2 puts random octets of its own behind a bad PKCS#1 v1.5 padding and calls that a
/// success. Ours stand there already, and the local audit shall know. Older ones ignore the word.
bool reject_here(::EVP_PKEY_CTX* context) {
  unsigned int off = 0;
  const std::array<::OSSL_PARAM, 2> parameters{
    ::OSSL_PARAM_construct_uint("implicit-rejection", &off), ::OSSL_PARAM_construct_end()};
  return ::EVP_PKEY_CTX_set_params(context, parameters.data()) == 1;
}

pkey_context start(::EVP_PKEY* key, rsa_padding padding) {
  pkey_context context(::EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
  if (context == nullptr || ::EVP_PKEY_decrypt_init(context.get()) != 1
      || !set_padding(context.get(), padding) || !reject_here(context.get()))
    return nullptr;
  return context;
}

/// A number below every modulus of this length, so that a ciphertext of a wrong length or size
/// costs what any other costs.
secret_bytes stand_in_ciphertext(std::size_t size) {
  auto out = random_secret(size);
  out.data()[0] = 0;
  return out;
}

/// A number that happens to be padded for PKCS#1 v1.5 brings a plaintext of any length, and longer
/// ones take longer to derive keys from: what stands in has any length as well. It hangs on the
/// number, so that asking twice shows nothing (as the implicit rejection of OpenSSL 3.2 does).
std::size_t stand_in_size(rsa_padding padding, byte_view number) {
  static const secret_bytes secret = random_secret(32); // of this process
  secret_bytes octets(secret.size() + number.size());
  std::ranges::copy(secret.view(), octets.data());
  std::ranges::copy(number, octets.data() + secret.size());
  const auto drawn = sha256(octets.view());
  std::uint32_t any = 0;
  for (std::size_t i = 0; i < sizeof any; ++i)
    any = any << 8 | drawn.octets[i];
  const std::size_t pkcs1 = any % (number.size() - pkcs1_overhead + 1);
  return padding == rsa_padding::pkcs1 ? pkcs1 : stand_in_octets;
}

/// True if `octets` are a number below the modulus; both are public.
bool below_modulus(byte_view octets, const ::EVP_PKEY* key) {
  ::BIGNUM* modulus = nullptr;
  if (::EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &modulus) != 1)
    return false;
  const bignum_handle owned(modulus);
  const bignum_handle number(::BN_bin2bn(octets.data(), static_cast<int>(octets.size()), nullptr));
  return number != nullptr && ::BN_cmp(number.get(), modulus) < 0;
}

/// All ones for 1, zero for 0, without a comparison that could become a jump.
template <class Word>
Word mask_of(unsigned int bit) noexcept {
  volatile unsigned int hidden = bit; // the optimiser must not learn that it is one of two values
  return static_cast<Word>(~static_cast<Word>(0) * static_cast<Word>(hidden));
}

struct chosen {
  secret_bytes octets; ///< of the modulus' length
  std::size_t size = 0;
};

/// The one or the other: reads all of both, whatever `taken` is.
chosen choose(unsigned int taken, const secret_bytes& plain, std::size_t plain_size,
              const secret_bytes& instead, std::size_t instead_size) {
  chosen out{secret_bytes(plain.size()), 0};
  const auto octet_mask = mask_of<std::uint8_t>(taken);
  for (std::size_t i = 0; i < plain.size(); ++i)
    out.octets.data()[i] = static_cast<std::uint8_t>((plain.data()[i] & octet_mask)
                                                     | (instead.data()[i] & ~octet_mask));
  const auto size_mask = mask_of<std::size_t>(taken);
  out.size = (plain_size & size_mask) | (instead_size & ~size_mask);
  return out;
}

} // namespace

std::string_view name_of(rsa_padding value) noexcept {
  for (const auto& each : padding_words)
    if (each.value == value)
      return each.word;
  return "unknown";
}

std::optional<rsa_padding> rsa_padding_of(std::string_view word) noexcept {
  const auto same = [word](const padding_word& each) {
    return std::ranges::equal(each.word, word, {}, lower, lower);
  };
  const auto found = std::ranges::find_if(padding_words, same);
  return found == padding_words.end() ? std::nullopt : std::optional(found->value);
}

result<rsa_plaintext> rsa_decrypt(const private_key& key, rsa_padding padding,
                                  byte_view ciphertext) {
  const queue_guard guard; // empties the queue at one cost: it walks all its places always
  ::EVP_PKEY* const pair = detail::access::pkey(key);
  const int bits = kind_of(pair) == key_kind::rsa ? ::EVP_PKEY_get_bits(pair) : 0;
  if (bits < rsa_bits_min || bits > rsa_bits_max)
    return failure(errc::bad_input, "key", "is not RSA of 2048 to 16384 bits");
  if (!known(padding))
    return failure(errc::bad_input, "padding", "is unknown");
  const auto size = static_cast<std::size_t>(::EVP_PKEY_get_size(pair));
  const auto context = start(pair, padding);
  if (context == nullptr)
    return failure(drain_errors(errc::crypto, "", "preparing a decryption"));

  // Drawn before the decryption, always, so that a failure costs nothing that a success does not.
  const auto instead = random_secret(size);
  const auto substitute = stand_in_ciphertext(size);
  // Length and size of the number are public, and cost the same all the same.
  const bool of_length = ciphertext.size() == size;
  const byte_view offered = of_length ? ciphertext : substitute.view();
  const bool usable = below_modulus(offered, pair) && of_length;
  const byte_view input = usable ? offered : substitute.view();
  const std::size_t instead_size = stand_in_size(padding, input);

  secret_bytes plain(size);
  std::size_t plain_size = size;
  const int done
    = ::EVP_PKEY_decrypt(context.get(), plain.data(), &plain_size, input.data(), input.size());
  // 1 is the only word for success; 0 and -1 are failures. No jump: shifts and masks.
  const auto difference = static_cast<unsigned int>(done) ^ 1U;
  const auto good
    = 1U ^ ((difference | (0U - difference)) >> 31U); // the sign bit is set unless it is zero
  const auto taken = good & static_cast<unsigned int>(usable);

  auto picked = choose(taken, plain, plain_size, instead, instead_size);
  picked.octets.shrink(picked.size);
  return rsa_plaintext{std::move(picked.octets), taken != 0};
}

result<bytes> rsa_encrypt(byte_view public_key_info, rsa_padding padding, byte_view plaintext) {
  const queue_guard guard;
  const unsigned char* cursor = public_key_info.data();
  const pkey_handle key(::d2i_PUBKEY(nullptr, &cursor, static_cast<long>(public_key_info.size())));
  if (key == nullptr || cursor != public_key_info.data() + public_key_info.size()
      || kind_of(key.get()) != key_kind::rsa || ::EVP_PKEY_get_bits(key.get()) < rsa_bits_min
      || ::EVP_PKEY_get_bits(key.get()) > rsa_bits_max)
    return failure(errc::bad_input, "publicKey", "is not RSA of 2048 to 16384 bits");
  if (!known(padding))
    return failure(errc::bad_input, "padding", "is unknown");
  const ::EVP_MD* hash = hash_of(padding);
  const auto size = static_cast<std::size_t>(::EVP_PKEY_get_size(key.get()));
  const auto overhead // RFC 8017 7.1.1 and 7.2.1
    = hash == nullptr ? 11 : 2 * static_cast<std::size_t>(::EVP_MD_get_size(hash)) + 2;
  if (plaintext.size() > size - overhead)
    return failure(errc::too_large, "plaintext",
                   "has more than the " + std::to_string(size - overhead)
                     + " octets that fit under this key and padding");
  const pkey_context context(::EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr));
  bytes out(size);
  std::size_t written = out.size();
  static constexpr std::uint8_t nothing = 0; // a null pointer would ask for the length alone
  if (context == nullptr || ::EVP_PKEY_encrypt_init(context.get()) != 1
      || !set_padding(context.get(), padding)
      || ::EVP_PKEY_encrypt(context.get(), out.data(), &written,
                            plaintext.empty() ? &nothing : plaintext.data(), plaintext.size())
        != 1
      || written != size)
    return failure(drain_errors(errc::crypto, "", "encrypting to an RSA key"));
  return out;
}

} // namespace pfx::crypto
