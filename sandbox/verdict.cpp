// The offline judge: two journals in, one verdict out. Looks at nothing but their lines; a torn
// last line is left out, any other damage refuses the whole.
#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <unordered_map>

#include <nlohmann/json.hpp>

#include "core/limits.hpp"
#include "core/request.hpp"
#include "crypto/digest.hpp"
#include "sandbox/intune/order_judge.hpp"
#include "sandbox/journal_lines.hpp"
#include "sandbox/percentile.hpp"
#include "sandbox/sandbox.hpp"
#include "sandbox/story.hpp"

namespace pfx::sandbox {

using json = nlohmann::json;

namespace {

constexpr std::size_t digests_per_request_max = 1'000;

class joiner {
public:
  void take(const json& one) {
    const auto what = text(one, "what");
    if (what == "started") {
      tenant_ = text(one, "tenant");
    } else if (what == "ordered") {
      ordered(one);
    } else if (what == "handed_out") {
      handed_out(one);
    } else if (what == "upload") {
      uploaded(one);
    } else if (what == "recorded") {
      recorded(one);
    } else if (what == "judged") {
      auto& it = of(one);
      it.judged = true;
      it.as_expected = flag(one, "as_expected");
      it.public_key = text(one, "public_key");
    } else if (what == "fault") {
      if (of(one).rejected || excused(of(one))) {
        return; // the failure that follows is what the rules ask for, or the CA's
      }
      fault(printable(text(one, "context")) + ": " + printable(text(one, "text"), 1000));
    } else if (what == "checked_in" && flag(one, "reconciled")) {
      reconciled(text(one, "connector"));
    } else if (what == "registered") {
      connectors_.insert(text(one, "connector"));
    } else if (what == "fault_injected") {
      injected(one);
    } else {
      orders_.take(one);
    }
  }

  void take_ca(const json& one) {
    const auto what = text(one, "what");
    if (what != "issued" && what != "revoked") {
      return; // refused or pending: there is no certificate
    }
    auto& it = certificates_[text(one, "serial")];
    if (what == "issued") {
      it = {text(one, "serial"),     text(one, "thumbprint"), text(one, "txid"),
            text(one, "public_key"), text(one, "subject"),    it.revoked};
    } else {
      it.revoked = true;
      orders_.revoked(text(one, "serial"));
    }
  }

  summary conclude() {
    for (const auto& one : stories_) {
      count(one);
    }
    count_certificates();
    count_keys();
    compare_failures();
    out_.orders = orders_.conclude([this](std::string sentence) { fault(std::move(sentence)); });
    out_.connectors = connectors_.size();
    percentiles();
    return std::move(out_);
  }

private:
  story& of(const json& one) {
    const auto context = text(one, "context");
    const auto [at, fresh] = by_context_.emplace(context, stories_.size());
    if (fresh) {
      stories_.emplace_back();
      stories_.back().context = context;
    }
    return stories_[at->second];
  }

  void fault(std::string sentence) {
    ++out_.faults_total;
    if (out_.faults.size() < summary::faults_max) {
      out_.faults.push_back(std::move(sentence));
    }
  }

  void ordered(const json& one) {
    auto& it = of(one);
    it.kind = text(one, "kind");
    it.expected = text(one, "expected");
    it.authority = text(one, "authority");
    it.alike = text(one, "alike");
    it.import = flag(one, "import");
    it.ordered_at = number(one, "m");
    index_transactions(it);
  }

  /// What went wrong on purpose. A CA that refuses, or whose certificate can't be trusted, leaves
  /// no other end than a failure; what it has spoiled may not be delivered.
  void injected(const json& one) {
    const auto fault = text(one, "fault");
    ++out_.faults_injected;
    ++out_.injected[printable(fault)];
    const auto at = by_transaction_.find(text(one, "txid"));
    if (at == by_transaction_.end()) {
      return;
    }
    auto& it = stories_[at->second];
    it.excused = it.excused || fault == "refuse" || fault == "expired" || fault == "expiredChain"
      || fault == "pending";
    if (const auto thumbprint = text(one, "thumbprint"); !thumbprint.empty()) {
      spoiled_.insert(thumbprint);
    }
  }

  /// A failure where none was ordered, and the CA's to answer for.
  static bool excused(const story& it) { return it.excused && it.accepted > 0 && !it.succeeded; }

  void handed_out(const json& one) {
    auto& it = of(one);
    if (number(one, "copy") > 0) {
      return;
    }
    if (flag(one, "redelivery")) {
      it.redelivered = true;
    } else {
      ++it.hand_outs;
      it.handed_at = it.handed_at < 0 ? number(one, "m") : it.handed_at;
    }
  }

  void uploaded(const json& one) {
    auto& it = of(one);
    const auto status = text(one, "status");
    const auto digest = text(one, "digest");
    const auto connector = text(one, "connector");
    if (status == "alreadyRecorded") {
      it.acknowledged = it.acknowledged || it.redelivered;
      it.superseded = it.superseded || (flag(one, "document") && digest != it.digest);
    }
    if (status == "unknownRequest") {
      fault(printable(it.context) + ": was uploaded and never ordered");
    }
    if (status == "rejected" && flag(one, "on_purpose")) {
      it.rejected = true;
      it.digests[connector].clear();
    } else if (status == "rejected") {
      fault(printable(it.context) + ": a result was rejected: " + text(one, "wrong"));
      it.digests[connector].clear(); // a failure may follow it (docs/protocol.md, Results)
    } else if (flag(one, "document") && it.digests[connector].size() < digests_per_request_max) {
      auto& known = it.digests[connector];
      known.insert(digest);
      it.second_result = it.second_result || known.size() > 1;
    }
  }

  void recorded(const json& one) {
    auto& it = of(one);
    ++it.accepted;
    it.recorded_at = number(one, "m");
    it.succeeded = flag(one, "succeeded");
    it.digest = text(one, "digest");
    it.thumbprint = text(one, "thumbprint");
  }

  /// After an amnesia that was noticed another digest is no fault of the rules.
  void reconciled(const std::string& connector) {
    for (auto& one : stories_) {
      if (const auto at = one.digests.find(connector); at != one.digests.end()) {
        at->second.clear();
      }
    }
  }

  void count(const story& it) {
    const auto name = printable(it.context);
    const bool must_end = it.expected != "anything";
    const bool was_ordered = !it.expected.empty();
    if (!was_ordered) {
      return;
    }
    ++out_.requests;
    out_.handed_out += it.hand_outs > 0 ? 1 : 0;
    out_.takeovers += it.hand_outs > 1 ? it.hand_outs - 1 : 0;
    out_.redelivered += it.redelivered ? 1 : 0;
    out_.acknowledged += it.acknowledged ? 1 : 0;
    out_.superseded += it.superseded ? 1 : 0;
    out_.judged += it.judged ? 1 : 0;
    if (it.accepted > 1 || it.second_result) {
      ++out_.duplicates;
      fault(name
            + (it.accepted > 1 ? ": two results were accepted"
                               : ": one connector uploaded two different results"));
    }
    if (it.accepted == 0) {
      if (it.hand_outs > 0 && must_end) {
        ++out_.lost;
        fault(name + ": was handed out and never recorded");
      }
      out_.waiting += it.hand_outs == 0 ? 1 : 0;
      return;
    }
    if (it.succeeded) {
      ++out_.delivered;
      out_.imported += it.import ? 1 : 0;
    } else if (it.rejected || excused(it)) {
      ++out_.expected_failures;
      out_.excused += it.rejected ? 0 : 1;
    } else if (it.expected != "success" && (it.as_expected || !it.judged)) {
      ++out_.expected_failures;
    } else {
      ++out_.failed;
    }
    latencies_.push_back(static_cast<double>(it.recorded_at - it.handed_at));
    total_latencies_.push_back(static_cast<double>(it.recorded_at - it.ordered_at));
    first_handed_ = std::min(first_handed_, it.handed_at);
    last_recorded_ = std::max(last_recorded_, it.recorded_at);
  }

  /// Which request a transaction id belongs to.
  void index_transactions(const story& one) {
    for (std::uint8_t g = 0; g < limits::generations_max && !one.authority.empty(); ++g) {
      const auto id
        = crypto::sha256(transaction_id_preimage(tenant_, one.context, one.authority, g));
      by_transaction_[to_hex(id)] = static_cast<std::size_t>(&one - stories_.data());
    }
  }

  const story* story_of(const issued_certificate& certificate) const {
    const auto at = by_transaction_.find(certificate.txid);
    return at == by_transaction_.end() ? nullptr : &stories_[at->second];
  }

  /// At a CA that can be asked, one connector without amnesia never makes a second one for a
  /// request.
  void count_twice(const issued_certificate& certificate) {
    const auto at = by_transaction_.find(certificate.txid);
    if (at != by_transaction_.end() && ++stories_[at->second].certificates == 2) {
      ++out_.twice_certified;
    }
  }

  void count_certificates() {
    std::map<std::string, const story*> recorded;
    for (const auto& one : stories_) {
      if (!one.thumbprint.empty()) {
        recorded[one.thumbprint] = &one;
      }
    }
    for (const auto& [serial, one] : certificates_) {
      if (one.thumbprint.empty()) {
        fault("the CA revoked a serial that it never issued: " + serial);
        continue;
      }
      ++out_.certificates;
      count_twice(one);
      out_.revoked_certificates += one.revoked ? 1 : 0;
      const auto stands = recorded.find(one.thumbprint);
      const auto* owner = story_of(one);
      const auto name = (owner == nullptr ? "of no request" : printable(owner->context))
        + ": certificate " + serial;
      if (stands != recorded.end()) {
        if (spoiled_.contains(one.thumbprint)) {
          fault(name + " was spoiled by the CA on purpose, and delivered");
        }
        if (one.revoked && !orders_.ordered(serial)) {
          ++out_.surplus_certificates;
          fault(name + " is recorded and revoked, which nobody ordered");
        }
        if (owner != stands->second) {
          fault(name + " was issued under the transaction id of another request");
        }
        recorded.erase(stands);
      } else if (!one.revoked && (owner == nullptr || owner->accepted > 0)) {
        ++out_.surplus_certificates;
        fault(name + " is unrevoked and not the recorded one");
      }
    }
    for (const auto& [thumbprint, owner] : recorded) {
      if (owner->expected != "anything") {
        fault(printable(owner->context) + ": the recorded certificate was never issued by the CA");
      }
    }
  }

  /// One public key under two requests, whether delivered or only certified.
  void count_keys() {
    std::map<std::string, std::set<std::string>> users;
    for (const auto& one : stories_) {
      if (!one.public_key.empty()) {
        users[one.public_key].insert(one.context);
      }
    }
    for (const auto& [serial, one] : certificates_) {
      if (const auto* owner = story_of(one); owner != nullptr && !one.public_key.empty()) {
        users[one.public_key].insert(owner->context);
      }
    }
    for (const auto& [key, contexts] : users) {
      if (contexts.size() > 1) {
        ++out_.shared_keys;
        fault("public key " + key + " serves " + std::to_string(contexts.size()) + " requests, "
              + printable(*contexts.begin()) + " among them");
      }
    }
  }

  /// Failures that must not tell which of several things was wrong are the same document.
  void compare_failures() {
    std::map<std::string, std::map<std::string, const story*>> documents;
    for (const auto& one : stories_) {
      if (!one.alike.empty() && one.accepted > 0 && !one.succeeded) {
        documents[one.alike].emplace(one.digest, &one);
      }
    }
    for (const auto& [word, by_digest] : documents) {
      if (by_digest.size() > 1) {
        fault("the failures of \"" + printable(word) + "\" are " + std::to_string(by_digest.size())
              + " different documents, those of " + printable(by_digest.begin()->second->kind)
              + " and " + printable(by_digest.rbegin()->second->kind) + " among them");
      }
    }
  }

  void percentiles() {
    out_.p50_ms = percentile(latencies_, 0.50);
    out_.p99_ms = percentile(latencies_, 0.99);
    out_.total_p50_ms = percentile(total_latencies_, 0.50);
    out_.total_p99_ms = percentile(total_latencies_, 0.99);
    if (last_recorded_ > first_handed_) {
      out_.requests_per_second = 1000.0 * static_cast<double>(latencies_.size())
        / static_cast<double>(last_recorded_ - first_handed_);
    }
  }

  summary out_;
  order_judge orders_;
  std::string tenant_;
  std::vector<story> stories_;
  std::unordered_map<std::string, std::size_t> by_context_;
  std::unordered_map<std::string, std::size_t> by_transaction_;
  std::map<std::string, issued_certificate> certificates_;
  std::set<std::string> connectors_;
  std::set<std::string> spoiled_; ///< thumbprints that no device may be given
  std::vector<double> latencies_;
  std::vector<double> total_latencies_;
  std::int64_t first_handed_ = INT64_MAX;
  std::int64_t last_recorded_ = 0;
};

} // namespace

result<summary> judge(const std::string& directory) {
  try {
    joiner all;
    auto read
      = for_each_line(directory + "/journal.jsonl", [&](const json& one) { all.take(one); });
    if (read) {
      read = for_each_line(directory + "/ca-journal.jsonl",
                           [&](const json& one) { all.take_ca(one); });
    }
    if (!read) {
      return failure(read.error());
    }
    return all.conclude();
  } catch (const std::exception& caught) {
    return failure(errc::internal, "directory", printable(caught.what(), 300));
  }
}

} // namespace pfx::sandbox
