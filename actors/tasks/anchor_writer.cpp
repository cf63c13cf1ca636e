// One small file, at most once a second.
#include "actors/tasks/anchor_writer.hpp"

#include "actors/tasks/plant.hpp"
#include "storage/anchor_file.hpp"

namespace pfx::actors::tasks {

namespace {

constexpr std::uint16_t not_written_event = 5001;

void write(const plant& p, const connect::service::anchor& at) {
  auto written = storage::write_anchor(p.settings.anchor_file,
                                       {p.store->store_id(), at.sequence, at.audit_head});
  if (!written) {
    p.tell({report::channel::system, report::level::warning, not_written_event, p.time->wall(), "",
            "", 0, "anchor: " + to_string(written.error())});
  }
}

} // namespace

void anchor_writer::keep_current(const plant& p) {
  const auto here = p.anchor.current();
  const auto now = p.time->boot();
  if (p.settings.anchor_file.empty() || here.sequence == written_ || now < not_before_) {
    return;
  }
  not_before_ = now + interval_ms;
  written_ = here.sequence;
  (void)p.disk->post([&p, here] { write(p, here); });
}

} // namespace pfx::actors::tasks
