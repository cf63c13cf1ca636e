// The octets of every key. Refuses request keys beyond the limits, and octets that are no key.
#include "storage/keys.hpp"

#include "core/codec.hpp"
#include "core/limits.hpp"
#include "core/revocation.hpp"

namespace pfx::storage::keys {

namespace {

writer begin(prefix family) {
  writer out;
  out.u8(static_cast<std::uint8_t>(family));
  return out;
}

writer& put(writer& out, const request_key& key) {
  return out.text(key.tenant).u8(static_cast<std::uint8_t>(key.in)).text(key.context);
}

/// Signed times in the order of their octets: the sign bit is turned over (two's complement).
std::uint64_t ordered(unix_ms at) noexcept {
  return static_cast<std::uint64_t>(at) ^ (std::uint64_t{1} << 63);
}

bytes with_request(prefix family, const request_key& key) {
  auto out = begin(family);
  return put(out, key).take();
}

/// The first key that is no longer below `first`: the last octet that can grow, grown by one.
bytes after_all(bytes first) {
  while (!first.empty() && first.back() == 0xff) {
    first.pop_back();
  }
  if (!first.empty()) {
    ++first.back();
  }
  return first;
}

range below(bytes first) {
  auto last = after_all(first);
  return {std::move(first), std::move(last)};
}

/// What follows is the caller's; it also asks whether the octets sufficed.
std::optional<request_key> read_part(reader& from) {
  request_key key;
  key.tenant = from.text();
  const auto in = from.u8();
  key.in = static_cast<flow>(in);
  key.context = from.text();
  if (in < 1 || in > 3) {
    return std::nullopt;
  }
  return key;
}

std::optional<request_key> read_request(reader& from) {
  auto key = read_part(from);
  return from.finished() ? key : std::nullopt;
}

} // namespace

result<void> check(const request_key& key) {
  const auto in = static_cast<std::uint8_t>(key.in);
  if (in < 1 || in > 3) {
    return failure(errc::bad_input, "request_key", "has an unknown flow");
  }
  if (key.tenant.size() > tenant_bytes_max) {
    return failure(errc::bad_input, "request_key", "has a tenant of more than 256 octets");
  }
  const auto context_max
    = key.in == flow::revocation ? revocation_context_bytes_max : limits::request_context_bytes_max;
  if (key.context.empty() || key.context.size() > context_max) {
    return failure(errc::bad_input, "request_key",
                   "needs a context of 1 to " + std::to_string(context_max) + " octets");
  }
  return {};
}

bytes record(const request_key& key) { return with_request(prefix::record, key); }

bytes settled(const request_key& key) { return with_request(prefix::settled, key); }

bytes blob(const request_key& key, blob_kind kind) {
  auto out = begin(prefix::blob);
  return put(out, key).u8(static_cast<std::uint8_t>(kind)).take();
}

bytes trail(const request_key& key, std::uint64_t number) {
  auto out = begin(prefix::trail);
  return put(out, key).u64(number).take();
}

bytes surplus(const surplus_certificate& value) {
  auto out = begin(prefix::surplus);
  put(out, value.request);
  return out.text(value.authority).text(value.issuer).text(value.serial_number).take();
}

bytes order(const request_key& key) { return with_request(prefix::order, key); }

bytes reported(const request_key& key) { return with_request(prefix::reported, key); }

bytes notice(const request_key& key) { return with_request(prefix::notice, key); }

bytes issued(std::string_view authority, std::string_view serial) {
  return begin(prefix::issued).text(authority).text(serial).take();
}

bytes audit(std::uint64_t sequence) { return begin(prefix::audit).u64(sequence).take(); }

bytes meta(std::string_view name) { return begin(prefix::meta).text(name).take(); }

bytes engine(std::string_view name) { return begin(prefix::engine).text(name).take(); }

bytes due(unix_ms at, const request_key& key) {
  auto out = begin(prefix::due);
  out.u64(ordered(at));
  return put(out, key).take();
}

range all(prefix family) { return below(begin(family).take()); }

range trail_of(const request_key& key) { return below(with_request(prefix::trail, key)); }

range surplus_of(const request_key& key) { return below(with_request(prefix::surplus, key)); }

range audit_from(std::uint64_t sequence) { return {audit(sequence), all(prefix::audit).last}; }

range issued_behind(std::string_view authority) {
  auto out = all(prefix::issued);
  if (!authority.empty()) {
    out.first = after_all(begin(prefix::issued).text(authority).take());
  }
  return out;
}

range due_before(unix_ms at) {
  return {all(prefix::due).first, begin(prefix::due).u64(ordered(at)).take()};
}

std::optional<request_key> request_of(prefix family, byte_view key) {
  reader from(key);
  if (from.u8() != static_cast<std::uint8_t>(family)) {
    return std::nullopt;
  }
  return read_request(from);
}

std::optional<request_key> request_of_due(byte_view key) {
  reader from(key);
  if (from.u8() != static_cast<std::uint8_t>(prefix::due)) {
    return std::nullopt;
  }
  from.u64();
  return read_request(from);
}

std::optional<std::string> authority_of_issued(byte_view key) {
  reader from(key);
  const auto family = from.u8();
  auto authority = from.text();
  (void)from.text();
  if (!from.finished() || family != static_cast<std::uint8_t>(prefix::issued)
      || authority.empty()) {
    return std::nullopt;
  }
  return authority;
}

std::optional<std::uint64_t> audit_sequence(byte_view key) {
  reader from(key);
  const auto family = from.u8();
  const auto sequence = from.u64();
  if (!from.finished() || family != static_cast<std::uint8_t>(prefix::audit)) {
    return std::nullopt;
  }
  return sequence;
}

std::optional<blob_place> blob_of(byte_view key) {
  reader from(key);
  if (from.u8() != static_cast<std::uint8_t>(prefix::blob)) {
    return std::nullopt;
  }
  auto request = read_part(from);
  const auto kind = static_cast<blob_kind>(from.u8());
  if (!from.finished() || !request || kind < blob_kind::request || kind > blob_kind::result) {
    return std::nullopt;
  }
  return blob_place{std::move(*request), kind};
}

} // namespace pfx::storage::keys
