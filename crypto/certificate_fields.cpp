// Reads the frame of a certificate.
#include "crypto/certificate_fields.hpp"

#include "crypto/der.hpp"
#include "crypto/openssl.hpp"

#include <ctime>

namespace pfx::crypto {

namespace {

auto malformed(std::string_view what) {
  return failure(errc::bad_input, "certificate", "malformed " + std::string(what));
}

/// Serial numbers as people compare them; negative ones exist in the wild and get a sign.
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

std::optional<unix_ms> moment_of(const der::element& time) {
  using time_handle = handle<::ASN1_TIME, ::ASN1_TIME_free>;
  const unsigned char* cursor = time.whole.data();
  const time_handle parsed(::d2i_ASN1_TIME(nullptr, &cursor, static_cast<long>(time.whole.size())));
  std::tm parts{};
  if (parsed == nullptr || ::ASN1_TIME_to_tm(parsed.get(), &parts) != 1)
    return std::nullopt;
  return static_cast<unix_ms>(::timegm(&parts)) * 1000;
}

} // namespace

result<certificate_fields> read_certificate_fields(byte_view der) {
  const queue_guard guard;
  const auto outer = der::only(der, der::sequence);
  const auto tbs = outer ? der::reader(outer->content).next(der::sequence) : std::nullopt;
  if (!tbs)
    return malformed("certificate");
  der::reader walk(tbs->content);
  if (walk.peek() == der::context_constructed(0) && !walk.next())
    return malformed("version");
  const auto serial = walk.next(der::integer);
  const auto algorithm = walk.next(der::sequence);
  const auto issuer = walk.next(der::sequence);
  const auto validity = walk.next(der::sequence);
  const auto subject = walk.next(der::sequence);
  const auto public_key = walk.next(der::sequence);
  if (!serial || serial->content.empty() || !algorithm || !issuer || !validity || !subject
      || !public_key) {
    return malformed("certificate");
  }
  der::reader times(validity->content);
  const auto from = times.next();
  const auto until = times.next();
  const auto not_before = from ? moment_of(*from) : std::nullopt;
  const auto not_after = until ? moment_of(*until) : std::nullopt;
  if (!not_before || !not_after || !times.at_end())
    return malformed("validity");
  return certificate_fields{serial_text(serial->content),
                            to_bytes(issuer->whole),
                            to_bytes(subject->whole),
                            to_bytes(public_key->whole),
                            *not_before,
                            *not_after};
}

} // namespace pfx::crypto
