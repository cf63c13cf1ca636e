// Certificates of devices and CAs, and requests for certificates: the latter signed anew by the
// target, because a mutated one would end at its signature.
#include "connect/ca/issuable.hpp"
#include "crypto/der.hpp"
#include "crypto/issue.hpp"
#include "crypto/sign.hpp"
#include "crypto/trust.hpp"
#include "tests/fuzz/target.hpp"

using namespace pfx;
namespace der = pfx::crypto::der;

namespace {

constexpr unix_ms now = 1'793'534'400'000; // 2026-11-01T12:00:00Z

const crypto::ca_identity& authority() {
  static const crypto::ca_identity one = [] {
    auto made = crypto::make_root({.subject = "CN=Fuzz", .not_before = 0, .not_after = 2 * now});
    fuzz::promise(made.has_value(), "a root can be made");
    return std::move(*made);
  }();
  return one;
}

void look_at(const crypto::certificate& cert) {
  static_cast<void>(cert.common_name());
  static_cast<void>(cert.extended_usages());
  static_cast<void>(cert.alternative_names());
  static_cast<void>(cert.security_identifier());
  static_cast<void>(cert.matches(authority().key));
  static_cast<void>(cert.issued_by(authority().cert));
  static_cast<void>(crypto::verify_chain(cert, {cert}, {authority().cert}, now));
  const auto again = crypto::certificate::from_pem(cert.pem());
  fuzz::promise(again && again->der() == cert.der(), "a certificate survives PEM");
}

void admit(byte_view octets, key_transport transport) {
  static crypto::recipient_gate gate(
    {.roots = {authority().cert}, .intermediates = {}, .cached_certificates_max = 8});
  const auto admitted = gate.admit({"device", to_bytes(octets), transport}, 0, "device", now);
  fuzz::promise(!admitted, "no certificate of a stranger is admitted");
}

/// CertificationRequest around these parts, signed with the key that is in it.
bytes signed_request(byte_view subject, byte_view attributes) {
  static const auto key = crypto::private_key::from_pem(fuzz::data_text("fuzz-keys/ec.key"));
  fuzz::promise(key.has_value(), "the key of a request can be read");
  static const auto info = key->public_key();
  const auto version = der::unsigned_integer({});
  const auto to_be_signed = der::tlv(
    der::sequence, {version, subject, *info, der::tlv(der::context_constructed(0), attributes)});
  const auto done = crypto::sign_structure(to_be_signed, crypto::detail::access::pkey(*key),
                                           hash_algorithm::sha256);
  fuzz::promise(done.has_value(), "a request can be signed");
  return *done;
}

bytes extension_request(byte_view extensions) {
  const auto type = der::oid("1.2.840.113549.1.9.14");
  return der::tlv(der::sequence, {*type, der::tlv(der::set, extensions)});
}

/// What the embedded CA does with a request.
void issue(byte_view octets) {
  const auto request = crypto::parse_csr(octets);
  if (!request)
    return;
  const auto extensions = connect::ca::issuable_extensions(*request, "");
  if (!extensions)
    return;
  const auto cert = crypto::sign_certificate(authority(),
                                             {.subject = request->subject,
                                              .public_key = request->public_key,
                                              .extensions = *extensions,
                                              .serial = {1},
                                              .not_before = now,
                                              .not_after = now + 1});
  if (!cert)
    return;
  const auto read = crypto::certificate::from_der(cert->der());
  fuzz::promise(!read || !read->is_ca(), "no request makes a CA");
  if (read)
    look_at(*read);
}

} // namespace

PFX_FUZZ_TARGET(certificate) {
  const auto [which, rest] = fuzz::choose(input, 4);
  if (which == 3) {
    static_cast<void>(crypto::certificate::all_from_pem(to_text(rest)));
    return;
  }
  const auto cert = crypto::certificate::from_der(rest);
  if (!cert)
    return;
  look_at(*cert);
  admit(rest, static_cast<key_transport>(which + 1));
}

PFX_FUZZ_TARGET(csr) {
  static const bytes name
    = der::tlv(der::sequence, {}); // an empty subject is one, if there are alternative names
  const auto [which, rest] = fuzz::choose(input, 4);
  switch (which) {
    case 0:
      issue(rest);
      break;
    case 1:
      issue(signed_request(rest, {}));
      break;
    case 2:
      issue(signed_request(name, rest));
      break;
    default:
      issue(signed_request(name, extension_request(rest)));
      break;
  }
}
