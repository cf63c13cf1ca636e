// Values with every field set, as the tests of connect/service want them.
#pragma once

#include "connect/service/messages.hpp"
#include "crypto/digest.hpp"

namespace pfx::test {

inline constexpr unix_ms sample_time = 1'793'534'400'000; // 2026-11-01T12:00:00Z

inline bytes sample_der(std::uint8_t number = 1) { return {0x30, 0x03, 0x02, 0x01, number}; }

inline pfx_request sample_base() {
  pfx_request out;
  out.context = "ctx-1";
  out.created = sample_time;
  out.expires = sample_time + 86'400'250;
  out.device_id = "device-1";
  out.user_id = "user-1";
  out.user_principal_name = "anna@example.org";
  out.profile_id = "profile-1";
  out.recipients = {{"r-1", sample_der(1), key_transport::rsa_oaep_sha256},
                    {"r-2", sample_der(2), key_transport::ecdh}};
  return out;
}

inline pfx_request sample_create() {
  pfx_request out = sample_base();
  out.kind = request_kind::pfx_create;
  out.kind_word = "pfxCreate";
  out.profile = pfx_profile::compatible;
  out.create.subject = "CN=\xc3\x84nna,O=Example";
  out.create.alternative_names
    = {{name_type::rfc822, "anna@example.org"}, {name_type::directory_name, "CN=x"}};
  out.create.key = key_algorithm::ec_p384;
  out.create.hash = hash_algorithm::sha384;
  out.create.usages = static_cast<key_usages>(key_usage::digital_signature)
    | static_cast<key_usages>(key_usage::key_agreement);
  out.create.extended_usages = {"1.3.6.1.5.5.7.3.2"};
  out.create.validity = {12, validity_unit::months};
  out.create.security_identifier = "S-1-5-21-1-2-3-1105";
  out.create.authority = "Corp CA";
  out.create.certificate_template = "User";
  return out;
}

inline pfx_request sample_import() {
  pfx_request out = sample_base();
  out.kind = request_kind::pfx_import;
  out.kind_word = "pfxImport";
  out.import.thumbprint = "f5e1acb8c9c55a17605930515661548fb4cfc64c";
  out.import.intended_purpose = "smimeEncryption";
  out.import.provider_name = "pfxengine";
  out.import.key_name = "import-1";
  out.import.padding_scheme = "oaepSha512";
  out.import.encrypted_pfx = {1, 2, 3};
  out.import.encrypted_password = {4, 5, 6, 7};
  return out;
}

inline connect::service::caller sample_caller() {
  return {"connector-1", 18'446'744'073'709'551'615u, "00112233445566778899aabbccddeeff"};
}

inline digest sample_digest(std::string_view of = "x") { return crypto::sha256(as_bytes(of)); }

inline request_result sample_success() {
  request_result out;
  out.succeeded = true;
  out.encrypted_pfx = {1, 2, 3};
  out.deliveries = {{"r-1", {4}}, {"r-2", {5, 6}}};
  out.certificate = delivered_certificate{sample_der(), {sample_der(2)}, sample_digest(),    "0a1b",
                                          "CN=Corp CA", sample_time,     sample_time + 1'000};
  return out;
}

inline request_result sample_failure() {
  request_result out;
  out.code = service_code::not_supported;
  out.message = "kind: is not supported: \"pfxRenew\"";
  out.retryable = false;
  return out;
}

} // namespace pfx::test
