// Counts to words and to one JSON object. Reads no file and asks no process.
#include "app/demo_summary.hpp"

#include <algorithm>

namespace pfx::app {
namespace {

std::vector<std::string> all_faults(const sandbox::summary& verdict, const demo_facts& facts) {
  auto out = facts.faults;
  out.insert(out.end(), verdict.faults.begin(), verdict.faults.end());
  return out;
}

std::string short_number(double value) {
  return json_object({{"", value}}).substr(4, json_object({{"", value}}).size() - 5);
}

} // namespace

bool is_good(const sandbox::summary& verdict, const demo_facts& facts) {
  return verdict.clean() && facts.faults.empty() && verdict.failed == 0 && verdict.lost == 0
    && verdict.duplicates == 0 && verdict.surplus_certificates == 0 && verdict.waiting == 0
    && verdict.requests > 0 && verdict.delivered + verdict.expected_failures == verdict.requests;
}

fields fields_of(const sandbox::summary& verdict, const demo_facts& facts) {
  return {{"requests", verdict.requests},
          {"delivered", verdict.delivered},
          {"imported", verdict.imported},
          {"failed", verdict.failed},
          {"expected_failures", verdict.expected_failures},
          {"redelivered", verdict.redelivered},
          {"acknowledged", verdict.acknowledged},
          {"lost", verdict.lost},
          {"duplicates", verdict.duplicates},
          {"surplus_certificates", verdict.surplus_certificates},
          {"certificates_issued", verdict.certificates},
          {"certificates_revoked", verdict.revoked_certificates},
          {"shared_keys", verdict.shared_keys},
          {"judged", verdict.judged},
          {"p50_ms", verdict.p50_ms},
          {"p99_ms", verdict.p99_ms},
          {"requests_per_second", verdict.requests_per_second},
          {"engine_restarts", facts.engine_restarts},
          {"kills", facts.kills},
          {"seconds", facts.seconds},
          {"good", is_good(verdict, facts)},
          {"faults", all_faults(verdict, facts)}};
}

std::string table_of(const sandbox::summary& verdict, const demo_facts& facts) {
  std::string out;
  const auto add = [&out](std::string name, const std::string& value, const char* words) {
    name.resize(22, ' ');
    out += "  " + name + std::string(value.size() < 9 ? 9 - value.size() : 0, ' ') + value + "  "
      + words + "\n";
  };
  const auto count = [](std::uint64_t value) { return std::to_string(value); };
  add("requests", count(verdict.requests), "");
  add("delivered", count(verdict.delivered), "opened by their devices and examined by the judge");
  if (verdict.imported > 0)
    add("of these, imported", count(verdict.imported), "PFX files that others had written");
  if (verdict.expected_failures > 0)
    add("refused", count(verdict.expected_failures), "bad requests, refused as they must be");
  add("failed", count(verdict.failed), "");
  add("lost", count(verdict.lost + verdict.waiting), "");
  add("duplicates", count(verdict.duplicates), "");
  add("surplus certificates", count(verdict.surplus_certificates),
      "issued, not delivered, not revoked");
  add("delivered again", count(verdict.redelivered),
      "handed out once more and acknowledged without new work");
  add("certificates issued", count(verdict.certificates), "");
  add("engine restarts", count(facts.engine_restarts), "");
  add("p50", short_number(verdict.p50_ms), "ms from handed out to recorded");
  add("p99", short_number(verdict.p99_ms), "ms");
  add("rate", short_number(verdict.requests_per_second), "requests a second");
  for (const auto& fault : all_faults(verdict, facts))
    out += "  fault: " + fault + "\n";
  return out
    + (is_good(verdict, facts) ? "Each request was delivered exactly once."
                               : "This is not as it must be.");
}

} // namespace pfx::app
