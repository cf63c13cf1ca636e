// The sign-in of the sandbox's tenant: OAuth2 client credentials (RFC 6749 4.4) with a secret or a
// signed assertion (RFC 7523 2.2), and the tokens it gave. Refuses, with the codes that Microsoft
// Entra has for it, everything that is not exactly right. Keeps tokens as digests.
#pragma once

#include <map>
#include <mutex>

#include "core/secret.hpp"
#include "crypto/certificate.hpp"
#include "sandbox/intune/words.hpp"

namespace pfx::sandbox {

/// What a token is good for.
enum class token_resource : std::uint8_t { none = 0, intune, graph };

struct token_desk_options {
  std::string tenant;
  std::string client_id;
  std::string secret;
  crypto::certificate certificate; ///< whose key signs assertions
  std::string intune_resource = "https://api.manage.microsoft.com/";
  std::string graph_resource = "https://graph.microsoft.com"; ///< beside the sandbox's own address
  std::int64_t life_ms = 3'599'000;
  /// A used assertion is as good as a new one until it ends: libraries of others keep theirs.
  bool assertions_again = false;
};

struct token_decision {
  server_response answer;
  std::string scope; ///< as it was asked for
  std::string why;   ///< it was refused; empty = a token was given
  std::string by;    ///< "secret" or "certificate"
};

/// Thread-safe.
class token_desk {
public:
  static constexpr std::size_t tokens_max = 10'000; ///< kept; the oldest go
  static constexpr std::size_t ids_max = 100'000;   ///< of assertions
  static constexpr std::int64_t assertion_life_s_max = 600;
  static constexpr std::int64_t skew_s = 300;

  explicit token_desk(token_desk_options options) : options_(std::move(options)) {}

  /// Where it can be reached: "https://host:port", each; assertions name one of them.
  void open(std::vector<std::string> bases);
  /// POST /{tenant}/oauth2/v2.0/token
  [[nodiscard]] token_decision grant(const std::string& tenant, const server_request& request,
                                     unix_ms now);
  /// Why the bearer token of a call is not good for this; empty if it is.
  [[nodiscard]] std::string wrong_with(const server_request& call, token_resource needed,
                                       unix_ms now);
  /// All tokens end now, as if a key of the sign-in had been changed.
  void end_all();

private:
  struct grant_record {
    token_resource resource = token_resource::none;
    unix_ms end = 0;
  };
  using form_fields = std::map<std::string, std::string>;

  [[nodiscard]] std::optional<oauth_refusal> refuse_client(const form_fields& fields, unix_ms now,
                                                           std::string& by);
  [[nodiscard]] std::optional<oauth_refusal> refuse_assertion(const std::string& text, unix_ms now);
  [[nodiscard]] std::optional<oauth_refusal> used_before(const std::string& id, unix_ms end,
                                                         unix_ms now);
  [[nodiscard]] token_resource resource_of(const std::string& scope) const;
  [[nodiscard]] std::string new_token(token_resource resource, unix_ms now);
  [[nodiscard]] std::vector<std::string> audiences() const;

  const token_desk_options options_;
  mutable std::mutex mutex_;
  std::vector<std::string> bases_;
  std::map<digest, grant_record> tokens_;
  std::map<std::string, unix_ms> ids_; ///< of assertions, until they have ended
};

} // namespace pfx::sandbox
