// The data directory: made with the rights 0700, owned by one process at a time, and known by a
// marker file that is older than the database in it. Refuses a directory that others can enter.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "core/bytes.hpp"
#include "core/program_version.hpp"

namespace pfx::storage {

/// What the file `pfxengine-store` says.
struct marker {
  bytes store_id;        ///< 16 octets
  bool complete = false; ///< false: the database was being made; nothing was promised yet
};

/// A locked data directory. Life: as long as its store; the end of the process ends the lock too.
class data_directory {
public:
  static constexpr std::uint32_t format_version = store_format_version;

  /// Makes the directory (and its parents) if it is missing and `create` allows it; checks owner
  /// and rights; takes the lock without waiting. Errors: errc::not_found, errc::bad_input (rights,
  /// owner), errc::store_locked (names the process if the lock file does), errc::io.
  [[nodiscard]] static result<data_directory> claim(const std::string& path, bool create);
  data_directory(data_directory&& other) noexcept;
  data_directory& operator=(data_directory&&) = delete;
  ~data_directory();

  /// The marker, if there is one. errc::store_newer for a later format, errc::corrupt for damage.
  [[nodiscard]] result<std::optional<marker>> read_marker() const;
  /// Replaces the marker; it and its name are synced before this returns.
  [[nodiscard]] result<void> write_marker(const marker& value) const;
  /// True if nothing is there but what this class made (and `lost+found` of a fresh file system).
  [[nodiscard]] result<bool> empty() const;
  /// Where the database lies; made (0700) by make_database_directory.
  [[nodiscard]] std::filesystem::path database_path() const { return path_ / "db"; }
  [[nodiscard]] result<void> make_database_directory() const;
  /// Octets that an unprivileged process may still write; 0 if the system can't tell.
  [[nodiscard]] std::uint64_t free_bytes() const noexcept;

private:
  explicit data_directory(std::filesystem::path path) : path_(std::move(path)) {}
  [[nodiscard]] result<void> open_checked();
  [[nodiscard]] result<void> lock();

  std::filesystem::path path_;
  int directory_ = -1; ///< owned
  int lock_ = -1;      ///< owned
};

} // namespace pfx::storage
