// A feed that lies in a folder.
#include <atomic>
#include <cerrno>
#include <unistd.h>

#include "release/feed.hpp"
#include "release/files.hpp"

namespace pfx::release {

namespace {

class folder_feed final : public feed {
public:
  explicit folder_feed(std::string folder) : folder_(std::move(folder)) {}

  void cancel() noexcept override { cancelled_ = true; }

  result<std::string> document(const std::string& name, std::size_t bytes_max) override {
    if (cancelled_)
      return failure(errc::stopping, name, "cancelled");
    return detail::read_file(folder_ + "/" + name, bytes_max);
  }

  result<std::string> part(const std::string& name, std::uint64_t offset,
                           std::size_t count) override {
    if (cancelled_)
      return failure(errc::stopping, name, "cancelled");
    const auto path = folder_ + "/" + name;
    const auto file = detail::open_regular(path);
    if (!file)
      return failure(file.error());
    std::string out(count, '\0');
    std::size_t size = 0;
    while (size < count) {
      const auto got = ::pread(file->number(), out.data() + size, count - size,
                               static_cast<off_t>(offset + size));
      if (got < 0 && errno == EINTR)
        continue;
      if (got < 0)
        return failure(detail::system_error(path, "cannot be read"));
      if (got == 0)
        break;
      size += static_cast<std::size_t>(got);
    }
    out.resize(size);
    return out;
  }

private:
  std::string folder_;
  std::atomic<bool> cancelled_ = false;
};

} // namespace

std::unique_ptr<feed> open_folder_feed(std::string folder) {
  return std::make_unique<folder_feed>(std::move(folder));
}

std::string_view this_platform() noexcept { return PFX_PLATFORM; }

} // namespace pfx::release
