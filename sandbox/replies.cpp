// Status and error object of an answer.
#include "sandbox/replies.hpp"

#include "connect/service/codec.hpp"

namespace pfx::sandbox {

connect::http::server_response reply(int status, std::string body) {
  connect::http::server_response out;
  out.status = status;
  out.body = std::move(body);
  return out;
}

connect::http::server_response refuse(int status, std::string_view code, std::string_view message) {
  auto out = reply(status, connect::service::encode_error(code, message));
  if (status == 503) {
    out.headers["Retry-After"] = "1";
  }
  return out;
}

connect::http::server_response refuse(const error& what) {
  const int status = what.code == errc::too_large ? 413
    : what.code == errc::unauthorized             ? 403
    : what.code == errc::conflict                 ? 409
    : what.code == errc::internal                 ? 500
                                                  : 400;
  return refuse(status, name_of(what.code), to_string(what));
}

} // namespace pfx::sandbox
