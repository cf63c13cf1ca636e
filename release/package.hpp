// A package: a plain tar archive (POSIX ustar) of files and folders. Refuses everything else:
// links, devices, names that lead out, owners and rights of its own beyond "may be run".
#pragma once

#include <string>
#include <vector>

#include "core/bytes.hpp"

namespace pfx::release {

inline constexpr std::size_t package_entries_max = 4'096;
inline constexpr std::size_t package_name_bytes_max = 255;

struct package_entry {
  std::string name; ///< relative, without "." and ".."; folders without a slash at the end
  bool folder = false;
  bool runs = false;
  std::uint64_t size = 0;
  bool operator==(const package_entry&) const = default;
};

/// Takes one header of 512 octets apart. errc::bad_input, field "package".
[[nodiscard]] result<package_entry> read_package_header(byte_view octets);
/// True for a relative name of plain parts.
[[nodiscard]] bool is_package_name(std::string_view name) noexcept;

/// Reads through a package without writing anything: what is in it.
[[nodiscard]] result<std::vector<package_entry>> list_package(const std::string& path);

/// Unpacks into `folder`, which is made anew; files get 0644 or 0755, folders 0755, all of it is
/// synced when this returns. What a former try left there is removed first. The fault point
/// "unpack.entry" is passed behind each entry.
[[nodiscard]] result<void> unpack(const std::string& path, const std::string& folder);

} // namespace pfx::release
