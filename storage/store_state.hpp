// What an open store holds, for the files that implement it. Not for other rooms.
#pragma once

#include <mutex>
#include <optional>
#include <string>

#include "storage/directory.hpp"
#include "storage/rocks.hpp"
#include "storage/store.hpp"

namespace rocksdb {
class WriteBatch;
}

namespace pfx::storage {

/// Life: as long as the store. Members are destroyed from the last to the first: the database is
/// closed before the lock on its directory ends.
struct store::state {
  state(store_options with, data_directory in)
    : options(std::move(with)), directory(std::move(in)) {}

  store_options options;
  data_directory directory;
  bytes id;
  bool unclean_start = false;
  std::uint64_t recovered = 0; ///< the sequence number before the first write of this process
  std::optional<std::uint64_t> last_audit; ///< only touched by the committing thread

  mutable std::mutex commit_mutex; ///< held during a whole commit; the caller brings one at a time
  mutable std::mutex mutex;        ///< guards the rest of this group; never held during I/O
  bool poisoned = false;
  std::string poison_reason;
  bool closed = false;
  std::uint64_t commits = 0;

  std::unique_ptr<rocks> database;

  /// THE write path. `floor`: free octets that must be there.
  [[nodiscard]] result<void> write(rocksdb::WriteBatch& what, std::uint64_t floor);
  /// Takes no more writes from now on; the first reason stays.
  void poison(const std::string& reason);
  [[nodiscard]] result<void> writable() const;
  [[nodiscard]] std::uint64_t free_bytes() const;
  /// Half the floor is kept for our own housekeeping: the marks of start and stop, and purging.
  [[nodiscard]] std::uint64_t housekeeping_floor() const { return options.free_bytes_floor / 2; }

  // -- steps of open ------
  [[nodiscard]] result<void> open_database();
  [[nodiscard]] result<marker> find_or_make_marker();
  [[nodiscard]] result<void> write_identity(const marker& made);
  [[nodiscard]] result<void> check_identity(const marker& known);
  [[nodiscard]] result<void> mark_running();

  /// Damage that was read stops all writes: nothing may be built on it.
  template <class T>
  [[nodiscard]] result<T> seen(result<T> read) {
    if (!read && (read.error().code == errc::corrupt || read.error().code == errc::store_newer)) {
      poison(to_string(read.error()));
    }
    return read;
  }
};

} // namespace pfx::storage
