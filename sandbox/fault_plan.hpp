// What is to go wrong on the other side, on purpose: a file of rules (JSON with comments), each a
// fault, the calls it befalls, how often, and for how long. Refuses a file with any fault of its
// own, and names each by its path.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"

namespace pfx::sandbox {

enum class fault_kind : std::uint8_t {
  // the wire: how an answer leaves
  status = 1, ///< an HTTP status, with or without Retry-After
  html,       ///< a page, with 200
  cut,        ///< half of the body, then the connection is cut
  length,     ///< a wrong Content-Length
  drip,       ///< slowly
  late,       ///< after a wait
  close,      ///< the connection is closed without an answer
  redirect,
  certificate, ///< the next handshakes show a certificate that is not to be trusted
  // the desk: what an answer says
  twice,       ///< a request stands twice in one answer
  again,       ///< requests at work are handed out again
  reordered,   ///< the requests of an answer in another order
  other_body,  ///< a request a second time in the answer, with another body
  junk,        ///< an entry among the requests that is none
  lease_taken, ///< somebody else takes a request that was handed out
  stale_epoch, ///< "a later run of this connector is known"
  // the tenant's services
  not_recorded, ///< a report is answered false, and not recorded
  odd_answer,   ///< the same, in words that mean nothing
  tokens_end,   ///< every token ends, whatever was said of its life
  // the certification authority
  pending,       ///< for long, or until the faults end
  wrong_key,     ///< the certificate holds another key
  other_request, ///< the certificate of another request
  expired,       ///< a certificate that has expired
  expired_chain, ///< a good certificate below an expired one
  refuse,
  conflict, ///< although nothing was submitted
};
[[nodiscard]] std::string_view name_of(fault_kind value) noexcept;

enum class fault_layer : std::uint8_t { wire = 1, desk, authority };
[[nodiscard]] fault_layer layer_of(fault_kind value) noexcept;

enum class bad_certificate : std::uint8_t { expired = 1, wrong_name, stranger };
[[nodiscard]] std::string_view name_of(bad_certificate value) noexcept;

/// One rule. Exactly one of `share` and `numbers` says which calls it befalls.
struct fault_rule {
  fault_kind kind = fault_kind::status;
  std::vector<std::string> calls; ///< names; empty = all at which the fault can be
  double share = 0;
  std::vector<std::uint64_t> numbers; ///< of calls by that name, from 1; sorted
  std::uint64_t span = 1;             ///< it stays for so many calls of that name
  std::uint64_t most = 0;             ///< times at most; 0 = any number
  bool handled = false; ///< `when: after`: the call is served first, and only its answer is lost
  int status = 503;
  std::optional<std::string> retry_after;         ///< as it stands in the header
  std::optional<std::int64_t> retry_after_date_s; ///< an HTTP date so many seconds from now
  std::int64_t ms = 2'000;                        ///< late, drip
  std::int64_t by = 7;                            ///< length: octets too many, or too few
  std::uint64_t count = 1;                        ///< lease_taken, again: so many requests
  bad_certificate which = bad_certificate::expired;
  std::uint64_t handshakes = 3;
  std::uint64_t answers = 0; ///< pending: so often; 0 = until the faults end
};

struct fault_plan {
  std::int64_t until_ms = 0;     ///< from the first call of a connector; 0 = for ever
  std::uint64_t until_calls = 0; ///< of any name; 0 = for ever
  std::vector<fault_rule> rules;
};

struct fault_plan_faults {
  std::vector<error> faults; ///< never empty; `field` is a path as "faults[2].share"
};

/// Reads a whole file's text.
[[nodiscard]] tl::expected<fault_plan, fault_plan_faults> read_fault_plan(std::string_view text);
/// The same from a file: errc::not_found, errc::io, errc::too_large for one over 1 MiB.
[[nodiscard]] tl::expected<fault_plan, fault_plan_faults> load_fault_plan(const std::string& path);

/// The names of faults, and at which calls each can be; for help texts and tests.
[[nodiscard]] std::vector<std::pair<std::string, std::vector<std::string>>> fault_names();

} // namespace pfx::sandbox
