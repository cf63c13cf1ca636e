// Either a value or an error, never ignored. Exceptions of libraries end at their room's wall.
#pragma once

#include <string>
#include <utility>

#include <tl/expected.hpp>

#include "core/error.hpp"

namespace pfx {

template <class T>
class [[nodiscard]] result : public tl::expected<T, error> {
public:
  using tl::expected<T, error>::expected;
  result(tl::expected<T, error> other) : tl::expected<T, error>(std::move(other)) {}
};

/// `return failure(errc::bad_input, "recipients", "is empty");`
[[nodiscard]] inline tl::unexpected<error> failure(errc code, std::string field,
                                                   std::string message) {
  return tl::unexpected<error>(error{code, std::move(field), std::move(message)});
}

[[nodiscard]] inline tl::unexpected<error> failure(error what) {
  return tl::unexpected<error>(std::move(what));
}

} // namespace pfx
