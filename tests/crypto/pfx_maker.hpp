// Puts PKCS#12 files together part by part, wrong ones too, with valid MACs: encryption and keys by
// OpenSSL's own PKCS#12 functions, which the reader under test does not use.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "crypto/der.hpp"
#include "crypto/pfx_file.hpp"

namespace pfx::crypto::test {

using parts = std::vector<bytes>;
[[nodiscard]] bytes join(const parts& all);
[[nodiscard]] bytes seq(const parts& all); ///< SEQUENCE
[[nodiscard]] bytes set(const parts& all); ///< SET
[[nodiscard]] bytes oid(const std::string& dotted);
[[nodiscard]] bytes integer(std::int64_t value);
[[nodiscard]] bytes octets(byte_view content);
[[nodiscard]] bytes explicit0(const bytes& content); ///< [0] EXPLICIT

struct pbe_shape {
  std::string cipher = "aes256"; ///< aes128 aes192 aes256 des3: PBES2; pbe-3des pbe-2des pbe-rc2-40
                                 ///< pbe-rc2-128: PKCS#12's own
  int prf = 256;                 ///< PBES2: 1, 224, 256, 384, 512; 0: left to the default
  std::int64_t iterations = 1000;
  std::size_t salt_octets = 8;
};
[[nodiscard]] bytes algorithm(const pbe_shape& shape);

/// BMPString of these UTF-16 units.
[[nodiscard]] bytes bmp(const std::u16string& units);
[[nodiscard]] bytes attribute(const std::string& type, const parts& values);
[[nodiscard]] bytes friendly_name(const std::u16string& name);
[[nodiscard]] bytes local_key_id(byte_view id);

[[nodiscard]] bytes bag(const std::string& type, const bytes& value, const parts& attributes = {});
[[nodiscard]] bytes key_bag(const private_key& key, const parts& attributes = {});
[[nodiscard]] bytes shrouded_bag(const private_key& key, const pbe_shape& shape,
                                 const std::string& password, const parts& attributes = {});
/// The same around octets that are a key, or not.
[[nodiscard]] bytes raw_shrouded_bag(byte_view private_key_info, const pbe_shape& shape,
                                     const std::string& password, const parts& attributes = {});
/// A bag whose algorithm says what it likes; its content is `size` octets of nothing.
[[nodiscard]] bytes hollow_bag(const bytes& algorithm, std::size_t size = 32);
[[nodiscard]] bytes cert_bag(const certificate& cert, const parts& attributes = {});
[[nodiscard]] bytes nested_bag(const parts& bags);

[[nodiscard]] bytes plain_safe(const parts& bags);
[[nodiscard]] bytes encrypted_safe(const parts& bags, const pbe_shape& shape,
                                   const std::string& password);
/// EncryptedData around octets that were encrypted, or not.
[[nodiscard]] bytes sealed_safe(const bytes& algorithm, byte_view cipher_text);

struct mac_shape {
  int hash = 256; ///< 1, 224, 256, 384, 512
  std::int64_t iterations = 1000;
  std::optional<int> pbmac1_prf = std::nullopt; ///< PBMAC1 with this PRF
  std::int64_t pbmac1_key_octets = 32;
};
/// MacData; the iterations are run if they are at most 2,000,000.
[[nodiscard]] bytes mac(const mac_shape& shape, byte_view authenticated,
                        const std::string& password);
/// MacData that claims this count, as the content of its INTEGER; the value is not right.
[[nodiscard]] bytes false_mac(byte_view count);

[[nodiscard]] bytes authenticated(const parts& safes);
[[nodiscard]] bytes file(byte_view authenticated, const bytes& mac_data);
/// A whole file with a MAC of 1,000 iterations.
[[nodiscard]] bytes file(const parts& safes, const std::string& password,
                         const mac_shape& shape = {});
[[nodiscard]] bytes file_without_mac(const parts& safes);

/// Why it is refused; nothing if it opens.
[[nodiscard]] std::optional<pfx_refusal::reason> refusal(const bytes& file,
                                                         const std::string& password,
                                                         std::int64_t budget
                                                         = pfx_limits::slow_iterations_max);
/// As refusal(), with the words, for a failing test's message.
[[nodiscard]] std::string words(const bytes& file, const std::string& password);
[[nodiscard]] pfx_result<pfx_contents> open(const bytes& file, const std::string& password,
                                            std::int64_t budget = pfx_limits::slow_iterations_max);

/// CPU time of this thread.
class cpu_clock {
public:
  cpu_clock();
  [[nodiscard]] double milliseconds() const;

private:
  double start_;
};

} // namespace pfx::crypto::test
