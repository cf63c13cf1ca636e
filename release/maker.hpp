// The maker's side of releases: keys, documents, signatures, and the files of a feed. Nothing that
// exists is overwritten, but for a manifest by a newer one. What is published was verified first,
// as a machine would.
#pragma once

#include <string>
#include <vector>

#include "core/release.hpp"
#include "core/secret.hpp"
#include "release/feed.hpp"

namespace pfx::release {

/// Makes a key and writes it to a new file, mode 0600: in clear, or sealed by a master key's file.
/// The public key.
[[nodiscard]] result<public_key> make_key_file(const std::string& path,
                                               const std::string& sealed_by);
/// The public key of a key file; asks for no seal.
[[nodiscard]] result<public_key> public_key_of(const std::string& path);

/// Writes an unsigned document to a new file.
[[nodiscard]] result<void> write_root(const root& value, const std::string& path);
/// Measures the package, refuses one that could not be unpacked, and writes the manifest.
[[nodiscard]] result<manifest> write_manifest(manifest value, const std::string& package,
                                              const std::string& path);
/// Adds a signature to a document's file, in place.
[[nodiscard]] result<void> sign_file(const std::string& path, const std::string& key_file,
                                     const std::string& sealed_by);

/// Puts a root into a feed: the first (number 1), or the next after the last that is there.
[[nodiscard]] result<root> publish_root(const std::string& feed, const std::string& path,
                                        unix_ms now);
/// Puts a package and its manifest into a feed. Refuses a version that is not newer than the feed's
/// last for that platform, but for the same package with a manifest anew (errc::conflict else).
[[nodiscard]] result<manifest> publish_release(const std::string& feed,
                                               const std::string& manifest_path,
                                               const std::string& package, unix_ms now);

} // namespace pfx::release
