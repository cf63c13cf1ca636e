// Every call goes through one breaker.
#include "connect/service/breaking_client.hpp"

namespace pfx::connect::service {

namespace {

bool is_silence(errc code) {
  return code == errc::unavailable || code == errc::unknown_outcome || code == errc::bad_input;
}

class breaking_client final : public pfx_request_service {
public:
  breaking_client(std::unique_ptr<pfx_request_service> calls, const clock& time,
                  std::function<std::uint64_t()> random,
                  std::function<void(const call_error*)> heard)
      : calls_(std::move(calls)), time_(time), breaker_(std::move(random)),
        heard_(std::move(heard)) {}

  answer<check_in_answer> check_in(const caller& who, const check_in_order& order) override {
    return ask([&] { return calls_->check_in(who, order); });
  }
  answer<download_answer> download(const caller& who, const download_order& order) override {
    return ask([&] { return calls_->download(who, order); });
  }
  answer<std::vector<lease_answer>> renew_leases(const caller& who, std::int64_t lease_ms,
                                                 const std::vector<lease_claim>& claims) override {
    return ask([&] { return calls_->renew_leases(who, lease_ms, claims); });
  }
  answer<std::vector<upload_answer>> upload(const caller& who,
                                            const std::vector<upload_entry>& entries) override {
    return ask([&] { return calls_->upload(who, entries); });
  }
  answer<std::vector<query_answer>> query(const caller& who,
                                          const std::vector<std::string>& contexts) override {
    return ask([&] { return calls_->query(who, contexts); });
  }
  answer<query_page> query_handed_to_me(const caller& who, const std::string& after) override {
    return ask([&] { return calls_->query_handed_to_me(who, after); });
  }
  answer<bytes> renew_certificate(const caller& who, byte_view certificate_request) override {
    return ask([&] { return calls_->renew_certificate(who, certificate_request); });
  }
  answer<bool> import_keys(const caller& who, const std::vector<import_key>& keys) override {
    return ask([&] { return calls_->import_keys(who, keys); });
  }
  void cancel() noexcept override { calls_->cancel(); }

private:
  template <class Call>
  auto ask(Call call) -> decltype(call()) {
    if (const auto wait = breaker_.wait_ms(time_.boot()); wait > 0) {
      return tl::unexpected(call_error{
        {errc::unavailable, "", "the service is left alone for a while after calls without answer"},
        wait});
    }
    auto out = call();
    if (heard_) {
      heard_(out ? nullptr : &out.error());
    }
    if (out || !is_silence(out.error().what.code)) {
      breaker_.answered();
    } else {
      breaker_.failed(time_.boot(), out.error().retry_after_ms);
    }
    return out;
  }

  std::unique_ptr<pfx_request_service> calls_;
  const clock& time_;
  breaker breaker_;
  std::function<void(const call_error*)> heard_;
};

} // namespace

std::unique_ptr<pfx_request_service> with_breaker(std::unique_ptr<pfx_request_service> calls,
                                                  const clock& time,
                                                  std::function<std::uint64_t()> random,
                                                  std::function<void(const call_error*)> heard) {
  return std::make_unique<breaking_client>(std::move(calls), time, std::move(random),
                                           std::move(heard));
}

} // namespace pfx::connect::service
