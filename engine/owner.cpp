// One stat and one look into the table of users.
#include "engine/owner.hpp"

#include <array>

#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

namespace pfx::engine {

namespace {

constexpr std::size_t entry_bytes_max = 16u << 10; ///< of the table of users

std::string name_of_user(uid_t number) {
  std::array<char, entry_bytes_max> room{};
  passwd entry{};
  passwd* found = nullptr;
  const int fault = ::getpwuid_r(number, &entry, room.data(), room.size(), &found);
  return fault == 0 && found != nullptr ? found->pw_name : "#" + std::to_string(number);
}

} // namespace

std::optional<std::string> foreign_owner(const configuration& settings) {
  struct stat about {};
  const auto store = settings.data_directory + "/store";
  if (::stat(store.c_str(), &about) != 0 && ::stat(settings.data_directory.c_str(), &about) != 0)
    return std::nullopt;
  if (about.st_uid == ::geteuid())
    return std::nullopt;
  if (about.st_uid == 0 && ::access(store.c_str(), F_OK) != 0
      && ::access(settings.data_directory.c_str(), W_OK | X_OK) == 0)
    return std::nullopt; // a folder that was mounted for us, and is still empty
  return name_of_user(about.st_uid);
}

} // namespace pfx::engine
