// The rows themselves, but for those in settings_intune.cpp. Adding a setting means adding a row,
// and nothing else anywhere.
#include "engine/settings_table.hpp"

#include "engine/settings_forms.hpp"

#include <algorithm>
#include <array>

namespace pfx::engine::detail {
namespace {

// -- rows ------

constexpr std::int64_t second = 1'000;
constexpr std::int64_t hour = 3'600 * second;
constexpr std::int64_t mebibyte = 1 << 20;

constexpr std::array rows{
  setting{.path = "dataDirectory",
          .is = shape::file,
          .sentence = "Folder of the durable queue. One engine owns it; mode 0700.",
          .where = [](place in) -> slot { return &in.whole->data_directory; },
          .mandatory = true},
  setting{.path = "masterKeyFile",
          .is = shape::file,
          .sentence
          = "Key that seals everything at rest: 64 hex digits or 32 octets, mode 0600, outside "
            "dataDirectory. `credential:NAME` names a credential of the service manager.",
          .where = [](place in) -> slot { return &in.whole->master_key_file; },
          .mandatory = true},
  setting{.path = "identityFile",
          .is = shape::file,
          .sentence = "Written by `pfxengine register`; the sealed private key lies beside it.",
          .where = [](place in) -> slot { return &in.whole->identity_file; },
          .default_note = "dataDirectory/identity.json"},
  setting{.path = "anchorFile",
          .is = shape::file,
          .sentence
          = "How far the store had come, written once a second outside dataDirectory: by it a "
            "store that lost its last writes or was restored is noticed.",
          .where = [](place in) -> slot { return &in.whole->anchor_file; },
          .default_note = "dataDirectory-anchor/anchor"},
  setting{.path = "keysDirectory",
          .is = shape::file,
          .sentence
          = "Folder of the sealed connector keys that open imported PFX files; mode 0700. "
            "`pfxengine key` manages it.",
          .where = [](place in) -> slot { return &in.whole->keys_directory; },
          .default_note = "dataDirectory/keys"},
  setting{.path = "controlSocket",
          .is = shape::file,
          .sentence = "Unix socket on which `status` and `requests` speak to a running engine.",
          .where = [](place in) -> slot { return &in.whole->control_socket; },
          .default_note = "dataDirectory/control.sock"},
  setting{.path = "log.level",
          .is = shape::choice,
          .sentence = "The least level that is written.",
          .where = [](place in) -> slot { return &in.whole->log_level; },
          .choices = "debug|info|warning|error"},
  setting{.path = "log.format",
          .is = shape::choice,
          .sentence = "Form of a line on stderr; `auto` is text on a terminal and JSON elsewhere.",
          .where = [](place in) -> slot { return &in.whole->log_format; },
          .choices = "auto|text|json"},
  setting{.path = "service.url",
          .is = shape::text,
          .sentence = "Address of the PFX request service; calls are made below it.",
          .where = [](place in) -> slot { return &in.whole->service.url; },
          .mandatory = true,
          .looks = &https_url},
  setting{.path = "service.trustedRootsFile",
          .is = shape::file,
          .sentence = "PEM: the roots that the service's TLS certificate must chain to.",
          .where = [](place in) -> slot { return &in.whole->service.trusted_roots_file; },
          .default_note = "the system's roots"},
  setting{.path = "service.tenant",
          .is = shape::text,
          .sentence = "Name of the tenant. Part of each request's identity: never change it.",
          .where = [](place in) -> slot { return &in.whole->service.tenant; },
          .mandatory = true,
          .looks = &short_word},
  setting{.path = "service.pollIntervalSeconds",
          .is = shape::amount,
          .sentence = "Time between two polls that found nothing; ± 10 % jitter.",
          .where = [](place in) -> slot { return &in.whole->service.poll_interval_ms; },
          .scale = second,
          .minimum = 0.1,
          .maximum = 3'600},
  setting{.path = "service.leaseSeconds",
          .is = shape::amount,
          .sentence
          = "For how long a downloaded request is asked for; renewed while it is worked on.",
          .where = [](place in) -> slot { return &in.whole->service.lease_ms; },
          .scale = second,
          .minimum = 1,
          .maximum = 86'400},
  setting{.path = "service.callTimeoutSeconds",
          .is = shape::amount,
          .sentence = "Longest time of one call to the service, body included.",
          .where = [](place in) -> slot { return &in.whole->service.call_timeout_ms; },
          .scale = second,
          .minimum = 1,
          .maximum = 600},
  setting{.path = "service.requestsMax",
          .is = shape::count,
          .sentence = "Most requests of one download.",
          .where = [](place in) -> slot { return &in.whole->service.requests_max; },
          .minimum = 1,
          .maximum = 500},
  setting{.path = "authorities[].name",
          .is = shape::text,
          .sentence
          = "The service's word for this authority (`certificateAuthority` in a request).",
          .where = [](place in) -> slot { return &in.authority->name; },
          .mandatory = true,
          .looks = &short_word},
  setting{.path = "authorities[].url",
          .is = shape::text,
          .sentence = "Address of its CertificateAuthority service.",
          .where = [](place in) -> slot { return &in.authority->url; },
          .mandatory = true,
          .looks = &https_url},
  setting{.path = "authorities[].trustedRootsFile",
          .is = shape::file,
          .sentence = "PEM: the roots that its TLS certificate must chain to.",
          .where = [](place in) -> slot { return &in.authority->trusted_roots_file; },
          .default_note = "service.trustedRootsFile"},
  setting{.path = "authorities[].chainRootsFile",
          .is = shape::file,
          .sentence = "PEM: the roots that certificates issued by it must chain to.",
          .where = [](place in) -> slot { return &in.authority->chain_roots_file; },
          .mandatory = true},
  setting{.path = "authorities[].callTimeoutSeconds",
          .is = shape::amount,
          .sentence = "Longest time of one call to it.",
          .where = [](place in) -> slot { return &in.authority->call_timeout_ms; },
          .scale = second,
          .minimum = 1,
          .maximum = 600},
  setting{.path = "authorities[].settleSeconds",
          .is = shape::amount,
          .sentence
          = "How long a submission that got no answer may still arrive there. Too short a time "
            "can leave a surplus certificate unnoticed.",
          .where = [](place in) -> slot { return &in.authority->settle_ms; },
          .scale = second,
          .minimum = 1,
          .maximum = 86'400},
  setting{.path = "authorities[].pendingDeadlineHours",
          .is = shape::amount,
          .sentence = "How long its word \"pending\" is waited on before the request is put aside.",
          .where = [](place in) -> slot { return &in.authority->pending_deadline_ms; },
          .scale = hour,
          .minimum = 0.01,
          .maximum = 8'760},
  setting{.path = "recipients.trustFile",
          .is = shape::file,
          .sentence
          = "PEM: the roots of device certificates. Nothing is encrypted to a certificate that "
            "does not chain to one of them.",
          .where = [](place in) -> slot { return &in.whole->recipients.trust_file; },
          .mandatory = true},
  setting{.path = "recipients.match",
          .is = shape::choice,
          .sentence = "Where a device certificate must name the request's deviceId.",
          .where = [](place in) -> slot { return &in.whole->recipients.match; },
          .choices = "any|commonName|san|off"},
  setting{.path = "issuance.authorities[].name",
          .is = shape::text,
          .sentence = "An authority, by its name in `authorities`.",
          .where = [](place in) -> slot { return &in.allowed->name; },
          .mandatory = true,
          .looks = &short_word},
  setting{.path = "issuance.authorities[].templates",
          .is = shape::words,
          .sentence = "The templates that may be asked of it.",
          .where = [](place in) -> slot { return &in.allowed->templates; },
          .mandatory = true,
          .looks = &short_word},
  setting{.path = "issuance.nameTypes",
          .is = shape::words,
          .sentence = "Types of subject alternative names that may be asked for.",
          .where = [](place in) -> slot { return &in.whole->issuance.name_types; },
          .choices = "rfc822|upn|dns|uri|ip|directoryName"},
  setting{.path = "issuance.nameSuffixes",
          .is = shape::words,
          .sentence
          = "What rfc822, upn and dns names and hosts of uris must end with: `example.test` is "
            "that name and all below it, `.example.test` those below it only.",
          .where = [](place in) -> slot { return &in.whole->issuance.name_suffixes; },
          .looks = &domain_suffix},
  setting{.path = "issuance.ipRanges",
          .is = shape::words,
          .sentence = "Ranges (CIDR) that ip names must lie in.",
          .where = [](place in) -> slot { return &in.whole->issuance.ip_ranges; },
          .looks = &address_range},
  setting{.path = "issuance.directoryNameSuffixes",
          .is = shape::words,
          .sentence = "What directoryName names must end with (RFC 4514, `DC=example,DC=test`).",
          .where = [](place in) -> slot { return &in.whole->issuance.directory_name_suffixes; }},
  setting{.path = "issuance.securityIdentifierDomains",
          .is = shape::words,
          .sentence
          = "Domains whose SIDs may be certified. Relative identifiers below 1000 never are.",
          .where = [](place in) -> slot { return &in.whole->issuance.security_identifier_domains; },
          .looks = &sid_domain},
  setting{.path = "issuance.extendedKeyUsages",
          .is = shape::words,
          .sentence
          = "Purposes that may be asked for, as object identifiers. Smart-card logon "
            "(1.3.6.1.4.1.311.20.2.2) and enrolment agent (1.3.6.1.4.1.311.20.2.1) let their "
            "holder be somebody else: name them only if you must.",
          .where = [](place in) -> slot { return &in.whole->issuance.extended_key_usages; },
          .looks = &purpose},
  setting{.path = "issuance.keyAlgorithms",
          .is = shape::words,
          .sentence = "Key algorithms that may be asked for; an empty list is all of the protocol.",
          .where = [](place in) -> slot { return &in.whole->issuance.key_algorithms; },
          .choices = "rsa2048|rsa3072|rsa4096|ecP256|ecP384|ecP521"},
  setting{.path = "issuance.validityDaysMax",
          .is = shape::count,
          .sentence = "Longest validity that may be asked for.",
          .where = [](place in) -> slot { return &in.whole->issuance.validity_days_max; },
          .minimum = 1,
          .maximum = 3'650},
  setting{.path = "imports.perThumbprintPerHour",
          .is = shape::count,
          .sentence = "How often one imported certificate is decrypted within an hour, at most.",
          .where = [](place in) -> slot { return &in.whole->imports.per_thumbprint_per_hour; },
          .minimum = 1,
          .maximum = 1'000'000},
  setting{.path = "imports.perRecipientPerHour",
          .is = shape::count,
          .sentence
          = "How many imported PFX files one device certificate is given within an hour, at most.",
          .where = [](place in) -> slot { return &in.whole->imports.per_recipient_per_hour; },
          .minimum = 1,
          .maximum = 1'000'000},
  setting{.path = "limits.openRequestsMax",
          .is = shape::count,
          .sentence = "Requests held at once; no more are asked for beyond it.",
          .where = [](place in) -> slot { return &in.whole->limits.open_requests_max; },
          .minimum = 1,
          .maximum = 1'000'000},
  setting{.path = "limits.attemptsMax",
          .is = shape::count,
          .sentence = "Attempts at one request before it is put aside.",
          .where = [](place in) -> slot { return &in.whole->limits.attempts_max; },
          .minimum = 1,
          .maximum = 100},
  setting{.path = "limits.quarantineHours",
          .is = shape::amount,
          .sentence = "How long a request put aside waits for an operator before it fails.",
          .where = [](place in) -> slot { return &in.whole->limits.quarantine_ms; },
          .scale = hour,
          .minimum = 0.0005,
          .maximum = 8'760},
  setting{.path = "limits.resultRetentionDays",
          .is = shape::count,
          .sentence
          = "How long the bytes of a delivered result are kept, sealed, to be sent again.",
          .where = [](place in) -> slot { return &in.whole->limits.result_retention_days; },
          .minimum = 0,
          .maximum = 365},
  setting{.path = "limits.freeSpaceFloorMebibytes",
          .is = shape::amount,
          .sentence = "Below this much free space nothing is written and no request asked for.",
          .where = [](place in) -> slot { return &in.whole->limits.free_bytes_floor; },
          .scale = mebibyte,
          .minimum = 1,
          .maximum = 1 << 20},
  setting{.path = "limits.cryptoThreads",
          .is = shape::count,
          .sentence = "Threads that make keys and files; 0 is one per core.",
          .where = [](place in) -> slot { return &in.whole->limits.crypto_threads; },
          .minimum = 0,
          .maximum = 256},
  setting{.path = "limits.ioThreads",
          .is = shape::count,
          .sentence = "Threads that wait for the network and the disk.",
          .where = [](place in) -> slot { return &in.whole->limits.io_threads; },
          .minimum = 4,
          .maximum = 256},
  setting{.path = "limits.stopDeadlineSeconds",
          .is = shape::amount,
          .sentence = "How long a stop may take.",
          .where = [](place in) -> slot { return &in.whole->limits.stop_deadline_ms; },
          .scale = second,
          .minimum = 1,
          .maximum = 600},
};

constexpr std::array parts{
  section{"", "Where things lie on this machine."},
  section{"log", "What the program writes on stderr. An embedding host has its own sink."},
  section{"service", "The management service that hands out requests."},
  section{"authorities[]", "The certification authorities that may be submitted to, by name."},
  section{"recipients",
          "Who may receive a secret. Mandatory: without it whoever holds the service could "
          "have every key delivered to himself."},
  section{"issuance",
          "What may be certified. Closed: what is not named here is refused, whatever the "
          "service says."},
  section{"issuance.authorities[]", "Authorities and templates that may be used."},
  section{"imports", "Bounds on the use of the keys that open imported PFX files."},
  section{"intune",
          "A tenant of Microsoft Intune: its revocation orders are carried out. May be left out.",
          [](const configuration& in) { return in.intune.has_value(); },
          [](configuration& in) { in.intune.emplace(); }},
  section{"intune.credentials[]",
          "What we prove ourselves with, tried in turn: a secret, or a certificate with its key."},
  section{"intune.proxy", "The way out of the network, where there is one. May be left out.",
          [](const configuration& in) { return in.intune && in.intune->proxy; },
          [](configuration& in) { in.intune->proxy.emplace(); }},
  section{"intune.revocations", "What Intune wants revoked."},
  section{"updates", "Where newer versions come from. May be left out: then there are none.",
          [](const configuration& in) { return in.updates.has_value(); },
          [](configuration& in) { in.updates.emplace(); }},
  section{"limits", "Bounds on space, time and threads."},
};

} // namespace

std::string_view setting::section() const noexcept {
  const auto dot = path.rfind('.');
  return dot == std::string_view::npos ? std::string_view{} : path.substr(0, dot);
}

std::string_view setting::name() const noexcept {
  const auto dot = path.rfind('.');
  return dot == std::string_view::npos ? path : path.substr(dot + 1);
}

std::span<const setting> all_settings() {
  static const std::vector<setting> all = [] {
    std::vector<setting> out(rows.begin(), rows.end());
    for (const auto more : {intune_settings_rows(), updates_settings_rows()})
      out.insert(out.end(), more.begin(), more.end());
    return out;
  }();
  return all;
}
std::span<const section> all_sections() noexcept { return parts; }

bool is_list(std::string_view section_path) noexcept { return section_path.ends_with("[]"); }

place add_element(std::string_view section_path, configuration& whole) {
  place out{.whole = &whole};
  if (section_path == "authorities[]")
    out.authority = &whole.authorities.emplace_back();
  else if (section_path == "intune.credentials[]")
    out.credential = &whole.intune->credentials.emplace_back();
  else
    out.allowed = &whole.issuance.authorities.emplace_back();
  return out;
}

std::vector<place> elements_of(std::string_view section_path, configuration& whole) {
  std::vector<place> out;
  if (section_path == "authorities[]")
    for (auto& one : whole.authorities)
      out.push_back({.whole = &whole, .authority = &one});
  else if (section_path == "intune.credentials[]")
    for (auto& one : whole.intune->credentials)
      out.push_back({.whole = &whole, .credential = &one});
  else
    for (auto& one : whole.issuance.authorities)
      out.push_back({.whole = &whole, .allowed = &one});
  return out;
}

std::string_view parent_of(std::string_view section_path) noexcept {
  const auto dot = section_path.rfind('.');
  return dot == std::string_view::npos ? std::string_view{} : section_path.substr(0, dot);
}

std::string_view key_of(std::string_view section_path) noexcept {
  const auto dot = section_path.rfind('.');
  auto key = dot == std::string_view::npos ? section_path : section_path.substr(dot + 1);
  if (is_list(key))
    key.remove_suffix(2);
  return key;
}

bool among(std::string_view choices, std::string_view word) {
  return std::ranges::count(split_choices(choices), word) > 0;
}

} // namespace pfx::engine::detail
