// What do the bodies of the service cost, in and out, per request?
#include <benchmark/benchmark.h>

#include "bench/sample.hpp"
#include "connect/service/codec.hpp"
#include "crypto/digest.hpp"
#include "crypto/random.hpp"

namespace {

using namespace pfx;
using namespace pfx::connect::service;
using bench::must;

constexpr std::size_t per_call = 100;

request_result sample_result() {
  request_result out;
  out.succeeded = true;
  out.encrypted_pfx = crypto::random_bytes(2'600);
  out.deliveries = {{"device-key-1", crypto::random_bytes(600)}};
  out.certificate.emplace();
  out.certificate->certificate = crypto::random_bytes(650);
  out.certificate->chain = {crypto::random_bytes(600)};
  out.certificate->thumbprint = crypto::sha256(out.certificate->certificate);
  out.certificate->serial_number = "0123456789abcdef";
  out.certificate->issuer = "CN=Bench CA";
  return out;
}

void download_answer(benchmark::State& state) {
  std::vector<std::string> texts;
  for (std::size_t at = 0; at < per_call; ++at) {
    texts.push_back(
      encode_request(bench::sample_request("rq-" + std::to_string(at), bytes(900, 1)), 1, 600'000));
  }
  const auto body = encode_download_answer(texts, true);
  for (auto _ : state) {
    const auto read = must(decode_download_answer(body));
    if (read.offers.size() != per_call || !read.offers.front().request) {
      state.SkipWithError("the sample is refused");
    }
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(per_call));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(body.size()));
}
BENCHMARK(download_answer);

void result_document(benchmark::State& state) {
  const auto value = sample_result();
  for (auto _ : state) {
    benchmark::DoNotOptimize(encode_result_document(value));
  }
}
BENCHMARK(result_document);

void upload(benchmark::State& state) {
  const auto document = encode_result_document(sample_result());
  std::vector<upload_entry> entries;
  for (std::size_t at = 0; at < per_call; ++at) {
    entries.push_back({"rq-" + std::to_string(at), 1, crypto::sha256(document), document});
  }
  const caller who{"connector", 1, "00112233445566778899aabbccddeeff"};
  for (auto _ : state) {
    benchmark::DoNotOptimize(encode_upload(who, entries));
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(per_call));
}
BENCHMARK(upload);

} // namespace
