// A client assertion taken apart: a JWT (RFC 7519) in compact form (RFC 7515 7.1), signed PS256 or,
// as Microsoft's own libraries did for long and some still do, RS256. Names its certificate by
// x5t#S256 or x5t (RFC 7515 4.1.7, 4.1.8). Refuses what is not exactly that; trusts nothing in it
// before its signature is verified.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "crypto/certificate.hpp"

namespace pfx::sandbox {

inline constexpr std::size_t assertion_bytes_max = 16u << 10;

struct assertion_claims {
  std::vector<std::string> audiences;
  std::string issuer;
  std::string subject;
  std::string id;
  std::int64_t not_before = 0; ///< Unix seconds; 0 = not said
  std::int64_t issued_at = 0;
  std::int64_t expires = 0;
};

/// errc::bad_input if it is no JWT; errc::unauthorized if its algorithm is another, or its
/// thumbprint or its signature are not those of `by`.
[[nodiscard]] result<assertion_claims> verify_assertion(std::string_view text,
                                                        const crypto::certificate& by);

} // namespace pfx::sandbox
