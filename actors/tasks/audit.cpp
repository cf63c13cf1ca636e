// Lines of the audit in octets. Two forms: the start of a run, and everything else.
#include "actors/tasks/audit.hpp"

#include "core/codec.hpp"
#include "crypto/digest.hpp"

namespace pfx::actors::tasks {

bytes encode(const audit_line& value) {
  writer out;
  out.i64(value.at).u16(value.event);
  if (value.event == audit_event::started) {
    out.u64(value.epoch).blob(value.random);
  } else {
    out.text(value.context).fixed(value.thumbprint).text(value.serial_number).text(value.text);
    out.blob(value.random);
  }
  return out.take();
}

result<audit_line> decode_audit_line(byte_view octets) {
  reader in(octets);
  audit_line out;
  out.at = in.i64();
  out.event = in.u16();
  if (out.event == audit_event::started) {
    out.epoch = in.u64();
    out.random = in.blob();
  } else {
    out.context = in.text();
    out.thumbprint = in.fixed();
    out.serial_number = in.text();
    out.text = in.text();
    if (!in.finished()) { // lines of older programs end here
      out.random = in.blob();
    }
  }
  if (!in.finished()) {
    return failure(errc::corrupt, "audit", "a line is damaged");
  }
  return out;
}

result<bool> in_our_chain(const storage::store& store, const connect::service::anchor& known) {
  bool found = false;
  auto read
    = store.each_audit(known.sequence, [&](std::uint64_t at, const digest& head, const bytes&) {
        found = at == known.sequence && head == known.audit_head;
        return false;
      });
  if (!read) {
    return failure(read.error());
  }
  return found;
}

digest audit_link(const digest& previous, std::uint64_t sequence, byte_view line) {
  writer link;
  link.fixed(previous).u64(sequence).blob(line);
  return crypto::sha256(link.view());
}

} // namespace pfx::actors::tasks
