// The server half of the CA service: bodies to calls and back. Refuses other methods than POST,
// other paths and bodies that don't decode; who may call was decided before.
#include "connect/ca/embedded_authority.hpp"
#include "connect/ca/wire.hpp"

#include <algorithm>

namespace pfx::connect::ca {

namespace {

http::server_response reply(int status, std::string body) {
  http::server_response out;
  out.status = status;
  out.body = std::move(body);
  return out;
}

http::server_response bad_request(const error& what) {
  const int status = what.code == errc::too_large ? 413 : 400;
  return reply(status, wire::encode_error(name_of(what.code), to_string(what)));
}

/// `unknown` is the one thing that the protocol says by not answering properly: 503.
http::server_response unavailable(const std::string& reason, std::int64_t retry_after_ms) {
  auto out = reply(503, wire::encode_error("ServiceUnavailable", reason));
  out.headers["Retry-After"] = std::to_string(std::max<std::int64_t>(1, retry_after_ms / 1000));
  return out;
}

http::server_response reply_of(const ca_answer& answer) {
  return answer.status == ca_status::unknown ? unavailable(answer.reason, answer.retry_after_ms)
                                             : reply(200, wire::encode_answer(answer));
}

http::server_response submit(authority& ca, const std::string& body) {
  const auto what = wire::decode_submit(body);
  return what ? reply_of(ca.submit(*what)) : bad_request(what.error());
}

http::server_response find(authority& ca, const std::string& body) {
  const auto id = wire::decode_find(body);
  return id ? reply_of(ca.find(*id)) : bad_request(id.error());
}

http::server_response close(authority& ca, const std::string& body) {
  const auto id = wire::decode_find(body);
  return id ? reply_of(ca.close(*id)) : bad_request(id.error());
}

http::server_response revoke(authority& ca, const std::string& body) {
  const auto what = wire::decode_revoke(body);
  if (!what) {
    return bad_request(what.error());
  }
  const auto answer = ca.revoke(*what);
  return answer.status == revoke_status::unknown ? unavailable(answer.reason, answer.retry_after_ms)
                                                 : reply(200, wire::encode_answer(answer));
}

} // namespace

http::handler make_ca_handler(authority& ca, std::string prefix) {
  using route = http::server_response (*)(authority&, const std::string&);
  const std::string base = std::move(prefix) + "/CertificateAuthority/";
  const std::map<std::string, route> routes = {
    {base + "submit", submit},
    {base + "find", find},
    {base + "revoke", revoke},
    {base + "close", close},
  };
  return [&ca, routes](const http::server_request& request) {
    const auto path = request.target.substr(0, request.target.find('?'));
    const auto at = routes.find(path);
    if (at == routes.end()) {
      return reply(404, wire::encode_error("NotFound", "no such call"));
    }
    if (request.method != "POST") {
      return reply(405, wire::encode_error("MethodNotAllowed", "calls are POST"));
    }
    return at->second(ca, request.body);
  };
}

} // namespace pfx::connect::ca
