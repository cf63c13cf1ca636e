// The rotation of the master key, as numbered steps. Refuses to begin unless the present key is
// proven to be the one in use; never leaves a thing that neither key opens.
#include "engine/rotation.hpp"

#include <cstdlib>
#include <filesystem>
#include <optional>

#include <unistd.h>

#include "core/fault_point.hpp"
#include "crypto/file_key_store.hpp"
#include "crypto/seal.hpp"
#include "engine/audit_store.hpp"
#include "engine/files.hpp"
#include "engine/identity.hpp"
#include "engine/rotation_guard.hpp"

namespace pfx::engine {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t batch_records_max = 128;
constexpr std::size_t batch_bytes_max = 2u << 20;
constexpr std::size_t mark_bytes_max = 64;
constexpr std::string_view key_id_name = "master-key-id";

/// True for a file of ours in a folder that we can write to; a credential of the service manager, a
/// link, or a read-only folder belongs to somebody who has to put the new key there himself.
bool replaceable(const configuration& settings) {
  const fs::path path = settings.master_key_file;
  std::error_code fault;
  const char* given = std::getenv("CREDENTIALS_DIRECTORY");
  const bool credential = settings.master_key_file.starts_with("/run/credentials/")
    || (given != nullptr && path.parent_path() == fs::path(given).lexically_normal());
  return !credential && fs::symlink_status(path, fault).type() == fs::file_type::regular
    && ::access(path.parent_path().c_str(), W_OK | X_OK) == 0;
}

class rotation {
public:
  rotation(const configuration& settings, const rotation_order& order)
      : settings_(settings), order_(order), in_file_(replaceable(settings)) {}

  [[nodiscard]] result<rotation_report> run();

private:
  using action = result<void> (rotation::*)();

  [[nodiscard]] result<void> open();
  [[nodiscard]] result<void> choose_key();
  [[nodiscard]] result<void> make_sealers();
  [[nodiscard]] result<void> seal_records();
  [[nodiscard]] result<void> tell_store();
  [[nodiscard]] result<void> erase_old_records();
  [[nodiscard]] result<void> seal_identity();
  [[nodiscard]] result<void> seal_keys();
  [[nodiscard]] result<void> close();
  [[nodiscard]] result<void> put_key_in_place();

  [[nodiscard]] result<void> resume_or_write_next();
  [[nodiscard]] result<void> resume_or_write_mark();
  [[nodiscard]] result<void> prove_present_key();
  [[nodiscard]] result<void> prove_records(const crypto::sealer& with) const;
  [[nodiscard]] result<crypto::sealer> sealer_of(const secret_bytes& key) const;
  [[nodiscard]] result<std::optional<storage::put_blob>> sealed_again(const request_key& key,
                                                                      blob_kind kind,
                                                                      byte_view sealed) const;
  [[nodiscard]] result<void> commit(storage::batch& waiting);
  [[nodiscard]] result<void> passed(std::string_view step) const;

  const configuration& settings_;
  const rotation_order& order_;
  const bool in_file_;
  std::optional<detail::secrets_guard> guard_;
  std::unique_ptr<storage::store> store_;
  std::uint64_t epoch_ = 0;
  secret_bytes present_;
  secret_bytes next_;
  std::optional<crypto::sealer> from_;
  std::optional<crypto::sealer> to_;
  rotation_report report_;
};

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
  auto guard = detail::secrets_guard::alone(settings_);
  if (!guard)
    return failure(guard.error());
  guard_.emplace(std::move(*guard));
  auto present = crypto::read_master_key(settings_.master_key_file);
  if (!present)
    return failure(present.error());
  present_ = std::move(*present);
  auto store = detail::open_store(settings_, true);
  if (!store && store.error().code == errc::store_locked)
    return failure(errc::store_locked, store.error().field,
                   "an engine works with this data directory: stop it first");
  if (!store)
    return failure(store.error());
  store_ = std::move(*store);
  const auto epoch = detail::stored_epoch(*store_);
  if (!epoch)
    return failure(epoch.error());
  epoch_ = *epoch;
  return {};
}

// -- 2. the new key, durable before anything is sealed under it ------

result<void> rotation::choose_key() {
  std::error_code fault;
  const auto foreign
    = in_file_ ? detail::rotation_mark_path(settings_) : detail::next_key_path(settings_);
  if (fs::symlink_status(foreign, fault).type() != fs::file_type::not_found)
    return failure(errc::conflict, printable(foreign, 512),
                   "a rotation was interrupted while the master key lay elsewhere: put it back "
                   "there and repeat the rotation");
  if (!in_file_ && order_.new_key_file.empty())
    return failure(errc::bad_input, "newKey",
                   "is needed: " + printable(settings_.master_key_file, 512)
                     + " cannot be replaced by this program; give a file with the new key");
  if (!order_.new_key_file.empty()) {
    auto given = crypto::read_master_key(order_.new_key_file);
    if (!given)
      return failure(errc::bad_input, "newKey", to_string(given.error()));
    next_ = std::move(*given);
    if (equal_constant_time(next_.view(), present_.view()))
      return failure(errc::bad_input, "newKey", "is the key that is in use");
  }
  if (auto done = in_file_ ? resume_or_write_next() : resume_or_write_mark(); !done)
    return done;
  return passed("next-key");
}

result<void> rotation::resume_or_write_next() {
  const auto path = detail::next_key_path(settings_);
  std::error_code fault;
  report_.resumed = fs::symlink_status(path, fault).type() != fs::file_type::not_found;
  if (!report_.resumed) {
    if (auto proven = prove_present_key(); !proven)
      return proven;
    auto written
      = next_.empty() ? crypto::write_new_master_key(path) : crypto::write_master_key(path, next_);
    if (!written)
      return written;
  }
  auto next = crypto::read_master_key(path);
  if (!next)
    return failure(next.error());
  if (!next_.empty() && !equal_constant_time(next_.view(), next->view()))
    return failure(errc::conflict, "newKey",
                   "a rotation to another key was interrupted: repeat it without a new key");
  next_ = std::move(*next);
  return {};
}

result<void> rotation::resume_or_write_mark() {
  const auto path = detail::rotation_mark_path(settings_);
  const auto sealer = sealer_of(next_);
  if (!sealer)
    return failure(sealer.error());
  const auto words = to_hex(sealer->key_id()) + "\n";
  const auto mark = detail::read_file(path, mark_bytes_max);
  if (!mark && mark.error().code != errc::not_found)
    return failure(mark.error());
  if (mark && to_text(*mark) != words)
    return failure(errc::conflict, "newKey",
                   "a rotation to another key was interrupted: repeat it with that key");
  report_.resumed = mark.has_value();
  if (report_.resumed)
    return {};
  const auto known = store_->meta(std::string(key_id_name));
  if (!known)
    return failure(known.error());
  if (!*known || **known != sealer->key_id()) // else: finished already, the key not yet replaced
    if (auto proven = prove_present_key(); !proven)
      return proven;
  return detail::write_new_file(path, as_bytes(words));
}

/// Before anything is changed: what stands in the master key's place opens what there is.
result<void> rotation::prove_present_key() {
  const auto sealer = sealer_of(present_);
  if (!sealer)
    return failure(sealer.error());
  const auto known = store_->meta(std::string(key_id_name));
  if (!known)
    return failure(known.error());
  if (*known && **known != sealer->key_id())
    return failure(errc::wrong_key, "masterKeyFile",
                   printable(settings_.master_key_file, 512)
                     + " is not the key that this store was sealed with");
  if (const auto opened = detail::reseal_identity(settings_, present_, nullptr); !opened)
    return failure(opened.error());
  const auto keys = crypto::file_key_store::open(settings_.keys_directory, present_.duplicate());
  if (!keys)
    return failure(keys.error());
  if (const auto opened = (*keys)->list(); !opened)
    return failure(opened.error());
  return prove_records(*sealer);
}

/// A damaged record found halfway would leave a rotation that can neither go on nor back.
result<void> rotation::prove_records(const crypto::sealer& with) const {
  result<void> done;
  auto walked = store_->each_blob([&](const request_key& key, blob_kind kind, const bytes& sealed) {
    const auto place_key = storage::store::blob_key(key, kind);
    if (const auto opened = with.open({static_cast<std::uint8_t>(kind), place_key}, sealed);
        !opened)
      done = failure(opened.error().code, "record of " + printable(key.context),
                     opened.error().message + "; nothing was changed");
    return done.has_value();
  });
  return walked ? done : walked;
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
  const auto known = store_->meta(std::string(key_id_name));
  if (!known)
    return failure(known.error());
  if (*known && **known == to_->key_id())
    return {};
  auto line
    = detail::next_audit(*store_, audit_events::master_key_rotated,
                         "master key " + report_.old_key_id + " replaced by " + report_.new_key_id
                           + ", by user id " + std::to_string(::getuid()));
  if (!line)
    return failure(line.error());
  if (auto written = store_->commit(
        {storage::put_meta{std::string(key_id_name), to_->key_id()}, std::move(*line)});
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
  const auto done = detail::reseal_identity(settings_, present_, &next_);
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
  if (auto closed = detail::leave(*store_); !closed)
    return closed;
  store_.reset();
  return passed("closed");
}

// -- 6. the new key in the place of the old ------

result<void> rotation::put_key_in_place() {
  auto done = in_file_
    ? detail::rename_file(detail::next_key_path(settings_), settings_.master_key_file)
    : detail::remove_file(detail::rotation_mark_path(settings_));
  if (!done)
    return done;
  if (!in_file_)
    report_.left.push_back("put the key of " + printable(order_.new_key_file, 512)
                           + " where the master key comes from ("
                           + printable(settings_.master_key_file, 512)
                           + ") before the engine is started; until then it refuses to run");
  report_.left.emplace_back(
    "keep a copy of the new key in a safe place; backups that were made until "
    "now open with the old key alone");
  return passed("done");
}

} // namespace

result<rotation_report> rotate_master_key(const configuration& settings,
                                          const rotation_order& order) {
  return rotation(settings, order).run();
}

} // namespace pfx::engine
