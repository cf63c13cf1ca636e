// The one write path, and what happens before and after it: open and close. Refuses to write after
// a fault, below the free-space floor, and over the size of a batch.
#include "storage/store.hpp"

#include <rocksdb/db.h>
#include <rocksdb/options.h>
#include <rocksdb/write_batch.h>

#include "core/fault_point.hpp"
#include "storage/batch.hpp"
#include "storage/store_state.hpp"

namespace pfx::storage {

// -- the write path -----------------------------------------------------------

result<void> store::state::write(rocksdb::WriteBatch& what, std::uint64_t floor) {
  if (auto may = writable(); !may) {
    return may;
  }
  // Debian's RocksDB aborts the process on ENOSPC, so a full disk is met here or not at all.
  if (const auto free = free_bytes(); free < floor) {
    return failure(errc::disk_full, "directory",
                   std::to_string(free) + " octets are free, the floor is " + std::to_string(floor)
                     + "; nothing was written");
  }
  if (options.fault) {
    if (auto fault = options.fault(); !fault) {
      poison("injected: " + to_string(fault.error()));
      return writable();
    }
  }
  fault_point("store.before_write");
  rocksdb::WriteOptions how;
  how.sync = true; // durable before visible: the only Write call, and it is always synced
  const auto status = database->database().Write(how, &what);
  if (!status.ok()) {
    poison(error_of(status, "cannot write").message);
    return writable();
  }
  fault_point("store.after_write");
  const std::lock_guard guard(mutex);
  ++commits;
  return {};
}

result<void> store::commit(const batch& what) {
  auto& s = *state_;
  const std::lock_guard one_at_a_time(s.commit_mutex);
  if (auto may = s.writable(); !may || what.empty()) {
    return may;
  }
  // Sequence numbers of RocksDB never fall and grow by one an operation or more.
  const auto next_trail = s.database->latest_sequence() + 1;
  rocksdb::WriteBatch out;
  batch_builder builder(*s.database, out, s.options.batch_bytes_max, {next_trail, s.last_audit});
  for (const auto& one : what) {
    if (auto added = builder.add(one); !added) {
      return added;
    }
  }
  if (auto written = s.write(out, s.options.free_bytes_floor); !written) {
    return written;
  }
  s.last_audit = builder.last_audit();
  return {};
}

result<void> store::would_take(const batch& what) const {
  rocksdb::WriteBatch out;
  batch_builder builder(*state_->database, out, state_->options.batch_bytes_max, {});
  for (const auto& one : what) {
    if (auto added = builder.add(one); !added) {
      return added;
    }
  }
  return {};
}

result<void> store::would_take(const request_key& key) { return keys::check(key); }

result<void> store::state::writable() const {
  const std::lock_guard guard(mutex);
  if (poisoned) {
    return failure(errc::store_poisoned, "store",
                   "takes no more writes in this process: " + poison_reason);
  }
  if (closed) {
    return failure(errc::stopping, "store", "was closed");
  }
  return {};
}

void store::state::poison(const std::string& reason) {
  const std::lock_guard guard(mutex);
  if (!poisoned) {
    poisoned = true;
    poison_reason = reason;
  }
}

std::uint64_t store::state::free_bytes() const {
  return options.free_bytes ? options.free_bytes() : directory.free_bytes();
}

// -- the end ------------------------------------------------------------------

store::store(std::unique_ptr<state> s) : state_(std::move(s)) {}
store::~store() = default;

result<void> store::close_clean() {
  auto& s = *state_;
  const std::lock_guard one_at_a_time(s.commit_mutex);
  if (auto may = s.writable(); !may) {
    return may.error().code == errc::stopping ? result<void>() : may;
  }
  // The log holds all that is in memory, so no flush is needed for safety: it shortens the next
  // start, and is left out where it could fill the disk.
  if (s.free_bytes() >= s.options.free_bytes_floor) {
    if (auto flushed = s.database->flush(); !flushed) {
      s.poison(flushed.error().message);
      return flushed;
    }
  }
  rocksdb::WriteBatch out;
  batch_builder builder(*s.database, out, s.options.batch_bytes_max, {});
  builder.erase(family::facts, keys::engine("running"));
  if (auto written = s.write(out, s.housekeeping_floor()); !written) {
    return written;
  }
  const std::lock_guard guard(s.mutex);
  s.closed = true;
  return {};
}

result<void> store::erase_overwritten() {
  auto& s = *state_;
  const std::lock_guard one_at_a_time(s.commit_mutex);
  if (auto may = s.writable(); !may) {
    return may;
  }
  const auto needed = s.options.free_bytes_floor + s.database->size_of(family::blobs);
  if (s.free_bytes() < needed) {
    return failure(errc::disk_full, "directory", "too little is free to write the blobs anew");
  }
  auto done = s.database->flush();
  if (done) {
    done = s.database->compact(family::blobs);
  }
  if (!done) {
    s.poison(done.error().message);
  }
  return done;
}

// -- what it is like ----------------------------------------------------------

const bytes& store::store_id() const noexcept { return state_->id; }

store_status store::status() const {
  store_status out;
  out.free_bytes = state_->free_bytes();
  out.below_floor = out.free_bytes < state_->options.free_bytes_floor;
  out.sequence = state_->database->latest_sequence();
  out.recovered = state_->recovered;
  out.unclean_start = state_->unclean_start;
  out.tail_cut = state_->database->tail_cut();
  const std::lock_guard guard(state_->mutex);
  out.poisoned = state_->poisoned;
  out.poison_reason = state_->poison_reason;
  out.commits = state_->commits;
  return out;
}

} // namespace pfx::storage
