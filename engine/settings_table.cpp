#include "engine/settings_table.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace pfx::engine::detail {
namespace {

// -- forms ------

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
bool is_alphanumeric(char c) noexcept {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/// Calls `fits` for each part between separators; false for an empty part or text.
template <class Predicate>
bool each_part(std::string_view text, char separator, Predicate fits) {
  while (true) {
    const auto end = text.find(separator);
    if (!fits(text.substr(0, end)))
      return false;
    if (end == std::string_view::npos)
      return true;
    text.remove_prefix(end + 1);
  }
}

bool is_number(std::string_view text) {
  return !text.empty() && text.size() <= 39 && std::ranges::all_of(text, is_digit)
         && (text.size() == 1 || text.front() != '0');
}

bool is_https_url(std::string_view text) {
  constexpr std::string_view scheme = "https://";
  if (!text.starts_with(scheme))
    return false;
  text.remove_prefix(scheme.size());
  const auto host = text.substr(0, text.find('/'));
  return !host.empty() && host.find('@') == std::string_view::npos
         && text.find_first_of("?#\\ \"<>") == std::string_view::npos;
}

/// anyExtendedKeyUsage would open every purpose, so it is no purpose that can be named.
bool is_purpose(std::string_view text) {
  return text.find('.') != std::string_view::npos && text.front() >= '0' && text.front() <= '2'
         && text[1] == '.' && text != "2.5.29.37.0" && each_part(text, '.', is_number);
}

bool is_security_identifier_domain(std::string_view text) {
  constexpr std::string_view prefix = "S-1-5-21-";
  if (!text.starts_with(prefix))
    return false;
  text.remove_prefix(prefix.size());
  return std::ranges::count(text, '-') == 2 && each_part(text, '-', is_number);
}

bool is_address_range(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos)
    return false;
  const std::string address(text.substr(0, slash));
  const auto tail = text.substr(slash + 1);
  unsigned length = 0;
  const auto [end, fault] = std::from_chars(tail.data(), tail.data() + tail.size(), length);
  if (fault != std::errc{} || end != tail.data() + tail.size())
    return false;
  in6_addr room{};
  if (::inet_pton(AF_INET, address.c_str(), &room) == 1)
    return length <= 32;
  return ::inet_pton(AF_INET6, address.c_str(), &room) == 1 && length <= 128;
}

bool is_domain_suffix(std::string_view text) {
  if (text.starts_with('.'))
    text.remove_prefix(1);
  return each_part(text, '.', [](std::string_view label) {
    return !label.empty() && label.size() <= 63
           && std::ranges::all_of(label, [](char c) { return is_alphanumeric(c) || c == '-'; });
  });
}

bool is_short_word(std::string_view text) { return !text.empty() && text.size() <= 128; }

constexpr form https_url{"^https://[^/?#@\\s]+(/[^?#\\s]*)?$",
                         "must be an https:// address without user, query or fragment", is_https_url};
constexpr form purpose{"^[0-2](\\.(0|[1-9][0-9]*))+$",
                       "must be a dotted object identifier, and not anyExtendedKeyUsage", is_purpose};
constexpr form sid_domain{"^S-1-5-21-[0-9]+-[0-9]+-[0-9]+$",
                          "must be the identifier of a domain, S-1-5-21-a-b-c",
                          is_security_identifier_domain};
constexpr form address_range{"^[0-9A-Fa-f.:]+/[0-9]{1,3}$",
                             "must be a range of addresses such as 10.0.0.0/8", is_address_range};
constexpr form domain_suffix{"^\\.?[A-Za-z0-9-]+(\\.[A-Za-z0-9-]+)*$",
                             "must be a DNS name, with a leading dot for all names below it",
                             is_domain_suffix};
constexpr form short_word{"^.{1,128}$", "must have 1 to 128 characters", is_short_word};

// -- rows ------

constexpr std::int64_t second = 1'000;
constexpr std::int64_t hour = 3'600 * second;
constexpr std::int64_t mebibyte = 1 << 20;

constexpr std::array rows{
  setting{.path = "dataDirectory", .is = shape::file,
          .sentence = "Folder of the durable queue. One engine owns it; mode 0700.",
          .where = [](place in) -> slot { return &in.whole->data_directory; }, .mandatory = true},
  setting{.path = "masterKeyFile", .is = shape::file,
          .sentence = "Key that seals everything at rest: 64 hex digits or 32 octets, mode 0600, outside "
                      "dataDirectory. `credential:NAME` names a credential of the service manager.",
          .where = [](place in) -> slot { return &in.whole->master_key_file; }, .mandatory = true},
  setting{.path = "identityFile", .is = shape::file,
          .sentence = "Written by `pfxengine register`; the sealed private key lies beside it.",
          .where = [](place in) -> slot { return &in.whole->identity_file; },
          .default_note = "dataDirectory/identity.json"},
  setting{.path = "controlSocket", .is = shape::file,
          .sentence = "Unix socket on which `status` and `requests` speak to a running engine.",
          .where = [](place in) -> slot { return &in.whole->control_socket; },
          .default_note = "dataDirectory/control.sock"},
  setting{.path = "log.level", .is = shape::choice, .sentence = "The least level that is written.",
          .where = [](place in) -> slot { return &in.whole->log_level; },
          .choices = "debug|info|warning|error"},
  setting{.path = "log.format", .is = shape::choice,
          .sentence = "Form of a line on stderr; `auto` is text on a terminal and JSON elsewhere.",
          .where = [](place in) -> slot { return &in.whole->log_format; },
          .choices = "auto|text|json"},
  setting{.path = "service.url", .is = shape::text,
          .sentence = "Address of the PFX request service; calls are made below it.",
          .where = [](place in) -> slot { return &in.whole->service.url; }, .mandatory = true,
          .looks = &https_url},
  setting{.path = "service.trustedRootsFile", .is = shape::file,
          .sentence = "PEM: the roots that the service's TLS certificate must chain to.",
          .where = [](place in) -> slot { return &in.whole->service.trusted_roots_file; },
          .default_note = "the system's roots"},
  setting{.path = "service.tenant", .is = shape::text,
          .sentence = "Name of the tenant. Part of each request's identity: never change it.",
          .where = [](place in) -> slot { return &in.whole->service.tenant; }, .mandatory = true,
          .looks = &short_word},
  setting{.path = "service.pollIntervalSeconds", .is = shape::amount,
          .sentence = "Time between two polls that found nothing; ± 10 % jitter.",
          .where = [](place in) -> slot { return &in.whole->service.poll_interval_ms; },
          .scale = second, .minimum = 0.1, .maximum = 3'600},
  setting{.path = "service.leaseSeconds", .is = shape::amount,
          .sentence = "For how long a downloaded request is asked for; renewed while it is worked on.",
          .where = [](place in) -> slot { return &in.whole->service.lease_ms; }, .scale = second,
          .minimum = 1, .maximum = 86'400},
  setting{.path = "service.callTimeoutSeconds", .is = shape::amount,
          .sentence = "Longest time of one call to the service, body included.",
          .where = [](place in) -> slot { return &in.whole->service.call_timeout_ms; },
          .scale = second, .minimum = 1, .maximum = 600},
  setting{.path = "service.requestsMax", .is = shape::count,
          .sentence = "Most requests of one download.",
          .where = [](place in) -> slot { return &in.whole->service.requests_max; }, .minimum = 1,
          .maximum = 500},
  setting{.path = "authorities[].name", .is = shape::text,
          .sentence = "The service's word for this authority (`certificateAuthority` in a request).",
          .where = [](place in) -> slot { return &in.authority->name; }, .mandatory = true,
          .looks = &short_word},
  setting{.path = "authorities[].url", .is = shape::text,
          .sentence = "Address of its CertificateAuthority service.",
          .where = [](place in) -> slot { return &in.authority->url; }, .mandatory = true,
          .looks = &https_url},
  setting{.path = "authorities[].trustedRootsFile", .is = shape::file,
          .sentence = "PEM: the roots that its TLS certificate must chain to.",
          .where = [](place in) -> slot { return &in.authority->trusted_roots_file; },
          .default_note = "service.trustedRootsFile"},
  setting{.path = "authorities[].chainRootsFile", .is = shape::file,
          .sentence = "PEM: the roots that certificates issued by it must chain to.",
          .where = [](place in) -> slot { return &in.authority->chain_roots_file; },
          .mandatory = true},
  setting{.path = "authorities[].callTimeoutSeconds", .is = shape::amount,
          .sentence = "Longest time of one call to it.",
          .where = [](place in) -> slot { return &in.authority->call_timeout_ms; },
          .scale = second, .minimum = 1, .maximum = 600},
  setting{.path = "authorities[].settleSeconds", .is = shape::amount,
          .sentence = "How long a submission that got no answer may still arrive there. Too short a time "
                      "can leave a surplus certificate unnoticed.",
          .where = [](place in) -> slot { return &in.authority->settle_ms; }, .scale = second,
          .minimum = 1, .maximum = 86'400},
  setting{.path = "authorities[].pendingDeadlineHours", .is = shape::amount,
          .sentence = "How long its word \"pending\" is waited on before the request is put aside.",
          .where = [](place in) -> slot { return &in.authority->pending_deadline_ms; },
          .scale = hour, .minimum = 0.01, .maximum = 8'760},
  setting{.path = "recipients.trustFile", .is = shape::file,
          .sentence = "PEM: the roots of device certificates. Nothing is encrypted to a certificate that "
                      "does not chain to one of them.",
          .where = [](place in) -> slot { return &in.whole->recipients.trust_file; },
          .mandatory = true},
  setting{.path = "recipients.match", .is = shape::choice,
          .sentence = "Where a device certificate must name the request's deviceId.",
          .where = [](place in) -> slot { return &in.whole->recipients.match; },
          .choices = "any|commonName|san|off"},
  setting{.path = "issuance.authorities[].name", .is = shape::text,
          .sentence = "An authority, by its name in `authorities`.",
          .where = [](place in) -> slot { return &in.allowed->name; }, .mandatory = true,
          .looks = &short_word},
  setting{.path = "issuance.authorities[].templates", .is = shape::words,
          .sentence = "The templates that may be asked of it.",
          .where = [](place in) -> slot { return &in.allowed->templates; }, .mandatory = true,
          .looks = &short_word},
  setting{.path = "issuance.nameTypes", .is = shape::words,
          .sentence = "Types of subject alternative names that may be asked for.",
          .where = [](place in) -> slot { return &in.whole->issuance.name_types; },
          .choices = "rfc822|upn|dns|uri|ip|directoryName"},
  setting{.path = "issuance.nameSuffixes", .is = shape::words,
          .sentence = "What rfc822, upn and dns names and hosts of uris must end with: `example.test` is "
                      "that name and all below it, `.example.test` those below it only.",
          .where = [](place in) -> slot { return &in.whole->issuance.name_suffixes; },
          .looks = &domain_suffix},
  setting{.path = "issuance.ipRanges", .is = shape::words,
          .sentence = "Ranges (CIDR) that ip names must lie in.",
          .where = [](place in) -> slot { return &in.whole->issuance.ip_ranges; },
          .looks = &address_range},
  setting{.path = "issuance.directoryNameSuffixes", .is = shape::words,
          .sentence = "What directoryName names must end with (RFC 4514, `DC=example,DC=test`).",
          .where = [](place in) -> slot { return &in.whole->issuance.directory_name_suffixes; }},
  setting{.path = "issuance.securityIdentifierDomains", .is = shape::words,
          .sentence = "Domains whose SIDs may be certified. Relative identifiers below 1000 never are.",
          .where = [](place in) -> slot { return &in.whole->issuance.security_identifier_domains; },
          .looks = &sid_domain},
  setting{.path = "issuance.extendedKeyUsages", .is = shape::words,
          .sentence = "Purposes that may be asked for, as object identifiers. Smart-card logon "
                      "(1.3.6.1.4.1.311.20.2.2) and enrolment agent (1.3.6.1.4.1.311.20.2.1) let their "
                      "holder be somebody else: name them only if you must.",
          .where = [](place in) -> slot { return &in.whole->issuance.extended_key_usages; },
          .looks = &purpose},
  setting{.path = "issuance.keyAlgorithms", .is = shape::words,
          .sentence = "Key algorithms that may be asked for; an empty list is all of the protocol.",
          .where = [](place in) -> slot { return &in.whole->issuance.key_algorithms; },
          .choices = "rsa2048|rsa3072|rsa4096|ecP256|ecP384|ecP521"},
  setting{.path = "issuance.validityDaysMax", .is = shape::count,
          .sentence = "Longest validity that may be asked for.",
          .where = [](place in) -> slot { return &in.whole->issuance.validity_days_max; },
          .minimum = 1, .maximum = 3'650},
  setting{.path = "limits.openRequestsMax", .is = shape::count,
          .sentence = "Requests held at once; no more are asked for beyond it.",
          .where = [](place in) -> slot { return &in.whole->limits.open_requests_max; },
          .minimum = 1, .maximum = 1'000'000},
  setting{.path = "limits.attemptsMax", .is = shape::count,
          .sentence = "Attempts at one request before it is put aside.",
          .where = [](place in) -> slot { return &in.whole->limits.attempts_max; }, .minimum = 1,
          .maximum = 100},
  setting{.path = "limits.quarantineHours", .is = shape::amount,
          .sentence = "How long a request put aside waits for an operator before it fails.",
          .where = [](place in) -> slot { return &in.whole->limits.quarantine_ms; }, .scale = hour,
          .minimum = 0.0005, .maximum = 8'760},
  setting{.path = "limits.resultRetentionDays", .is = shape::count,
          .sentence = "How long the bytes of a delivered result are kept, sealed, to be sent again.",
          .where = [](place in) -> slot { return &in.whole->limits.result_retention_days; },
          .minimum = 0, .maximum = 365},
  setting{.path = "limits.freeSpaceFloorMebibytes", .is = shape::amount,
          .sentence = "Below this much free space nothing is written and no request asked for.",
          .where = [](place in) -> slot { return &in.whole->limits.free_bytes_floor; },
          .scale = mebibyte, .minimum = 1, .maximum = 1 << 20},
  setting{.path = "limits.cryptoThreads", .is = shape::count,
          .sentence = "Threads that make keys and files; 0 is one per core.",
          .where = [](place in) -> slot { return &in.whole->limits.crypto_threads; }, .minimum = 0,
          .maximum = 256},
  setting{.path = "limits.ioThreads", .is = shape::count,
          .sentence = "Threads that wait for the network and the disk.",
          .where = [](place in) -> slot { return &in.whole->limits.io_threads; }, .minimum = 4,
          .maximum = 256},
  setting{.path = "limits.stopDeadlineSeconds", .is = shape::amount,
          .sentence = "How long a stop may take.",
          .where = [](place in) -> slot { return &in.whole->limits.stop_deadline_ms; },
          .scale = second, .minimum = 1, .maximum = 600},
};

constexpr std::array parts{
  section{"", "Where things lie on this machine."},
  section{"log", "What the program writes on stderr. An embedding host has its own sink."},
  section{"service", "The management service that hands out requests."},
  section{"authorities[]", "The certification authorities that may be submitted to, by name."},
  section{"recipients", "Who may receive a secret. Mandatory: without it whoever holds the service could "
                        "have every key delivered to himself."},
  section{"issuance", "What may be certified. Closed: what is not named here is refused, whatever the "
                      "service says."},
  section{"issuance.authorities[]", "Authorities and templates that may be used."},
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

std::span<const setting> all_settings() noexcept { return rows; }
std::span<const section> all_sections() noexcept { return parts; }

bool is_list(std::string_view section_path) noexcept { return section_path.ends_with("[]"); }

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

std::vector<std::string_view> split_choices(std::string_view choices) {
  std::vector<std::string_view> words;
  each_part(choices, '|', [&](std::string_view word) {
    words.push_back(word);
    return true;
  });
  return words;
}

bool among(std::string_view choices, std::string_view word) {
  return std::ranges::count(split_choices(choices), word) > 0;
}

} // namespace pfx::engine::detail
