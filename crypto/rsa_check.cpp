// RSA key pairs of others, proven by arithmetic. Refuses multi-prime keys and tampered numbers,
// with which a decryption would answer nonsense, or tell something of the key.
#include "crypto/rsa_check.hpp"

#include "crypto/random.hpp"

#include <openssl/core_names.h>
#include <openssl/rsa.h>

namespace pfx::crypto {

namespace {

using pkey_context = handle<::EVP_PKEY_CTX, ::EVP_PKEY_CTX_free>;
using bn_context = handle<::BN_CTX, ::BN_CTX_free>;

constexpr std::size_t rsa_octets_min = 64; ///< smaller ones are refused elsewhere, by their bits

struct numbers {
  bignum_handle n, e, d, p, q, dp, dq, qi;
};

bignum_handle number(const ::EVP_PKEY* key, const char* name) {
  ::BIGNUM* out = nullptr;
  if (::EVP_PKEY_get_bn_param(key, name, &out) != 1)
    return nullptr;
  BN_set_flags(out, BN_FLG_CONSTTIME);
  return bignum_handle(out);
}

bool read(const ::EVP_PKEY* key, numbers& out) {
  out.n = number(key, OSSL_PKEY_PARAM_RSA_N);
  out.e = number(key, OSSL_PKEY_PARAM_RSA_E);
  out.d = number(key, OSSL_PKEY_PARAM_RSA_D);
  out.p = number(key, OSSL_PKEY_PARAM_RSA_FACTOR1);
  out.q = number(key, OSSL_PKEY_PARAM_RSA_FACTOR2);
  out.dp = number(key, OSSL_PKEY_PARAM_RSA_EXPONENT1);
  out.dq = number(key, OSSL_PKEY_PARAM_RSA_EXPONENT2);
  out.qi = number(key, OSSL_PKEY_PARAM_RSA_COEFFICIENT1);
  return out.n && out.e && out.d && out.p && out.q && out.dp && out.dq && out.qi;
}

/// An odd number above 1 and smaller than the modulus: what a prime of it is at least.
bool plausible_prime(const ::BIGNUM* prime, const ::BIGNUM* modulus) {
  return BN_is_odd(prime) && !BN_is_one(prime) && ::BN_ucmp(prime, modulus) < 0;
}

/// d mod (prime - 1) is `half`, and e half = 1 mod (prime - 1).
bool exponent_fits(const numbers& all, const ::BIGNUM* prime, const ::BIGNUM* half,
                   ::BN_CTX* scratch) {
  const bignum_handle order(::BN_dup(prime));
  const bignum_handle out(::BN_new());
  return order && out && ::BN_sub_word(order.get(), 1) == 1
    && ::BN_mod(out.get(), all.d.get(), order.get(), scratch) == 1 && ::BN_cmp(out.get(), half) == 0
    && ::BN_mod_mul(out.get(), all.e.get(), half, order.get(), scratch) == 1
    && BN_is_one(out.get());
}

bool fits(const numbers& all) {
  const bn_context scratch(::BN_CTX_secure_new());
  const bignum_handle out(::BN_new());
  return scratch && out && plausible_prime(all.p.get(), all.n.get())
    && plausible_prime(all.q.get(), all.n.get()) && ::BN_cmp(all.p.get(), all.q.get()) != 0
    && BN_is_odd(all.e.get()) && !BN_is_one(all.e.get())
    && ::BN_mul(out.get(), all.p.get(), all.q.get(), scratch.get()) == 1
    && ::BN_cmp(out.get(), all.n.get()) == 0
    && exponent_fits(all, all.p.get(), all.dp.get(), scratch.get())
    && exponent_fits(all, all.q.get(), all.dq.get(), scratch.get())
    && ::BN_cmp(all.qi.get(), all.p.get()) < 0
    && ::BN_mod_mul(out.get(), all.qi.get(), all.q.get(), all.p.get(), scratch.get()) == 1
    && BN_is_one(out.get());
}

using step
  = int (*)(::EVP_PKEY_CTX*, unsigned char*, std::size_t*, const unsigned char*, std::size_t);

/// The bare operation of one half of the key.
secret_bytes raw(::EVP_PKEY* key, int (*begin)(::EVP_PKEY_CTX*), step go, byte_view in) {
  const pkey_context context(::EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
  secret_bytes out(in.size());
  std::size_t size = out.size();
  if (context == nullptr || begin(context.get()) != 1
      || ::EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_NO_PADDING) != 1
      || go(context.get(), out.data(), &size, in.data(), in.size()) != 1 || size != in.size())
    return {};
  return out;
}

bool comes_back(::EVP_PKEY* key) {
  const auto size = static_cast<std::size_t>(::EVP_PKEY_get_size(key));
  if (size < rsa_octets_min)
    return false;
  auto trial = random_secret(size);
  trial.data()[0] = 0; // below the modulus
  const auto there = raw(key, &::EVP_PKEY_encrypt_init, &::EVP_PKEY_encrypt, trial.view());
  const auto back = there.empty()
    ? secret_bytes()
    : raw(key, &::EVP_PKEY_decrypt_init, &::EVP_PKEY_decrypt, there.view());
  return equal_constant_time(trial.view(), back.view());
}

} // namespace

result<void> check_rsa_pair(::EVP_PKEY* key) {
  const queue_guard guard;
  numbers all;
  if (!read(key, all) || !fits(all) || !comes_back(key))
    return failure(errc::bad_input, "key", "its numbers do not make an RSA key pair of two primes");
  return {};
}

} // namespace pfx::crypto
