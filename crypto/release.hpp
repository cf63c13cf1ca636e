// Signatures of releases: a chain of trust roots and the manifests under it (core/release.hpp).
// Believes nothing that a threshold of trusted keys did not sign. No disk, no clock.
#pragma once

#include "core/release.hpp"
#include "core/secret.hpp"

namespace pfx::crypto {

/// The root that a machine was given with its program: signed by a threshold of its own keys. Says
/// nothing about its expiry: a newer one may follow.
[[nodiscard]] result<release::root> read_first_root(std::string_view text, unix_ms now);

/// The next root: the same product, the next number, signed by a threshold of the old root keys AND
/// of its own. Errors name "product", "number" or "signature" (errc::crypto: too few count).
[[nodiscard]] result<release::root> read_next_root(const release::root& trusted,
                                                   std::string_view text, unix_ms now);

/// errc::policy, field "root", once the last root of a chain has expired.
[[nodiscard]] result<void> check_root_expiry(const release::root& last, unix_ms now);

/// A manifest with a threshold of signatures of the root's release keys. What it says is for
/// release::judge.
[[nodiscard]] result<release::manifest> read_manifest(const release::root& trusted,
                                                      std::string_view text, unix_ms now);

/// How many of the role's keys, each valid by `now`, signed this.
[[nodiscard]] std::uint32_t signatures_that_count(const release::role& by,
                                                  const release::signed_text& text, unix_ms now);

/// `text`, a body or a signed document, with one more signature of `seed`'s key, or with a new one
/// in the place of its old one. Refuses bodies that are no root and no manifest.
[[nodiscard]] result<std::string> add_signature(std::string_view text, secret_bytes seed);

/// True if this connector is among the release's share: SHA-256 over version and id decides, so
/// that another release begins with others.
[[nodiscard]] bool in_share(const release::manifest& of, std::string_view connector_id);

} // namespace pfx::crypto
