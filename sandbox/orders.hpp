// What is asked of the engine: realistic requests from a seed, each with what must come of it. The
// same seed and index give the same order, so that no text has to be kept. Issues and judges
// nothing.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "sandbox/devices.hpp"
#include "sandbox/foreign_files.hpp"
#include "sandbox/reading.hpp"

namespace pfx::sandbox {

enum class expected_end : std::uint8_t {
  success = 1, ///< a PFX as ordered
  failure,     ///< a final failure with one of `codes`, naming `field`
  one_result,  ///< exactly one result; if a success, as ordered
  anything,    ///< poison: a failure, or nothing for a long time
};
[[nodiscard]] std::string_view name_of(expected_end value) noexcept;

struct expectation {
  expected_end end = expected_end::success;
  std::vector<service_code> codes;
  std::string field; ///< must be in the failure's message
  /// Failures with the same word here must be the same to the octet: nobody shall learn from them
  /// which of several things was wrong. Empty = a failure of its own.
  std::string alike = {};
  bool may_be_retried = false; ///< the failure may call itself retryable
};

/// How a request that is wrong on purpose is wrong, beyond its values.
enum class spoiling : std::uint8_t { none = 0, text, repeated, other_body, whole_answer };

/// What becomes of an imported file's password once there is a key to encrypt it to.
enum class sealing : std::uint8_t {
  honest = 1,
  random_octets, ///< as many as the key has
  one_less,      ///< the last octet is cut off
  one_more,
  other_password,
  empty_password,
  long_password, ///< as long as OAEP with SHA-256 and 2048 bits takes
  other_key,     ///< encrypted to somebody else's key
  other_hash,    ///< encrypted with SHA-256, called SHA-512
  oaep_sha1,
  oaep_label,
  oaep_mask_sha1, ///< SHA-256 with MGF1-SHA-1, the default of some libraries
  pkcs1,
};

/// What an import order brings beside its request's fields.
struct import_plan {
  const foreign_file* file = nullptr; ///< null for a create
  sealing how = sealing::honest;
  bool without_profile = false; ///< the field is left out: unchanged is the default
};

struct order {
  std::uint64_t index = 0;
  std::string context;
  std::string kind; ///< "create-ec", "import", "bad:cn-200", …
  pfx_request request;
  expectation expected;
  full_name subject; ///< what the text of the subject means
  std::vector<general_name> names;
  spoiling how = spoiling::none;
  std::string bad_name; ///< for kinds "bad:<name>"
  import_plan brought;
};

struct order_options {
  std::uint64_t seed = 1;
  std::string authority_name;
  std::vector<std::pair<std::string, double>> mix;
  unix_ms created = 0;
  unix_ms expires = 0;
};

/// The SID domain that the demonstration policy opens.
inline constexpr std::string_view sid_domain = "S-1-5-21-1004336348-1177238915-682003330";

/// Thread-safe; the fleet must outlive it.
class order_book {
public:
  [[nodiscard]] static result<order_book> make(order_options options, const fleet& devices);

  /// The order of the mix at `index`.
  [[nodiscard]] order at(std::uint64_t index) const;
  /// An order of a given kind (`bad` and `bad-import` take the bad one of that index). An import
  /// has no key name and no encrypted password yet: import_desk completes it.
  [[nodiscard]] order of_kind(const std::string& kind, std::uint64_t index) const;
  /// The JSON object for a download. `copy` counts the entries of one download with this context.
  [[nodiscard]] std::string text(const order& what, std::uint64_t lease_number,
                                 std::int64_t lease_ms, std::size_t copy) const;
  [[nodiscard]] static bool knows(const std::string& kind);

private:
  order_book(order_options options, const fleet& devices)
      : options_(std::move(options)), devices_(devices) {}
  void put_create(order& what, dice& choice) const;

  order_options options_;
  const fleet& devices_;
};

/// "import:<file>" is an import of this one of the files of others.
inline constexpr std::string_view import_of_file = "import:";
/// Null for every other kind, and for files that must be refused.
[[nodiscard]] const foreign_file* file_of_kind(const std::string& kind) noexcept;

/// Fills in what an import asks for: one of the files of others, by the seed unless the kind names
/// it (import_orders.cpp).
void put_import(order& what, dice& choice);

// -- bad requests (bad_requests.cpp) ------

/// Turns a good order into the bad one of that name, with its expectation; false for an unknown
/// name.
bool spoil(order& what, const std::string& name, const fleet& devices);
/// The text of an order spoiled in its text.
[[nodiscard]] std::string spoiled_text(const order& what, std::string good_text, std::size_t copy);
/// How often one download has the context of this order.
[[nodiscard]] std::size_t copies_of(const order& what) noexcept;
/// A whole download answer that is bad (for spoiling::whole_answer).
[[nodiscard]] std::string spoiled_answer(const std::string& bad_name);

} // namespace pfx::sandbox
