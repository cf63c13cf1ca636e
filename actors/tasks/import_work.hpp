// Work on a pfxImport, from end to end: the password is decrypted with a connector key, proven on
// the file, and encrypted to every recipient. One error and one duration for everything that is
// wrong with the encrypted password (docs/threat-model.md, decryption oracle).
#pragma once

#include <optional>

#include "actors/tasks/work_parts.hpp"
#include "crypto/pfx_file.hpp"

namespace pfx::actors::tasks {

/// Gives built, work_refused, work_failed, or work_slow if the file needs more than
/// `iterations_budget` allows.
[[nodiscard]] lifecycle::event import_pfx(const plant& p, const record& of,
                                          const pfx_request& request,
                                          std::int64_t iterations_budget);

/// What opening an imported file with the connector key came to.
struct import_opening {
  enum class end : std::uint8_t {
    opened = 1,
    refused, ///< `why` goes to the service
    slow,    ///< the budget does not reach
    failed,  ///< trouble of this machine: `why` stays here
  };
  end how = end::failed;
  std::optional<crypto::pfx_identity> identity;
  secret_bytes password; ///< as it was encrypted: opaque octets
  error why;
  std::string detail; ///< for the local audit only: what really was wrong
};
/// The whole dangerous part, and nothing else, so that its duration can be measured.
[[nodiscard]] import_opening open_imported(const crypto::key_store& keys, const import_order& order,
                                           const crypto::pfx_file& file,
                                           std::int64_t iterations_budget);

} // namespace pfx::actors::tasks
