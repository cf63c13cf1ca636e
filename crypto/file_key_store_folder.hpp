// The folder of sealed key files: rights, names, whole files. Knows octets only. Private to this
// room.
#pragma once

#include <string>
#include <vector>

#include "core/secret.hpp"

namespace pfx::crypto::detail {

inline constexpr std::size_t key_file_octets_max = 64u << 10;

/// Tells whether a file is still the one that was read.
struct file_stamp {
  std::uint64_t device = 0, inode = 0;
  std::int64_t size = 0;
  std::int64_t modified_s = 0, modified_ns = 0, changed_s = 0, changed_ns = 0;
  bool operator==(const file_stamp&) const = default;
};

/// An open folder; every look-up goes through its descriptor. Life: one operation of the store.
/// Refuses a folder or a file that is not our own user's, or on which group or others have rights,
/// and links: errc::io with the path, because no request is to blame for it.
class key_folder {
public:
  /// errc::not_found if it is missing and `make` is false.
  [[nodiscard]] static result<key_folder> open(const std::string& path, bool make);
  key_folder(key_folder&& other) noexcept;
  key_folder& operator=(key_folder&&) = delete;
  ~key_folder();

  /// Until the end of this object nobody else adds, replaces or removes; readers go on.
  /// errc::unavailable after a named wait.
  [[nodiscard]] result<void> lock();
  /// Names of key files, sorted. Everything else in the folder is left alone and never opened.
  [[nodiscard]] result<std::vector<std::string>> names() const;
  /// errc::not_found, errc::corrupt (longer than any key file), errc::io.
  [[nodiscard]] result<bytes> read(const std::string& name, file_stamp& stamp) const;
  /// Of what stands under the name now; errc::not_found.
  [[nodiscard]] result<file_stamp> stamp(const std::string& name) const;
  /// Whole and synced, or not at all. errc::conflict if the name is taken.
  [[nodiscard]] result<void> create(const std::string& name, byte_view octets) const;
  /// Puts a new file in the place of one; a crash leaves the one or the other.
  [[nodiscard]] result<void> replace(const std::string& name, byte_view octets) const;
  /// errc::not_found.
  [[nodiscard]] result<void> remove(const std::string& name) const;
  /// Removes what a crash left of create() or replace(). Only under lock().
  [[nodiscard]] result<void> sweep() const;
  [[nodiscard]] std::string path_of(const std::string& name) const;

private:
  key_folder(std::string path, int folder) : path_(std::move(path)), folder_(folder) {}
  [[nodiscard]] result<void> check() const;
  [[nodiscard]] result<std::vector<std::string>> entries() const;
  [[nodiscard]] result<std::string> write_temporary(const std::string& name,
                                                    byte_view octets) const;
  [[nodiscard]] result<void> sync(const std::string& name) const;

  std::string path_;
  int folder_ = -1; ///< owned
};

} // namespace pfx::crypto::detail
