// What this machine believes about releases, in one file: the trusted root and the highest release
// seen. Written only after verification, replaced whole. The engine has one, and the switcher has
// its own that the engine's user cannot write.
#pragma once

#include <map>
#include <string>

#include "crypto/release.hpp"
#include "release/feed.hpp"

namespace pfx::release {

/// Roots that are followed at one look.
inline constexpr int root_steps_max = 32;

/// Life: one look at a feed, or longer; one process at a time.
class trust_store {
public:
  /// `folder` holds the file; made (0700) if it is not there. `first_root` is the file that came
  /// with the program: read once, when there is no memory yet. errc::corrupt if there is a memory
  /// and it is damaged: it is never replaced by a fresh one.
  [[nodiscard]] static result<trust_store> open(const std::string& folder,
                                                const std::string& first_root, unix_ms now);

  [[nodiscard]] const root& trusted_root() const noexcept { return root_; }
  [[nodiscard]] const std::optional<seen>& highest() const noexcept { return known_.highest; }

  /// The texts that were verified since it was opened, by number: the trusted root, and those that
  /// led to it.
  [[nodiscard]] const std::map<std::uint32_t, std::string>& verified_roots() const noexcept {
    return verified_roots_;
  }

  /// Takes the next root if it is one; durable when it returns. The fault points "trust.written"
  /// and "trust.renamed" lie in between.
  [[nodiscard]] result<void> follow(std::string_view next_root_text, unix_ms now);
  /// Follows a feed's roots as far as they go, and refuses the last if it has expired.
  [[nodiscard]] result<void> follow_all(feed& from, unix_ms now);
  /// Verifies and judges a manifest, then remembers it.
  struct verified {
    manifest what;
    standing is = standing::newer;
  };
  [[nodiscard]] result<verified> take_manifest(std::string_view text, const expectation& here);

private:
  trust_store(std::string path, trust known, root of);
  [[nodiscard]] result<void> remember(trust next);

  std::string path_;
  trust known_;
  root root_;
  std::map<std::uint32_t, std::string> verified_roots_;
};

} // namespace pfx::release
