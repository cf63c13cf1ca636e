// The limit: RocksDB with nothing before it.
#include <filesystem>
#include <memory>

#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include "bench/queue_clock.hpp"
#include "storage/batch.hpp"
#include "storage/rocks.hpp"

namespace pfx::bench {

namespace {

constexpr std::size_t batch_bytes_max = 64u << 20;
constexpr std::uint64_t wal_bytes_max = 256u << 20; ///< as the store's default

using prepared = std::vector<std::vector<rocksdb::WriteBatch>>;

result<prepared> build(const queue_script& script, const storage::rocks& database) {
  prepared out;
  std::uint64_t next_trail = 1;
  std::optional<std::uint64_t> last_audit;
  for (const auto& one : script.waves) {
    auto& wave = out.emplace_back(one.size());
    for (std::size_t step = 0; step < one.size(); ++step) {
      storage::batch_builder builder(database, wave[step], batch_bytes_max,
                                     {next_trail, last_audit});
      for (const auto& operation : one[step]) {
        if (auto added = builder.add(operation); !added) {
          return failure(added.error());
        }
      }
      next_trail += one[step].size() * 4;
      last_audit = builder.last_audit();
    }
  }
  return out;
}

} // namespace

result<queue_report> write_raw(const queue_script& script, const std::string& directory) {
  std::filesystem::create_directories(directory);
  auto database = storage::rocks::open({.path = directory + "/rocks",
                                        .wal_bytes_max = wal_bytes_max,
                                        .create = true,
                                        .on_background_error = [](const std::string&) {}});
  if (!database) {
    return failure(database.error());
  }
  auto batches = build(script, **database);
  if (!batches) {
    return failure(batches.error());
  }
  rocksdb::WriteOptions synced;
  synced.sync = true;
  const auto write = [&](std::size_t at) -> result<std::size_t> {
    for (auto& one : (*batches)[at]) {
      if (const auto written = (*database)->database().Write(synced, &one); !written.ok()) {
        return failure(errc::io, "", written.ToString());
      }
    }
    return (*batches)[at].size();
  };
  return time_waves(batches->size(), script.requests, write);
}

} // namespace pfx::bench
