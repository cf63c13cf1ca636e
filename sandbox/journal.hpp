// An append-only file of JSON lines whose sync is shared: whoever waits first writes for all who
// came meanwhile. After a failed write it takes nothing more. Knows no meanings.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "core/result.hpp"

namespace pfx::sandbox {

/// One journal line in the making: `line("recorded").text("context", c).number("lease", 3)`.
class line {
public:
  explicit line(std::string_view what);
  line& text(std::string_view name, std::string_view value);
  line& number(std::string_view name, std::int64_t value);
  line& flag(std::string_view name, bool value);
  /// The finished line, newline included, with "t" (wall, Unix ms) and "m" (boot, ms) added.
  [[nodiscard]] std::string finish(std::int64_t wall_ms, std::int64_t boot_ms) const;

private:
  std::string out_;
};

class journal {
public:
  /// Writes and syncs one piece; tests put their own in.
  using commit_function = std::function<result<void>(std::string_view)>;
  static constexpr std::size_t pending_bytes_max = 64u << 20;

  /// Makes the file (O_EXCL, mode 0600). errc::conflict if it exists.
  [[nodiscard]] static result<std::unique_ptr<journal>> create(const std::string& path);
  [[nodiscard]] static std::unique_ptr<journal> with(commit_function commit);

  /// Puts a line at the end of the order; not written yet.
  void append(const line& what);
  /// Returns once every line appended before the call is synced, or never will be.
  [[nodiscard]] result<void> sync();

private:
  explicit journal(commit_function commit) : commit_(std::move(commit)) {}

  commit_function commit_;
  std::mutex mutex_;
  std::condition_variable done_;
  std::string pending_;
  std::uint64_t appended_ = 0;
  std::uint64_t synced_ = 0;
  bool writing_ = false;
  bool failed_ = false;
};

} // namespace pfx::sandbox
