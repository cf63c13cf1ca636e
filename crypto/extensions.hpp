// What a csr_options becomes in DER, checked while it is written. Private to this room.
#pragma once

#include <optional>

#include "crypto/request.hpp"

namespace pfx::crypto {

struct encoded_options {
  bytes subject;    ///< Name, DER
  bytes extensions; ///< Extensions, DER; empty if there are none
};

/// Errors name "subject", "subjectAlternativeNames[i].value", "keyUsages", "extendedKeyUsages[i]",
/// "securityIdentifier" or "hashAlgorithm". `ec_key`: whether the key is one, if that is known.
[[nodiscard]] result<encoded_options> encode_options(const csr_options& options,
                                                     std::optional<bool> ec_key);

/// One GeneralName (RFC 5280 4.2.1.6) of a checked value; errors name `field`.
[[nodiscard]] result<bytes> encode_alternative_name(const alternative_name& name,
                                                    const std::string& field);

/// Extension ::= SEQUENCE { extnID, critical, extnValue }, from the content of an OID and a DER
/// value.
[[nodiscard]] bytes encode_extension(byte_view oid, bool critical, byte_view value);
/// KeyUsage ::= BIT STRING, without trailing zero bits (X.690 11.2.2).
[[nodiscard]] bytes encode_key_usage(key_usages usages);

/// The OIDs (contents) of an Extensions value; errc::bad_input if it is malformed or one stands
/// twice.
[[nodiscard]] result<std::vector<bytes>> extension_types(byte_view extensions);

} // namespace pfx::crypto
