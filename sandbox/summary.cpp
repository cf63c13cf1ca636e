// A run in one line of JSON, and whether it was clean.
#include <cmath>

#include <nlohmann/json.hpp>

#include "sandbox/sandbox.hpp"

namespace pfx::sandbox {

namespace {

nlohmann::ordered_json json_of(const order_summary& from) {
  return {{"made", from.made},
          {"handedOut", from.handed_out},
          {"handOuts", from.hand_outs},
          {"reported", from.reported},
          {"revoked", from.revoked},
          {"refused", from.refused},
          {"repeated", from.repeated},
          {"sentBack", from.sent_back},
          {"redelivered", from.redelivered},
          {"acknowledged", from.acknowledged},
          {"lost", from.lost},
          {"waiting", from.waiting},
          {"wrong", from.wrong},
          {"otherwise", from.otherwise},
          {"notOnce", from.not_once}};
}

} // namespace

bool summary::clean() const noexcept {
  return failed == 0 && lost == 0 && duplicates == 0 && surplus_certificates == 0
    && shared_keys == 0 && orders.lost == 0 && orders.wrong == 0 && orders.otherwise == 0
    && orders.not_once == 0 && faults_total == 0;
}

std::string summary::to_json() const {
  const auto rounded = [](double value) { return std::round(value * 10) / 10; };
  nlohmann::ordered_json out = {
    {"requests", requests},
    {"handedOut", handed_out},
    {"delivered", delivered},
    {"imported", imported},
    {"failed", failed},
    {"expectedFailures", expected_failures},
    {"redelivered", redelivered},
    {"acknowledged", acknowledged},
    {"lost", lost},
    {"waiting", waiting},
    {"duplicates", duplicates},
    {"superseded", superseded},
    {"certificates", certificates},
    {"revokedCertificates", revoked_certificates},
    {"surplusCertificates", surplus_certificates},
    {"twiceCertified", twice_certified},
    {"sharedKeys", shared_keys},
    {"judged", judged},
    {"connectors", connectors},
    {"takeovers", takeovers},
    {"p50Ms", rounded(p50_ms)},
    {"p99Ms", rounded(p99_ms)},
    {"totalP50Ms", rounded(total_p50_ms)},
    {"totalP99Ms", rounded(total_p99_ms)},
    {"requestsPerSecond", rounded(requests_per_second)},
    {"faultsInjected", faults_injected},
    {"injected", injected},
    {"excused", excused},
    {"orders", json_of(orders)},
    {"clean", clean()},
    {"faultsTotal", faults_total},
    {"faults", faults},
  };
  return out.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

} // namespace pfx::sandbox
