// The files of the connector's identity, by name: the one in use, and the next one while it is
// being made. Private to engine/.
#pragma once

#include <functional>
#include <vector>

#include "crypto/certificate.hpp"
#include "engine/identity.hpp"

namespace pfx::engine::detail {

[[nodiscard]] std::string key_path(const configuration& settings);
/// The identity that comes next: the document, and its sealed key.
[[nodiscard]] std::string next_identity_path(const configuration& settings);
[[nodiscard]] std::string next_identity_key_path(const configuration& settings);

struct identity_files {
  std::string document;
  std::string key;
};
/// A next identity is in use as soon as it is written, wherever a renewal was cut off after that.
[[nodiscard]] identity_files identity_in_use(const configuration& settings);

/// PKCS#8, DER, unsealed with the master key. Errors name the path.
[[nodiscard]] result<secret_bytes> read_sealed_key(const configuration& settings,
                                                   const std::string& path);
/// Makes a key (P-256) and seals it into a new file; errc::conflict if it is there already.
[[nodiscard]] result<void> write_sealed_key(const configuration& settings, const std::string& path);

struct identity_document {
  std::string connector_id;
  std::string certificates; ///< PEM, leaf first
};
[[nodiscard]] result<identity_document> read_identity_document(const std::string& path);
/// `chain`: PEM, without the leaf.
[[nodiscard]] std::string identity_text(const std::string& connector_id,
                                        const crypto::certificate& own,
                                        const std::vector<std::string>& chain);

// -- renewal (renewal.cpp) ------

/// Brings to its end what a crash left of a renewal: a next identity that is whole becomes the one
/// in use, one that is not is left for the next renewal. True if something was put in place.
[[nodiscard]] result<bool> finish_renewal(const configuration& settings);

struct renewal_order {
  /// The call to the service: a CSR (DER) in, a certificate (DER) out
  std::function<result<bytes>(byte_view certificate_request)> ask;
  /// Called with the name of each step when it is done; a test ends the process's life there
  std::function<void(std::string_view step)> after;
};
/// Makes the next identity and puts it in the place of the one in use. The old one is whole, and in
/// use, until the new one is durable; a repeat after any crash or fault goes on with the same key.
[[nodiscard]] result<connector_identity> renew_identity(const configuration& settings,
                                                        const renewal_order& order);

} // namespace pfx::engine::detail
