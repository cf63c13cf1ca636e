// Reads the frame of a certificate.
#include "crypto/certificate_fields.hpp"

#include "crypto/der.hpp"
#include "crypto/openssl.hpp"
#include "crypto/x509_values.hpp"

namespace pfx::crypto {

namespace {

auto malformed(std::string_view what) {
  return failure(errc::bad_input, "certificate", "malformed " + std::string(what));
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
