// Counts and sentences, made anew from the book each time: status asks no actor about it.
#include "actors/tasks/order_notices.hpp"

namespace pfx::actors::tasks {

namespace {

constexpr std::int64_t reports_patience_ms = 3'600'000; ///< failing longer, they are told

void show(const plant& p, bool stands, const char* topic, const std::string& sentence) {
  if (stands) {
    p.attention.set(topic, sentence);
  } else {
    p.attention.clear(topic);
  }
}

} // namespace

void show_orders(const plant& p, const order_book& book) {
  std::array<std::uint64_t, order_state_count> standing{};
  std::uint64_t unreported = 0;
  std::uint64_t homeless = 0;
  std::string home; ///< the CA of one of them
  const auto now = p.time->wall();
  book.each([&](const revocation_order& one) {
    ++standing[static_cast<std::size_t>(one.state) - 1];
    const bool late = one.state == order_state::answered && one.live.reports_failed > 0
      && now >= one.answered_at + reports_patience_ms;
    unreported += late ? 1 : 0;
    const bool intended
      = one.state == order_state::revoking && !p.authorities.contains(one.authority);
    if (intended || !one.live.missing_ca.empty()) {
      ++homeless;
      home = intended ? one.authority : one.live.missing_ca;
    }
  });
  for (std::size_t i = 0; i < order_state_count; ++i) {
    p.totals.open_orders[i] = standing[i];
  }
  const auto held = standing[static_cast<std::size_t>(order_state::held) - 1];
  show(p, held > 0, "revocations held",
       std::to_string(held)
         + " revocation orders are over the limit of an hour and wait for a word: "
           "pfxengine revocations list");
  show(p, unreported > 0, "revocations unreported",
       std::to_string(unreported)
         + " revocation orders were carried out or refused over an hour ago, and the service does "
           "not record the report: event 3101 says why");
  show(p, homeless > 0, "revocations without a CA",
       std::to_string(homeless)
         + " revocation orders are for certificates of a CA that is not configured by that name: "
         + printable(home));
  show(p, book.room() == 0, "revocations full",
       "no revocation orders are downloaded: " + std::to_string(order_book::open_max)
         + " are open already: pfxengine revocations list");
}

} // namespace pfx::actors::tasks
