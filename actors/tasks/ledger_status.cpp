// What the ledger tells about itself: room for downloads, quiet for a stop, lists for people.
#include <algorithm>

#include "actors/tasks/ledger.hpp"

namespace pfx::actors::tasks {

// -- for status ------

namespace {

/// Any import may turn out to be one that takes seconds. Those that are not done yet fill three
/// quarters of the room at most, and none is asked for while they fill more than half.
constexpr std::size_t imports_max(std::size_t room) { return room - room / 4; }
constexpr std::size_t imports_enough(std::size_t room) { return room / 2; }

/// Closing requests in memory, whatever they wait for.
constexpr std::size_t closing_max(std::size_t room) { return room * 4; }

constexpr std::uint32_t closing_failures_told = 8; ///< walks in a row that did not end
constexpr const char* closing_topic = "closing waits";

} // namespace

demand ledger::room() const {
  show_closing();
  // Parked records take no room: they wait to be handed out again, which needs a download. Closing
  // ones that wait for their CA take none of it either: a CA that never answers would stop all work
  // for the others.
  const auto now = plant_.now();
  std::size_t active = 0;
  std::size_t waiting = 0;
  std::size_t imports = 0;
  for (const auto& [key, in] : open_) {
    waiting += in.value.state == record_state::closing ? 1 : 0;
    if (lifecycle::takes_part(in.value, now)) {
      ++active;
      const bool undone
        = in.value.state == record_state::received || in.value.state == record_state::working;
      imports += undone && in.value.kind == request_kind::pfx_import ? 1 : 0;
    }
  }
  const auto max = plant_.settings.open_requests_max;
  if (waiting >= closing_max(max)) {
    return {};
  }
  const auto free = active >= max ? 0 : max - active;
  if (imports > imports_enough(max)) {
    return {free, false};
  }
  return {std::min(free, imports_max(max) - imports), true};
}

void ledger::show_closing() const {
  std::uint64_t waiting = 0;
  std::string authority;
  for (const auto& [key, in] : open_) {
    if (in.value.state == record_state::closing
        && in.value.live.failures >= closing_failures_told) {
      ++waiting;
      authority = in.value.authority;
    }
  }
  if (waiting == 0) {
    plant_.attention.clear(closing_topic);
    return;
  }
  plant_.attention.set(closing_topic,
                       std::to_string(waiting)
                         + " requests have their result, and wait for a CA to say what it issued "
                           "for them before surplus certificates are revoked; one of these CAs: "
                         + printable(authority) + "; see pfxengine requests list --state closing");
}

void ledger::count(const record& next, record_state before, const lifecycle::step_result& out) {
  auto& totals = plant_.totals;
  totals.surplus_found += out.surplus.size();
  if (before == next.state) {
    return;
  }
  switch (next.state) {
    case record_state::issued:
      ++totals.issued;
      break;
    case record_state::prepared:
      ++totals.prepared;
      break;
    case record_state::quarantined:
      ++totals.quarantined;
      break;
    case record_state::abandoned:
      ++totals.abandoned;
      break;
    case record_state::settled:
      ++(next.outcome == settled_as::delivered      ? totals.delivered
           : next.outcome == settled_as::superseded ? totals.superseded
                                                    : totals.failed);
      break;
    default:
      break;
  }
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
