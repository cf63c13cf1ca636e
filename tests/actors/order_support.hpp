// A tenant's queue of revocation orders in memory, and a bench that has issued certificates.
#pragma once

#include <algorithm>
#include <functional>

#include "core/revocation.hpp"
#include "tests/actors/harness.hpp"
#include "tests/catch.hpp"

namespace pfx::test {

using connect::intune::answer;
using connect::intune::refusal;
using connect::intune::revocation_batch;
using connect::intune::revocation_result;
using connect::intune::revocation_service;

/// A tenant's revocation queue in memory: what was handed out is kept back for an hour.
class fake_queue final : public revocation_service {
public:
  explicit fake_queue(const fake_clock& time) : time_(time) {}

  answer<revocation_batch> download(const std::string& transaction_id, int max_requests,
                                    const std::optional<std::string>&) override {
    ++downloads;
    transactions.push_back(transaction_id);
    if (fail_downloads > 0) {
      --fail_downloads;
      return refusal({fail_with, "", "busy"});
    }
    if (static_cast<std::size_t>(max_requests) > too_large_from) {
      return refusal({errc::too_large, "body", "is too large"});
    }
    revocation_batch out;
    for (auto& [context, one] : orders) {
      if ((!one.recorded || keep_nothing_back)
          && (keep_nothing_back || one.kept_back_until <= time_.now)
          && out.requests.size() < static_cast<std::size_t>(max_requests)) {
        one.kept_back_until = time_.now + 3'600'000;
        one.transaction = transaction_id;
        out.requests.push_back({context, one.serial, one.issuer, std::nullopt});
      }
    }
    return out;
  }

  answer<std::string> upload(const std::string& transaction_id,
                             const std::vector<revocation_result>& results) override {
    batches.push_back(results.size());
    if (on_upload) {
      on_upload();
    }
    if (say_false_to_batches && results.size() > 1) {
      return refusal({errc::bad_input, "value", "is not true"});
    }
    if (refuse_uploads) {
      return refusal({errc::bad_input, "", "HTTP 400"});
    }
    if (std::any_of(results.begin(), results.end(), [this](const revocation_result& one) {
          return refused_contexts.contains(one.request_context);
        })) {
      return refusal({errc::bad_input, "", "HTTP 400"});
    }
    for (const auto& one : results) {
      auto& of = orders.at(one.request_context);
      CHECK(of.transaction == transaction_id);
      of.reports.push_back(one);
      of.recorded = true;
    }
    if (lose_upload_answers > 0) {
      --lose_upload_answers;
      return refusal({errc::unknown_outcome, "", "cut"});
    }
    return "id";
  }

  struct kept {
    std::string serial;
    std::optional<std::string> issuer;
    std::int64_t kept_back_until = 0; ///< fake_clock::now
    std::string transaction;
    bool recorded = false;
    std::vector<revocation_result> reports;
  };
  std::map<std::string, kept> orders;
  std::vector<std::string> transactions;
  std::vector<std::size_t> batches;
  std::size_t downloads = 0;
  std::size_t fail_downloads = 0;
  errc fail_with = errc::unavailable;
  std::size_t too_large_from = 500; ///< a wish for more is answered with too much
  std::size_t lose_upload_answers = 0;
  std::function<void()> on_upload; ///< before anything is recorded
  bool say_false_to_batches = false;
  bool refuse_uploads = false;
  std::set<std::string> refused_contexts; ///< a report of one of them is never recorded
  bool keep_nothing_back = false;         ///< everything in every download

  [[nodiscard]] bool all_recorded() const {
    return std::all_of(orders.begin(), orders.end(),
                       [](const auto& one) { return one.second.recorded; });
  }

private:
  const fake_clock& time_;
};

/// A bench whose CA has issued through the engine, with a queue of orders beside it.
struct order_bench {
  bench b;
  fake_queue queue{b.time};

  explicit order_bench(int certificates) {
    b.plant.revocations = &queue;
    for (int i = 0; i < certificates; ++i) {
      b.service.offer(b.request("r" + std::to_string(i)));
    }
    b.start();
    REQUIRE(b.advance_until([&] { return b.service.all_recorded(); }));
  }
  /// Again, with so many orders of one download at most.
  void start_with_most(std::size_t orders_max) {
    b.crash();
    b.plant.settings.revocations_max = orders_max;
    b.time.now += 1'000;
    b.start();
  }
  [[nodiscard]] std::vector<std::string> serials() const {
    std::vector<std::string> out;
    for (const auto& [id, slot] : b.ca->slots) {
      out.push_back(slot.serial);
    }
    return out;
  }
  [[nodiscard]] std::size_t revoked() const {
    std::size_t out = 0;
    for (const auto& [id, slot] : b.ca->slots) {
      out += slot.revoked ? 1 : 0;
    }
    return out;
  }
  void order(const std::string& context, const std::string& serial) {
    queue.orders[context].serial = serial;
  }
  bool finished(std::int64_t limit_ms = 2 * 3'700'000) {
    return b.advance_until([&] { return queue.all_recorded(); }, limit_ms);
  }
};

} // namespace pfx::test
