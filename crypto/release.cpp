// Counting signatures: a key counts once, from its time on, and only over the kind of document that
// its first line names.
#include "crypto/release.hpp"

#include <algorithm>

#include "crypto/digest.hpp"
#include "crypto/ed25519.hpp"

namespace pfx::crypto {

namespace {

using release::role;
using release::root;
using release::signed_text;

error too_few(const role& by, std::uint32_t counted, const std::string& whose) {
  return {errc::crypto, "signature",
          std::to_string(counted) + " of the " + std::to_string(by.threshold) + " signatures of "
            + whose + " that are needed"};
}

result<void> need(const role& by, const signed_text& text, const std::string& whose, unix_ms now) {
  const auto counted = signatures_that_count(by, text, now);
  return counted >= by.threshold ? result<void>{} : failure(too_few(by, counted, whose));
}

} // namespace

std::uint32_t signatures_that_count(const role& by, const signed_text& text, unix_ms now) {
  return static_cast<std::uint32_t>(
    std::count_if(by.keys.begin(), by.keys.end(), [&](const release::role_key& one) {
      const auto found
        = std::find_if(text.signatures.begin(), text.signatures.end(),
                       [&one](const release::signature& made) { return made.by == one.key; });
      return found != text.signatures.end() && one.valid_from <= now
        && verify_ed25519(one.key.octets, as_bytes(text.body), found->octets);
    }));
}

result<root> read_first_root(std::string_view text, unix_ms now) {
  const auto parts = release::split_signatures(text);
  if (!parts)
    return failure(parts.error());
  auto out = release::decode_root(parts->body);
  if (!out)
    return out;
  if (auto enough = need(out->roots, *parts, "its own root keys", now); !enough)
    return failure(enough.error());
  return out;
}

result<root> read_next_root(const root& trusted, std::string_view text, unix_ms now) {
  const auto parts = release::split_signatures(text);
  if (!parts)
    return failure(parts.error());
  // Before anything is believed of what it says.
  if (auto enough = need(trusted.roots, *parts, "the trusted root keys", now); !enough)
    return failure(enough.error());
  auto out = release::decode_root(parts->body);
  if (!out)
    return out;
  if (auto enough = need(out->roots, *parts, "its own root keys", now); !enough)
    return failure(enough.error());
  if (out->product != trusted.product)
    return failure(errc::policy, "product", "is another product's root");
  if (out->number != trusted.number + 1)
    return failure(errc::policy, "number",
                   std::to_string(out->number) + " does not follow "
                     + std::to_string(trusted.number));
  return out;
}

result<void> check_root_expiry(const root& last, unix_ms now) {
  if (now < last.expires)
    return {};
  return failure(errc::policy, "root",
                 "root " + std::to_string(last.number) + " expired at " + to_rfc3339(last.expires));
}

result<release::manifest> read_manifest(const root& trusted, std::string_view text, unix_ms now) {
  const auto parts = release::split_signatures(text);
  if (!parts)
    return failure(parts.error());
  if (auto enough = need(trusted.releases, *parts, "the release keys", now); !enough)
    return failure(enough.error());
  return release::decode_manifest(parts->body);
}

result<std::string> add_signature(std::string_view text, secret_bytes seed) {
  const auto pair = ed25519_from(std::move(seed));
  if (!pair)
    return failure(pair.error());
  signed_text parts{std::string(text), {}};
  if (text.find("\nsignature ") != std::string_view::npos) {
    auto split = release::split_signatures(text);
    if (!split)
      return failure(split.error());
    parts = std::move(*split);
  }
  if (!release::decode_root(parts.body)) {
    if (auto other = release::decode_manifest(parts.body); !other)
      return failure(other.error());
  }
  const auto made = sign_ed25519(*pair, as_bytes(parts.body));
  if (!made)
    return failure(made.error());
  const release::signature mine{{pair->key}, *made};
  std::erase_if(parts.signatures,
                [&mine](const release::signature& one) { return one.by == mine.by; });
  parts.signatures.push_back(mine);
  std::sort(parts.signatures.begin(), parts.signatures.end());
  if (parts.signatures.size() > release::signatures_max)
    return failure(errc::too_large, "signature", "there are too many already");
  return release::encode(parts);
}

bool in_share(const release::manifest& of, std::string_view connector_id) {
  const auto hash = sha256(as_bytes(to_string(of.what).append("\n").append(connector_id))).octets;
  const std::uint32_t place = (static_cast<std::uint32_t>(hash[0]) << 24)
    | (static_cast<std::uint32_t>(hash[1]) << 16) | (static_cast<std::uint32_t>(hash[2]) << 8)
    | hash[3];
  return place % 100 < of.share;
}

} // namespace pfx::crypto
