// One small file, at most once a second.
#include "actors/tasks/anchor_writer.hpp"

#include "actors/tasks/plant.hpp"
#include "storage/anchor_file.hpp"

namespace pfx::actors::tasks {

namespace {

constexpr std::uint16_t not_written_event = 5001;

constexpr const char* topic = "anchor";

} // namespace

void anchor_writer::write(const plant& p, const connect::service::anchor& at,
                          std::uint64_t records) {
  auto written = storage::write_anchor(p.settings.anchor_file,
                                       {p.store->store_id(), at.sequence, at.audit_head, records});
  if (written) {
    written_ = at.sequence;
    records_ = records;
    p.attention.clear(topic);
    return;
  }
  const auto why = "the anchor is not written, so a store that is restored from an old copy is "
                   "noticed by the service alone: "
    + to_string(written.error())
    + "; give this user a folder of its own there, or set anchorFile to a path outside of "
      "dataDirectory and of its backup";
  if (p.attention.set(topic, why)) { // once, not each second
    p.tell({report::channel::system, report::level::error, not_written_event, p.time->wall(), "",
            "", 0, why});
  }
}

void anchor_writer::keep_current(const plant& p) {
  const auto here = p.anchor.current();
  const auto now = p.time->boot();
  if (p.settings.anchor_file.empty() || now < not_before_) {
    return;
  }
  not_before_ = now + interval_ms;
  const auto records = p.store->status().sequence; // of what is synced: never before the store
  if (here.sequence == written_ && records == records_) {
    return;
  }
  (void)p.disk->post([this, &p, here, records] { write(p, here, records); });
}

} // namespace pfx::actors::tasks
