// The lock between commands and a rotation, and the two marks of an interrupted one.
#include "engine/rotation_guard.hpp"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

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
