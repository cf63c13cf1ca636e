// The forms of names that the issuance policy compares: hosts, addresses, directory names, SIDs.
// Strict readers: what could be read in two ways is read in none.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/bytes.hpp"

namespace pfx::actors::tasks {

/// ASCII letters in lower case; every other octet as it is.
[[nodiscard]] std::string lowered(std::string_view text);

/// Labels of letters, digits and inner hyphens (RFC 1034 3.5). No wildcard, no dot at the end, and
/// no number as the last label: that would be an address.
[[nodiscard]] bool is_host(std::string_view host);
/// "example.test" allows that name and those below it, ".example.test" those below it only.
[[nodiscard]] bool host_allowed(std::string_view host, const std::vector<std::string>& suffixes);
/// The domain of an address with exactly one '@' and something before it.
[[nodiscard]] std::optional<std::string_view> domain_of(std::string_view address);
/// What stands in place of the host in a hierarchical URI (RFC 3986 3.2), for is_host() to judge:
/// user information, a backslash or an escape that some reader takes for a slash are still in it.
[[nodiscard]] std::optional<std::string_view> host_of_uri(std::string_view uri);

/// 4 or 16 octets in network order.
[[nodiscard]] std::optional<bytes> address_of(const std::string& text);
/// `range` is in CIDR form, or a single address; a malformed one holds nothing.
[[nodiscard]] bool in_range(const bytes& address, const std::string& range);

/// Whether one of the suffixes (RFC 4514) is the end of the DER Name as RFC 4514 writes it. Values
/// are compared exactly. A malformed or empty suffix allows nothing.
[[nodiscard]] bool directory_name_allowed(const bytes& name,
                                          const std::vector<std::string>& suffixes);

/// A decimal number without leading zeros that fits 32 bits.
[[nodiscard]] std::optional<std::uint32_t> sub_authority(std::string_view digits);
/// "S-1-<authority>-<sub-authority>…" (MS-DTYP 2.4.2.1), decimal only.
[[nodiscard]] bool is_sid(std::string_view text);

} // namespace pfx::actors::tasks
