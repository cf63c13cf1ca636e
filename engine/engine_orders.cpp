// The engine's face for revocation orders: lists, one order's story, an operator's word.
#include <algorithm>

#include "engine/engine_state.hpp"

namespace pfx::engine {

namespace {

constexpr std::size_t summary_overhead = 512; ///< names, numbers and times in JSON

std::optional<order_state> order_state_of(std::string_view word) {
  for (std::size_t i = 1; i <= order_state_count; ++i) {
    const auto value = static_cast<order_state>(i);
    if (name_of(value) == word) {
      return value;
    }
  }
  return std::nullopt;
}

/// The state that an event led to, or was told in. The trail itself does not say it.
std::string_view state_after(std::uint16_t event) {
  using namespace revocation::trail_event;
  switch (event) {
    case intent:
    case retry:
      return name_of(order_state::revoking);
    case held:
      return name_of(order_state::held);
    case ca_answered:
    case ca_failed:
    case report_failed:
      return name_of(order_state::answered);
    case reported:
      return name_of(order_state::reported);
    case revocation::trail_event::unreported:
      return name_of(order_state::unreported);
    default:
      return name_of(order_state::received);
  }
}

request_key order_key(const assembly& parts, const std::string& context) {
  return {parts.plant.order_tenant(), flow::revocation, context};
}

} // namespace

order_summary detail::summary_of(const revocation_order& from) {
  order_summary out;
  out.context = printable(from.key.context, revocation_context_bytes_max);
  out.state = std::string(name_of(from.state));
  out.serial_number = printable(from.serial_number);
  out.issuer = printable(from.issuer_name, 256);
  out.authority = from.authority;
  out.certificate = from.serial;
  out.crl_number = from.crl_number;
  out.attempts = from.attempts;
  out.hand_outs = from.hand_outs;
  out.received_at = from.received_at;
  out.answered_at = from.answered_at;
  if (from.state == order_state::answered || is_final(from.state)) {
    out.outcome = from.code == service_code::none
      ? "revoked"
      : "failed " + std::to_string(static_cast<unsigned>(from.code));
    out.reason = printable(from.text, 300);
  } else if (from.state == order_state::held) {
    out.reason = "over the limit of an hour: waits for an operator";
  } else if (!from.live.missing_ca.empty()) {
    out.reason = "waits for a CA that is not configured: " + printable(from.live.missing_ca);
  }
  return out;
}

request_summary detail::summary_of(const order_summary& from) {
  request_summary out;
  out.context = from.context;
  out.state = from.state;
  out.kind = "revocation";
  out.reason = from.reason;
  out.attempts = from.attempts;
  out.received_at = from.received_at;
  const auto state = order_state_of(from.state);
  out.settled_at = state && is_final(*state) ? from.answered_at : 0;
  out.outcome = from.outcome;
  return out;
}

result<request_timeline> detail::show_order(const assembly& parts, const std::string& context) {
  const auto key = order_key(parts, context);
  const auto found = parts.store->find_orders({key});
  if (!found) {
    return failure(found.error());
  }
  if (!found->front()) {
    return failure(errc::not_found, "requestContext", "no request has this context");
  }
  request_timeline out;
  out.summary = summary_of(summary_of(*found->front()));
  auto trail = parts.store->trail(key);
  if (!trail) {
    return failure(trail.error());
  }
  for (auto& line : *trail) {
    out.lines.push_back({line.at, line.event, std::string(state_after(line.event)),
                         std::move(line.call_id), std::move(line.text), line.duration_ms});
  }
  return out;
}

std::size_t detail::size_of(const request_summary& one) {
  return summary_overhead + one.context.size() + one.reason.size();
}

std::size_t detail::size_of(const order_summary& one) {
  return summary_overhead + one.context.size() + one.serial_number.size() + one.issuer.size()
    + one.authority.size() + one.certificate.size() + one.crl_number.size() + one.reason.size();
}

result<order_page> engine::revocations(const std::string& wanted, std::size_t count_max) const {
  const auto filter = order_state_of(wanted);
  if (!wanted.empty() && !filter) {
    return failure(errc::bad_input, "state", "is not a state: " + printable(wanted));
  }
  detail::pager<order_summary> out(count_max);
  if (filter && is_final(*filter)) {
    auto read = state_->parts->store->each_reported_order([&](const revocation_order& one) {
      return one.state != *filter || out.add(detail::summary_of(one));
    });
    return read ? result<order_page>(order_page{std::move(out.values), out.more})
                : failure(read.error());
  }
  const auto open = state_->host->orders(count_max + 1, filter); // one over: whether there is more
  if (!open) {
    return failure(open.error());
  }
  (void)std::ranges::all_of(*open,
                            [&](const auto& one) { return out.add(detail::summary_of(one)); });
  return order_page{std::move(out.values), out.more};
}

result<void> engine::approve_revocation(const std::string& context) {
  return state_->host->order_word(order_key(*state_->parts, context),
                                  revocation::event_kind::approved);
}

result<void> engine::reject_revocation(const std::string& context) {
  return state_->host->order_word(order_key(*state_->parts, context),
                                  revocation::event_kind::rejected);
}

} // namespace pfx::engine
