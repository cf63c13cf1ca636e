// The database under the store: how it is opened, and reads as values. Opens strictly: a damaged
// log is an error and never a shorter history. It has no function that writes.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/bytes.hpp"
#include "storage/keys.hpp"

namespace rocksdb {
class ColumnFamilyHandle;
class DB;
class Iterator;
class Status;
} // namespace rocksdb

namespace pfx::storage {

/// Separate trees: large blobs come and go, settled records only come; neither makes the database
/// rewrite the other.
enum class family : std::uint8_t { facts = 0, blobs, settled };
inline constexpr std::size_t family_count = 3;

struct rocks_options {
  std::string path;
  std::uint64_t wal_bytes_max = 0;
  bool create = false;
  /// Read the log up to its first damage instead of refusing it.
  bool salvage = false;
  /// Called from a thread of RocksDB when a flush or a compaction failed.
  std::function<void(std::string)> on_background_error;
};

/// What `doing` met, as a value. Text of RocksDB is made printable and cut.
[[nodiscard]] error error_of(const rocksdb::Status& status, const std::string& doing);

/// An open database. Thread-safe. Life: as long as its store.
class rocks {
public:
  /// Errors: errc::corrupt (damage, or files are missing), errc::store_locked, errc::io.
  [[nodiscard]] static result<std::unique_ptr<rocks>> open(const rocks_options& options);
  ~rocks();
  rocks(const rocks&) = delete;
  rocks& operator=(const rocks&) = delete;

  using found = std::optional<bytes>;
  [[nodiscard]] result<found> find(family in, byte_view key) const;
  /// In the order of `keys`.
  [[nodiscard]] result<std::vector<found>> find(family in, std::span<const bytes> keys) const;

  enum class order : std::uint8_t { ascending, descending };
  /// Visits a consistent snapshot of `range`; stops early when `visit` returns false. The views are
  /// valid during the call only.
  [[nodiscard]] result<void> each(family in, const keys::range& range, order by,
                                  const std::function<bool(byte_view, byte_view)>& visit) const;

  /// Moves what is in memory into tables, synced.
  [[nodiscard]] result<void> flush();
  /// Octets of a family's tables, about.
  [[nodiscard]] std::uint64_t size_of(family in) const;
  /// Writes all tables of a family anew, without what was overwritten or deleted.
  [[nodiscard]] result<void> compact(family in);
  [[nodiscard]] std::uint64_t latest_sequence() const;
  /// The log ended in the middle of a write when it was opened.
  [[nodiscard]] bool tail_cut() const noexcept { return tail_cut_; }

  [[nodiscard]] rocksdb::DB& database() const noexcept { return *database_; }
  [[nodiscard]] rocksdb::ColumnFamilyHandle* handle(family in) const noexcept {
    return handles_[static_cast<std::size_t>(in)];
  }

private:
  rocks() = default;
  /// One try; `recovery` is a rocksdb::WALRecoveryMode.
  [[nodiscard]] rocksdb::Status open_as(const rocks_options& options, int recovery);

  std::unique_ptr<rocksdb::DB> database_;
  std::vector<rocksdb::ColumnFamilyHandle*> handles_; ///< owned; given back to database_
  bool tail_cut_ = false;
};

} // namespace pfx::storage
