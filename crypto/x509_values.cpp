// Writes and reads moments, serial numbers, extensions and key identifiers.
#include "crypto/x509_values.hpp"

#include "crypto/digest.hpp"
#include "crypto/extensions.hpp"
#include "crypto/key_der.hpp"
#include "crypto/oids.hpp"
#include "crypto/openssl.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>

namespace pfx::crypto {

namespace {

constexpr int generalized_time_from_year = 2050;

result<bytes> write_time(unix_ms moment, const char* field, bool always_generalized) {
  const std::time_t seconds = static_cast<std::time_t>(moment / 1000);
  std::tm parts{};
  if (moment < 0 || ::gmtime_r(&seconds, &parts) == nullptr || parts.tm_year + 1900 > 9999) {
    return failure(errc::bad_input, field, "lies outside 1970 to 9999");
  }
  const int year = parts.tm_year + 1900;
  const bool short_form = !always_generalized && year < generalized_time_from_year;
  std::array<char, 64> text{};
  const int size
    = std::snprintf(text.data(), text.size(), "%0*d%02d%02d%02d%02d%02dZ", short_form ? 2 : 4,
                    short_form ? year % 100 : year, parts.tm_mon + 1, parts.tm_mday, parts.tm_hour,
                    parts.tm_min, parts.tm_sec);
  return der::tlv(short_form ? der::utc_time : der::generalized_time,
                  as_bytes({text.data(), static_cast<std::size_t>(size)}));
}

} // namespace

result<bytes> encode_time(unix_ms moment, const char* field) {
  return write_time(moment, field, false);
}

result<bytes> encode_generalized_time(unix_ms moment, const char* field) {
  return write_time(moment, field, true);
}

std::optional<unix_ms> moment_of(const der::element& time) {
  using time_handle = handle<::ASN1_TIME, ::ASN1_TIME_free>;
  const queue_guard guard;
  const unsigned char* cursor = time.whole.data();
  const time_handle parsed(::d2i_ASN1_TIME(nullptr, &cursor, static_cast<long>(time.whole.size())));
  std::tm parts{};
  if (parsed == nullptr || ::ASN1_TIME_to_tm(parsed.get(), &parts) != 1)
    return std::nullopt;
  return static_cast<unix_ms>(::timegm(&parts)) * 1000;
}

std::string serial_text(byte_view content) {
  bytes magnitude = to_bytes(content);
  const bool negative = !magnitude.empty() && (magnitude[0] & 0x80) != 0;
  if (negative) { // two's complement
    unsigned carry = 1;
    for (std::size_t i = magnitude.size(); i-- > 0;) {
      carry += static_cast<std::uint8_t>(~magnitude[i]);
      magnitude[i] = static_cast<std::uint8_t>(carry);
      carry >>= 8;
    }
  }
  const std::string digits = to_hex(magnitude);
  const std::size_t first = digits.find_first_not_of('0');
  if (first == std::string::npos)
    return "0";
  return (negative ? "-" : "") + digits.substr(first);
}

std::optional<bytes> serial_integer(std::string_view hex) {
  const std::size_t first = hex.find_first_not_of('0');
  if (first == std::string_view::npos || hex.size() - first > 2 * serial_octets_max)
    return std::nullopt;
  std::string digits(hex.substr(first));
  if (digits.size() % 2 != 0)
    digits.insert(digits.begin(), '0');
  const auto magnitude = from_hex(digits);
  if (!magnitude)
    return std::nullopt;
  bytes out = der::unsigned_integer(*magnitude);
  if (out.size() > 2 + serial_octets_max) // the sign took one octet more
    return std::nullopt;
  return out;
}

std::optional<std::vector<x509_extension>> read_extensions(byte_view content) {
  std::vector<x509_extension> found;
  der::reader walk(content);
  while (!walk.at_end()) {
    const auto one = walk.next(der::sequence);
    if (!one || found.size() == read_extensions_max)
      return std::nullopt;
    der::reader parts(one->content);
    const auto type = parts.next(der::object_identifier);
    const auto critical = parts.peek() == der::boolean ? parts.next() : std::nullopt;
    const auto value = parts.next(der::octet_string);
    if (!type || !value || !parts.at_end() || (critical && critical->content.size() != 1))
      return std::nullopt;
    // RFC 5280 4.2: not more than one instance of a particular extension.
    if (std::any_of(found.begin(), found.end(), [&](const x509_extension& earlier) {
          return std::ranges::equal(earlier.oid, type->content);
        })) {
      return std::nullopt;
    }
    found.push_back({type->content, critical && critical->content[0] != 0, value->content});
  }
  return found;
}

bytes key_identifier(byte_view public_key_info) { return sha1(public_key_bits(public_key_info)); }

bytes subject_key_extension(byte_view identifier) {
  return encode_extension(oids::subject_key_identifier, false,
                          der::tlv(der::octet_string, identifier));
}

bytes authority_key_extension(byte_view identifier) {
  const bytes value = der::tlv(der::sequence, der::tlv(der::context(0), identifier));
  return encode_extension(oids::authority_key_identifier, false, value);
}

bytes identifier_of(const certificate& issuer) {
  const queue_guard guard;
  ::X509* x = detail::access::x509(issuer);
  const ::ASN1_OCTET_STRING* own = x == nullptr ? nullptr : ::X509_get0_subject_key_id(x);
  if (own == nullptr)
    return key_identifier(detail::access::public_key_der(issuer));
  return to_bytes(
    {::ASN1_STRING_get0_data(own), static_cast<std::size_t>(::ASN1_STRING_length(own))});
}

} // namespace pfx::crypto
