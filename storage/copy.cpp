// The whole file system is synced: a store has hundreds of files and folders, a copy is rare.
#include "storage/copy.hpp"

#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

namespace pfx::storage {

namespace fs = std::filesystem;

namespace {

auto io_failure(const fs::path& path, const std::string& why) {
  return failure(errc::io, path.string(), why);
}

result<void> replace_by_copy(const fs::path& file) {
  const fs::path beside = file.string() + ".copy";
  std::error_code why;
  fs::copy_file(file, beside, why);
  if (!why) {
    fs::rename(beside, file, why);
  }
  return why ? result<void>(io_failure(file, why.message())) : result<void>{};
}

} // namespace

result<void> part_from_links(const fs::path& folder) {
  std::error_code why;
  std::vector<fs::path> linked;
  for (auto at = fs::recursive_directory_iterator(folder, why);
       !why && at != fs::recursive_directory_iterator(); at.increment(why)) {
    if (at->is_regular_file(why) && at->hard_link_count(why) > 1) {
      linked.push_back(at->path());
    }
  }
  if (why) {
    return io_failure(folder, why.message());
  }
  for (const auto& file : linked) {
    if (auto done = replace_by_copy(file); !done) {
      return done;
    }
  }
  return {};
}

result<void> sync_file_system(const fs::path& path) {
  const int at = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const bool done = at >= 0 && ::syncfs(at) == 0;
  const int fault = errno;
  if (at >= 0) {
    ::close(at);
  }
  return done ? result<void>{} : result<void>(io_failure(path, std::strerror(fault)));
}

} // namespace pfx::storage
