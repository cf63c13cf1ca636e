// Files of an update: read with a limit and without following links, replaced whole and durably.
// Every write is a named step at which tests end the process. Private to release/.
#pragma once

#include <string>

#include "core/bytes.hpp"

namespace pfx::release::detail {

/// Owner of a file descriptor.
class descriptor {
public:
  explicit descriptor(int number = -1) noexcept : number_(number) {}
  descriptor(descriptor&& other) noexcept : number_(other.number_) { other.number_ = -1; }
  descriptor& operator=(descriptor&& other) noexcept;
  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;
  ~descriptor();
  [[nodiscard]] int number() const noexcept { return number_; }
  [[nodiscard]] bool open() const noexcept { return number_ >= 0; }

private:
  int number_;
};

/// errno as an error: errc::not_found, errc::disk_full (ENOSPC, EDQUOT) or errc::io; field = path.
[[nodiscard]] error system_error(const std::string& path, const char* what);

/// Opens a regular file to read it; a link, a pipe and a device are refused.
[[nodiscard]] result<descriptor> open_regular(const std::string& path);
[[nodiscard]] result<std::uint64_t> size_of(const descriptor& file, const std::string& path);
/// errc::not_found, errc::too_large, errc::io; field = path.
[[nodiscard]] result<std::string> read_file(const std::string& path, std::size_t bytes_max);

[[nodiscard]] result<void> write_all(const descriptor& file, byte_view octets,
                                     const std::string& path);
[[nodiscard]] result<void> sync(const descriptor& file, const std::string& path);
[[nodiscard]] result<void> sync_folder_of(const std::string& path);
/// A crash leaves the old file or the new one. The fault points "`step`.written" and
/// "`step`.renamed" lie between.
[[nodiscard]] result<void> replace_file(const std::string& path, byte_view octets, int mode,
                                        std::string_view step);
/// errc::conflict if it exists; then nothing is changed.
[[nodiscard]] result<void> write_new_file(const std::string& path, byte_view octets, int mode);
/// Nothing there is no error.
[[nodiscard]] result<void> remove_file(const std::string& path);
/// Makes a folder with its parents; new ones get this mode.
[[nodiscard]] result<void> make_folder(const std::string& path, int mode);
/// Removes a folder and what is in it; nothing there is no error.
[[nodiscard]] result<void> remove_tree(const std::string& path);
/// errc::disk_full if so many octets do not fit and leave `spare` free.
[[nodiscard]] result<void> need_room(const std::string& folder, std::uint64_t octets);

/// An exclusive lock, held as long as the descriptor lives. errc::store_locked if another has it
/// for longer than `wait_ms`.
[[nodiscard]] result<descriptor> lock_file(const std::string& path, std::int64_t wait_ms);

/// Left free by everything that an update writes.
inline constexpr std::uint64_t spare_bytes = 32u << 20;

} // namespace pfx::release::detail
