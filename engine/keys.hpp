// Connector keys for commands of the program and for hosts: made, listed, given out, removed. Every
// change stands in the audit before it happens.
#pragma once

#include <vector>

#include "core/secret.hpp"
#include "engine/configuration.hpp"

namespace pfx::engine {

inline constexpr std::size_t key_input_bytes_max = 128u << 10; ///< of a file to import

/// What may be known of a key.
struct key_summary {
  std::string provider;
  std::string name;
  int bits = 0;
  std::vector<std::string> paddings; ///< "oaepSha256", …
  bool exportable = false;
  unix_ms created_at = 0;
  std::string fingerprint; ///< SHA-256 of the SubjectPublicKeyInfo, hex
};
[[nodiscard]] std::string to_json(const key_summary& value);

struct key_order {
  std::string provider = "pfxengine";
  std::string name;
  std::vector<std::string> paddings; ///< empty: the three of OAEP
  bool exportable = false;
};

/// All errors name the field ("keyName", "padding", …). errc::conflict while a rotation of the
/// master key is not finished; errc::not_found, field "keyName", for a key that is not there.
/// `algorithm`: rsa2048, rsa3072 or rsa4096.
[[nodiscard]] result<key_summary> create_key(const configuration& settings, const key_order& order,
                                             const std::string& algorithm);
/// `octets`: a private key as PEM (PKCS#8 or traditional), PKCS#8 DER, or RSAFULLPRIVATEBLOB.
/// errc::not_supported, field "from", for encrypted ones and forms that are known but not read.
[[nodiscard]] result<key_summary> import_key(const configuration& settings, const key_order& order,
                                             const secret_bytes& octets);
struct key_overview {
  std::vector<key_summary> keys; ///< by provider and name
  std::vector<error> faults;     ///< of files that are keys and cannot be read; `field` is the path
};
/// {"value":[key…]}; with faults also "faults":[{"file","error"}…].
[[nodiscard]] std::string to_json(const key_overview& value);
/// What can be read, and what cannot.
[[nodiscard]] result<key_overview> overview_of_keys(const configuration& settings);
/// By provider and name; all of them, or the first fault.
[[nodiscard]] result<std::vector<key_summary>> list_keys(const configuration& settings);
[[nodiscard]] result<key_summary> show_key(const configuration& settings,
                                           const std::string& provider, const std::string& name);

enum class key_form : std::uint8_t { pem = 1, pkcs8, blob };
/// PEM: SubjectPublicKeyInfo; blob: RSAPUBLICBLOB. errc::bad_input, field "form", for others.
[[nodiscard]] result<bytes> public_key_of(const configuration& settings,
                                          const std::string& provider, const std::string& name,
                                          key_form form);
/// Writes the private key, in clear, to a new file `path` (mode 0600, never over another). The
/// audit has it, durably, before the key leaves. errc::policy if the key was not made exportable.
[[nodiscard]] result<void> export_key(const configuration& settings, const std::string& provider,
                                      const std::string& name, key_form form,
                                      const std::string& path);
[[nodiscard]] result<void> remove_key(const configuration& settings, const std::string& provider,
                                      const std::string& name);

} // namespace pfx::engine
