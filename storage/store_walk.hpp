// How look-ups and walks of the store read: what was found is decoded, damage is named. Not for
// other rooms.
#pragma once

#include <functional>

#include "storage/rocks.hpp"

namespace pfx::storage {

[[nodiscard]] inline tl::unexpected<error> damaged(const char* what) {
  return failure(errc::corrupt, what, "has a damaged key or value in the database");
}

/// Decodes what was found, if anything was.
template <class Value, class Decode>
[[nodiscard]] result<std::optional<Value>> decoded(result<rocks::found> found,
                                                   const Decode& decode) {
  if (!found) {
    return failure(std::move(found.error()));
  }
  if (!*found) {
    return std::optional<Value>();
  }
  auto value = decode(**found);
  if (!value) {
    return failure(std::move(value.error()));
  }
  return std::optional<Value>(std::move(*value));
}

/// Walks a range with a visitor that can fail; a failure ends the walk.
[[nodiscard]] inline result<void> walk(
  const rocks& database, family in, const keys::range& range, rocks::order by,
  const std::function<result<bool>(byte_view, byte_view)>& visit) {
  result<void> out;
  auto walked = database.each(in, range, by, [&](byte_view key, byte_view value) {
    auto more = visit(key, value);
    if (!more) {
      out = failure(std::move(more.error()));
    }
    return more && *more;
  });
  return walked ? out : walked;
}

} // namespace pfx::storage
