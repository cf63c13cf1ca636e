// Every call goes through one breaker: a CA that does not issue does not find either.
#include "connect/ca/breaking_authority.hpp"

namespace pfx::connect::ca {

namespace {

constexpr const char* held_back = "the CA is left alone for a while after calls without an answer";

class breaking_authority final : public authority {
public:
  breaking_authority(std::unique_ptr<authority> calls, const clock& time,
                     std::function<std::uint64_t()> random)
      : calls_(std::move(calls)), time_(time), breaker_(std::move(random)) {}

  ca_answer submit(const submission& what) override {
    return ask([&] { return calls_->submit(what); });
  }
  ca_answer find(const digest& transaction_id) override {
    return ask([&] { return calls_->find(transaction_id); });
  }
  ca_answer close(const digest& transaction_id) override {
    return ask([&] { return calls_->close(transaction_id); });
  }
  revoke_answer revoke(const revoke_order& what) override {
    if (const auto wait = breaker_.wait_ms(time_.boot()); wait > 0) {
      return {.status = revoke_status::unknown,
              .reason = held_back,
              .retry_after_ms = wait,
              .held_back = true};
    }
    auto answer = calls_->revoke(what);
    note(answer.status != revoke_status::unknown, answer.retry_after_ms);
    return answer;
  }
  void cancel() noexcept override { calls_->cancel(); }

private:
  template <class Call>
  ca_answer ask(Call call) {
    if (const auto wait = breaker_.wait_ms(time_.boot()); wait > 0) {
      return {.status = ca_status::unknown,
              .reason = held_back,
              .retry_after_ms = wait,
              .maybe_arrived = false};
    }
    auto answer = call();
    note(answer.status != ca_status::unknown, answer.retry_after_ms);
    return answer;
  }

  void note(bool answered, std::int64_t asked_ms) {
    if (answered) {
      breaker_.answered();
    } else {
      breaker_.failed(time_.boot(), asked_ms);
    }
  }

  std::unique_ptr<authority> calls_;
  const clock& time_;
  breaker breaker_;
};

} // namespace

std::unique_ptr<authority> with_breaker(std::unique_ptr<authority> calls, const clock& time,
                                        std::function<std::uint64_t()> random) {
  return std::make_unique<breaking_authority>(std::move(calls), time, std::move(random));
}

} // namespace pfx::connect::ca
