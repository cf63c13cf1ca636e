// A journal read line by line. A torn last line is left out, for nobody waited for its sync; any
// other damage refuses the whole.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "core/result.hpp"

namespace pfx::sandbox {

inline constexpr std::size_t journal_line_bytes_max = 1u << 20;

/// errc::io if the file can't be read, errc::corrupt with the number of the damaged line.
[[nodiscard]] result<void> for_each_line(const std::string& path,
                                         const std::function<void(const nlohmann::json&)>& take);

/// A member of a line; empty, false or zero if it is not there or of another type.
[[nodiscard]] std::string text(const nlohmann::json& from, const char* name);
[[nodiscard]] bool flag(const nlohmann::json& from, const char* name);
[[nodiscard]] std::int64_t number(const nlohmann::json& from, const char* name);

} // namespace pfx::sandbox
