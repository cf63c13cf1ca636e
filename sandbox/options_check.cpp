// Looks at each option alone. Refuses what would never end or never begin.
#include "sandbox/options_check.hpp"

#include "sandbox/orders.hpp"

namespace pfx::sandbox {

namespace {

constexpr std::uint64_t requests_max = 1'000'000;
constexpr std::size_t codes_max = 1'000;
constexpr std::size_t challenges_max = 10'000;

} // namespace

result<void> check(const options& how) {
  if (how.directory.empty()) {
    return failure(errc::bad_input, "directory", "is empty");
  }
  if (how.requests > requests_max) {
    return failure(errc::too_large, "requests", "are more than " + std::to_string(requests_max));
  }
  if (how.registration_codes == 0 || how.registration_codes > codes_max) {
    return failure(errc::bad_input, "registration_codes", "are none or too many");
  }
  if (how.intune.cool_down_ms < 0 || how.intune.token_life_ms < 1'000) {
    return failure(errc::bad_input, "intune",
                   "has a cool-down or a token's life that is too short");
  }
  if (how.intune.scep_challenges > challenges_max) {
    return failure(errc::too_large, "scep_challenges",
                   "are more than " + std::to_string(challenges_max));
  }
  if (how.lease_ms < 1) {
    return failure(errc::bad_input, "lease_ms", "is not positive");
  }
  for (const auto& [name, share] : {std::pair("redeliver_share", how.redeliver_share),
                                    std::pair("judge_share", how.judge_share),
                                    std::pair("revoke_share", how.intune.revoke_share)}) {
    if (!(share >= 0 && share <= 1)) {
      return failure(errc::bad_input, name, "is not between 0 and 1");
    }
  }
  for (const auto& kind : how.extra) {
    if (!order_book::knows(kind)) {
      return failure(errc::bad_input, "extra", "has an unknown kind: " + printable(kind));
    }
  }
  return {};
}

} // namespace pfx::sandbox
