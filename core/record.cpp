// The stored form of what is remembered about requests: one version octet, then the fields in the
// order of the header. Refuses newer versions, unknown enumerators and left-over octets.
#include "core/record.hpp"

#include <algorithm>
#include <array>

#include "core/codec.hpp"

namespace pfx {

namespace {

/// A program reads every version up to its own and refuses later ones.
constexpr std::uint8_t format_version = 1;

constexpr std::array<std::string_view, record_state_count> state_names = {
  "received", "working", "submitting", "pending",   "issued",
  "prepared", "closing", "settled",    "abandoned", "quarantined",
};
constexpr std::array<std::string_view, 3> outcome_names = {"delivered", "superseded", "failed"};

template <std::size_t N>
std::string_view word(const std::array<std::string_view, N>& names, std::uint8_t value) noexcept {
  return value >= 1 && value <= N ? names[value - 1] : std::string_view("unknown");
}

template <class Enum>
std::uint8_t octet_of(Enum value) noexcept {
  return static_cast<std::uint8_t>(value);
}

/// A reader that keeps the name of the first field that was wrong. Texts need no limit of their
/// own: none can be longer than the octets that were given.
class field_reader {
public:
  explicit field_reader(byte_view octets) noexcept : in_(octets) {}

  void check(bool good, const char* field) noexcept {
    if (fault_ == nullptr && !(good && in_.ok())) {
      fault_ = field;
    }
  }

  template <class Enum>
  void enumerator(Enum& to, std::uint8_t lowest, std::uint8_t highest, const char* field) noexcept {
    const auto value = in_.u8();
    check(value >= lowest && value <= highest, field);
    if (fault_ == nullptr) {
      to = static_cast<Enum>(value);
    }
  }
  void state(record_state& to) noexcept { enumerator(to, 1, record_state_count, "state"); }
  void outcome(settled_as& to) noexcept { enumerator(to, 1, outcome_names.size(), "outcome"); }
  void kind(request_kind& to) noexcept {
    enumerator(to, 0, octet_of(request_kind::pfx_import), "kind");
  }

  void code(service_code& to, const char* field) noexcept {
    const auto value = static_cast<service_code>(in_.u16());
    check(is_known(value), field);
    if (fault_ == nullptr) {
      to = value;
    }
  }

  void take(bool& to, const char* field) noexcept { read(to = in_.flag(), field); }
  void take(std::uint8_t& to, const char* field) noexcept { read(to = in_.u8(), field); }
  void take(std::uint16_t& to, const char* field) noexcept { read(to = in_.u16(), field); }
  void take(std::uint32_t& to, const char* field) noexcept { read(to = in_.u32(), field); }
  void take(std::uint64_t& to, const char* field) noexcept { read(to = in_.u64(), field); }
  void take(std::int64_t& to, const char* field) noexcept { read(to = in_.i64(), field); }
  void take(digest& to, const char* field) noexcept { read(to = in_.fixed(), field); }
  void take(std::string& to, const char* field) { read(to = in_.text(), field); }

  /// The name of the first wrong field, or null.
  [[nodiscard]] const char* fault() const noexcept { return fault_; }
  [[nodiscard]] bool finished() const noexcept { return in_.finished(); }

private:
  template <class T>
  void read(const T&, const char* field) noexcept {
    check(true, field);
  }

  reader in_;
  const char* fault_ = nullptr;
};

/// What all four forms have in common: the version first, nothing after the last field.
template <class Value>
result<Value> decode(byte_view octets, const std::string& what,
                     void (*fields)(field_reader&, Value&), Value value = {}) {
  field_reader from(octets);
  std::uint8_t version = 0;
  from.take(version, "version");
  if (version > format_version) {
    return failure(errc::store_newer, what, "was written by a newer program");
  }
  from.check(version == format_version, "version");
  if (from.fault() == nullptr) {
    fields(from, value);
    from.check(from.finished(), "end");
  }
  if (from.fault() != nullptr) {
    return failure(errc::corrupt, what + "." + from.fault(),
                   "the stored bytes are damaged at this field");
  }
  return value;
}

void read_record(field_reader& from, record& to) {
  from.state(to.state);
  from.kind(to.kind);
  from.take(to.fingerprint, "fingerprint");
  from.take(to.lease_number, "lease_number");
  from.take(to.arrival, "arrival");
  from.take(to.received_at, "received_at");
  from.take(to.expires_at, "expires_at");
  from.take(to.attempts, "attempts");
  from.take(to.attempt_open, "attempt_open");
  from.take(to.ask_first, "ask_first");
  from.take(to.has_intent, "has_intent");
  from.take(to.generation, "generation");
  from.take(to.authority, "authority");
  from.take(to.unanswered, "unanswered");
  from.take(to.ask_ca, "ask_ca");
  from.take(to.may_skip_walk, "may_skip_walk");
  from.take(to.pending_id, "pending_id");
  from.take(to.pending_until, "pending_until");
  from.take(to.thumbprint, "thumbprint");
  from.take(to.failing, "failing");
  from.code(to.failure_code, "failure_code");
  from.take(to.reason, "reason");
  from.take(to.failure_retryable, "failure_retryable");
  from.take(to.result_digest, "result_digest");
  from.take(to.result_succeeded, "result_succeeded");
  from.take(to.rejected_before, "rejected_before");
  from.take(to.quarantined_until, "quarantined_until");
  from.take(to.disowned, "disowned");
  from.outcome(to.outcome);
  from.take(to.recorded_thumbprint, "recorded_thumbprint");
  from.take(to.recorded_digest, "recorded_digest");
  from.take(to.serial_number, "serial_number");
}

void read_settled(field_reader& from, settled_record& to) {
  from.outcome(to.outcome);
  from.kind(to.kind);
  from.take(to.settled_at, "settled_at");
  from.take(to.fingerprint, "fingerprint");
  from.take(to.result_digest, "result_digest");
  from.take(to.thumbprint, "thumbprint");
  from.take(to.lease_number, "lease_number");
  from.take(to.authority, "authority");
  from.take(to.generation, "generation");
  from.take(to.serial_number, "serial_number");
  from.code(to.failure_code, "failure_code");
}

void read_surplus(field_reader& from, surplus_certificate& to) {
  from.take(to.request.tenant, "request.tenant");
  from.enumerator(to.request.in, octet_of(flow::pfx), octet_of(flow::scep), "request.flow");
  from.take(to.request.context, "request.context");
  from.take(to.authority, "authority");
  from.take(to.issuer, "issuer");
  from.take(to.serial_number, "serial_number");
  from.take(to.thumbprint, "thumbprint");
  from.take(to.found_at, "found_at");
  from.take(to.attempts, "attempts");
  from.take(to.done, "done");
  from.take(to.last_answer, "last_answer");
}

void read_trail_entry(field_reader& from, trail_entry& to) {
  from.take(to.at, "at");
  from.take(to.event, "event");
  from.state(to.state);
  from.take(to.call_id, "call_id");
  from.take(to.duration_ms, "duration_ms");
  from.take(to.text, "text");
}

} // namespace

// -- words ------------------------------------------------------------------

std::string_view name_of(record_state value) noexcept { return word(state_names, octet_of(value)); }
std::string_view name_of(settled_as value) noexcept { return word(outcome_names, octet_of(value)); }

// -- octets -----------------------------------------------------------------

bytes encode(const record& value) {
  writer out;
  out.u8(format_version).u8(octet_of(value.state)).u8(octet_of(value.kind));
  out.fixed(value.fingerprint).u64(value.lease_number).u64(value.arrival);
  out.i64(value.received_at).i64(value.expires_at);
  out.u32(value.attempts).flag(value.attempt_open);
  out.flag(value.ask_first);
  out.flag(value.has_intent).u8(value.generation).text(value.authority);
  out.flag(value.unanswered).flag(value.ask_ca).flag(value.may_skip_walk);
  out.text(value.pending_id).i64(value.pending_until).fixed(value.thumbprint);
  out.flag(value.failing).u16(static_cast<std::uint16_t>(value.failure_code));
  out.text(value.reason).flag(value.failure_retryable);
  out.fixed(value.result_digest).flag(value.result_succeeded).flag(value.rejected_before);
  out.i64(value.quarantined_until).flag(value.disowned).u8(octet_of(value.outcome));
  out.fixed(value.recorded_thumbprint).fixed(value.recorded_digest).text(value.serial_number);
  return out.take();
}

result<record> decode_record(const request_key& key, byte_view octets) {
  record blank;
  blank.key = key;
  return decode<record>(octets, "record", read_record, std::move(blank));
}

bytes encode(const settled_record& value) {
  writer out;
  out.u8(format_version).u8(octet_of(value.outcome)).u8(octet_of(value.kind));
  out.i64(value.settled_at).fixed(value.fingerprint).fixed(value.result_digest);
  out.fixed(value.thumbprint).u64(value.lease_number).text(value.authority);
  out.u8(value.generation).text(value.serial_number);
  out.u16(static_cast<std::uint16_t>(value.failure_code));
  return out.take();
}

result<settled_record> decode_settled(byte_view octets) {
  return decode<settled_record>(octets, "settled_record", read_settled);
}

bytes encode(const surplus_certificate& value) {
  writer out;
  out.u8(format_version);
  out.text(value.request.tenant).u8(octet_of(value.request.in)).text(value.request.context);
  out.text(value.authority).text(value.issuer).text(value.serial_number);
  out.fixed(value.thumbprint).i64(value.found_at).u32(value.attempts).flag(value.done);
  out.text(value.last_answer);
  return out.take();
}

result<surplus_certificate> decode_surplus(byte_view octets) {
  return decode<surplus_certificate>(octets, "surplus_certificate", read_surplus);
}

bytes encode(const trail_entry& value) {
  writer out;
  out.u8(format_version).i64(value.at).u16(value.event).u8(octet_of(value.state));
  out.text(value.call_id).i64(value.duration_ms).text(value.text);
  return out.take();
}

result<trail_entry> decode_trail_entry(byte_view octets) {
  return decode<trail_entry>(octets, "trail_entry", read_trail_entry);
}

} // namespace pfx
