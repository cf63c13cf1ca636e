// Makes roots, the issuing CA and the server's certificate.
#include "sandbox/authorities.hpp"

#include "connect/ca/der.hpp"
#include "crypto/digest.hpp"
#include "crypto/name.hpp"

namespace pfx::sandbox {

namespace der = connect::ca::der;

namespace {

constexpr unix_ms day_ms = 86'400'000;
constexpr std::string_view server_auth = "1.3.6.1.5.5.7.3.1";
/// basicConstraints: critical, CA:TRUE, pathLenConstraint 0.
constexpr std::string_view ca_constraints = "30120603551d130101ff040830060101ff020100";
/// keyUsage: critical, keyCertSign and cRLSign.
constexpr std::string_view ca_usage = "300e0603551d0f0101ff040403020106";

/// RFC 5280 4.2.1.2, method 1: SHA-1 of the BIT STRING without its unused-bits octet.
bytes key_identifier(byte_view public_key) {
  const auto whole = der::only(public_key);
  const auto parts = whole ? der::children(whole->value) : std::nullopt;
  return parts && parts->size() == 2 && !(*parts)[1].value.empty()
    ? crypto::sha1((*parts)[1].value.subspan(1))
    : bytes();
}

bytes concatenated(std::initializer_list<bytes> pieces) {
  bytes out;
  for (const auto& one : pieces) {
    out.insert(out.end(), one.begin(), one.end());
  }
  return out;
}

/// An extension of OID 2.5.29.`arc`, not critical.
bytes extension(std::uint8_t arc, byte_view value) {
  return der::wrap(0x30, concatenated({{0x06, 0x03, 0x55, 0x1d, arc}, der::wrap(0x04, value)}));
}

} // namespace

result<crypto::ca_identity> make_issuing_ca(const crypto::ca_identity& root,
                                            const std::string& subject, unix_ms not_before,
                                            unix_ms not_after) {
  auto key = crypto::private_key::generate(key_algorithm::ec_p256);
  auto name = crypto::name_from_text(subject);
  const auto root_key = root.key.public_key();
  if (!key || !name || !root_key) {
    return failure(!key ? key.error() : !name ? name.error() : root_key.error());
  }
  auto own_key = key->public_key();
  const auto constraints = from_hex(ca_constraints);
  const auto usage = from_hex(ca_usage);
  if (!own_key || !constraints || !usage) {
    return failure(errc::internal, "", "the issuing CA's parts can't be made");
  }
  const auto own_id = extension(14, der::wrap(0x04, key_identifier(*own_key)));
  const auto root_id = extension(35, der::wrap(0x30, der::wrap(0x80, key_identifier(*root_key))));
  crypto::sign_options sign;
  sign.subject = std::move(*name);
  sign.public_key = std::move(*own_key);
  sign.extensions = der::wrap(0x30, concatenated({*constraints, *usage, own_id, root_id}));
  sign.serial = crypto::random_serial();
  sign.not_before = not_before;
  sign.not_after = not_after;
  sign.add_standard_extensions = false;
  auto made = crypto::sign_certificate(root, sign);
  if (!made) {
    return failure(made.error());
  }
  return crypto::ca_identity{std::move(*made), std::move(*key)};
}

result<authorities> make_authorities(const std::string& address, unix_ms now) {
  const unix_ms start = (now - day_ms) / 1000 * 1000;
  const unix_ms end = start + 3650 * day_ms;
  const auto root = [&](const char* subject) {
    return crypto::make_root({subject, key_algorithm::ec_p256, start, end});
  };
  auto server_root = root("CN=Sandbox Server Root,O=Sandbox");
  auto connector_ca = root("CN=Sandbox Connector CA,O=Sandbox");
  auto ca_root = root("CN=Sandbox CA Root,O=Sandbox");
  auto key = crypto::private_key::generate(key_algorithm::ec_p256);
  if (!server_root || !connector_ca || !ca_root || !key) {
    return failure(errc::crypto, "", "the sandbox's roots can't be made");
  }
  auto issuing = make_issuing_ca(*ca_root, "CN=Sandbox Issuing CA,O=Sandbox", start, end);
  if (!issuing) {
    return failure(issuing.error());
  }
  crypto::leaf_options leaf;
  leaf.names.subject = "CN=localhost,O=Sandbox";
  leaf.names.alternative_names = {{name_type::dns, "localhost"}, {name_type::ip, address}};
  leaf.names.usages = static_cast<key_usages>(key_usage::digital_signature);
  leaf.names.extended_usages = {std::string(server_auth)};
  leaf.not_before = start;
  leaf.not_after = start + 397 * day_ms;
  auto server = crypto::issue_leaf(*server_root, *key, leaf);
  auto pem = key->to_pem();
  if (!server || !pem) {
    return failure(server ? pem.error() : server.error());
  }
  return authorities{
    std::move(server_root->cert), server->pem(),      std::move(*pem), std::move(*connector_ca),
    std::move(ca_root->cert),     std::move(*issuing)};
}

} // namespace pfx::sandbox
