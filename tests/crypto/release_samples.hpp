// A maker of releases for tests: keys by number, roots and manifests, signed by whom one likes.
#pragma once

#include "core/release.hpp"
#include "crypto/digest.hpp"
#include "crypto/ed25519.hpp"
#include "crypto/release.hpp"

#include <algorithm>
#include <stdexcept>

namespace pfx::test {

inline constexpr unix_ms release_now = 1'793'534'400'000; // 2026-11-01T12:00:00Z
inline constexpr std::int64_t a_day = 86'400'000;

/// The seed of key number `which`.
inline secret_bytes release_seed(std::uint8_t which) {
  bytes octets(32, which);
  return secret_bytes(octets);
}

inline release::role_key release_key(std::uint8_t which, unix_ms from = release_now - 9 * a_day) {
  const auto pair = crypto::ed25519_from(release_seed(which));
  if (!pair)
    throw std::runtime_error("no Ed25519 here");
  return {{pair->key}, from};
}

inline release::role release_role(std::uint32_t threshold, std::vector<std::uint8_t> which) {
  release::role out{threshold, {}};
  for (const auto one : which)
    out.keys.push_back(release_key(one));
  std::sort(out.keys.begin(), out.keys.end());
  return out;
}

inline std::string signed_by(std::string text, const std::vector<std::uint8_t>& whom) {
  for (const auto one : whom) {
    auto next = crypto::add_signature(text, release_seed(one));
    if (!next)
      throw std::runtime_error(to_string(next.error()));
    text = *next;
  }
  return text;
}

/// Root keys 1, 2, 3 (two of them), release keys 11, 12 (one of them).
inline release::root sample_root(std::uint32_t number = 1) {
  release::root out;
  out.product = "pfxengine";
  out.number = number;
  out.expires = release_now + 365 * a_day;
  out.roots = release_role(2, {1, 2, 3});
  out.releases = release_role(1, {11, 12});
  return out;
}

inline release::manifest sample_manifest(const release::version& what, std::string_view package) {
  release::manifest out;
  out.product = "pfxengine";
  out.platform = "linux-x86-64";
  out.what = what;
  out.released = out.valid_from = release_now - a_day;
  out.expires = release_now + 30 * a_day;
  out.length = package.size();
  out.hash = crypto::sha256(as_bytes(package));
  return out;
}

} // namespace pfx::test
