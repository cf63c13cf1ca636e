// The common POST.
#include "connect/intune/calls.hpp"

#include <algorithm>

#include "connect/http/header_text.hpp"
#include "connect/intune/authorized.hpp"

namespace pfx::connect::intune {

namespace {

class discovered_services final : public intune_services {
public:
  discovered_services(web& over, token_source& tokens, service_directory& directory,
                      std::string scope)
      : by_{over, tokens, std::move(scope)}, directory_(directory) {}

  answer<service_reply> post(const service_call& call) override {
    auto where = directory_.find(call.service);
    if (!where)
      return tl::unexpected(std::move(where.error()));
    web_request request{where->uri + "/" + call.suffix, true, call.body, {}};
    request.options.headers = {{"Accept", "application/json"},
                               {"Content-Type", "application/json; charset=utf-8"},
                               {"api-version", call.api_version}};
    // Asked for here, so that a failure of the sign-in is told from one of the service.
    if (auto token = by_.tokens.token(by_.scope); !token)
      return tl::unexpected(std::move(token.error()));
    auto got = send_authorized(by_, std::move(request));
    if (!got) {
      if (got.error().what.code != errc::stopping)
        directory_.drop(where->edition);
      return tl::unexpected(std::move(got.error()));
    }
    if (!http::trimmed(got->body).starts_with('{')) {
      directory_.drop(where->edition);
      return tl::unexpected(
        call_error{{errc::bad_input, "",
                    "the answer is no JSON object (client-request-id " + got->request_id + ")"},
                   200,
                   {},
                   got->request_id,
                   0});
    }
    return service_reply{std::move(got->body), std::move(got->request_id)};
  }

private:
  const authorized_call by_;
  service_directory& directory_;
};

} // namespace

std::unique_ptr<intune_services> make_services(web& over, token_source& tokens,
                                               service_directory& directory, std::string scope) {
  return std::make_unique<discovered_services>(over, tokens, directory, std::move(scope));
}

result<void> check_text(std::string_view text, std::size_t bytes_max, std::string_view field) {
  if (http::trimmed(text).empty())
    return failure(errc::bad_input, std::string(field), "is blank");
  if (text.size() > bytes_max)
    return failure(errc::too_large, std::string(field),
                   "is over " + std::to_string(bytes_max) + " octets");
  return {};
}

result<void> check_caller(std::string_view caller) {
  constexpr std::size_t caller_bytes_max = 256;
  if (auto good = check_text(caller, caller_bytes_max, "callerInfo"); !good)
    return good;
  if (!std::all_of(caller.begin(), caller.end(), [](char c) { return c >= 0x20 && c < 0x7f; }))
    return failure(errc::bad_input, "callerInfo", "must be plain ASCII");
  return {};
}

result<void> check_version(std::string_view version, std::string_view field) {
  const bool plain = !version.empty() && version.size() <= 32
    && version.find_first_not_of(
         "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._")
      == std::string_view::npos;
  if (!plain)
    return failure(errc::bad_input, std::string(field), "is no version");
  return {};
}

} // namespace pfx::connect::intune
