// Distinguished names as text: RFC 4514, with the quoted values of RFC 2253 that services still
// send.
#pragma once

#include <string>
#include <string_view>

#include "core/bytes.hpp"

namespace pfx::crypto {

/// Parses an RFC 4514 string into a DER Name. Escapes (`\,` `\+` `\23`), quoted values ("a, b"),
/// multi-valued RDNs with `+`, `#hex` values, the short names of RFC 4514 section 3 plus
/// E/emailAddress, G/givenName, SN (surname), serialNumber, title, T, and dotted OIDs.
/// The string is most specific first; the DER Name is in the reverse order (RFC 4514 2.1).
/// Values are UTF8String (PrintableString for C and serialNumber, IA5String for DC and E). Upper
/// bounds of RFC 5280 A.1 are enforced (CN 64 characters). Errors: errc::bad_input, field
/// "subject", with the position.
[[nodiscard]] result<bytes> name_from_text(std::string_view text);
/// The RFC 4514 form of a DER Name, most specific first.
[[nodiscard]] result<std::string> name_to_text(byte_view der);

} // namespace pfx::crypto
