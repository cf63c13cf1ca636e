// Joins orders, hand-outs, reports and revocations.
#include "sandbox/intune/order_judge.hpp"

#include "sandbox/journal_lines.hpp"

namespace pfx::sandbox {

void order_judge::take(const nlohmann::json& one) {
  const auto what = text(one, "what");
  if (what == "order_made") {
    auto& it = stories_[text(one, "context")];
    it.kind = text(one, "kind");
    it.serial = text(one, "serial");
    it.expected = number(one, "expected");
    if (!it.serial.empty()) {
      by_serial_.emplace(it.serial, text(one, "context"));
    }
  } else if (what == "order_handed_out") {
    auto& it = stories_[text(one, "context")];
    ++it.hand_outs;
    it.redelivered = it.redelivered || flag(one, "redelivery");
  } else if (what == "order_reported") {
    reported(one);
  } else if (what == "orders_odd") {
    ++odd_;
  } else if (what == "orders_unknown") {
    ++unknown_;
  }
}

void order_judge::reported(const nlohmann::json& one) {
  auto& it = stories_[text(one, "context")];
  const auto status = text(one, "status");
  if (status == "recorded") {
    ++it.recorded;
    it.code = number(one, "code");
  } else if (status == "sentBack") {
    ++out_.sent_back;
  } else {
    out_.repeated += status == "again" ? 1 : 0;
    out_.otherwise += status == "otherwise" ? 1 : 0;
    it.acknowledged = it.acknowledged || (it.redelivered && status == "again");
  }
}

void order_judge::count(const std::string& name, const story& it, const complainer& fault) {
  ++out_.made;
  out_.handed_out += it.hand_outs > 0 ? 1 : 0;
  out_.hand_outs += it.hand_outs;
  out_.redelivered += it.redelivered ? 1 : 0;
  out_.acknowledged += it.acknowledged ? 1 : 0;
  if (it.recorded == 0) {
    out_.waiting += it.hand_outs == 0 ? 1 : 0;
    if (it.hand_outs > 0) {
      ++out_.lost;
      fault("order " + name + ": was handed out and never reported");
    }
    return;
  }
  ++out_.reported;
  if (it.recorded > 1) {
    fault("order " + name + ": was recorded more than once");
  }
  if (it.code != it.expected) {
    ++out_.wrong;
    fault("order " + name + " (" + it.kind + "): was reported with " + std::to_string(it.code)
          + " and not " + std::to_string(it.expected));
  } else if (it.code == 0) {
    ++out_.revoked;
  } else {
    ++out_.refused;
  }
}

order_summary order_judge::conclude(const complainer& fault) {
  for (const auto& [context, it] : stories_) {
    if (it.kind.empty()) {
      fault("order " + printable(context) + ": was never made");
      continue;
    }
    count(printable(context, 24), it, fault);
  }
  for (const auto& [serial, context] : by_serial_) {
    const auto at = revocations_.find(serial);
    const auto times = at == revocations_.end() ? 0 : at->second;
    if (times != 1 && (times > 1 || stories_[context].recorded > 0)) {
      ++out_.not_once;
      fault("certificate " + serial + " was ordered revoked, and the CA did so "
            + std::to_string(times) + " times");
    }
  }
  if (out_.otherwise > 0) {
    fault(std::to_string(out_.otherwise) + " reports differ from what was recorded before");
  }
  if (odd_ > 0) {
    fault(std::to_string(odd_) + " uploads of results were none, or contradicted themselves");
  }
  if (unknown_ > 0) {
    fault(std::to_string(unknown_) + " uploads of results had orders that were never made");
  }
  return out_;
}

} // namespace pfx::sandbox
