// What does each cryptographic step of a request cost through this room, and how far is that from
// the bare operation (bench_limits)?
#include <benchmark/benchmark.h>

#include "bench/sample.hpp"
#include "crypto/cms.hpp"
#include "crypto/digest.hpp"
#include "crypto/issue.hpp"
#include "crypto/pkcs12.hpp"
#include "crypto/random.hpp"
#include "crypto/rsa_decrypt.hpp"
#include "crypto/seal.hpp"

namespace {

using namespace pfx;
using bench::must;
using crypto::private_key;

crypto::csr_options names() {
  crypto::csr_options out;
  out.subject = "CN=Alice Example,OU=Sales,O=Example Test";
  out.alternative_names = {{name_type::rfc822, "alice@example.test"}};
  out.usages = static_cast<key_usages>(key_usage::digital_signature);
  out.extended_usages = {"1.3.6.1.5.5.7.3.2"};
  return out;
}

/// A CA and a leaf of an algorithm, made once.
struct party {
  crypto::ca_identity root;
  private_key key;
  crypto::certificate leaf;

  explicit party(key_algorithm algorithm)
      : root(must(crypto::make_root(
        {"CN=Bench Root", key_algorithm::ec_p256, 1'700'000'000'000, 1'900'000'000'000}))),
        key(must(private_key::generate(algorithm))),
        leaf(must(crypto::issue_leaf(root, key, {names(), 1'700'000'000'000, 1'890'000'000'000}))) {
  }
};

void key(benchmark::State& state, key_algorithm algorithm) {
  for (auto _ : state) {
    benchmark::DoNotOptimize(must(private_key::generate(algorithm)));
  }
}
BENCHMARK_CAPTURE(key, p256, key_algorithm::ec_p256);
BENCHMARK_CAPTURE(key, rsa2048, key_algorithm::rsa2048)->MinTime(2);

void csr(benchmark::State& state, key_algorithm algorithm) {
  const auto own = must(private_key::generate(algorithm));
  for (auto _ : state) {
    benchmark::DoNotOptimize(must(crypto::build_csr(own, names())));
  }
}
BENCHMARK_CAPTURE(csr, p256, key_algorithm::ec_p256);
BENCHMARK_CAPTURE(csr, rsa2048, key_algorithm::rsa2048);

void key_at_rest(benchmark::State& state) {
  const auto own = must(private_key::generate(key_algorithm::ec_p256));
  for (auto _ : state) {
    const auto octets = must(own.to_pkcs8());
    benchmark::DoNotOptimize(must(private_key::from_pkcs8(octets.view())));
  }
}
BENCHMARK(key_at_rest);

void pfx_file(benchmark::State& state, pfx_profile profile) {
  const party one(key_algorithm::ec_p256);
  const std::vector<crypto::certificate> chain = {one.root.cert};
  const auto password = crypto::random_password();
  const auto options = crypto::pkcs12_options::of(profile);
  for (auto _ : state) {
    benchmark::DoNotOptimize(
      must(crypto::build_pkcs12({one.key, one.leaf, chain, "Alice", password}, options)));
  }
}
BENCHMARK_CAPTURE(pfx_file, modern, pfx_profile::modern);
BENCHMARK_CAPTURE(pfx_file, legacy, pfx_profile::legacy);

void cms(benchmark::State& state, key_algorithm algorithm, key_transport transport) {
  const party device(algorithm);
  const bytes password(32, 'x');
  for (auto _ : state) {
    benchmark::DoNotOptimize(must(crypto::encrypt_to(device.leaf, transport, password)));
  }
}
BENCHMARK_CAPTURE(cms, rsa2048_oaep, key_algorithm::rsa2048, key_transport::rsa_oaep_sha256);
BENCHMARK_CAPTURE(cms, p256_ecdh, key_algorithm::ec_p256, key_transport::ecdh);

void imported_password(benchmark::State& state) {
  const auto own = must(private_key::generate(key_algorithm::rsa2048));
  const auto ciphertext = must(
    crypto::rsa_encrypt(must(own.public_key()), crypto::rsa_padding::oaep_sha256, bytes(24, 'x')));
  for (auto _ : state) {
    benchmark::DoNotOptimize(
      must(crypto::rsa_decrypt(own, crypto::rsa_padding::oaep_sha256, ciphertext)));
  }
}
BENCHMARK(imported_password);

void certificate_from_der(benchmark::State& state) {
  const party one(key_algorithm::rsa2048);
  const auto der = one.leaf.der();
  for (auto _ : state) {
    benchmark::DoNotOptimize(must(crypto::certificate::from_der(der)));
  }
}
BENCHMARK(certificate_from_der);

void sealed(benchmark::State& state) {
  secret_bytes master(32);
  const auto sealer = must(crypto::sealer::make(std::move(master), bytes(16, 1), 1));
  const bytes plain(static_cast<std::size_t>(state.range(0)), 'x');
  const bytes place(40, 1);
  for (auto _ : state) {
    const auto octets = must(sealer.seal({1, place}, plain));
    benchmark::DoNotOptimize(must(sealer.open({1, place}, octets)));
  }
}
BENCHMARK(sealed)->Arg(1'500)->Arg(6'500);

} // namespace
