// The embedded CA: one root, an index by transaction id in a store of its own, synced before a
// certificate leaves, revocations, lists and OCSP answers. And the server half of the CA service,
// which puts it (or any CA) behind HTTPS.
#pragma once

#include <functional>
#include <map>

#include "connect/ca/authority.hpp"
#include "connect/ca/publisher.hpp"
#include "connect/http/server.hpp"
#include "crypto/issue.hpp"
#include "crypto/status_locations.hpp"

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

/// How long things hold that a CA says in public.
struct status_lives {
  std::int64_t crl_ms = 24LL * 3'600'000;
  std::int64_t answer_ms = 3'600'000;
  std::int64_t responder_ms = 7 * 24LL * 3'600'000; ///< of the delegated certificate
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
  /// Written into every certificate; none: nothing is. With any of them the CA's certificate must
  /// be one that may sign lists.
  crypto::status_locations locations = {};
  status_lives lives = {};
};

/// A CA in this process: issues, revokes, and says in public what it revoked. A revocation is
/// durable before `revoke` answers, and in every list and OCSP answer after it.
class embedded_ca : public authority, public publisher {};

/// Same transaction id and CSR → the same certificate; same id, other CSR → conflict, never a
/// second issuance.
[[nodiscard]] result<std::unique_ptr<embedded_ca>> make_embedded_authority(
  embedded_options options);

/// Routes CertificateAuthority/{submit,find,revoke,close} bodies to a CA. `prefix` is the path
/// before them.
[[nodiscard]] http::handler make_ca_handler(authority& ca, std::string prefix);

} // namespace pfx::connect::ca
