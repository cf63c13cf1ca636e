// A request of the management service as a value, whatever wire it came by, and its identity.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/bytes.hpp"
#include "core/clock.hpp"

namespace pfx {

enum class flow : std::uint8_t { pfx = 1, revocation = 2, scep = 3 };
enum class request_kind : std::uint8_t { unknown = 0, pfx_create = 1, pfx_import = 2 };
enum class key_algorithm : std::uint8_t {
  rsa2048 = 1,
  rsa3072,
  rsa4096,
  ec_p256,
  ec_p384,
  ec_p521
};
enum class hash_algorithm : std::uint8_t { sha256 = 1, sha384, sha512 };
enum class name_type : std::uint8_t { rfc822 = 1, upn, dns, uri, ip, directory_name };
enum class validity_unit : std::uint8_t { days = 1, months, years };
enum class key_transport : std::uint8_t { rsa_pkcs1 = 1, rsa_oaep_sha256, ecdh };
/// `unchanged` is for imports alone: the file goes on as it came.
enum class pfx_profile : std::uint8_t { modern = 1, compatible, legacy, unchanged };

/// Bits of KeyUsage (RFC 5280 4.2.1.3) in the order of the ASN.1 type, least significant first.
enum class key_usage : std::uint16_t {
  digital_signature = 1 << 0,
  non_repudiation = 1 << 1,
  key_encipherment = 1 << 2,
  data_encipherment = 1 << 3,
  key_agreement = 1 << 4,
  key_cert_sign = 1 << 5,
  crl_sign = 1 << 6,
  encipher_only = 1 << 7,
  decipher_only = 1 << 8,
};
using key_usages = std::uint16_t; ///< any number of key_usage bits

/// Words of the protocol, both ways; an empty optional for an unknown word.
[[nodiscard]] std::string_view name_of(request_kind value) noexcept;   // "pfxCreate"
[[nodiscard]] std::string_view name_of(key_algorithm value) noexcept;  // "ecP256"
[[nodiscard]] std::string_view name_of(hash_algorithm value) noexcept; // "sha256"
[[nodiscard]] std::string_view name_of(name_type value) noexcept;      // "rfc822"
[[nodiscard]] std::string_view name_of(validity_unit value) noexcept;  // "days"
[[nodiscard]] std::string_view name_of(key_transport value) noexcept;  // "rsaOaepSha256"
[[nodiscard]] std::string_view name_of(pfx_profile value) noexcept;    // "modern"
[[nodiscard]] std::string_view name_of(key_usage value) noexcept;      // "digitalSignature"
[[nodiscard]] std::optional<request_kind> request_kind_of(std::string_view word) noexcept;
[[nodiscard]] std::optional<key_algorithm> key_algorithm_of(std::string_view word) noexcept;
[[nodiscard]] std::optional<hash_algorithm> hash_algorithm_of(std::string_view word) noexcept;
[[nodiscard]] std::optional<name_type> name_type_of(std::string_view word) noexcept;
[[nodiscard]] std::optional<validity_unit> validity_unit_of(std::string_view word) noexcept;
[[nodiscard]] std::optional<key_transport> key_transport_of(std::string_view word) noexcept;
[[nodiscard]] std::optional<pfx_profile> pfx_profile_of(std::string_view word) noexcept;
[[nodiscard]] std::optional<key_usage> key_usage_of(std::string_view word) noexcept;
[[nodiscard]] bool is_rsa(key_algorithm value) noexcept;

/// Who a request is, for ever: the tenant comes from our configuration, never from a message.
struct request_key {
  std::string tenant;
  flow in = flow::pfx;
  std::string context; ///< requestContext: opaque, 1..512 octets

  auto operator<=>(const request_key&) const = default;
};

struct alternative_name {
  name_type type = name_type::rfc822;
  std::string value;
  bool operator==(const alternative_name&) const = default;
};

struct validity_period {
  std::uint32_t value = 0;
  validity_unit unit = validity_unit::days;
  bool operator==(const validity_period&) const = default;
};

/// A device that shall be able to open the result.
struct recipient {
  std::string id;    ///< recipientId
  bytes certificate; ///< DER
  key_transport transport = key_transport::rsa_oaep_sha256;
  bool operator==(const recipient&) const = default;
};

/// What a pfxCreate asks for.
struct create_order {
  std::string subject; ///< RFC 4514, quoted values allowed; as received
  std::vector<alternative_name> alternative_names;
  key_algorithm key = key_algorithm::rsa2048;
  hash_algorithm hash = hash_algorithm::sha256;
  key_usages usages = 0;
  std::vector<std::string> extended_usages; ///< dotted OIDs
  validity_period validity;
  std::string security_identifier; ///< SID, or empty
  std::string authority;           ///< certificateAuthority, the service's word for the CA
  std::string certificate_template;
  bool operator==(const create_order&) const = default;
};

/// What a pfxImport brings. The password stays encrypted to the connector's key.
struct import_order {
  std::string thumbprint;
  std::string intended_purpose;
  std::string provider_name;
  std::string key_name;
  std::string padding_scheme;
  bytes encrypted_pfx;
  bytes encrypted_password;
  bool operator==(const import_order&) const = default;
};

struct pfx_request {
  std::string context;
  request_kind kind = request_kind::unknown;
  std::string kind_word; ///< `kind` as received, for the error text of an unknown one
  unix_ms created = 0;
  unix_ms expires = 0;
  std::string device_id;
  std::string user_id;
  std::string user_principal_name;
  std::string profile_id;
  std::vector<recipient> recipients;
  pfx_profile profile = pfx_profile::modern;
  create_order create; ///< meaningful for pfx_create
  import_order import; ///< meaningful for pfx_import
  bool operator==(const pfx_request&) const = default;
};

/// The canonical octets of all known fields: what the fingerprint is the SHA-256 of, and the form
/// in which a request is stored. The lease is no part of it.
[[nodiscard]] bytes encode(const pfx_request& request);
[[nodiscard]] result<pfx_request> decode_request(byte_view octets);

/// The octets whose SHA-256 is the CA transaction id of generation `g` (docs/protocol.md, CA
/// interface): "pfxengine-txid-1", then tenant, requestContext, CA name and g, each behind a 32-bit
/// length.
[[nodiscard]] bytes transaction_id_preimage(std::string_view tenant, std::string_view context,
                                            std::string_view authority, std::uint8_t generation);

/// "modern" PFX result or failure, as the service learns it.
struct delivery {
  std::string recipient_id;
  bytes encrypted_password; ///< CMS EnvelopedData, DER
  bool operator==(const delivery&) const = default;
};

struct delivered_certificate {
  bytes certificate;         ///< DER
  std::vector<bytes> chain;  ///< DER, issuer first, as the CA gave it
  digest thumbprint;         ///< SHA-256 of `certificate`
  std::string serial_number; ///< lower-case hex, no leading zeros
  std::string issuer;        ///< RFC 4514
  unix_ms not_before = 0;
  unix_ms not_after = 0;
  bool operator==(const delivered_certificate&) const = default;
};

/// The result of a request, from which the frozen result document is made once.
struct request_result {
  bool succeeded = false;
  bytes encrypted_pfx; ///< PKCS#12, DER
  std::vector<delivery> deliveries;
  std::optional<delivered_certificate> certificate; ///< for a create
  service_code code = service_code::none;
  std::string message; ///< no secret in it
  bool retryable = false;
  bool operator==(const request_result&) const = default;
};

} // namespace pfx
