// Small files that matter: read with a limit, written whole or not at all, never over another one.
// Private to engine/.
#pragma once

#include "core/secret.hpp"

namespace pfx::engine::detail {

/// Creates `path` (mode 0600) with these octets: a synced temporary file beside it, linked under
/// the name, folder synced. errc::conflict, field = path, if it exists already; nothing is changed
/// then.
[[nodiscard]] result<void> write_new_file(const std::string& path, byte_view octets);

/// Puts a file with these octets (mode 0600) in the place of what stands under `path`: a crash
/// leaves the one or the other, whole.
[[nodiscard]] result<void> replace_file(const std::string& path, byte_view octets);

/// Gives `from` the name `to`, whatever stood there; durable when it returns.
[[nodiscard]] result<void> rename_file(const std::string& from, const std::string& to);

/// errc::not_found; durable when it returns.
[[nodiscard]] result<void> remove_file(const std::string& path);

/// errc::not_found, errc::too_large, errc::io; field = path.
[[nodiscard]] result<bytes> read_file(const std::string& path, std::size_t bytes_max);

/// Makes a folder with its parents; the last one gets mode 0700. True if it was not there before.
[[nodiscard]] result<bool> make_private_folder(const std::string& path);

} // namespace pfx::engine::detail
