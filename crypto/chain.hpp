// Building and verifying certificate chains (RFC 5280 6.1). Private to this room.
#pragma once

#include <memory>

#include "crypto/certificate.hpp"

namespace pfx::crypto {

/// From when until when every certificate of a verified chain is in time; the end is excluded, as
/// OpenSSL excludes the second of notAfter.
struct chain_window {
  unix_ms not_before = 0;
  unix_ms not_after = 0;
};

/// Roots and intermediates in OpenSSL's form, made once. Thread-safe after it was made.
class trust_store {
public:
  [[nodiscard]] static result<trust_store> make(std::vector<certificate> roots,
                                                std::vector<certificate> intermediates);
  trust_store(trust_store&&) noexcept;
  trust_store& operator=(trust_store&&) noexcept;
  ~trust_store();

  /// errc::policy, field "certificate", with the verifier's words.
  [[nodiscard]] result<chain_window> verify(const certificate& leaf, unix_ms now) const;

private:
  struct state;
  explicit trust_store(std::unique_ptr<state> s) noexcept;
  std::unique_ptr<state> state_;
};

} // namespace pfx::crypto
