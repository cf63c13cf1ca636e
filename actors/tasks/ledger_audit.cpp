// The audit half of the ledger: lines that become durable with what they tell of, or before it.
#include "actors/tasks/ledger.hpp"

#include "core/codec.hpp"

namespace pfx::actors::tasks {

void ledger::continue_audit(std::uint64_t sequence, const digest& head) {
  audit_sequence_ = sequence;
  audit_head_ = head;
}

void ledger::add_audit(change& to, std::uint16_t event_id, const record& of) {
  add_line(to,
           {.at = plant_.time->wall(),
            .event = event_id,
            .context = of.key.context,
            .thumbprint = of.recorded_thumbprint,
            .serial_number = of.serial_number,
            .text = of.reason});
}

void ledger::add_line(change& to, const audit_line& line) {
  const auto sequence = ++audit_sequence_;
  auto salted = line;
  writer random;
  salted.random = random.u64(plant_.random()).u64(plant_.random()).take();
  auto octets = encode(salted);
  audit_head_ = audit_link(audit_head_, sequence, octets);
  to.operations.emplace_back(storage::put_audit{sequence, audit_head_, std::move(octets)});
  to.anchor = connect::service::anchor{sequence, audit_head_};
}

void ledger::take_notes() {
  for (const auto& one : plant_.audit.take()) {
    note_uses(one.about, {one.note});
  }
}

void ledger::note_uses(const request_key& key, const std::vector<audit_note>& uses) {
  if (uses.empty()) {
    return;
  }
  change c;
  c.key = key;
  c.of_entry = false;
  for (const auto& use : uses) {
    add_line(
      c, {.at = plant_.time->wall(), .event = use.event, .context = key.context, .text = use.text});
    const bool refusal
      = use.event != audit_event::key_used && use.event != audit_event::key_used_for;
    c.reports.push_back({report::channel::operational,
                         refusal ? report::level::warning : report::level::info, use.event,
                         plant_.time->wall(), printable(key.context), "", 0, use.text});
  }
  enqueue(std::move(c));
}

void ledger::reconciled(const std::string& random) {
  change done;
  done.of_entry = false;
  add_line(done, {.at = plant_.time->wall(), .event = audit_event::reconciled, .text = random});
  done.operations.emplace_back(storage::put_meta{std::string(ask_everything_mark), {0}});
  enqueue(std::move(done));
}

void ledger::write(const order_batch& what) {
  change c;
  c.of_entry = false;
  c.operations = what.operations;
  c.reports = what.reports;
  for (const auto& note : what.audit) {
    add_line(c, {.at = plant_.time->wall(), .event = note.event, .text = note.text});
  }
  enqueue(std::move(c));
}

void ledger::note(const audit_note& what) { note_uses({}, {what}); }

} // namespace pfx::actors::tasks
