// A release on its way to this machine: downloaded in parts, resumed after any interruption, and
// called staged only after it was verified whole. Switches nothing.
#pragma once

#include <optional>
#include <string>

#include "release/trust_store.hpp"

namespace pfx::release {

inline constexpr std::size_t part_bytes = 256u << 10; ///< of one call to the feed

/// A staged release: the signed manifest as it came, and the package beside it.
struct staged {
  std::string manifest_text;
  manifest what;
  std::string package_path;
};

/// The folder of one engine, below which: `staged.manifest` (written last), `roots/`, the package,
/// and `*.part` of one that is being downloaded. Everything in it may be lost or hostile: whoever
/// switches verifies again.
class staging_folder {
public:
  /// Made with mode 0755, so that the switcher's unit can read it without rights of ours.
  [[nodiscard]] static result<staging_folder> open(std::string path);

  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  /// The last staged release, as its manifest says; nothing if there is none. Not verified.
  [[nodiscard]] result<std::optional<staged>> current() const;
  /// How much of it is here already.
  [[nodiscard]] std::uint64_t arrived(const manifest& of) const;

  enum class progress : std::uint8_t { more = 1, done };
  /// Fetches the next part, or verifies the whole and calls it staged. Errors name the field:
  /// "length" (the feed has less or more), "sha256" (what came is not it: thrown away). errc::
  /// disk_full leaves what is there for later.
  [[nodiscard]] result<progress> advance(feed& from, const manifest& of,
                                         const std::string& manifest_text);
  /// True if this very package lies here whole, and its manifest beside it. Reads all of it: one
  /// that was damaged since is fetched again instead of being refused by the switch for ever.
  [[nodiscard]] bool holds(const manifest& of) const;
  /// The same, and then the manifest is as this text, which the caller has verified: one that was
  /// signed anew, to live longer or to reach more, takes the place of the former.
  [[nodiscard]] result<bool> renew(const manifest& of, const std::string& manifest_text);
  /// The roots up to the trusted one, for the switcher's own chain: as they were verified, or,
  /// where that is long ago, what is here or in the feed and leads to the next one. Whatever else
  /// lies here is replaced. Ends at the first that neither has, because no chain reaches over it.
  /// Field: "N.root" (errc::crypto: the feed's does not lead to the next one).
  [[nodiscard]] result<void> keep_roots(feed& from, const trust_store& known, unix_ms now);
  /// Removes packages and parts that belong to no release that is named.
  void sweep(const manifest& keep) const;

private:
  explicit staging_folder(std::string path) : path_(std::move(path)) {}
  [[nodiscard]] result<progress> finish(const manifest& of, const std::string& manifest_text);

  std::string path_;
};

/// SHA-256 and length of a file, read in pieces.
struct measured {
  std::uint64_t length = 0;
  digest hash;
};
[[nodiscard]] result<measured> measure(const std::string& path, std::uint64_t bytes_max);

} // namespace pfx::release
