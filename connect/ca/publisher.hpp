// What a certification authority says in public of its certificates, signed: lists, answers and its
// own certificate. Anybody may have it, so it needs neither TLS nor a caller's name.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "core/bytes.hpp"
#include "core/clock.hpp"

namespace pfx::connect::ca {

/// A revocation list as it leaves.
struct signed_list {
  bytes der;
  std::string tag; ///< another one for other octets
  std::uint64_t number = 0;
  unix_ms this_update = 0;
  unix_ms next_update = 0;
};

/// An OCSPResponse as it leaves; never empty.
struct status_reply {
  bytes der;
  bool cacheable = false; ///< signed, without a nonce and about certificates that there are
  unix_ms this_update = 0;
  unix_ms next_update = 0;
};

/// Thread-safe, blocks on the CA's disk, never throws.
class publisher {
public:
  virtual ~publisher() = default;
  /// The list that holds now; a new one is signed if something was revoked or half its life is
  /// over.
  [[nodiscard]] virtual result<std::shared_ptr<const signed_list>> current_crl() = 0;
  /// Every request has an answer, if only an error of the protocol.
  [[nodiscard]] virtual status_reply answer_ocsp(byte_view request) = 0;
  [[nodiscard]] virtual const bytes& certificate() const = 0; ///< DER
  /// The step that keeps list and responder ahead of their ends. Answers take it themselves; a host
  /// that calls it now and then makes sure that no caller waits for it.
  [[nodiscard]] virtual result<void> upkeep() = 0;
};

} // namespace pfx::connect::ca
