// Opening and reading RocksDB. Recovery tolerates one thing only, and reports it: a log that ends
// in the middle of a write. It refuses every other damage, and missing files.
#include "storage/rocks.hpp"

#include <algorithm>

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/listener.h>
#include <rocksdb/options.h>
#include <rocksdb/table.h>

namespace pfx::storage {

namespace {

constexpr std::size_t block_cache_bytes = 32u << 20;
constexpr std::size_t block_bytes = 8u << 10;
constexpr double bloom_bits_per_key = 10; // 1 % false positives
constexpr int open_files_max = 512;
constexpr std::size_t info_log_bytes_max = 1u << 20;
constexpr std::size_t info_logs_max = 3;
constexpr std::size_t lookups_per_call_max = 512;

// The free-space floor is checked before a batch, but flushes and compactions write by themselves.
// These sizes keep all they can have in flight (two buffers, one compaction) below the floor's
// default of 256 MiB.
constexpr std::size_t write_buffer_bytes = 16u << 20;
constexpr std::size_t write_buffers_bytes_max = 64u << 20;
constexpr std::uint64_t table_bytes = 16u << 20;
constexpr std::uint64_t level_base_bytes = 64u << 20;
constexpr std::uint64_t compaction_bytes_max = 128u << 20;

constexpr const char* family_names[family_count] = {"default", "blobs", "settled"};

rocksdb::Slice slice(byte_view octets) {
  return {reinterpret_cast<const char*>(octets.data()), octets.size()};
}

byte_view view(const rocksdb::Slice& octets) {
  return {reinterpret_cast<const std::uint8_t*>(octets.data()), octets.size()};
}

class error_listener final : public rocksdb::EventListener {
public:
  explicit error_listener(std::function<void(std::string)> tell) : tell_(std::move(tell)) {}

  void OnBackgroundError(rocksdb::BackgroundErrorReason, rocksdb::Status* status) override {
    tell_(printable(status->ToString(), 512));
  }

private:
  std::function<void(std::string)> tell_;
};

rocksdb::DBOptions database_options(const rocks_options& from, rocksdb::WALRecoveryMode recovery) {
  rocksdb::DBOptions out;
  out.create_if_missing = from.create;
  // A database that was made anew from its tables lacks the families that had none.
  out.create_missing_column_families = from.create || from.salvage;
  // -- nothing is lost without a word ------
  out.wal_recovery_mode = recovery;
  out.paranoid_checks = true;
  out.track_and_verify_wals_in_manifest = true;
  out.verify_sst_unique_id_in_manifest = true;
  out.flush_verify_memtable_count = true;
  out.max_bgerror_resume_count = 0; // no second try behind our back: the store is poisoned instead
  out.listeners.push_back(std::make_shared<error_listener>(from.on_background_error));
  // -- limits ------
  out.max_total_wal_size = from.wal_bytes_max;
  out.db_write_buffer_size = write_buffers_bytes_max;
  out.max_open_files = open_files_max;
  out.max_background_jobs = 2;
  out.bytes_per_sync = 1u << 20;
  // -- a quiet house ------
  out.info_log_level = rocksdb::InfoLogLevel::WARN_LEVEL;
  out.max_log_file_size = info_log_bytes_max;
  out.keep_log_file_num = info_logs_max;
  out.stats_dump_period_sec = 0;
  out.stats_persist_period_sec = 0;
  return out;
}

rocksdb::ColumnFamilyOptions family_options(family in,
                                            const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = cache;
  table.block_size = block_bytes;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(bloom_bits_per_key));
  table.whole_key_filtering = true;
  // Indexes and filters live in the cache too: settled records grow for ever, memory does not.
  table.cache_index_and_filter_blocks = true;
  table.pin_l0_filter_and_index_blocks_in_cache = true;
  table.index_type = rocksdb::BlockBasedTableOptions::kTwoLevelIndexSearch;
  table.partition_filters = true;
  table.format_version = 5;

  rocksdb::ColumnFamilyOptions out;
  out.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  out.compression = rocksdb::kNoCompression; // sealed octets and digests don't shrink
  out.write_buffer_size = write_buffer_bytes;
  out.max_write_buffer_number = 2;
  out.target_file_size_base = table_bytes;
  out.max_bytes_for_level_base = level_base_bytes;
  out.max_compaction_bytes = compaction_bytes_max;
  out.force_consistency_checks = true;
  if (in == family::settled) {
    out.memtable_whole_key_filtering = true;
    out.memtable_prefix_bloom_size_ratio = 0.05;
  }
  return out;
}

bool mentions(const rocksdb::Status& status, const char* word) {
  return status.ToString().find(word) != std::string::npos;
}

/// What an open that did not succeed means. A store that was complete once has all its files, so a
/// missing one is damage; only `create` may begin without.
error open_error(const rocksdb::Status& status, const rocks_options& options) {
  auto what = error_of(status, "cannot open the database");
  if (status.IsIOError() && (mentions(status, "lock file") || mentions(status, "lock hold"))) {
    what.code = errc::store_locked;
    what.message += "; another process has the database open";
    return what;
  }
  const bool missing = status.IsNotFound() || status.IsPathNotFound() || status.IsInvalidArgument();
  if (status.IsCorruption() || (missing && !options.create)) {
    what.code = errc::corrupt;
    what.message += missing ? "; files of this store are missing (amnesia)"
                            : "; what was acknowledged can't be read back completely (amnesia)";
    what.message += ". Nothing was changed. Copy the data directory aside; then restore it, or "
                    "salvage what is readable: that run counts as one with amnesia";
  }
  return what;
}

} // namespace

error error_of(const rocksdb::Status& status, const std::string& doing) {
  auto code = errc::internal;
  if (status.IsCorruption()) {
    code = errc::corrupt;
  } else if (status.IsIOError() || status.IsNoSpace()) {
    code = errc::io;
  }
  return {code, "store", doing + ": " + printable(status.ToString(), 512)};
}

result<std::unique_ptr<rocks>> rocks::open(const rocks_options& options) {
  using mode = rocksdb::WALRecoveryMode;
  std::unique_ptr<rocks> out(new rocks);
  if (options.salvage) {
    const auto status = out->open_as(options, static_cast<int>(mode::kPointInTimeRecovery));
    if (!status.ok()) {
      return failure(open_error(status, options));
    }
    return out;
  }
  auto status = out->open_as(options, static_cast<int>(mode::kAbsoluteConsistency));
  if (status.IsCorruption()) {
    // The second mode also forgives a length that points behind the end of the log, which one bit
    // can bring about in the middle of synced records (measured): hence the flag.
    out->tail_cut_ = true;
    status = out->open_as(options, static_cast<int>(mode::kTolerateCorruptedTailRecords));
  }
  if (!status.ok()) {
    return failure(open_error(status, options));
  }
  return out;
}

rocksdb::Status rocks::open_as(const rocks_options& options, int recovery) {
  const auto cache = rocksdb::NewLRUCache(block_cache_bytes);
  std::vector<rocksdb::ColumnFamilyDescriptor> families;
  for (std::size_t at = 0; at < family_count; ++at) {
    families.emplace_back(family_names[at], family_options(static_cast<family>(at), cache));
  }
  rocksdb::DB* database = nullptr;
  const auto how = database_options(options, static_cast<rocksdb::WALRecoveryMode>(recovery));
  auto status = rocksdb::DB::Open(how, options.path, families, &handles_, &database);
  database_.reset(database);
  return status;
}

rocks::~rocks() {
  for (auto* handle : handles_) {
    if (database_ != nullptr) {
      (void)database_->DestroyColumnFamilyHandle(handle).ok(); // frees it; nothing to do on failure
    }
  }
}

result<rocks::found> rocks::find(family in, byte_view key) const {
  rocksdb::PinnableSlice value;
  const auto status = database_->Get(rocksdb::ReadOptions(), handle(in), slice(key), &value);
  if (status.IsNotFound()) {
    return found();
  }
  if (!status.ok()) {
    return failure(error_of(status, "cannot read"));
  }
  return found(to_bytes(view(value)));
}

result<std::vector<rocks::found>> rocks::find(family in, std::span<const bytes> keys) const {
  std::vector<found> out;
  out.reserve(keys.size());
  while (!keys.empty()) {
    const auto some = keys.first(std::min(keys.size(), lookups_per_call_max));
    keys = keys.subspan(some.size());
    std::vector<rocksdb::Slice> wanted;
    wanted.reserve(some.size());
    for (const auto& key : some) {
      wanted.push_back(slice(key));
    }
    std::vector<rocksdb::PinnableSlice> values(some.size());
    std::vector<rocksdb::Status> statuses(some.size());
    database_->MultiGet(rocksdb::ReadOptions(), handle(in), wanted.size(), wanted.data(),
                        values.data(), statuses.data());
    for (std::size_t at = 0; at < some.size(); ++at) {
      if (statuses[at].ok()) {
        out.emplace_back(to_bytes(view(values[at])));
      } else if (statuses[at].IsNotFound()) {
        out.emplace_back();
      } else {
        return failure(error_of(statuses[at], "cannot read"));
      }
    }
  }
  return out;
}

result<void> rocks::each(family in, const keys::range& range, order by,
                         const std::function<bool(byte_view, byte_view)>& visit) const {
  const auto first = slice(range.first);
  const auto last = slice(range.last);
  rocksdb::ReadOptions how; // an iterator is a snapshot by itself
  how.iterate_lower_bound = &first;
  how.iterate_upper_bound = &last;
  how.fill_cache = false; // one pass must not push the settled records' filters out
  const std::unique_ptr<rocksdb::Iterator> at(database_->NewIterator(how, handle(in)));
  const bool up = by == order::ascending;
  for (up ? at->SeekToFirst() : at->SeekToLast(); at->Valid(); up ? at->Next() : at->Prev()) {
    if (!visit(view(at->key()), view(at->value()))) {
      return {};
    }
  }
  if (!at->status().ok()) {
    return failure(error_of(at->status(), "cannot read"));
  }
  return {};
}

result<void> rocks::flush() {
  const auto status = database_->Flush(rocksdb::FlushOptions(), handles_);
  if (!status.ok()) {
    return failure(error_of(status, "cannot flush"));
  }
  return {};
}

std::uint64_t rocks::size_of(family in) const {
  std::uint64_t out = 0;
  return database_->GetIntProperty(handle(in), rocksdb::DB::Properties::kTotalSstFilesSize, &out)
    ? out
    : 0;
}

result<void> rocks::compact(family in) {
  rocksdb::CompactRangeOptions how;
  how.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForceOptimized;
  const auto status = database_->CompactRange(how, handle(in), nullptr, nullptr);
  if (!status.ok()) {
    return failure(error_of(status, "cannot compact"));
  }
  return {};
}

std::uint64_t rocks::latest_sequence() const { return database_->GetLatestSequenceNumber(); }

} // namespace pfx::storage
