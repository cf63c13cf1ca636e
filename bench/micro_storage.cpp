// What does one synced batch cost alone and shared, and one look-up that finds something or
// nothing?
#include <filesystem>

#include <benchmark/benchmark.h>

#include "bench/sample.hpp"
#include "crypto/random.hpp"
#include "storage/store.hpp"

namespace {

using namespace pfx;

constexpr std::size_t settled_count = 20'000;

/// A store in a folder that goes with it.
class scratch_store {
public:
  scratch_store()
      : folder_(std::filesystem::temp_directory_path()
                / ("pfx-bench-" + to_hex(crypto::random_bytes(8)))),
        store_(bench::must(storage::store::open({.directory = folder_.string()}))) {}
  ~scratch_store() {
    store_.reset();
    std::error_code wrong;
    std::filesystem::remove_all(folder_, wrong);
  }
  scratch_store(const scratch_store&) = delete;
  scratch_store& operator=(const scratch_store&) = delete;

  storage::store* operator->() const { return store_.get(); }

private:
  std::filesystem::path folder_;
  std::unique_ptr<storage::store> store_;
};

request_key key_of(std::size_t number) {
  return {"bench", flow::pfx, "rq-" + std::to_string(number) + "-0123456789"};
}

void commit(benchmark::State& state) {
  const scratch_store store;
  const auto size = static_cast<std::size_t>(state.range(0));
  storage::batch batch;
  for (std::size_t at = 0; at < size; ++at) {
    record one;
    one.key = key_of(at);
    batch.emplace_back(storage::put_record{one});
    batch.emplace_back(storage::put_blob{one.key, blob_kind::intent, crypto::random_bytes(1'300)});
  }
  for (auto _ : state) {
    bench::must(store->commit(batch));
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(commit)->Arg(1)->Arg(16)->Arg(128)->UseRealTime();

void settled_look_up(benchmark::State& state, bool there) {
  const scratch_store store;
  storage::batch batch;
  for (std::size_t at = 0; at < settled_count; ++at) {
    settled_record value;
    value.serial_number = "0123456789abcdef0123456789abcdef";
    batch.emplace_back(storage::put_settled{key_of(at), value});
    if (batch.size() == 1'000) {
      bench::must(store->commit(batch));
      batch.clear();
    }
  }
  std::vector<request_key> keys;
  for (std::size_t at = 0; at < 500; ++at) {
    keys.push_back(key_of(there ? at * 37 % settled_count : settled_count + at));
  }
  for (auto _ : state) {
    benchmark::DoNotOptimize(bench::must(store->find_settled(keys)));
  }
  state.SetItemsProcessed(state.iterations() * 500);
}
BENCHMARK_CAPTURE(settled_look_up, found, true);
BENCHMARK_CAPTURE(settled_look_up, not_there, false);

} // namespace
