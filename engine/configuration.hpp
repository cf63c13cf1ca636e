// The configuration of one connector as a value: read from JSON with comments, checked whole, every
// fault named by its path, unknown keys refused with the nearest known one. Holds no secret, only
// paths.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "core/request.hpp"
#include "core/result.hpp"

namespace pfx::engine {

struct service_settings {
  std::string url;                ///< "https://host/…", without trailing slash
  std::string trusted_roots_file; ///< PEM; empty = the system's
  std::string tenant;             ///< part of each request's identity
  std::int64_t poll_interval_ms = 30'000;
  std::int64_t lease_ms = 600'000;
  std::int64_t call_timeout_ms = 60'000;
  std::size_t requests_max = 500; ///< of one download
};

struct authority_settings {
  std::string name;               ///< the service's word: certificateAuthority
  std::string url;                ///< of its CertificateAuthority service
  std::string trusted_roots_file; ///< PEM, for TLS; empty = the service's roots file
  std::string chain_roots_file;   ///< PEM: the roots that issued certificates must chain to
  std::int64_t call_timeout_ms = 60'000;
  std::int64_t settle_ms
    = 120'000; ///< `ca_settle_seconds`: how long an unanswered submit may still arrive
  std::int64_t pending_deadline_ms = 7LL * 24 * 3600 * 1000;
};

struct recipients_settings {
  std::string trust_file;    ///< PEM roots of device certificates; mandatory
  std::string match = "any"; ///< commonName | san | any | off: how deviceId must be named
};

/// Closed by default: what is not named is refused (errc::policy).
struct issuance_settings {
  struct allowed_authority {
    std::string name;
    std::vector<std::string> templates;
  };
  std::vector<allowed_authority> authorities;
  std::vector<std::string> name_types; ///< SAN types allowed: rfc822, upn, dns, …
  std::vector<std::string>
    name_suffixes; ///< for rfc822/upn (after @), dns, uri host: "example.test" or ".example.test"
  std::vector<std::string> ip_ranges;               ///< CIDR
  std::vector<std::string> directory_name_suffixes; ///< RFC 4514 suffixes
  std::vector<std::string>
    security_identifier_domains; ///< "S-1-5-21-a-b-c"; relative ids below 1000 always refused
  std::vector<std::string>
    extended_key_usages; ///< dotted OIDs; anyExtendedKeyUsage never; smart-card logon and enrolment
                         ///< agent only if named
  std::vector<std::string> key_algorithms; ///< empty = all of the protocol
  std::int64_t validity_days_max = 397;
};

/// How often the keys that open imported PFX files are used, whatever the service asks for.
struct imports_settings {
  std::size_t per_thumbprint_per_hour = 60; ///< of one imported certificate
  std::size_t per_recipient_per_hour = 120; ///< for one device certificate
};

/// One way to prove who we are to the tenant: a secret, or a certificate with its key.
struct intune_credential_settings {
  std::string secret_file;      ///< mode 0600
  std::string certificate_file; ///< PEM
  std::string key_file;         ///< PEM, mode 0600
  std::string expires;          ///< "2027-01-31": when a secret ends, as its maker said; or empty
};

struct intune_proxy_settings {
  std::string url;       ///< "http://host:port"
  std::string user_file; ///< holds user:password, mode 0600; empty = none
};

/// A tenant of Microsoft Intune and the application that we are in it.
struct intune_settings {
  std::string cloud = "public";
  std::string tenant;
  std::string client_id;
  std::string login_url;                    ///< these replace the cloud's; empty = the cloud's
  std::string graph_url;                    ///< its host is then believed as one of Intune's, too
  std::string resource_url;                 ///< what tokens are for
  std::vector<std::string> service_domains; ///< believed beside the cloud's
  std::string trusted_roots_file;           ///< PEM; empty = the system's
  std::vector<intune_credential_settings> credentials;
  std::optional<intune_proxy_settings> proxy;
  std::int64_t call_timeout_ms = 60'000;
  bool revocations_enabled = true;
  std::int64_t poll_interval_ms = 3'600'000; ///< the service keeps orders back as long
  std::size_t orders_max = 100;              ///< of one download
  std::size_t orders_per_hour = 500;         ///< beyond it an operator is asked
  std::int64_t retry_ms = 5'000; ///< after a failed call, doubled each time up to ten minutes
};

/// Where newer versions come from, and who asks for the switch to them.
struct updates_settings {
  std::string feed;               ///< "https://…" or the path of a folder
  std::string trusted_roots_file; ///< PEM; empty = the system's
  std::string first_root_file = "/usr/share/pfxengine/1.root";
  std::string directory; ///< default: <data_directory>-updates
  std::int64_t check_interval_ms = 21'600'000;
  std::string apply = "manual"; ///< manual | automatic
  std::string window;           ///< release::window; empty: always
};

struct limits_settings {
  std::size_t open_requests_max = 2'000;
  std::uint32_t attempts_max = 3;
  std::int64_t quarantine_ms = 24LL * 3600 * 1000; ///< `quarantine_deadline`
  std::int64_t result_retention_days = 7;
  std::uint64_t free_bytes_floor = 256u << 20;
  std::size_t crypto_threads = 0; ///< 0 = one per core
  std::size_t io_threads = 12;
  std::int64_t stop_deadline_ms = 20'000;
};

struct configuration {
  std::string path; ///< the file it came from
  std::string data_directory;
  std::string master_key_file;
  std::string identity_file;  ///< JSON written by `register`: connectorId, certificate, chain; the
                              ///< key lies beside it, sealed
  std::string anchor_file;    ///< how far the store had come; default:
                              ///< <data_directory>-anchor/anchor
  std::string keys_directory; ///< connector keys, sealed; default: <data_directory>/keys
  std::string control_socket; ///< default: <data_directory>/control.sock
  std::string log_level = "info";  ///< debug | info | warning | error
  std::string log_format = "auto"; ///< text | json | auto (text on a terminal)
  service_settings service;
  std::vector<authority_settings> authorities;
  recipients_settings recipients;
  issuance_settings issuance;
  imports_settings imports;
  std::optional<intune_settings> intune;   ///< nothing: no connection to a tenant
  std::optional<updates_settings> updates; ///< nothing: no updates
  limits_settings limits;
};

/// Every fault found, not only the first: field = JSON path ("service.pollIntervalSeconds").
struct configuration_faults {
  std::vector<error> faults;
};

/// Relative paths in the file are relative to the file's folder.
[[nodiscard]] tl::expected<configuration, configuration_faults> load_configuration(
  const std::string& path);
/// The same from text; `folder` anchors relative paths.
[[nodiscard]] tl::expected<configuration, configuration_faults> parse_configuration(
  std::string_view text, const std::string& folder);
/// JSON Schema (2020-12) of the file, made from the same table that the parser uses.
[[nodiscard]] std::string configuration_schema();
/// docs/configuration.md, made from the same table.
[[nodiscard]] std::string configuration_document();
/// The file that reads back as `value`, every setting spelled out; holds no secret.
[[nodiscard]] std::string to_json(const configuration& value);
/// The settings in which two configurations differ, as their file names them
/// ("authorities[0].url"), in order.
[[nodiscard]] std::vector<std::string> changed_settings(const configuration& one,
                                                        const configuration& other);
/// Looks at everything on this machine that `run` will need: files, their rights and contents, the
/// data directory, free space. Makes no call and changes nothing; empty = nothing to complain
/// about.
[[nodiscard]] std::vector<error> check_configuration(const configuration& settings);
/// What is right today and soon will not be: certificates and secrets that end within 60 days. A
/// sentence each; files that cannot be read are left to check_configuration.
[[nodiscard]] std::vector<std::string> configuration_notes(const configuration& settings);

} // namespace pfx::engine
