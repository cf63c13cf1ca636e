// The book of revocation orders with a clock beside it, and the ways of an order through it.
#pragma once

#include "actors/tasks/order_book.hpp"
#include "tests/catch.hpp"

namespace pfx::test {

using actors::tasks::order_book;
using revocation::action;
using revocation::event_kind;

struct desk {
  order_book book;
  revocation::moment now{10'000'000, 1'000, 0};

  explicit desk(std::size_t hour_max = 100) : book({}, hour_max) {}

  static revocation::offer offer(const std::string& context, const std::string& transaction = "t1",
                                 std::uint8_t body = 1) {
    revocation::offer out;
    out.key = {"tenant", flow::revocation, context};
    out.serial_number = "0a";
    out.transaction_id = transaction;
    out.fingerprint.octets.fill(body);
    return out;
  }
  /// As a download goes: asked, looked up (nothing was reported before), taken.
  void download(std::vector<revocation::offer> list,
                std::map<request_key, revocation_order> reported = {}) {
    book.expect();
    book.receive(std::move(list), std::move(reported), now);
  }
  std::optional<actors::tasks::order_batch> sync() {
    auto batch = book.take_batch();
    if (batch) {
      book.committed();
    }
    return batch;
  }
  void answer(const std::string& context, revocation::event what) {
    book.apply({"tenant", flow::revocation, context}, std::move(what), now);
  }
  std::size_t ready(action what) { return book.take(what, 100, now).size(); }
  /// Brings one to the state in which it is reported.
  void until_answered(const std::string& context, const std::string& transaction = "t1") {
    download({offer(context, transaction)});
    sync();
    CHECK(ready(action::choose) == 1);
    answer(context, {.kind = event_kind::chosen, .authority = "ca", .serial = "a"});
    sync();
    CHECK(ready(action::revoke) == 1);
    answer(context, {.kind = event_kind::ca_done});
    sync();
  }
};

} // namespace pfx::test
