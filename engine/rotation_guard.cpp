// The lock between commands and a rotation, and the two marks of an interrupted one.
#include "engine/rotation_guard.hpp"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "crypto/seal.hpp"
#include "engine/audit_store.hpp"
#include "engine/control.hpp"
#include "engine/rotation.hpp"

namespace pfx::engine {
namespace detail {

std::string next_key_path(const configuration& settings) {
  return settings.master_key_file + ".next";
}

std::string rotation_mark_path(const configuration& settings) {
  return settings.data_directory + "/master-key.rotation";
}

secrets_guard::secrets_guard(secrets_guard&& other) noexcept
    : folder_(std::exchange(other.folder_, -1)) {}

secrets_guard::~secrets_guard() {
  if (folder_ >= 0)
    ::close(folder_);
}

result<secrets_guard> secrets_guard::take(const configuration& settings, int how,
                                          const char* refusal) {
  const auto path = printable(settings.data_directory, 512);
  secrets_guard out(::open(settings.data_directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (out.folder_ < 0 && errno == ENOENT)
    return out;
  if (out.folder_ < 0)
    return failure(errc::io, path, std::string("cannot be opened: ") + std::strerror(errno));
  if (::flock(out.folder_, how | LOCK_NB) == 0)
    return out;
  if (errno == EWOULDBLOCK)
    return failure(errc::unavailable, path, refusal);
  return failure(errc::io, path, std::string("cannot be locked: ") + std::strerror(errno));
}

result<secrets_guard> secrets_guard::shared(const configuration& settings) {
  auto out = take(settings, LOCK_SH, "the master key is being rotated; try again when it is done");
  if (!out)
    return out;
  if (auto may = refuse_during_rotation(settings); !may)
    return failure(std::move(may).error());
  return out;
}

result<secrets_guard> secrets_guard::alone(const configuration& settings) {
  return take(settings, LOCK_EX, "another command works with the keys; try again when it is done");
}

namespace {

/// What the engine that owns the store says. An engine of an older program says nothing.
result<std::string> key_id_of_engine(const configuration& settings) {
  const auto client = control_client::make(settings.control_socket);
  const auto now = client ? client->current() : result<status>(failure(client.error()));
  if (!now || now->master_key_id.empty())
    return failure(errc::unavailable, printable(settings.data_directory, 512),
                   "an engine works with this data directory and cannot be asked; try again, or "
                   "stop it");
  return now->master_key_id;
}

/// Hexadecimal; empty if there is no store yet or it records nothing.
result<std::string> recorded_key_id(const configuration& settings) {
  std::error_code fault;
  if (!std::filesystem::exists(settings.data_directory + "/store", fault))
    return std::string();
  const auto store = open_store(settings, false);
  if (!store && store.error().code == errc::store_locked)
    return key_id_of_engine(settings);
  if (!store)
    return failure(store.error());
  const auto known = (*store)->meta(std::string(master_key_id_name));
  if (auto left = leave(**store); known && !left)
    return failure(left.error());
  if (!known)
    return failure(known.error());
  return *known ? to_hex(**known) : std::string();
}

} // namespace

result<void> refuse_other_master_key(const configuration& settings,
                                     const secret_bytes& master_key) {
  const auto id = crypto::master_key_id(master_key);
  if (!id)
    return failure(id.error());
  const auto recorded = recorded_key_id(settings);
  if (!recorded)
    return failure(recorded.error());
  if (recorded->empty() || *recorded == to_hex(*id))
    return {};
  return failure(errc::wrong_key, "masterKeyFile",
                 printable(settings.master_key_file, 512)
                   + " is not the key that this data directory is sealed with; if the master key "
                     "was rotated, put the new one there first; nothing was done");
}

} // namespace detail

result<void> refuse_during_rotation(const configuration& settings) {
  for (const auto& path : {detail::next_key_path(settings), detail::rotation_mark_path(settings)}) {
    std::error_code fault;
    const auto found = std::filesystem::symlink_status(path, fault).type();
    if (found != std::filesystem::file_type::not_found)
      return failure(errc::conflict, printable(path, 512),
                     "a rotation was interrupted: run `pfxengine master-key rotate` again");
  }
  return {};
}

} // namespace pfx::engine
