// Stat, the table of users, and the way from root down to one of them.
#include "engine/owner.hpp"

#include <array>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/seal.hpp"

namespace pfx::engine {

namespace {

constexpr std::size_t entry_bytes_max = 16u << 10; ///< of the table of users

struct user {
  std::string name;
  uid_t number = 0;
  gid_t group = 0;
};

std::optional<user> entry_of(const passwd* found) {
  if (found == nullptr)
    return std::nullopt;
  return user{found->pw_name, found->pw_uid, found->pw_gid};
}

std::optional<user> user_numbered(uid_t number) {
  std::array<char, entry_bytes_max> room{};
  passwd entry{};
  passwd* found = nullptr;
  const int fault = ::getpwuid_r(number, &entry, room.data(), room.size(), &found);
  return fault == 0 ? entry_of(found) : std::nullopt;
}

std::optional<user> user_named(const std::string& name) {
  std::array<char, entry_bytes_max> room{};
  passwd entry{};
  passwd* found = nullptr;
  const int fault = ::getpwnam_r(name.c_str(), &entry, room.data(), room.size(), &found);
  return fault == 0 ? entry_of(found) : std::nullopt;
}

/// Whose the data directory is. What its owner put into it says nothing: a link there must not
/// decide about rights. In a folder of root's (a mount) the store's owner is who counts.
std::optional<uid_t> owner_of(const configuration& settings) {
  struct stat about {};
  if (::stat(settings.data_directory.c_str(), &about) != 0)
    return std::nullopt;
  const auto store = settings.data_directory + "/store";
  struct stat inner {};
  const bool roots = about.st_uid == 0;
  if (roots && ::lstat(store.c_str(), &inner) == 0 && S_ISDIR(inner.st_mode))
    return inner.st_uid;
  return about.st_uid;
}

auto failed(const std::string& what, const char* doing) {
  return failure(errc::io, what, std::string(doing) + ": " + std::strerror(errno));
}

/// A file without a name that holds these octets, readable by `whose` alone; never swapped out.
/// Kept open as long as the process lives.
result<std::string> copy_in_memory(const secret_bytes& octets, const user& whose) {
  const int number = ::memfd_create("key", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (number < 0)
    return failed("key", "making a copy in memory");
  const auto size = static_cast<off_t>(octets.size());
  void* room = nullptr;
  if (::ftruncate(number, size) == 0)
    room = ::mmap(nullptr, octets.size(), PROT_READ | PROT_WRITE, MAP_SHARED, number, 0);
  if (room == nullptr || room == MAP_FAILED)
    return failed("key", "making a copy in memory");
  (void)::mlock(room, octets.size()); // a machine that allows none still serves
  (void)::madvise(room, octets.size(), MADV_DONTDUMP);
  std::memcpy(room, octets.data(), octets.size());
  if (::fchmod(number, 0400) != 0 || ::fchown(number, whose.number, whose.group) != 0)
    return failed("key", "handing a copy in memory over");
  return "/proc/self/fd/" + std::to_string(number);
}

result<void> keep_readable(std::string& path, const user& whose) {
  struct stat about {};
  if (path.empty() || ::stat(path.c_str(), &about) != 0 || about.st_uid == whose.number)
    return {};
  const auto key = crypto::read_master_key(path);
  if (!key)
    return failure(key.error());
  const auto copy = copy_in_memory(*key, whose);
  if (!copy)
    return failure(copy.error());
  path = *copy;
  return {};
}

error unknown_user(const std::string& name) {
  return {errc::not_found, "user", "there is no user " + printable(name) + " on this machine"};
}

result<void> become(const user& whom) {
  if (::initgroups(whom.name.c_str(), whom.group) != 0
      || ::setresgid(whom.group, whom.group, whom.group) != 0
      || ::setresuid(whom.number, whom.number, whom.number) != 0)
    return failed("user " + whom.name, "becoming that user");
  if (::setuid(0) == 0) // there must be no way back
    return failure(errc::internal, "user " + whom.name, "root's rights were not given up");
  return {};
}

} // namespace

std::optional<std::string> foreign_owner(const configuration& settings) {
  const auto owner = owner_of(settings);
  if (!owner || *owner == ::geteuid())
    return std::nullopt;
  const auto store = settings.data_directory + "/store";
  if (*owner == 0 && ::access(store.c_str(), F_OK) != 0
      && ::access(settings.data_directory.c_str(), W_OK | X_OK) == 0)
    return std::nullopt; // a folder that was mounted for us, and is still empty
  const auto known = user_numbered(*owner);
  return known ? known->name : "#" + std::to_string(*owner);
}

result<void> become_owner(const configuration& settings,
                          const std::vector<std::string*>& key_files) {
  const auto owner = owner_of(settings);
  if (::geteuid() != 0 || !owner || *owner == 0)
    return {};
  const auto whom = user_numbered(*owner);
  if (!whom)
    return failure(errc::not_found, settings.data_directory,
                   "belongs to the user #" + std::to_string(*owner)
                     + ", whom this machine does not know");
  for (auto* const path : key_files)
    if (auto kept = keep_readable(*path, *whom); !kept)
      return kept;
  return become(*whom);
}

result<void> give_to(const std::string& name, const std::string& path) {
  const auto whom = user_named(name);
  if (!whom)
    return failure(unknown_user(name));
  if (::lchown(path.c_str(), whom->number, whom->group) != 0)
    return failed(path, "giving it to another user");
  return {};
}

result<void> let_read(const std::string& name, const std::string& path) {
  const auto whom = user_named(name);
  if (!whom)
    return failure(unknown_user(name));
  const int held = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  struct stat about {};
  const bool done = held >= 0 && ::fstat(held, &about) == 0
    && ::fchown(held, ::geteuid(), whom->group) == 0
    && ::fchmod(held, S_ISDIR(about.st_mode) ? 0750 : 0640) == 0;
  auto fault = failed(path, "letting another user read it");
  if (held >= 0)
    ::close(held);
  if (!done)
    return fault;
  return {};
}

bool user_exists(const std::string& name) { return user_named(name).has_value(); }

} // namespace pfx::engine
