// Who may connect: one-time codes, the connectors' client certificates and their renewal. Knows no
// requests. Keeps all in memory.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "connect/service/messages.hpp"
#include "crypto/issue.hpp"

namespace pfx::sandbox {

/// Thread-safe. Owned by the sandbox.
class registrar {
public:
  static constexpr std::size_t certificates_max = 100'000;

  registrar(std::vector<std::string> codes, crypto::ca_identity issuer, std::int64_t certificate_ms)
      : issuer_(std::move(issuer)), certificate_ms_(certificate_ms) {
    for (auto& code : codes) {
      codes_[std::move(code)] = {};
    }
  }

  /// A code serves one key; the same key gets the same answer again. errc::unauthorized otherwise.
  [[nodiscard]] result<connect::service::register_answer> enrol(
    const connect::service::register_order& order, unix_ms now);
  /// A new certificate; the old one stays valid until the new one was used.
  [[nodiscard]] result<bytes> renew(const std::string& connector_id, byte_view request,
                                    unix_ms now);
  /// The connector of a client certificate of ours; none for others and for replaced ones.
  [[nodiscard]] std::optional<std::string> who(std::string_view certificate_der);
  [[nodiscard]] std::size_t connectors() const;
  /// What client certificates are verified against.
  [[nodiscard]] std::string root_pem() const { return issuer_.cert.pem(); }

private:
  struct issued {
    std::string connector_id;
    std::uint64_t generation = 0;
  };
  result<crypto::certificate> sign(const std::string& connector_id, const crypto::csr& request,
                                   unix_ms now);

  crypto::ca_identity issuer_;
  std::int64_t certificate_ms_;
  mutable std::mutex mutex_;
  std::map<std::string, digest> codes_; ///< code -> the key it served
  std::map<digest, connect::service::register_answer> by_key_;
  std::map<digest, issued> certificates_;
  std::map<std::string, std::uint64_t> used_; ///< highest generation seen in use, by connector
};

} // namespace pfx::sandbox
