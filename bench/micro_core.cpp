// How much of a request's time is the pure part: its life as steps, and its binary forms?
#include <benchmark/benchmark.h>

#include "bench/sample.hpp"
#include "core/lifecycle.hpp"

namespace {

using namespace pfx;

const lifecycle::moment now{1'790'000'000'000, 1'000'000, 1};

lifecycle::step_result received() {
  lifecycle::reception what;
  what.key = {"bench", flow::pfx, "rq-1-0123456789"};
  what.kind = request_kind::pfx_create;
  what.fingerprint.octets.fill(7);
  what.lease_number = 1;
  what.lease_until = now.boot + 600'000;
  what.expires_at = now.wall + 86'400'000;
  what.authority = "Bench-CA";
  what.sealed_request = bytes(1'700, 1);
  return lifecycle::receive(what, now);
}

lifecycle::event event_of(lifecycle::event_kind kind) {
  lifecycle::event out;
  out.kind = kind;
  out.lease_number = 1;
  out.succeeded = true;
  out.thumbprint.octets.fill(3);
  out.result_digest.octets.fill(5);
  out.serial_number = "0123456789abcdef";
  return out;
}

void whole_life(benchmark::State& state) {
  using enum lifecycle::event_kind;
  const lifecycle::rules rules;
  for (auto _ : state) {
    auto one = received().next;
    for (const auto kind : {claimed, worked, ca_issued, claimed, built, upload_accepted}) {
      one = lifecycle::step(one, event_of(kind), rules, now).next;
    }
    if (one.state != record_state::settled) {
      state.SkipWithError("the life did not end");
    }
  }
}
BENCHMARK(whole_life);

void record_there_and_back(benchmark::State& state) {
  const auto one = received().next;
  for (auto _ : state) {
    const auto octets = encode(one);
    benchmark::DoNotOptimize(bench::must(decode_record(one.key, octets)));
  }
}
BENCHMARK(record_there_and_back);

void request_there_and_back(benchmark::State& state) {
  const auto one = bench::sample_request("rq-1", bytes(900, 1));
  for (auto _ : state) {
    const auto octets = encode(one);
    benchmark::DoNotOptimize(bench::must(decode_request(octets)));
  }
}
BENCHMARK(request_there_and_back);

} // namespace
