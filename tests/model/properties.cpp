// P2 of the promises: which certificates may live, at every moment and when all is quiet.
#include "tests/model/properties.hpp"

#include <algorithm>

#include "core/record.hpp"

namespace pfx::model {

namespace {

constexpr auto word(record_state value) { return static_cast<std::uint64_t>(value); }

bool at_rest(const connector& c) {
  const auto& r = c.record;
  const bool ended = r.state == 0 || r.state == word(record_state::settled)
    || r.state == word(record_state::abandoned);
  const bool sends = c.submit != 0 || c.upload.document != 0
    || std::any_of(c.late_submits.begin(), c.late_submits.end(), [](auto one) { return one != 0; })
    || std::any_of(c.late_uploads.begin(), c.late_uploads.end(),
                   [](const auto& one) { return one.document != 0; });
  return ended && !sends && c.awaits == awaited::nothing && c.offer == 0 && c.lost == 0
    && c.surplus == 0 && c.forgot == 0;
}

struct certificates {
  int issued = 0, alive = 0, foreign_alive = 0;
  bool recorded_lives = false;
};

certificates count(const state& s) {
  certificates out;
  const auto stands = document::thumbprint(s.recorded);
  for (std::size_t g = 0; g < slots; ++g) {
    const auto at = s.ca[g];
    if (at == 0 || (at & slot::refused) != 0) {
      continue;
    }
    ++out.issued;
    if ((at & slot::revoked) != 0) {
      continue;
    }
    ++out.alive;
    const bool recorded = stands == g + 1;
    out.recorded_lives = out.recorded_lives || recorded;
    const auto recorded_key = stands != 0 ? s.ca[stands - 1U] & slot::key_mask : 0;
    out.foreign_alive += (at & slot::key_mask) != recorded_key ? 1 : 0;
  }
  return out;
}

} // namespace

bool quiet(const plan& by, const state& s) {
  return s.recorded != 0
    && std::all_of(s.at.begin(), s.at.begin() + by.seats(),
                   [](const connector& c) { return c.exists == 0 || at_rest(c); });
}

const char* broken_in(const plan& by, const state& s) {
  const auto found = count(s);
  const bool one_key = by.connectors == 1 || by.heir;
  if (one_key && !by.loses_memory()) {
    if (!by.cannot_be_asked && found.issued > 1) {
      return "P2: a surplus certificate without a takeover or a loss of memory";
    }
    for (std::size_t g = 1; g < slots; ++g) {
      if (by.cannot_be_asked && s.ca[g] != 0
          && (s.ca[g] & slot::key_mask) != (s.ca[0] & slot::key_mask)) {
        return "P2: a surplus certificate that is no twin of the other";
      }
    }
  }
  for (const auto& c : s.at) {
    if (c.exists != 0 && c.record.state == word(record_state::settled) && s.recorded == 0
        && !by.forgets) {
      return "settled here, not recorded there";
    }
  }
  if (!quiet(by, s)) {
    return nullptr;
  }
  const bool certified = document::thumbprint(s.recorded) != 0;
  if (certified && !found.recorded_lives) {
    return "P2: quiet, and the recorded certificate does not live";
  }
  if (!by.cannot_be_asked && found.alive > (certified ? 1 : 0)) {
    return certified ? "P2: quiet, and a surplus certificate lives"
                     : "P2: quiet, a failure is recorded, and a certificate lives";
  }
  return nullptr;
}

} // namespace pfx::model
