// The SID extension of strong certificate mapping (MS-WCCE 2.2.2.7.7.4), byte for byte as AD CS
// writes it.
#include "crypto/request.hpp"

#include "crypto/der.hpp"
#include "crypto/oids.hpp"
#include "crypto/text.hpp"

#include <algorithm>
#include <charconv>

namespace pfx::crypto {

namespace {

constexpr std::size_t sub_authorities_max = 15;           // MS-DTYP 2.4.2
constexpr std::uint64_t authority_max = (1ULL << 48) - 1; // six octets
constexpr std::uint64_t sub_authority_max = UINT32_MAX;

/// A decimal number without leading zeros, at most `most`.
bool is_number(std::string_view text, std::uint64_t most) {
  if (text.empty() || (text.size() > 1 && text[0] == '0'))
    return false;
  std::uint64_t value = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  return fault == std::errc() && end == text.data() + text.size() && value <= most;
}

/// MS-DTYP 2.4.2.1: "S-1-" authority 1*("-" sub authority), in decimal.
bool is_sid(std::string_view sid) {
  constexpr std::string_view prefix = "S-1-";
  if (!sid.starts_with(prefix))
    return false;
  sid.remove_prefix(prefix.size());
  for (std::size_t parts = 0; parts <= sub_authorities_max; ++parts) {
    const std::size_t end = std::min(sid.find('-'), sid.size());
    if (!is_number(sid.substr(0, end), parts == 0 ? authority_max : sub_authority_max))
      return false;
    if (end == sid.size())
      return parts > 0;
    sid.remove_prefix(end + 1);
  }
  return false;
}

} // namespace

result<bytes> encode_security_identifier(std::string_view sid) {
  if (!is_sid(sid)) {
    return failure(errc::bad_input, "securityIdentifier", "is no SID of the form S-1-5-21-…");
  }
  const bytes type = der::tlv(der::object_identifier, oids::security_identifier);
  const bytes value
    = der::tlv(der::context_constructed(0), der::tlv(der::octet_string, as_bytes(sid)));
  return der::tlv(der::sequence, der::tlv(der::context_constructed(0), {type, value}));
}

} // namespace pfx::crypto
