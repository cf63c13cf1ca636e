// The rotation of the master key, as numbered steps. Never leaves a thing that neither key opens.
#include "engine/rotation.hpp"

#include <unistd.h>

#include "core/fault_point.hpp"
#include "crypto/file_key_store.hpp"
#include "engine/files.hpp"
#include "engine/identity.hpp"
#include "engine/rotation_steps.hpp"

namespace pfx::engine {
namespace detail {
namespace {

constexpr std::size_t batch_records_max = 128;
constexpr std::size_t batch_bytes_max = 2u << 20;

} // namespace

result<rotation_report> rotation::run() {
  for (const action each :
       {&rotation::open, &rotation::choose_key, &rotation::make_sealers, &rotation::seal_records,
        &rotation::tell_store, &rotation::erase_old_records, &rotation::seal_identity,
        &rotation::seal_keys, &rotation::close, &rotation::put_key_in_place})
    if (auto done = (this->*each)(); !done)
      return failure(std::move(done).error());
  return std::move(report_);
}

result<void> rotation::passed(std::string_view step) const {
  fault_point("rotation", step);
  return order_.at_step ? order_.at_step(step) : result<void>();
}

// -- 1. nobody else, and the present key ------

result<void> rotation::open() {
  auto guard = secrets_guard::alone(settings_);
  if (!guard)
    return failure(guard.error());
  guard_.emplace(std::move(*guard));
  auto present = crypto::read_master_key(settings_.master_key_file);
  if (!present)
    return failure(present.error());
  present_ = std::move(*present);
  auto store = open_store(settings_, true);
  if (!store && store.error().code == errc::store_locked)
    return failure(errc::store_locked, store.error().field,
                   "an engine works with this data directory: stop it first");
  if (!store)
    return failure(store.error());
  store_ = std::move(*store);
  const auto epoch = stored_epoch(*store_);
  if (!epoch)
    return failure(epoch.error());
  epoch_ = *epoch;
  return {};
}

result<crypto::sealer> rotation::sealer_of(const secret_bytes& key) const {
  return crypto::sealer::make(key.duplicate(), store_->store_id(), epoch_);
}

result<void> rotation::make_sealers() {
  auto from = sealer_of(present_);
  auto to = sealer_of(next_);
  if (!from || !to)
    return failure(!from ? from.error() : to.error());
  report_.old_key_id = to_hex(from->key_id());
  report_.new_key_id = to_hex(to->key_id());
  from_.emplace(std::move(*from));
  to_.emplace(std::move(*to));
  return {};
}

// -- 3. records, in bounded batches ------

result<std::optional<storage::put_blob>> rotation::sealed_again(const request_key& key,
                                                                blob_kind kind,
                                                                byte_view sealed) const {
  const auto place_key = storage::store::blob_key(key, kind);
  const crypto::seal_place place{static_cast<std::uint8_t>(kind), place_key};
  if (const auto done = to_->open(place, sealed); done)
    return std::optional<storage::put_blob>();
  else if (done.error().code != errc::wrong_key)
    return failure(done.error());
  const auto plain = from_->open(place, sealed);
  if (!plain)
    return failure(plain.error().code, "record of " + printable(key.context),
                   plain.error().message);
  auto again = to_->seal(place, plain->view());
  if (!again)
    return failure(again.error());
  return std::optional(storage::put_blob{key, kind, std::move(*again)});
}

result<void> rotation::commit(storage::batch& waiting) {
  if (waiting.empty())
    return {};
  if (auto written = store_->commit(waiting); !written)
    return written;
  report_.records += waiting.size();
  waiting.clear();
  return passed("records");
}

result<void> rotation::seal_records() {
  storage::batch waiting;
  std::size_t size = 0;
  result<void> done;
  auto walked = store_->each_blob([&](const request_key& key, blob_kind kind, const bytes& sealed) {
    auto again = sealed_again(key, kind, sealed);
    if (!again)
      done = failure(std::move(again).error());
    else if (*again) {
      size += sealed.size();
      waiting.emplace_back(std::move(**again));
    }
    if (done && (waiting.size() >= batch_records_max || size >= batch_bytes_max)) {
      done = commit(waiting);
      size = 0;
    }
    return done.has_value();
  });
  if (!walked || !done)
    return walked ? done : walked;
  return commit(waiting);
}

// -- 4. the store's word of its key, and the audit, in one batch ------

result<void> rotation::tell_store() {
  const auto known = store_->meta(std::string(master_key_id_name));
  if (!known)
    return failure(known.error());
  if (*known && **known == to_->key_id())
    return {};
  auto line = next_audit(*store_, audit_events::master_key_rotated,
                         "master key " + report_.old_key_id + " replaced by " + report_.new_key_id
                           + ", by user id " + std::to_string(::getuid()));
  if (!line)
    return failure(line.error());
  if (auto written = store_->commit(
        {storage::put_meta{std::string(master_key_id_name), to_->key_id()}, std::move(*line)});
      !written)
    return written;
  return passed("store");
}

/// The old records are dead, but their octets lie in the database's files until they are rewritten.
result<void> rotation::erase_old_records() {
  auto erased = store_->erase_overwritten();
  if (!erased && erased.error().code == errc::disk_full) {
    report_.left.emplace_back("too little disk space is free to write the database anew: records "
                              "sealed under the old key lie in its files for a while");
    return {};
  }
  return erased;
}

// -- 5. files ------

result<void> rotation::seal_identity() {
  const auto done = reseal_identity(settings_, present_, &next_);
  if (!done)
    return failure(done.error());
  report_.identity = *done;
  return passed("identity");
}

result<void> rotation::seal_keys() {
  const auto keys = crypto::file_key_store::open(settings_.keys_directory, present_.duplicate());
  if (!keys)
    return failure(keys.error());
  const auto done = (*keys)->reseal(next_);
  if (!done)
    return failure(done.error());
  report_.keys = *done;
  return passed("keys");
}

result<void> rotation::close() {
  if (auto closed = leave(*store_); !closed)
    return closed;
  store_.reset();
  return passed("closed");
}

// -- 6. the new key in the place of the old ------

result<void> rotation::put_key_in_place() {
  auto done = in_file_ ? rename_file(next_key_path(settings_), settings_.master_key_file)
                       : remove_file(rotation_mark_path(settings_));
  if (!done)
    return done;
  if (!in_file_ && order_.old_key_file.empty())
    report_.left.push_back("put the key of " + printable(order_.new_key_file, 512)
                           + " where the master key comes from ("
                           + printable(settings_.master_key_file, 512)
                           + ") before the engine is started; until then it refuses to run");
  report_.left.emplace_back(
    "keep a copy of the new key in a safe place; backups that were made until "
    "now open with the old key alone");
  return passed("done");
}

} // namespace detail

result<rotation_report> rotate_master_key(const configuration& settings,
                                          const rotation_order& order) {
  return detail::rotation(settings, order).run();
}

} // namespace pfx::engine
