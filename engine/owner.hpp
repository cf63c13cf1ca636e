// Whose data directory it is: a command that makes files there under another user's name would lock
// the engine out of them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/configuration.hpp"

namespace pfx::engine {

/// The user who the store belongs to (before there is one: the data directory), if this process
/// runs as another: a name, or "#" and the number of a user without one. Nothing where there is no
/// directory yet.
[[nodiscard]] std::optional<std::string> foreign_owner(const configuration& settings);

/// Root that works on another user's data directory becomes that user, for good and with all its
/// threads to come: call it before there are any. Key files that only root can read stay readable:
/// each of `key_files` (the configuration's masterKeyFile, and what a command was given) is read
/// before, and the path replaced by one of a copy in locked memory of this process. A path that is
/// empty, or leads nowhere, is left. Nothing happens unless this process is root and the owner is
/// not. errc::io names what failed; the process is still root then and had better end.
[[nodiscard]] result<void> become_owner(const configuration& settings,
                                        const std::vector<std::string*>& key_files);

/// Makes a folder or file that user's own. errc::not_found if there is no such user.
[[nodiscard]] result<void> give_to(const std::string& user, const std::string& path);
/// Lets that user's group read a folder or file that stays ours, and nobody else.
[[nodiscard]] result<void> let_read(const std::string& user, const std::string& path);

/// True if this machine knows the user.
[[nodiscard]] bool user_exists(const std::string& user);

} // namespace pfx::engine
