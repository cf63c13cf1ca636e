// A tenant's settings made into what connect/intune wants: the cloud's addresses, and the files
// that hold secrets, read. Private to engine/; calls nobody.
#pragma once

#include "connect/intune/connection.hpp"
#include "engine/configuration.hpp"

namespace pfx::engine::detail {

/// How long ahead the end of what we prove ourselves with is told.
inline constexpr std::int64_t expiry_notice_ms = 60LL * 24 * 3600 * 1000;

/// The named cloud with its parts replaced as set. Errors name the setting.
[[nodiscard]] result<connect::intune::cloud> cloud_of(const intune_settings& from);

/// `index` names it in errors: "intune.credentials[1].secretFile".
[[nodiscard]] result<connect::intune::credential> read_credential(
  const intune_credential_settings& from, std::size_t index);

/// "user:password" without a line end; nothing without a proxy.
[[nodiscard]] result<std::optional<connect::http::proxy_options>> read_proxy(
  const intune_settings& from);

/// Reads every file. Errors name the setting.
[[nodiscard]] result<connect::intune::connection_settings> connection_settings_of(
  const intune_settings& from);

} // namespace pfx::engine::detail
