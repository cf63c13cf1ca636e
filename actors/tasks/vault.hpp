// Reading and sealing what the store keeps of a request. The only place where stored secrets become
// plain, and only in the thread that needs them.
#pragma once

#include "actors/tasks/plant.hpp"

namespace pfx::actors::tasks {

/// The private key and everything that a repeat of the submission must carry, frozen.
struct intent {
  secret_bytes key_pkcs8;
  digest public_key_hash;
  bytes certificate_request;
  std::string authority;
  std::string certificate_template;
  validity_period validity;
  std::string security_identifier;
  pfx_profile profile = pfx_profile::modern;
};

struct issued_certificate {
  bytes certificate;
  std::vector<bytes> chain;
};

[[nodiscard]] result<bytes> seal_blob(const plant& p, const request_key& key, blob_kind kind,
                                      byte_view plain);
/// errc::not_found if there is no such blob; errc::wrong_key and errc::corrupt from the sealer.
[[nodiscard]] result<secret_bytes> open_blob(const plant& p, const request_key& key,
                                             blob_kind kind);

[[nodiscard]] result<pfx_request> load_request(const plant& p, const request_key& key);
[[nodiscard]] result<intent> load_intent(const plant& p, const request_key& key);
[[nodiscard]] result<issued_certificate> load_certificate(const plant& p, const request_key& key);

[[nodiscard]] secret_bytes encode(const intent& value);
[[nodiscard]] result<intent> decode_intent(byte_view octets);
[[nodiscard]] bytes encode(const issued_certificate& value);
[[nodiscard]] result<issued_certificate> decode_issued(byte_view octets);

} // namespace pfx::actors::tasks
