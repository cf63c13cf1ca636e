// Every fault with its word, its calls and the settings that mean something to it. Private to the
// sandbox; the reader and the injector look here and nowhere else.
#pragma once

#include <span>

#include "sandbox/fault_plan.hpp"

namespace pfx::sandbox {

/// Settings that only some faults have.
enum class fault_setting : std::uint8_t {
  when = 1,
  status,
  retry_after,
  seconds,
  by,
  count,
  which,
  handshakes,
  answers,
};
[[nodiscard]] std::string_view name_of(fault_setting value) noexcept;

struct fault_row {
  fault_kind kind;
  fault_layer layer;
  std::string_view name;
  std::span<const std::string_view> calls;
  std::span<const fault_setting> settings;
};

[[nodiscard]] std::span<const fault_row> fault_rows() noexcept;
[[nodiscard]] const fault_row& row_of(fault_kind value) noexcept;
[[nodiscard]] const fault_row* row_named(std::string_view name) noexcept;
/// True if such a fault can befall such a call.
[[nodiscard]] bool can_befall(fault_kind kind, std::string_view call) noexcept;

} // namespace pfx::sandbox
