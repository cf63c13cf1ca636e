// What the ledger tells about itself: room for downloads, quiet for a stop, lists for people.
#include <algorithm>

#include "actors/tasks/ledger.hpp"

namespace pfx::actors::tasks {

// -- for status ------

std::size_t ledger::room() const {
  // Parked records take no room: they wait to be handed out again, which needs a download.
  const auto now = plant_.now();
  const auto active
    = static_cast<std::size_t>(std::count_if(open_.begin(), open_.end(), [&now](const auto& one) {
        return lifecycle::takes_part(one.second.value, now);
      }));
  const auto max = plant_.settings.open_requests_max;
  return active >= max ? 0 : max - active;
}

bool ledger::quiet() const {
  // A claim whose lease is being asked about starts nothing more; its attempt is on the disk.
  const auto asking
    = static_cast<std::size_t>(std::count_if(open_.begin(), open_.end(), [](const auto& one) {
        const auto& in = one.second;
        return in.reserved && in.value.live.ticket == 0 && in.value.live.lease_asked;
      }));
  std::size_t busy_all = 0;
  for (const auto count : busy_) {
    busy_all += count;
  }
  return busy_all == asking && waiting_.empty() && writing_.empty();
}

std::map<record_state, std::uint64_t> ledger::count_by_state() const {
  std::map<record_state, std::uint64_t> out;
  for (const auto& [key, in] : open_) {
    ++out[in.value.state];
  }
  return out;
}

std::vector<record> ledger::list(std::optional<record_state> state, std::size_t count_max) const {
  std::vector<record> out;
  for (const auto& [key, in] : open_) {
    if (!state || in.value.state == *state) {
      out.push_back(in.value);
    }
  }
  std::sort(out.begin(), out.end(),
            [](const record& a, const record& b) { return a.arrival < b.arrival; });
  if (out.size() > count_max) {
    out.resize(count_max);
  }
  return out;
}

} // namespace pfx::actors::tasks
