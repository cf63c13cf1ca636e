// The calls of the PFX request service as values (docs/protocol.md, docs/openapi.json).
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/request.hpp"

namespace pfx::connect::service {

inline constexpr std::string_view api_version = "2026-11-01";

/// Who calls, in every body but register's.
struct caller {
  std::string connector_id;
  std::uint64_t epoch = 0;
  std::string run_id; ///< 32 hex digits, new at each start
};

struct register_order {
  std::string code; ///< one-time; wiped by the caller
  std::string connector_name;
  std::string machine_name;
  std::string connector_version;
  std::vector<std::string> features;
  bytes certificate_request; ///< DER
};
struct register_answer {
  std::string connector_id;
  bytes certificate;        ///< DER
  std::vector<bytes> chain; ///< DER
};

/// A key under which passwords of imported PFX files are encrypted, made known to the service.
struct import_key {
  std::string provider_name;
  std::string key_name;
  bytes public_key; ///< SubjectPublicKeyInfo, DER
};

struct anchor {
  std::uint64_t sequence = 0;
  digest audit_head;
};
struct check_in_order {
  std::string connector_version;
  anchor at;
  bool reconciled = false;
  std::string health_json = "{}"; ///< one JSON object, passed through
};
struct check_in_answer {
  std::optional<anchor> last_known; ///< the service's, before this call
  std::string latest_version;
  std::optional<unix_ms> deprecated_after;
  std::optional<unix_ms> unsupported_after;
  std::string lifecycle; ///< "supported", "warning", "error"
};

/// One entry of a download. A request that can't be read still has a context to answer to.
struct offer {
  std::string context;
  std::uint64_t lease_number = 0;
  std::int64_t lease_ms = 0; ///< granted, from the moment the download was sent
  digest fingerprint;        ///< SHA-256 over the known fields except the lease's
  /// The request, or what is wrong with it (field named) and, where readable, the expiry.
  result<pfx_request> request = failure(errc::internal, "", "not parsed");
};
struct download_order {
  std::size_t requests_max = 500;
  std::vector<request_kind> kinds;
  std::int64_t lease_ms = 600'000;
};
struct download_answer {
  std::vector<offer> offers;
  bool more = false;
  /// Entries without a usable requestContext: nobody can be answered; they are reported.
  std::vector<error> unanswerable;
};

struct lease_claim {
  std::string context;
  std::uint64_t lease_number = 0;
};
struct lease_answer {
  std::string context;
  bool held = false;
};

enum class upload_status : std::uint8_t {
  accepted = 1,
  already_recorded,
  lease_lost,
  result_missing,
  rejected,
  unknown_request
};
[[nodiscard]] std::string_view name_of(upload_status value) noexcept;

struct upload_entry {
  std::string context;
  std::uint64_t lease_number = 0;
  digest result_digest;
  bytes result_document; ///< empty = re-acknowledgement
};
/// What stands recorded at the service.
struct recorded {
  digest result_digest;
  bool succeeded = false;
  digest thumbprint; ///< not present() for a failure or an import
  std::string recorded_by;
};
struct upload_answer {
  std::string context;
  upload_status status = upload_status::rejected;
  recorded stands; ///< for accepted and already_recorded
  std::string message;
};

enum class query_state : std::uint8_t { open = 1, leased, recorded, unknown };
[[nodiscard]] std::string_view name_of(query_state value) noexcept;
struct query_answer {
  std::string context;
  query_state state = query_state::unknown;
  std::uint64_t lease_number = 0;
  recorded stands;       ///< for recorded
  std::string authority; ///< certificateAuthority of a create; empty if the service does not say
};
struct query_page {
  std::vector<query_answer> answers;
  bool more = false;
};

} // namespace pfx::connect::service
