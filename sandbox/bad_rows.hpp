// One row for each way of being wrong. The tables are in bad_requests.cpp and bad_imports.cpp.
#pragma once

#include <span>

#include <nlohmann/json_fwd.hpp>

#include "sandbox/orders.hpp"

namespace pfx::sandbox {

/// A change of the order's values.
using bad_change = void (*)(order&, const fleet&);
/// A change of the order's JSON.
using bad_edit = void (*)(nlohmann::ordered_json&);

struct bad_row {
  std::string_view name;
  std::string_view field;
  std::span<const service_code> codes;
  bad_change alter = nullptr;
  bad_edit rewrite = nullptr;
  bool one_error = false; ///< its failure must be the same as that of all rows that say so
  bool may_be_retried = false;
};

[[nodiscard]] std::span<const bad_row> bad_import_rows() noexcept;

/// Makes `certificate` the only recipient, which names the fleet's first device.
void use_recipient(order& what, const fleet& devices, const bytes& certificate,
                   key_transport transport = key_transport::ecdh);

} // namespace pfx::sandbox
