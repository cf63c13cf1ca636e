// Where releases come from: a place with files by name. Believes nothing of what it hands out.
#pragma once

#include <memory>
#include <string>

#include "core/release.hpp"

namespace pfx::release {

/// Used by one thread at a time, but for cancel(). Errors: errc::not_found if there is no such
/// file, errc::too_large, errc::unavailable, errc::io, errc::stopping.
class feed {
public:
  virtual ~feed() = default;
  /// Ends the call that goes on and refuses all later ones with errc::stopping; from any thread.
  virtual void cancel() noexcept = 0;
  /// A whole small file.
  [[nodiscard]] virtual result<std::string> document(const std::string& name, std::size_t bytes_max)
    = 0;
  /// At most `count` octets of a file from `offset` on; fewer only at its end.
  [[nodiscard]] virtual result<std::string> part(const std::string& name, std::uint64_t offset,
                                                 std::size_t count)
    = 0;
};

/// A folder of this machine: a mounted share, a stick, what was downloaded by hand.
[[nodiscard]] std::unique_ptr<feed> open_folder_feed(std::string folder);

/// The platform of this build.
[[nodiscard]] std::string_view this_platform() noexcept;

} // namespace pfx::release
