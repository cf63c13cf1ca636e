// Answers of the sandbox's service as HTTP: a body, or the protocol's error object.
#pragma once

#include <string>
#include <string_view>

#include "connect/http/server.hpp"
#include "core/error.hpp"

namespace pfx::sandbox {

[[nodiscard]] connect::http::server_response reply(int status, std::string body);
/// 503 carries Retry-After.
[[nodiscard]] connect::http::server_response refuse(int status, std::string_view code,
                                                    std::string_view message);
/// 413, 403, 409, 500 or 400, with the error's name as code.
[[nodiscard]] connect::http::server_response refuse(const error& what);

} // namespace pfx::sandbox
