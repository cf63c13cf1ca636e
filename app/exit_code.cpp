// The one mapping of errors and halts to exit codes.
#include "app/exit_code.hpp"

namespace pfx::app {

exit_code exit_code_of(errc code) noexcept {
  switch (code) {
    case errc::none:
      return exit_code::done;
    case errc::bad_input:
    case errc::policy:
    case errc::not_supported:
    case errc::too_large:
    case errc::wrong_key:
      return exit_code::configuration;
    case errc::conflict:
    case errc::not_found:
      return exit_code::refused;
    case errc::corrupt:
    case errc::io:
    case errc::disk_full:
    case errc::store_poisoned:
    case errc::store_newer:
      return exit_code::store_failed;
    case errc::store_locked:
      return exit_code::store_locked;
    case errc::unavailable:
    case errc::unknown_outcome:
      return exit_code::unavailable;
    case errc::unauthorized:
      return exit_code::identity;
    case errc::stale_epoch:
      return exit_code::halted;
    case errc::stopping:
      return exit_code::stop_deadline;
    case errc::crypto:
    case errc::internal:
      return exit_code::internal;
  }
  return exit_code::internal;
}

exit_code exit_code_of(engine::halt_reason reason) noexcept {
  switch (reason) {
    case engine::halt_reason::none:
      return exit_code::done;
    case engine::halt_reason::stale_epoch:
    case engine::halt_reason::amnesia:
      return exit_code::halted;
    case engine::halt_reason::store_failed:
      return exit_code::store_failed;
    case engine::halt_reason::unauthorized:
      return exit_code::identity;
    case engine::halt_reason::internal:
      return exit_code::internal;
  }
  return exit_code::internal;
}

std::string_view exit_code_words() noexcept {
  return "Exit codes:\n"
         "  0   done, a clean stop\n"
         "  1   wrong command line\n"
         "  2   wrong configuration\n"
         "  3   data directory in use\n"
         "  4   halted: an operator decides, do not restart\n"
         "  5   the store failed\n"
         "  6   not registered, or not accepted by the service\n"
         "  7   not stopped within the deadline\n"
         "  8   nobody answered\n"
         "  9   refused: not found, conflict, exists already\n"
         "  10  demo, sandbox: lost, doubled, failed or late\n"
         "  11  a bug, or what was to be printed could not be written\n"
         "  12  status: it runs, but this version is deprecated\n"
         "  13  status: it runs, but this version is no longer supported";
}

} // namespace pfx::app
