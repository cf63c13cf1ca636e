// The typed client: a body out, an HTTP answer in, and what its status means.
// Refuses redirects and answers that are not the protocol's.
#include "connect/service/client.hpp"

#include <algorithm>

#include "connect/http/json.hpp"
#include "connect/service/codec.hpp"
#include "connect/service/fields.hpp"
#include "core/limits.hpp"
#include "crypto/random.hpp"

namespace pfx::connect::service {

namespace {

/// The service's own words about a refusal, as far as they are there.
struct refusal {
  std::string code;
  std::string message;
  std::uint64_t highest_epoch = 0;
};

refusal read_refusal(const std::string& body) {
  refusal out;
  auto value = http::parse_json(body);
  if (!value || !value->value.is_object() || !value->value.contains("error"))
    return out;
  fault ignored;
  fields in(value->value["error"], "error", ignored);
  out.code = in.optional_text("code");
  out.message = in.optional_text("message");
  out.highest_epoch = in.optional_number("highestEpoch", UINT64_MAX);
  return out;
}

std::string sentence_of(const http::response& answer, const refusal& said, const std::string& id) {
  std::string out = "HTTP " + std::to_string(answer.status);
  if (!said.code.empty())
    out += " " + printable(said.code, 64);
  if (!said.message.empty())
    out += ": " + printable(said.message, 300);
  return out + " (client-request-id " + id + ")";
}

/// 429 and 503 say that nothing was done; other failures of a server may come after the deed.
errc errc_of(int status) {
  switch (status) {
    case 401:
    case 403:
      return errc::unauthorized;
    case 408:
    case 429:
    case 503:
      return errc::unavailable;
    case 409:
      return errc::conflict;
    case 413:
      return errc::too_large;
    default:
      return status >= 500 ? errc::unknown_outcome : errc::bad_input;
  }
}

call_error refused(const http::response& answer, const std::string& id) {
  if (answer.status >= 300 && answer.status < 400)
    return {{errc::bad_input, "",
             "redirects are refused (HTTP " + std::to_string(answer.status) + ", client-request-id "
               + id + ")"}};
  refusal said = read_refusal(answer.body);
  call_error out{{errc_of(answer.status), "", sentence_of(answer, said, id)}};
  out.retry_after_ms = answer.retry_after_ms.value_or(0);
  if (answer.status == 409 && said.code == "staleEpoch") {
    out.what.code = errc::stale_epoch;
    out.highest_epoch = said.highest_epoch;
  }
  return out;
}

/// One call: the body's text of a successful answer, or why there is none.
answer<std::string> exchange(http::client& over, const char* call, const std::string& body) {
  std::string id = crypto::random_uuid();
  http::call_options options;
  options.headers = {{"api-version", std::string(api_version)},
                     {"client-request-id", id},
                     {"Accept", "application/json"}};
  auto got = over.post(std::string("/") + call, body, options);
  if (!got)
    return tl::unexpected(call_error{got.error()});
  if (got->status < 200 || got->status > 299)
    return tl::unexpected(refused(*got, id));
  return std::move(got->body);
}

/// As exchange, and the answer decoded.
template <class T>
answer<T> ask(http::client& over, const char* call, const std::string& body,
              result<T> (*decode)(std::string_view)) {
  auto text = exchange(over, call, body);
  if (!text)
    return tl::unexpected(std::move(text.error()));
  auto value = decode(*text);
  if (!value)
    return tl::unexpected(call_error{value.error()});
  return std::move(*value);
}

/// Owner of one HTTP client; thread-safe as that is.
class https_service final : public pfx_request_service {
public:
  explicit https_service(std::unique_ptr<http::client> over) : over_(std::move(over)) {}

  answer<check_in_answer> check_in(const caller& who, const check_in_order& order) override {
    return ask(*over_, "Connectors/checkIn", encode_check_in(who, order), decode_check_in_answer);
  }
  answer<download_answer> download(const caller& who, const download_order& order) override {
    return ask(*over_, "PfxRequests/download", encode_download(who, order), decode_download_answer);
  }
  answer<std::vector<lease_answer>> renew_leases(const caller& who, std::int64_t lease_ms,
                                                 const std::vector<lease_claim>& claims) override {
    return ask(*over_, "PfxRequests/renewLeases", encode_renew_leases(who, lease_ms, claims),
               decode_renew_leases_answer);
  }
  answer<std::vector<upload_answer>> upload(const caller& who,
                                            const std::vector<upload_entry>& entries) override {
    return ask(*over_, "PfxRequests/upload", encode_upload(who, entries), decode_upload_answer);
  }
  answer<std::vector<query_answer>> query(const caller& who,
                                          const std::vector<std::string>& contexts) override {
    auto page = ask(*over_, "PfxRequests/query", encode_query(who, contexts), decode_query_answer);
    if (!page)
      return tl::unexpected(std::move(page.error()));
    return std::move(page->answers);
  }
  answer<query_page> query_handed_to_me(const caller& who, const std::string& after) override {
    return ask(*over_, "PfxRequests/query", encode_query_handed_to_me(who, after),
               decode_query_answer);
  }
  answer<bytes> renew_certificate(const caller& who, byte_view certificate_request) override {
    return ask(*over_, "Connectors/renew", encode_renew(who, certificate_request),
               decode_renew_answer);
  }
  answer<bool> import_keys(const caller& who, const std::vector<import_key>& keys) override {
    return ask(*over_, "Connectors/importKeys", encode_import_keys(who, keys),
               decode_import_keys_answer);
  }
  void cancel() noexcept override { over_->cancel(); }

private:
  std::unique_ptr<http::client> over_;
};

} // namespace

answer<bool> pfx_request_service::import_keys(const caller&, const std::vector<import_key>&) {
  return tl::unexpected(call_error{{errc::not_supported, "", "import keys are not offered here"}});
}

result<std::unique_ptr<pfx_request_service>> make_client(http::client_options http_options) {
  http_options.body_bytes_max = std::min(http_options.body_bytes_max, limits::body_bytes_max);
  auto over = http::client::make(std::move(http_options));
  if (!over)
    return failure(over.error());
  return std::unique_ptr<pfx_request_service>(new https_service(std::move(*over)));
}

answer<register_answer> register_connector(http::client_options http_options,
                                           const register_order& order) {
  auto over = http::client::make(std::move(http_options));
  if (!over)
    return tl::unexpected(call_error{over.error()});
  std::string body = encode_register(order); // holds the one-time code
  auto out = ask(**over, "Connectors/register", body, decode_register_answer);
  wipe(body);
  return out;
}

} // namespace pfx::connect::service
