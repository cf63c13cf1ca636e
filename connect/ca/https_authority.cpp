// The CA service as a CA: each call is one POST. Refuses to guess: what has no definite answer is
// `unknown`, and only a request that was never sent is known not to have arrived.
#include "connect/ca/https_authority.hpp"

#include <algorithm>
#include <array>

#include "connect/ca/wire.hpp"
#include "crypto/random.hpp"

namespace pfx::connect::ca {

namespace {

/// A 4xx that speaks of us, of the way or of the moment, and not of what was submitted.
bool says_nothing_of_the_request(int status) {
  constexpr std::array<int, 10> codes = {401, 403, 404, 405, 406, 407, 408, 421, 425, 429};
  return std::find(codes.begin(), codes.end(), status) != codes.end();
}

bool is_refusal(int status) {
  return status >= 400 && status < 500 && !says_nothing_of_the_request(status);
}

std::string words_of(const http::response& response) {
  return "HTTP " + std::to_string(response.status) + ": " + wire::error_message(response.body);
}

ca_answer unknown_answer(const error& what) {
  ca_answer out;
  out.status = ca_status::unknown;
  out.reason = to_string(what);
  out.maybe_arrived = what.code != errc::unavailable;
  return out;
}

ca_answer unknown_answer(const http::response& response) {
  ca_answer out;
  out.status = ca_status::unknown;
  out.reason = words_of(response);
  out.retry_after_ms = response.retry_after_ms.value_or(0);
  return out;
}

ca_answer of_status(ca_status status, std::string reason = {}) {
  ca_answer out;
  out.status = status;
  out.reason = std::move(reason);
  return out;
}

class https_authority final : public authority {
public:
  explicit https_authority(std::unique_ptr<http::client> client) : client_(std::move(client)) {}

  ca_answer submit(const submission& what) override {
    const auto response = post("submit", wire::encode_submit(what));
    if (!response) {
      return unknown_answer(response.error());
    }
    if (is_refusal(response->status)) {
      return of_status(ca_status::refused, words_of(*response));
    }
    return read(*response,
                {ca_status::issued, ca_status::pending, ca_status::refused, ca_status::conflict,
                 ca_status::closed});
  }

  /// A refused *question* says nothing about the transaction: only the CA's own word does.
  ca_answer find(const digest& transaction_id) override {
    const auto response = post("find", wire::encode_find(transaction_id));
    if (!response) {
      return unknown_answer(response.error());
    }
    if (response->status == 501) {
      return of_status(ca_status::unsupported);
    }
    return read(*response,
                {ca_status::issued, ca_status::pending, ca_status::refused, ca_status::never_seen,
                 ca_status::unsupported});
  }

  ca_answer close(const digest& transaction_id) override {
    const auto response = post("close", wire::encode_find(transaction_id));
    if (!response) {
      return unknown_answer(response.error());
    }
    if (response->status == 404 || response->status == 405 || response->status == 501) {
      return of_status(ca_status::unsupported);
    }
    return read(*response,
                {ca_status::issued, ca_status::pending, ca_status::closed, ca_status::unsupported});
  }

  revoke_answer revoke(const revoke_order& what) override {
    const auto response = post("revoke", wire::encode_revoke(what));
    if (!response) {
      return {revoke_status::unknown, to_string(response.error()), 0};
    }
    if (is_refusal(response->status)) {
      return {revoke_status::refused, words_of(*response), 0};
    }
    if (response->status != 200) {
      return {revoke_status::unknown, words_of(*response), response->retry_after_ms.value_or(0)};
    }
    auto answer = wire::decode_revoke_answer(response->body);
    return answer ? std::move(*answer)
                  : revoke_answer{revoke_status::unknown, to_string(answer.error()), 0};
  }

  void cancel() noexcept override { client_->cancel(); }

private:
  result<http::response> post(const std::string& call, const std::string& body) {
    http::call_options options;
    options.headers["api-version"] = std::string(wire::api_version);
    options.headers["client-request-id"] = to_hex(crypto::random_bytes(16));
    return client_->post("/CertificateAuthority/" + call, body, options);
  }

  static ca_answer read(const http::response& response, std::initializer_list<ca_status> allowed) {
    if (response.status != 200) {
      return unknown_answer(response);
    }
    auto answer = wire::decode_answer(response.body);
    if (!answer) {
      return unknown_answer(answer.error());
    }
    if (std::find(allowed.begin(), allowed.end(), answer->status) == allowed.end()) {
      return of_status(ca_status::unknown, "the CA answered a status that this call does not have");
    }
    answer->retry_after_ms = response.retry_after_ms.value_or(0);
    return std::move(*answer);
  }

  std::unique_ptr<http::client> client_;
};

} // namespace

result<std::unique_ptr<authority>> make_https_authority(http::client_options options) {
  auto client = http::client::make(std::move(options));
  if (!client) {
    return failure(client.error());
  }
  return std::unique_ptr<authority>(std::make_unique<https_authority>(std::move(*client)));
}

} // namespace pfx::connect::ca
