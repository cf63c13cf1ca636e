// Signed releases as values: versions, trust roots, manifests, and what a machine remembers of
// them. Pure rules in the manner of TUF; no disk, no clock, no cryptography (crypto/release.hpp
// has the signatures). docs/releases.md.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/bytes.hpp"
#include "core/clock.hpp"

namespace pfx::release {

/// A part of a version that says more can only be a try to leave us no room above it.
inline constexpr std::uint32_t version_part_max = 99'999;
inline constexpr std::uint32_t root_number_max = 99'999;
inline constexpr std::uint32_t store_format_max = 9'999;
inline constexpr std::uint64_t package_bytes_max = 1ULL << 30;
inline constexpr std::size_t document_bytes_max = 32u << 10; ///< of a root or manifest, signed
inline constexpr std::size_t keys_max = 16;                  ///< of one role
inline constexpr std::size_t signatures_max = 32;
inline constexpr std::size_t word_characters_max = 64; ///< of a product and of a platform
/// A manifest that claims to be valid for longer is refused: nobody could withdraw it.
inline constexpr std::int64_t manifest_validity_ms_max = 400LL * 24 * 3600 * 1000;

/// "major.minor.patch", ordered as numbers.
struct version {
  std::array<std::uint32_t, 3> parts{};
  auto operator<=>(const version&) const = default;
};
[[nodiscard]] std::string to_string(const version& value);
/// Strict: three numbers without leading zeros, each up to version_part_max. Field: "version".
[[nodiscard]] result<version> version_from(std::string_view text);

/// An Ed25519 public key (RFC 8032 5.1.5).
struct public_key {
  std::array<std::uint8_t, 32> octets{};
  auto operator<=>(const public_key&) const = default;
};

/// One of a role's keys, and since when its signatures count.
struct role_key {
  public_key key;
  unix_ms valid_from = 0; ///< whole seconds
  auto operator<=>(const role_key&) const = default;
};

/// `threshold` different ones of these keys have to sign.
struct role {
  std::uint32_t threshold = 1;
  std::vector<role_key> keys; ///< ascending, each key once
  bool operator==(const role&) const = default;
};

/// Who may sign: the next root, and releases.
struct root {
  std::string product;
  std::uint32_t number = 1; ///< the next one bears the next number
  unix_ms expires = 0;
  role roots;
  role releases;
  bool operator==(const root&) const = default;
};

/// One release for one platform.
struct manifest {
  std::string product;
  std::string platform;
  version what;
  unix_ms released = 0;   ///< when the release was made
  unix_ms valid_from = 0; ///< not taken before
  unix_ms expires = 0;    ///< not taken since
  std::uint64_t length = 0;
  digest hash;                    ///< SHA-256 of the package
  std::uint32_t share = 100;      ///< per cent of all connectors that take it by themselves
  std::uint32_t store_format = 1; ///< of the data directory that it leaves behind
  bool operator==(const manifest&) const = default;
};

struct signature {
  public_key by;
  std::array<std::uint8_t, 64> octets{};
  auto operator<=>(const signature&) const = default;
};

/// A document as it lies in the feed. `body` is what is signed: the octets of the file up to its
/// first signature line. The first line of a body names its kind, so that no signature over one
/// kind counts for another.
struct signed_text {
  std::string body;
  std::vector<signature> signatures;
};

/// The one form of each value: lines "name value", in order, ending in LF. What does not read back
/// as the very same octets is no document.
[[nodiscard]] std::string encode(const root& value);
[[nodiscard]] std::string encode(const manifest& value);
/// errc::bad_input or errc::too_large with the field that is wrong.
[[nodiscard]] result<root> decode_root(std::string_view body);
[[nodiscard]] result<manifest> decode_manifest(std::string_view body);

[[nodiscard]] std::string encode(const signed_text& value);
/// Takes the signatures off; looks at no body.
[[nodiscard]] result<signed_text> split_signatures(std::string_view text);

/// A release that was seen with a good signature.
struct seen {
  version what;
  std::uint64_t length = 0;
  digest hash;
  bool operator==(const seen&) const = default;
};
[[nodiscard]] seen seen_of(const manifest& value);

/// What a machine remembers, written only after everything was verified.
struct trust {
  std::string root_text;       ///< the trusted root as it was signed
  std::optional<seen> highest; ///< of all releases seen
  bool operator==(const trust&) const = default;
};
[[nodiscard]] std::string encode(const trust& value);
[[nodiscard]] result<trust> decode_trust(std::string_view text);

/// What a machine is, against which a manifest is judged.
struct expectation {
  std::string product;
  std::string platform;
  version installed;
  unix_ms now = 0;
};

enum class standing : std::uint8_t {
  newer = 1, ///< than what is installed
  installed, ///< the very version that is installed
};

/// TUF's questions to a manifest whose signatures are good. Errors name the field: "product",
/// "platform", "valid-from", "expires" (errc::policy); "version" (errc::policy: older than what was
/// seen or is installed); "sha256" (errc::conflict: the same version with another content).
[[nodiscard]] result<standing> judge(const manifest& offered, const expectation& here,
                                     const std::optional<seen>& highest);

/// The highest release that is remembered under another root: nothing if the keys that it removes
/// could have signed by themselves, because a thief of them may have named a version above all that
/// will ever be made; nor if too few of the old keys are left to make its threshold. What is
/// installed stays the floor (judge).
[[nodiscard]] std::optional<seen> remembered_under(const root& next, const root& before,
                                                   const std::optional<seen>& highest);

/// A word of [a-z0-9.-] that begins with a letter.
[[nodiscard]] bool is_word(std::string_view text) noexcept;

/// Names of files in a feed; made of verified values only.
[[nodiscard]] std::string root_file_name(std::uint32_t number);
[[nodiscard]] std::string manifest_file_name(std::string_view product, std::string_view platform);
[[nodiscard]] std::string package_file_name(const manifest& of);

} // namespace pfx::release
