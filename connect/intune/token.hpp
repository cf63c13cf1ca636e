// Tokens by OAuth2 client credentials (RFC 6749 4.4): one cached per scope, renewed early, dropped
// when somebody refused it. Several credentials are tried in turn, so that one can be replaced
// while the other works. Refuses to take a network failure for a refused credential.
#pragma once

#include <functional>

#include "connect/intune/credential.hpp"
#include "connect/intune/web.hpp"

namespace pfx::connect::intune {

inline constexpr std::size_t credentials_max = 8;
inline constexpr std::size_t scopes_max = 8;
/// After a renewal that failed while the old token still lives.
inline constexpr std::int64_t token_renewal_rest_ms = 30'000;

/// Thread-safe; blocks.
class token_source {
public:
  virtual ~token_source() = default;
  /// A token that lives for a while yet. Errors name the field at fault ("tenant", "clientId",
  /// "scope", "credentials[1].secret") and the AADSTS code, never a secret.
  virtual answer<bearer> token(const std::string& scope) = 0;
  /// Somebody answered 401 or 403 to this token. Does nothing if there is a newer one.
  virtual void drop(const std::string& scope, const bearer& refused) = 0;
  [[nodiscard]] virtual std::vector<credential_state> credentials() const = 0;
  /// Those whose end is known and not more than `within_ms` away, or past.
  [[nodiscard]] virtual std::vector<credential_state> expiring(std::int64_t within_ms) const = 0;
};

struct token_settings {
  std::string token_url; ///< see token_address()
  std::string client_id;
  std::vector<credential> credentials; ///< in the order in which they are tried
};

/// Clocks and dice, passed in.
struct token_surroundings {
  const clock* time = &system_clock();
  std::function<std::uint64_t()> random; ///< any 64 bits; thread-safe; empty = the machine's
};

/// errc::bad_input names the setting. `over` outlives the source.
[[nodiscard]] result<std::unique_ptr<token_source>> make_token_source(web& over,
                                                                      token_settings settings,
                                                                      token_surroundings around
                                                                      = {});

} // namespace pfx::connect::intune
