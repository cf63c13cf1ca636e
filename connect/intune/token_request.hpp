// One question for a token with one credential. Internal to token.cpp. Refuses to name a credential
// as refused unless the server said so in the words of OAuth2.
#pragma once

#include "connect/intune/codec.hpp"
#include "connect/intune/token.hpp"

namespace pfx::connect::intune {

struct token_question {
  const token_settings* settings = nullptr;
  std::size_t index = 0; ///< of the credential
  const std::string* scope = nullptr;
  unix_ms now = 0;
};

struct token_outcome {
  result<token_grant> grant;
  call_error fault;                ///< if there is no grant
  bool credential_refused = false; ///< another credential may do
};

[[nodiscard]] token_outcome ask_for_token(web& over, const token_question& question);

/// Percent-encoded for application/x-www-form-urlencoded: all but A-Z a-z 0-9 - . _ ~.
void append_encoded(std::string& out, std::string_view text);

} // namespace pfx::connect::intune
