// Which key comes next, written down before anything is sealed under it. Refuses to begin unless
// the present key is proven to be the one in use.
#include <cstdlib>
#include <filesystem>
#include <utility>

#include <unistd.h>

#include "crypto/file_key_store.hpp"
#include "engine/files.hpp"
#include "engine/identity.hpp"
#include "engine/rotation_steps.hpp"

namespace pfx::engine::detail {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t mark_bytes_max = 64;

} // namespace

bool rotation::replaceable(const configuration& settings) {
  const fs::path path = settings.master_key_file;
  std::error_code fault;
  const char* given = std::getenv("CREDENTIALS_DIRECTORY");
  const bool credential = settings.master_key_file.starts_with("/run/credentials/")
    || (given != nullptr && path.parent_path() == fs::path(given).lexically_normal());
  return !credential && fs::symlink_status(path, fault).type() == fs::file_type::regular
    && ::access(path.parent_path().c_str(), W_OK | X_OK) == 0;
}

// -- 2. the new key, durable before anything is sealed under it ------

result<void> rotation::choose_key() {
  std::error_code fault;
  const auto foreign = in_file_ ? rotation_mark_path(settings_) : next_key_path(settings_);
  if (fs::symlink_status(foreign, fault).type() != fs::file_type::not_found)
    return failure(errc::conflict, printable(foreign, 512),
                   "a rotation was interrupted while the master key lay elsewhere: put it back "
                   "there and repeat the rotation");
  if (!order_.old_key_file.empty())
    return finish_with_old_key();
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
      return already_there();
  }
  if (auto done = in_file_ ? resume_or_write_next() : resume_or_write_mark(); !done)
    return done;
  return passed("next-key");
}

result<void> rotation::already_there() const {
  std::error_code fault;
  if (fs::exists(rotation_mark_path(settings_), fault))
    return failure(errc::conflict, "newKey",
                   "is in its place already, but the rotation to it was interrupted: finish it "
                   "with `pfxengine master-key rotate --old-key FILE`, FILE being the key before");
  return failure(errc::bad_input, "newKey", "is the key that is in use");
}

/// What stands in the master key's place is the new key; the mark has to say so too.
result<void> rotation::finish_with_old_key() {
  if (in_file_ || !order_.new_key_file.empty())
    return failure(errc::bad_input, "oldKey",
                   "is only for an interrupted rotation of a credential, and without a new key");
  std::error_code fault;
  if (!fs::exists(rotation_mark_path(settings_), fault))
    return failure(errc::bad_input, "oldKey", "no rotation was interrupted");
  auto given = crypto::read_master_key(order_.old_key_file);
  if (!given)
    return failure(errc::bad_input, "oldKey", to_string(given.error()));
  next_ = std::exchange(present_, std::move(*given));
  if (equal_constant_time(next_.view(), present_.view()))
    return failure(errc::bad_input, "oldKey", "is the key that is in use");
  if (auto known = resume_or_write_mark(); !known)
    return known;
  return passed("next-key");
}

result<void> rotation::resume_or_write_next() {
  const auto path = next_key_path(settings_);
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
  const auto path = rotation_mark_path(settings_);
  const auto sealer = sealer_of(next_);
  if (!sealer)
    return failure(sealer.error());
  const auto words = to_hex(sealer->key_id()) + "\n";
  const auto mark = read_file(path, mark_bytes_max);
  if (!mark && mark.error().code != errc::not_found)
    return failure(mark.error());
  if (mark && to_text(*mark) != words)
    return failure(errc::conflict, "newKey",
                   "a rotation to another key was interrupted: repeat it with that key");
  report_.resumed = mark.has_value();
  if (report_.resumed)
    return {};
  const auto known = store_->meta(std::string(master_key_id_name));
  if (!known)
    return failure(known.error());
  if (!*known || **known != sealer->key_id()) // else: finished already, the key not yet replaced
    if (auto proven = prove_present_key(); !proven)
      return proven;
  return write_new_file(path, as_bytes(words));
}

/// Before anything is changed: what stands in the master key's place opens what there is.
result<void> rotation::prove_present_key() {
  const auto sealer = sealer_of(present_);
  if (!sealer)
    return failure(sealer.error());
  const auto known = store_->meta(std::string(master_key_id_name));
  if (!known)
    return failure(known.error());
  if (*known && **known != sealer->key_id())
    return failure(errc::wrong_key, "masterKeyFile",
                   printable(settings_.master_key_file, 512)
                     + " is not the key that this store was sealed with");
  if (const auto opened = reseal_identity(settings_, present_, nullptr); !opened)
    return failure(opened.error());
  const auto keys = crypto::file_key_store::open(settings_.keys_directory, present_.duplicate());
  if (!keys)
    return failure(keys.error());
  const auto opened = (*keys)->list();
  if (!opened)
    return failure(opened.error());
  if (!opened->faults.empty()) // a key that is left behind would be lost with the old master key
    return failure(opened->faults.front());
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

} // namespace pfx::engine::detail
