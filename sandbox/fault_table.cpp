// The table of faults.
#include "sandbox/fault_table.hpp"

#include <algorithm>
#include <array>

namespace pfx::sandbox {

namespace {

using kind = fault_kind;
using layer = fault_layer;
using setting = fault_setting;

constexpr std::string_view orders_download
  = "CertificateAuthorityRequests/downloadRevocationRequests";
constexpr std::string_view orders_upload = "CertificateAuthorityRequests/uploadRevocationResults";
constexpr std::array<std::string_view, 19> every_call = {
  "Connectors/register",
  "Connectors/renew",
  "Connectors/importKeys",
  "Connectors/checkIn",
  "PfxRequests/download",
  "PfxRequests/renewLeases",
  "PfxRequests/upload",
  "PfxRequests/query",
  "CertificateAuthority/submit",
  "CertificateAuthority/find",
  "CertificateAuthority/revoke",
  "CertificateAuthority/close",
  "oauth2/token",
  "servicePrincipals/endpoints",
  orders_download,
  orders_upload,
  "ScepActions/validateRequest",
  "ScepActions/successNotification",
  "ScepActions/failureNotification",
};
constexpr std::array<std::string_view, 2> downloads = {"PfxRequests/download", orders_download};
constexpr std::array<std::string_view, 1> report = {orders_upload};
constexpr std::array<std::string_view, 6> with_token = {"servicePrincipals/endpoints",
                                                        orders_download,
                                                        orders_upload,
                                                        "ScepActions/validateRequest",
                                                        "ScepActions/successNotification",
                                                        "ScepActions/failureNotification"};
constexpr std::array<std::string_view, 4> with_leases
  = {"PfxRequests/download", "PfxRequests/renewLeases", "PfxRequests/upload", "PfxRequests/query"};
constexpr std::array<std::string_view, 7> with_epoch = {
  "Connectors/checkIn",      "Connectors/renew",   "Connectors/importKeys", "PfxRequests/download",
  "PfxRequests/renewLeases", "PfxRequests/upload", "PfxRequests/query"};
constexpr std::array<std::string_view, 1> submit = {"CertificateAuthority/submit"};
constexpr std::array<std::string_view, 2> submit_or_find
  = {"CertificateAuthority/submit", "CertificateAuthority/find"};

constexpr std::array<setting, 0> plain = {};
constexpr std::array when_status = {setting::when, setting::status, setting::retry_after};
constexpr std::array when_only = {setting::when};
constexpr std::array by_only = {setting::by};
constexpr std::array seconds_only = {setting::seconds};
constexpr std::array when_seconds = {setting::when, setting::seconds};
constexpr std::array which_handshakes = {setting::which, setting::handshakes};
constexpr std::array count_only = {setting::count};
constexpr std::array answers_only = {setting::answers};

constexpr std::array rows = {
  fault_row{kind::status, layer::wire, "status", every_call, when_status},
  fault_row{kind::html, layer::wire, "html", every_call, when_only},
  fault_row{kind::cut, layer::wire, "cut", every_call, plain},
  fault_row{kind::length, layer::wire, "length", every_call, by_only},
  fault_row{kind::drip, layer::wire, "drip", every_call, seconds_only},
  fault_row{kind::late, layer::wire, "late", every_call, when_seconds},
  fault_row{kind::close, layer::wire, "close", every_call, when_only},
  fault_row{kind::redirect, layer::wire, "redirect", every_call, when_only},
  fault_row{kind::certificate, layer::wire, "certificate", every_call, which_handshakes},
  fault_row{kind::twice, layer::desk, "twice", downloads, count_only},
  fault_row{kind::again, layer::desk, "again", downloads, count_only},
  fault_row{kind::reordered, layer::desk, "reordered", downloads, plain},
  fault_row{kind::other_body, layer::desk, "otherBody", downloads, count_only},
  fault_row{kind::junk, layer::desk, "junk", downloads, plain},
  fault_row{kind::lease_taken, layer::desk, "leaseTaken", with_leases, count_only},
  fault_row{kind::stale_epoch, layer::desk, "staleEpoch", with_epoch, plain},
  fault_row{kind::not_recorded, layer::desk, "notRecorded", report, plain},
  fault_row{kind::odd_answer, layer::desk, "oddAnswer", report, plain},
  fault_row{kind::tokens_end, layer::desk, "tokensEnd", with_token, plain},
  fault_row{kind::pending, layer::authority, "pending", submit, answers_only},
  fault_row{kind::wrong_key, layer::authority, "wrongKey", submit, plain},
  fault_row{kind::other_request, layer::authority, "otherRequest", submit_or_find, plain},
  fault_row{kind::expired, layer::authority, "expired", submit, plain},
  fault_row{kind::expired_chain, layer::authority, "expiredChain", submit_or_find, plain},
  fault_row{kind::refuse, layer::authority, "refuse", submit, plain},
  fault_row{kind::conflict, layer::authority, "conflict", submit, plain},
};

} // namespace

std::span<const fault_row> fault_rows() noexcept { return rows; }

const fault_row& row_of(fault_kind value) noexcept {
  return *std::ranges::find(rows, value, &fault_row::kind);
}

const fault_row* row_named(std::string_view name) noexcept {
  const auto* at = std::ranges::find(rows, name, &fault_row::name);
  return at == rows.end() ? nullptr : at;
}

bool can_befall(fault_kind value, std::string_view call) noexcept {
  return std::ranges::find(row_of(value).calls, call) != row_of(value).calls.end();
}

std::string_view name_of(fault_kind value) noexcept { return row_of(value).name; }
fault_layer layer_of(fault_kind value) noexcept { return row_of(value).layer; }

std::string_view name_of(bad_certificate value) noexcept {
  switch (value) {
    case bad_certificate::expired:
      return "expired";
    case bad_certificate::wrong_name:
      return "wrongName";
    case bad_certificate::stranger:
      return "stranger";
  }
  return "";
}

std::string_view name_of(fault_setting value) noexcept {
  constexpr std::array<std::string_view, 9> names
    = {"when", "status", "retryAfter", "seconds", "by", "count", "which", "handshakes", "answers"};
  return names[static_cast<std::size_t>(value) - 1];
}

std::vector<std::pair<std::string, std::vector<std::string>>> fault_names() {
  std::vector<std::pair<std::string, std::vector<std::string>>> out;
  for (const auto& row : rows) {
    out.emplace_back(row.name, std::vector<std::string>(row.calls.begin(), row.calls.end()));
  }
  return out;
}

} // namespace pfx::sandbox
