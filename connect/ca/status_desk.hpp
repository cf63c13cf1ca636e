// Behind an embedded CA: who numbers and signs its revocation lists and keeps its OCSP responder.
// Private to this folder. Decides nothing about certificates: what the index says is what is
// signed.
#pragma once

#include <map>
#include <mutex>
#include <optional>

#include "connect/ca/embedded_authority.hpp"
#include "crypto/crl.hpp"
#include "crypto/ocsp.hpp"
#include "storage/ca_index.hpp"

namespace pfx::connect::ca {

/// Thread-safe. Whatever it is made with must outlive it.
class status_desk {
public:
  static constexpr std::size_t replies_max = 1'024; ///< signed answers that are kept
  /// After a list that could not be made: until the next try. Anybody may ask, and each try takes a
  /// number (synced) and walks everything that is revoked.
  static constexpr std::int64_t list_retry_ms = 5'000;

  status_desk(const crypto::ca_identity& identity, storage::ca_index& index, const clock& time,
              status_lives lives);

  /// Makes a revocation durable; the record with the number of the first list that has it.
  [[nodiscard]] result<storage::ca_revocation> note(const std::string& serial,
                                                    storage::ca_revocation what);
  [[nodiscard]] result<std::shared_ptr<const signed_list>> current_crl();
  [[nodiscard]] status_reply answer(byte_view request);
  [[nodiscard]] result<void> upkeep();

private:
  /// A delegated responder; its key is never stored.
  struct signer {
    crypto::ca_identity identity;
    unix_ms due = 0; ///< from when on there should be another
  };
  struct snapshot {
    std::uint64_t number = 0;
    std::uint64_t revision = 0;
    std::vector<crypto::revoked_certificate> revoked;
  };

  result<snapshot> take_snapshot(unix_ms now);
  result<std::shared_ptr<const signed_list>> make_list(unix_ms now);
  result<std::shared_ptr<const signer>> current_signer(unix_ms now);
  result<std::shared_ptr<const signer>> make_signer(unix_ms now);
  result<crypto::ocsp_answer> status_of(const crypto::ocsp_certificate_id& id, unix_ms now) const;
  status_reply sign_reply(const crypto::ocsp_request& request, unix_ms now);
  std::optional<status_reply> kept_reply(const digest& request, unix_ms now);
  void keep_reply(const digest& request, std::uint64_t revision, const status_reply& reply);
  std::uint64_t revision() const;

  const crypto::ca_identity& identity_;
  storage::ca_index& index_;
  const clock& clock_;
  const status_lives lives_;
  const crypto::ocsp_issuer issuer_;

  mutable std::mutex numbers_; ///< between reading the last list's number and noting what is next
  std::uint64_t revision_ = 0; ///< counts what was revoked in this process

  std::mutex lists_; ///< one list is made at a time
  std::shared_ptr<const signed_list> list_;
  std::uint64_t list_revision_ = 0;
  std::optional<error> list_fault_; ///< of the last try
  boot_ms list_retry_at_ = 0;

  std::mutex signers_;
  std::shared_ptr<const signer> signer_;

  std::mutex replies_mutex_;
  std::map<digest, status_reply> replies_; ///< to requests without a nonce, all of one revision
  std::uint64_t replies_revision_ = 0;
};

} // namespace pfx::connect::ca
