// SHA-256 and base64, with algorithms fetched once per process.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "core/bytes.hpp"

namespace pfx::crypto {

/// SHA-256 (FIPS 180-4). Terminates the process if the provider is missing: nothing can go on then.
[[nodiscard]] digest sha256(byte_view octets) noexcept;
/// The same in pieces, for what is too large to hold. One digest each.
class sha256_stream {
public:
  sha256_stream();
  sha256_stream(sha256_stream&&) noexcept;
  ~sha256_stream();
  void add(byte_view octets) noexcept;
  [[nodiscard]] digest finish() noexcept;

private:
  struct state;
  std::unique_ptr<state> state_;
};
[[nodiscard]] bytes sha1(byte_view octets); ///< for thumbprints that others define so; 20 octets

/// RFC 4648 section 4, padded, no line breaks.
[[nodiscard]] std::string to_base64(byte_view octets);
/// RFC 4648 section 5, without padding (as RFC 7515 2 wants it).
[[nodiscard]] std::string to_base64url(byte_view octets);
/// Strict: canonical alphabet, padding and trailing bits; no white space. errc::bad_input
/// otherwise.
[[nodiscard]] result<bytes> from_base64(std::string_view text);

} // namespace pfx::crypto
