// The embedded CA: one root, an index by transaction id in a store of its own, synced before a
// certificate leaves. And the server half of the CA service, which puts it (or any CA) behind
// HTTPS.
#pragma once

#include <functional>
#include <map>

#include "connect/ca/authority.hpp"
#include "connect/http/server.hpp"
#include "crypto/issue.hpp"

namespace pfx::connect::ca {

/// What the CA tells its journal, before the certificate leaves.
struct issuance_event {
  enum class what : std::uint8_t { issued = 1, revoked, refused, pending };
  what kind = what::issued;
  digest transaction_id;
  std::string serial_number;
  digest thumbprint;
  digest public_key_hash;
  std::string template_name;
  std::string subject;
  std::string reason;
};

struct embedded_options {
  std::string directory; ///< the CA's own store
  crypto::ca_identity identity;
  /// Issuable templates; empty = any.
  std::vector<std::string> templates;
  /// A name whose requests are answered "pending" this many times before they are issued (for
  /// tests); 0 = never.
  std::uint32_t pending_answers = 0;
  /// Of the transaction ids, for pending_answers.
  double pending_share = 1.0;
  /// Called synchronously before the answer leaves; if it fails the answer is `unknown`.
  std::function<result<void>(const issuance_event&)> journal;
  const clock* time = nullptr; ///< default: the machine's
};

/// Same transaction id and CSR → the same certificate; same id, other CSR → conflict, never a
/// second issuance.
[[nodiscard]] result<std::unique_ptr<authority>> make_embedded_authority(embedded_options options);

/// Routes CertificateAuthority/{submit,find,revoke,close} bodies to a CA. `prefix` is the path
/// before them.
[[nodiscard]] http::handler make_ca_handler(authority& ca, std::string prefix);

} // namespace pfx::connect::ca
