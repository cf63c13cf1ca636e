// Writing JSON with a fixed order of keys. Internal to connect/service.
#pragma once

#include <nlohmann/json.hpp>

#include "connect/service/messages.hpp"

namespace pfx::connect::service {

using ordered = nlohmann::ordered_json;

/// One line, keys in the order they were set; octets that are no UTF-8 become U+FFFD, so that no
/// text of ours can make a body unwritable.
[[nodiscard]] std::string dump(const ordered& value);
/// Hexadecimal, or null for "none".
[[nodiscard]] ordered hash_or_null(const digest& value);
/// Text, or null if empty.
[[nodiscard]] ordered text_or_null(const std::string& value);
/// RFC 3339, or null.
[[nodiscard]] ordered moment_or_null(const std::optional<unix_ms>& value);
/// connectorId, epoch, runId: the beginning of every body but register's.
[[nodiscard]] ordered begin_call(const caller& who);
/// {"value":…}
[[nodiscard]] std::string dump_answer(ordered value);

} // namespace pfx::connect::service
