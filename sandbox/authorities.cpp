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

/// A certificate of an issuing CA's key, below the root.
result<crypto::certificate> certify_issuer(const crypto::ca_identity& root,
                                           const std::string& subject,
                                           const crypto::private_key& key, unix_ms not_before,
                                           unix_ms not_after) {
  auto name = crypto::name_from_text(subject);
  const auto root_key = root.key.public_key();
  auto own_key = key.public_key();
  const auto constraints = from_hex(ca_constraints);
  const auto usage = from_hex(ca_usage);
  if (!name || !root_key || !own_key || !constraints || !usage) {
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
  return crypto::sign_certificate(root, sign);
}

/// A TLS server's certificate and key.
result<connect::http::server_identity> server_of(const crypto::ca_identity& root,
                                                 const std::string& address, const char* name,
                                                 unix_ms not_before, unix_ms not_after) {
  const auto key = crypto::private_key::generate(key_algorithm::ec_p256);
  auto pem = key ? key->to_pem() : result<secret_bytes>(failure(key.error()));
  if (!pem) {
    return failure(pem.error());
  }
  crypto::leaf_options leaf;
  leaf.names.subject = "CN=" + std::string(name) + ",O=Sandbox";
  leaf.names.alternative_names = {{name_type::dns, name}, {name_type::ip, address}};
  leaf.names.usages = static_cast<key_usages>(key_usage::digital_signature);
  leaf.names.extended_usages = {std::string(server_auth)};
  leaf.not_before = not_before;
  leaf.not_after = not_after;
  const auto made = crypto::issue_leaf(root, *key, leaf);
  if (!made) {
    return failure(made.error());
  }
  return connect::http::server_identity{made->pem(), std::move(*pem)};
}

} // namespace

result<crypto::ca_identity> make_issuing_ca(const crypto::ca_identity& root,
                                            const std::string& subject, unix_ms not_before,
                                            unix_ms not_after) {
  auto key = crypto::private_key::generate(key_algorithm::ec_p256);
  if (!key) {
    return failure(key.error());
  }
  auto made = certify_issuer(root, subject, *key, not_before, not_after);
  if (!made) {
    return failure(made.error());
  }
  return crypto::ca_identity{std::move(*made), std::move(*key)};
}

result<crypto::ca_identity> copy_of(const crypto::ca_identity& issuer) {
  const auto octets = issuer.key.to_pkcs8();
  auto key = octets ? crypto::private_key::from_pkcs8(octets->view())
                    : result<crypto::private_key>(failure(octets.error()));
  if (!key) {
    return failure(key.error());
  }
  return crypto::ca_identity{issuer.cert, std::move(*key)};
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
  if (!server_root || !connector_ca || !ca_root) {
    return failure(errc::crypto, "", "the sandbox's roots can't be made");
  }
  const std::string issuer = "CN=Sandbox Issuing CA,O=Sandbox";
  auto issuing = make_issuing_ca(*ca_root, issuer, start, end);
  if (!issuing) {
    return failure(issuing.error());
  }
  const auto past = start - 30 * day_ms;
  const auto expired_issuer = certify_issuer(*ca_root, issuer, issuing->key, past, start);
  auto server = server_of(*server_root, address, "localhost", start, start + 397 * day_ms);
  auto unknown_root = root("CN=Sandbox Server Root,O=Sandbox");
  if (!expired_issuer || !server || !unknown_root) {
    return failure(errc::crypto, "", "the sandbox's certificates can't be made");
  }
  std::vector<connect::http::server_identity> bad;
  for (const auto* one : {&*server_root, &*server_root, &*unknown_root}) {
    const bool other_name = bad.size() == 1;
    auto made = server_of(*one, other_name ? "192.0.2.1" : address,
                          other_name ? "other.example.test" : "localhost",
                          bad.empty() ? past : start, bad.empty() ? start : end);
    if (!made) {
      return failure(made.error());
    }
    bad.push_back(std::move(*made));
  }
  return authorities{std::move(server_root->cert), server->certificate_pem,
                     std::move(server->key_pem),   std::move(*connector_ca),
                     std::move(ca_root->cert),     std::move(*issuing),
                     expired_issuer->der(),        std::move(bad)};
}

} // namespace pfx::sandbox
