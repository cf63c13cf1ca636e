// The only place that writes to stdout and stderr: results on the one, complaints on the other.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "app/exit_code.hpp"
#include "engine/configuration.hpp"

namespace pfx::app {

/// One line, or several, on stdout; the end of the line is added. Foreign text must be printable
/// already.
void say(std::string_view text);
/// One line on stderr.
void complain(std::string_view text);
/// Complains about `what` and tells the exit code for it.
[[nodiscard]] exit_code refuse(const error& what);
/// False if something that was said did not get out (a full disk, a closed pipe).
[[nodiscard]] bool flush_console() noexcept;
/// Whoever read what is said went away (`pfxengine ... | head`).
[[nodiscard]] bool reader_left() noexcept;

/// One line per fault.
void complain_all(const std::string& path, const std::vector<error>& faults);
/// The configuration, or nothing after all its faults were told.
[[nodiscard]] std::optional<engine::configuration> load_or_complain(const std::string& path);
/// The same for a command that makes files in the data directory. If that belongs to another user,
/// root becomes that user, for good (before there is a second thread); anybody else is refused,
/// with the line that does it right. `key_files`: paths of further keys that only root may be able
/// to read; replaced by paths that the other user can read.
[[nodiscard]] std::optional<engine::configuration> load_to_change(
  const std::string& path, std::vector<std::string*> key_files = {});

} // namespace pfx::app
