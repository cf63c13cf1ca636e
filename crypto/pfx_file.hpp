// PKCS#12 files that others wrote (RFC 7292), hostile ones among them: judged before anything is
// derived, opened step by step within a budget of key-derivation iterations. Refuses whatever is
// over a limit, malformed or not proven by the password.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/limits.hpp"
#include "crypto/certificate.hpp"

namespace pfx::crypto {

namespace pfx_limits {
inline constexpr std::size_t octets_max = limits::pfx_bytes_max;
inline constexpr std::size_t safes_max = 16;
inline constexpr std::size_t bags_max = 64;           ///< of all safes, nested ones too
inline constexpr std::size_t nesting_max = 4;         ///< SafeContents in SafeContents
inline constexpr std::size_t bag_attributes_max = 16; ///< of one bag
inline constexpr std::size_t attribute_octets_max = 1024;
inline constexpr std::size_t keys_max = 8;
inline constexpr std::size_t salt_octets_max = 1024;
inline constexpr std::size_t password_octets_max = 512;
/// Sum over the MAC and every encryption of the file, also of bags inside encrypted contents.
inline constexpr std::int64_t iterations_max = 2'000'000;
/// So often a password that does not open the file is tried, in whatever forms it has: else the
/// time would tell octets that are no text, which stand in for a ciphertext that was wrong, from a
/// wrong password.
inline constexpr int passes_max = 2;
/// Budget for which a file with more belongs into the slow lane; over all passes.
inline constexpr std::int64_t fast_iterations_max = 100'000;
/// Budget of the slow lane: enough for every pass over every file.
inline constexpr std::int64_t slow_iterations_max = passes_max * iterations_max;
} // namespace pfx_limits

/// Why a file was not opened. `what.message` names the detail, for a local audit; it must not go to
/// whoever sent the file when `why` is `not_opened`.
struct pfx_refusal {
  enum class reason : std::uint8_t {
    malformed = 1, ///< not a PKCS#12 file, or a part of it is not what it should be
    too_much,      ///< over one of pfx_limits
    unsupported,   ///< well formed; a cipher, KDF or kind of bag that is not read here
    needs_time,    ///< more iterations than the budget allows, nothing else is wrong
    not_opened,    ///< the password does not open it, or what it opens is damaged
  };
  reason why = reason::malformed;
  error what;
};
template <class T>
using pfx_result = tl::expected<T, pfx_refusal>;

struct pfx_certificate {
  certificate value;
  std::string friendly_name; ///< UTF-8, may be empty
  bytes local_key_id;        ///< may be empty
};

struct pfx_contents {
  std::vector<private_key> keys; ///< RSA and EC on P-256, P-384, P-521
  std::vector<pfx_certificate> certificates;
  std::int64_t iterations = 0; ///< run to open it
  bool mac_verified = false;   ///< false: the file has no MAC; its encryption alone spoke
  /// The form of the password that opened the file, if it was not the octets given: Latin-1 octets
  /// written by one tool are UTF-8 to another.
  bool password_transcoded = false;
};

/// A file whose frame was read and judged; no password was used. Thread-safe for reads.
class pfx_file {
public:
  /// BER or DER. Checks sizes, counts, attributes and every iteration count that is not inside an
  /// encrypted content, within a few milliseconds.
  [[nodiscard]] static pfx_result<pfx_file> parse(byte_view octets);
  pfx_file(pfx_file&&) noexcept;
  pfx_file& operator=(pfx_file&&) noexcept;
  ~pfx_file();

  /// False: nothing but its encryption speaks for the file's octets, so that whoever can change
  /// them and see what becomes of it can read what lies under CBC.
  [[nodiscard]] bool has_mac() const noexcept;
  /// Sum of the iterations that are known without a password.
  [[nodiscard]] std::int64_t known_iterations() const noexcept;

  /// Opens everything with this password: opaque octets, tried as given and, if they are not UTF-8
  /// and the file does not open, as Latin-1. Before each derivation the sum of all counts known by
  /// then is checked against iterations_max (too_much) and, together with what passes before have
  /// run, against `iterations_budget` (needs_time); counts inside an encrypted content are checked
  /// before they are run. Reads with a library context of
  /// its own that has the legacy provider (RC2-40). One duration for wrong passwords.
  [[nodiscard]] pfx_result<pfx_contents> open(const secret_bytes& password,
                                              std::int64_t iterations_budget
                                              = pfx_limits::slow_iterations_max) const;

private:
  struct state;
  explicit pfx_file(std::unique_ptr<state> s) noexcept;
  std::unique_ptr<state> state_;
};

/// What an imported PFX is about: one certificate, its key, and the path to its root.
struct pfx_identity {
  private_key key;
  certificate leaf;
  std::vector<certificate> chain; ///< issuer first, without the root; what the file has of it
  std::string friendly_name;
};
/// Moves the certificate with this thumbprint (SHA-1, 40 hex digits, or SHA-256, 64; any case) and
/// its key out of `from`. Errors: errc::bad_input, field "thumbprint": no such certificate, or no
/// key in the file matches it with both of its halves; errc::too_large, field "chain".
[[nodiscard]] result<pfx_identity> take_identity(pfx_contents from, std::string_view thumbprint);

} // namespace pfx::crypto
