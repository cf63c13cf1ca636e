// What several crypto tests need: certification authorities, devices, a temporary folder, and the
// openssl program as a reader and writer that is not us.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "crypto/issue.hpp"

namespace pfx::crypto::test {

inline constexpr unix_ms day = 86'400'000;
inline constexpr unix_ms now = 1'793'534'400'000; ///< 2026-11-01T12:00:00Z

/// A folder that is gone when the test is.
class temporary_folder {
public:
  temporary_folder();
  temporary_folder(const temporary_folder&) = delete;
  temporary_folder& operator=(const temporary_folder&) = delete;
  ~temporary_folder();
  [[nodiscard]] std::string file(const std::string& name) const { return (path_ / name).string(); }

private:
  std::filesystem::path path_;
};

void write_file(const std::string& path, byte_view octets);
void write_file(const std::string& path, std::string_view text);
[[nodiscard]] bytes read_file(const std::string& path);
[[nodiscard]] std::string data_file(const std::string& name); ///< under tests/data

struct cli_answer {
  int status = -1;
  std::string output; ///< stdout and stderr
};
/// Runs `openssl` with these arguments (no shell words in them but quotes are ours).
[[nodiscard]] cli_answer openssl(const std::vector<std::string>& arguments);

/// A root of its own, valid from 2026-01-01 for ten years.
[[nodiscard]] ca_identity make_ca(key_algorithm key = key_algorithm::ec_p256,
                                  const std::string& subject = "CN=Test Root,O=Test");

/// One pair per algorithm and process: RSA keys are slow to make.
[[nodiscard]] const private_key& shared_key(key_algorithm algorithm);

struct leaf_shape {
  std::string subject = "CN=device-1";
  std::vector<alternative_name> names;
  key_usages usages = 0;
  unix_ms not_before = now - 30 * day;
  unix_ms not_after = now + 300 * day;
};
[[nodiscard]] certificate make_leaf(const ca_identity& ca, const private_key& key,
                                    const leaf_shape& shape);

[[nodiscard]] constexpr key_usages bits(std::initializer_list<key_usage> usages) {
  key_usages out = 0;
  for (const key_usage one : usages)
    out = static_cast<key_usages>(out | static_cast<key_usages>(one));
  return out;
}

[[nodiscard]] inline secret_bytes secret(std::string_view text) {
  return secret_bytes(as_bytes(text));
}
[[nodiscard]] bytes unhex(std::string_view text);

} // namespace pfx::crypto::test
