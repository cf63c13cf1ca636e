// Forgets what nobody can ask for any more, oldest first. Refuses to touch what is open, and never
// deletes a settled record, an audit entry or a certificate that still has to be revoked.
#include "storage/store.hpp"

#include <algorithm>
#include <limits>

#include <rocksdb/write_batch.h>

#include "storage/batch.hpp"
#include "storage/store_state.hpp"

namespace pfx::storage {

namespace {

constexpr std::size_t purged_keys_max = 10'000;    ///< a call, whatever the caller allows
constexpr std::size_t purged_bytes_max = 4u << 20; ///< of its write; a key has up to 8.5 KiB
constexpr std::size_t erase_overhead = 16;         ///< kind, family and length, in the write

/// What one call deletes. Ends early and anywhere, by keys or by octets: the reminder of a request
/// goes last, so the next call takes up what is left of it. What is full stays full, so that no
/// reminder goes after a longer key was left out.
class sweep {
public:
  sweep(const store& from, const rocks& database, batch_builder& out, unix_ms before,
        std::size_t keys_max)
      : store_(from), database_(database), out_(out), before_(before), left_(keys_max) {}

  [[nodiscard]] result<void> run() {
    std::vector<bytes> reminders;
    std::size_t size = 0;
    auto walked = database_.each(family::facts, keys::due_before(before_), rocks::order::ascending,
                                 [&](byte_view key, byte_view) {
                                   reminders.push_back(to_bytes(key));
                                   size += key.size() + erase_overhead;
                                   return reminders.size() < left_ && size < bytes_left_;
                                 });
    for (auto at = reminders.begin(); walked && !full() && at != reminders.end(); ++at) {
      walked = forget(*at);
    }
    return walked;
  }

  [[nodiscard]] std::size_t left() const noexcept { return left_; }

private:
  result<void> forget(const bytes& reminder) {
    const auto key = keys::request_of_due(reminder);
    if (!key) {
      return failure(errc::corrupt, "due", "has a damaged key in the database");
    }
    const auto open = store_.find_record(*key);
    const auto settled = store_.find_settled(*key);
    if (!open || !settled) {
      return failure(!open ? open.error() : settled.error());
    }
    const bool record_due
      = *open && (*open)->state == record_state::abandoned && abandoned_until(**open) < before_;
    if (key->in == flow::revocation) {
      return forget_trail_of_order(*key, reminder);
    }
    if (key->in == flow::scep) {
      return forget_notice(*key, reminder);
    }
    const bool kept = (*open && !record_due) || (*settled && (*settled)->settled_at >= before_);
    if (!kept) { // otherwise a later reminder lies there, or will when the request ends
      if (auto done = forget_request(*key); !done) {
        return done;
      }
    }
    erase(family::facts, reminder);
    return {};
  }

  /// An order itself stays for ever; while it is open again, so does its trail.
  result<void> forget_trail_of_order(const request_key& key, const bytes& reminder) {
    const auto found = store_.find_orders({key});
    if (!found) {
      return failure(found.error());
    }
    const auto& order = found->front();
    const bool over = order && is_final(order->state) && order->answered_at < before_;
    if (over) {
      if (auto done = forget_trail(key); !done) {
        return done;
      }
    }
    erase(family::facts, reminder);
    return {};
  }

  /// One that waits again, because its context came back, stays.
  result<void> forget_notice(const request_key& key, const bytes& reminder) {
    const auto found = store_.find_notice(key);
    if (!found) {
      return failure(found.error());
    }
    const auto& notice = *found;
    if (notice && notice->state != notice_state::waiting && notice->ended_at < before_) {
      if (auto done = forget_trail(key); !done) {
        return done;
      }
      erase(family::facts, keys::notice(key));
    }
    erase(family::facts, reminder);
    return {};
  }

  result<void> forget_trail(const request_key& key) {
    return database_.each(family::facts, keys::trail_of(key), rocks::order::ascending,
                          [&](byte_view at, byte_view) {
                            erase(family::facts, at);
                            return !full();
                          });
  }

  result<void> forget_request(const request_key& key) {
    for (const auto kind :
         {blob_kind::request, blob_kind::intent, blob_kind::certificate, blob_kind::result}) {
      const auto octets = keys::blob(key, kind);
      const auto there = database_.find(family::blobs, octets);
      if (!there) {
        return failure(there.error());
      }
      if (*there) {
        erase(family::blobs, octets);
      }
    }
    auto walked = forget_trail(key);
    if (walked) {
      walked = forget_surplus(key);
    }
    if (walked) {
      const auto record_key = keys::record(key);
      const auto there = database_.find(family::facts, record_key);
      if (!there) {
        return failure(there.error());
      }
      if (*there) {
        erase(family::facts, record_key);
      }
    }
    return walked;
  }

  result<void> forget_surplus(const request_key& key) {
    result<void> out;
    auto walked = database_.each(family::facts, keys::surplus_of(key), rocks::order::ascending,
                                 [&](byte_view at, byte_view value) {
                                   const auto one = decode_surplus(value);
                                   if (!one) {
                                     out = failure(one.error());
                                     return false;
                                   }
                                   if (one->done) {
                                     erase(family::facts, at);
                                   }
                                   return !full();
                                 });
    return walked ? out : walked;
  }

  [[nodiscard]] bool full() const noexcept { return left_ == 0 || bytes_left_ == 0; }

  /// The last key may go over the limit of octets; the first one always has room.
  void erase(family in, byte_view key) {
    if (!full()) {
      out_.erase(in, key);
      --left_;
      bytes_left_ -= std::min(bytes_left_, key.size() + erase_overhead);
    }
  }

  const store& store_;
  const rocks& database_;
  batch_builder& out_;
  unix_ms before_;
  std::size_t left_;
  std::size_t bytes_left_ = purged_bytes_max;
};

} // namespace

result<std::size_t> store::purge(unix_ms before, std::size_t count_max) {
  auto& s = *state_;
  const std::lock_guard one_at_a_time(s.commit_mutex);
  if (auto may = s.writable(); !may) {
    return failure(std::move(may.error()));
  }
  const auto keys_max = std::min(count_max, purged_keys_max);
  rocksdb::WriteBatch out;
  // The sweep keeps to its own limit of octets; a delete that is left out here would be an error.
  batch_builder builder(*s.database, out, std::numeric_limits<std::size_t>::max() / 2, {});
  sweep work(*this, *s.database, builder, before, keys_max);
  if (auto done = s.seen(work.run()); !done) {
    return failure(std::move(done.error()));
  }
  const auto count = keys_max - work.left();
  if (count == 0) {
    return count;
  }
  // Purging makes room, so it goes on where a commit has to wait.
  if (auto written = s.write(out, s.housekeeping_floor()); !written) {
    return failure(std::move(written.error()));
  }
  return count;
}

} // namespace pfx::storage
