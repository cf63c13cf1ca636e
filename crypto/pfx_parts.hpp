// What a PKCS#12 file consists of once its octets were judged: safes, bags, and what locks them.
// Nothing here has run a derivation. Private to this room.
#pragma once

#include <functional>
#include <optional>

#include "core/secret.hpp"
#include "crypto/der.hpp"
#include "crypto/pfx_file.hpp"

namespace pfx::crypto::pfx_parts {

using reason = pfx_refusal::reason;

/// `return refuse(reason::malformed, "a bag has no content");`
[[nodiscard]] tl::unexpected<pfx_refusal> refuse(reason why, std::string message);

enum class hash : std::uint8_t { sha1 = 0, sha224, sha256, sha384, sha512 };
enum class cipher : std::uint8_t {
  aes128_cbc = 0,
  aes192_cbc,
  aes256_cbc,
  des_ede3_cbc,
  des_ede_cbc, ///< two keys
  rc2_40_cbc,
  rc2_128_cbc,
};
inline constexpr std::size_t ciphers = 7;
[[nodiscard]] constexpr std::size_t block_octets(cipher c) noexcept {
  return c <= cipher::aes256_cbc ? 16 : 8;
}

/// How a password becomes a key. Views point into the file.
struct derivation {
  enum class scheme : std::uint8_t { pbkdf2, pkcs12 };
  scheme by = scheme::pkcs12;
  hash with = hash::sha1;
  byte_view salt;
  std::int64_t iterations = 0; ///< 1 .. pfx_limits::iterations_max
};

/// An encryption: what one AlgorithmIdentifier says, and what lies under it.
struct encryption {
  derivation key;
  cipher with = cipher::aes256_cbc;
  byte_view iv;          ///< PBES2; PKCS#12 PBEs derive theirs
  byte_view cipher_text; ///< whole blocks, at least one
  byte_view cipher_oid;  ///< contents of OBJECT IDENTIFIERs, as the file has them
  byte_view kdf_oid;
  byte_view prf_oid; ///< empty if the file relies on the default
};

struct mac_check {
  derivation key;
  hash with = hash::sha1;
  std::size_t key_octets = 0;
  byte_view value; ///< as long as the hash
  byte_view digest_oid;
};

struct bag {
  enum class kind : std::uint8_t { key, shrouded_key, certificate, other };
  kind of = kind::other;
  byte_view value;                ///< PrivateKeyInfo or certificate
  std::optional<encryption> lock; ///< of a shrouded key
  std::string friendly_name;      ///< UTF-8
  bytes local_key_id;
};

/// What limits are held against, over all parts of a file that were seen so far.
struct tally {
  std::size_t bags = 0;
  std::size_t keys = 0;
  std::int64_t iterations = 0;

  [[nodiscard]] pfx_result<void> add(std::int64_t more);
};

struct safe {
  std::optional<encryption> lock;
  std::vector<bag> bags; ///< of a safe without a lock
};

struct frame {
  frame() = default;
  frame(frame&&) noexcept = default;
  frame& operator=(frame&&) noexcept = default;
  frame(const frame&) = delete;
  frame& operator=(const frame&) = delete;
  /// Wipes the octets: there are files with keys that are not encrypted.
  ~frame();

  std::vector<bytes> octets; ///< what all views point into
  byte_view authenticated;   ///< what the MAC is over
  std::optional<mac_check> mac;
  std::vector<safe> safes;
  tally seen;
};

/// The members of an AlgorithmIdentifier.
struct algorithm {
  byte_view oid;
  std::optional<der::element> parameters;
};
[[nodiscard]] std::optional<algorithm> read_algorithm(der::reader& from);
[[nodiscard]] bool is(byte_view oid, std::string_view content) noexcept;

/// The encryption of `cipher_text`; adds nothing to any tally.
[[nodiscard]] pfx_result<encryption> read_encryption(const algorithm& from, byte_view cipher_text);
/// MacData (RFC 7292 4, RFC 9579).
[[nodiscard]] pfx_result<mac_check> read_mac(const der::element& mac_data);
/// SafeContents (RFC 7292 4.2), nested ones too, appended to `out`.
[[nodiscard]] pfx_result<void> read_bags(byte_view safe_contents, tally& seen,
                                         std::vector<bag>& out);
[[nodiscard]] pfx_result<frame> read_frame(byte_view file);

/// A key from PrivateKeyInfo, leaving as few copies of it in freed memory as the form allows.
[[nodiscard]] pfx_result<private_key> adopt_key(byte_view private_key_info);

/// Told of every lock that was opened, and whether a key lay under it alone.
using lock_listener = std::function<void(const encryption&, bool of_key)>;
/// See pfx_file::open.
[[nodiscard]] pfx_result<pfx_contents> open_frame(const frame& file, const secret_bytes& password,
                                                  std::int64_t iterations_budget,
                                                  const lock_listener& opened);

} // namespace pfx::crypto::pfx_parts
