// What is asked of the engine: realistic requests from a seed, each with what must come of it. The
// same seed and index give the same order, so that no text has to be kept. Issues and judges
// nothing.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "sandbox/devices.hpp"
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
};

/// How a request that is wrong on purpose is wrong, beyond its values.
enum class spoiling : std::uint8_t { none = 0, text, repeated, other_body, whole_answer };

struct order {
  std::uint64_t index = 0;
  std::string context;
  std::string kind; ///< "create-ec", "bad:cn-200", …
  pfx_request request;
  expectation expected;
  full_name subject; ///< what the text of the subject means
  std::vector<general_name> names;
  spoiling how = spoiling::none;
  std::string bad_name; ///< for kinds "bad:<name>"
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
  /// An order of a given kind (`bad` alone takes the bad one of that index).
  [[nodiscard]] order of_kind(const std::string& kind, std::uint64_t index) const;
  /// The JSON object for a download. `copy` counts the entries of one download with this context.
  [[nodiscard]] std::string text(const order& what, std::uint64_t lease_number,
                                 std::int64_t lease_ms, std::size_t copy) const;
  [[nodiscard]] static bool knows(const std::string& kind);

private:
  order_book(order_options options, const fleet& devices)
      : options_(std::move(options)), devices_(devices) {}

  order_options options_;
  const fleet& devices_;
};

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
