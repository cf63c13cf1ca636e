// The stored forms of records: what goes in comes out, and nothing damaged or newer gets in.
#include "core/record.hpp"

#include <functional>
#include <set>
#include <string>

#include "tests/catch.hpp"

namespace {

using namespace pfx;

digest digest_of(std::uint8_t first) {
  digest out;
  for (auto& octet : out.octets) {
    octet = first++;
  }
  return out;
}

/// Every field differs from its default, so that a forgotten one is noticed.
record full_record() {
  record out;
  out.key = {"contoso", flow::pfx, "ctx-1"};
  out.state = record_state::quarantined;
  out.kind = request_kind::pfx_create;
  out.fingerprint = digest_of(1);
  out.lease_number = 0xfedcba9876543210u;
  out.arrival = 77;
  out.received_at = 1'790'000'000'123;
  out.expires_at = -1;
  out.attempts = 3;
  out.attempt_open = true;
  out.ask_first = true;
  out.has_intent = true;
  out.generation = 2;
  out.authority = "corp-ca";
  out.unanswered = true;
  out.ask_ca = true;
  out.may_skip_walk = true;
  out.pending_id = std::string("id\0with zero", 12);
  out.pending_until = 5;
  out.thumbprint = digest_of(2);
  out.failing = true;
  out.failure_code = service_code::service_too_busy;
  out.reason = "no answer";
  out.failure_retryable = true;
  out.result_digest = digest_of(3);
  out.result_succeeded = true;
  out.rejected_before = true;
  out.quarantined_until = 6;
  out.disowned = true;
  out.outcome = settled_as::superseded;
  out.recorded_thumbprint = digest_of(4);
  out.recorded_digest = digest_of(5);
  out.serial_number = "0a0b";
  return out;
}

settled_record full_settled() {
  settled_record out;
  out.outcome = settled_as::delivered;
  out.kind = request_kind::pfx_import;
  out.settled_at = 1'790'000'000'000;
  out.fingerprint = digest_of(6);
  out.result_digest = digest_of(7);
  out.thumbprint = digest_of(8);
  out.lease_number = 9;
  out.authority = "corp-ca";
  out.generation = 1;
  out.serial_number = "7f";
  out.failure_code = service_code::authentication;
  return out;
}

surplus_certificate full_surplus() {
  surplus_certificate out;
  out.request = {"contoso", flow::scep, "ctx-2"};
  out.authority = "corp-ca";
  out.issuer = "CN=Corp CA";
  out.serial_number = "99";
  out.thumbprint = digest_of(9);
  out.found_at = 12;
  out.attempts = 4;
  out.done = true;
  out.last_answer = "revoked";
  return out;
}

trail_entry full_trail_entry() {
  trail_entry out;
  out.at = 13;
  out.event = 1004;
  out.state = record_state::issued;
  out.call_id = "call";
  out.duration_ms = -2;
  out.text = "issued";
  return out;
}

/// One stored form, seen only through octets: decode, encode again, or the error.
struct form {
  std::string name;
  bytes octets;
  std::function<result<bytes>(byte_view)> again;
};

template <class Value>
result<bytes> encoded_again(const result<Value>& value) {
  if (!value) {
    return failure(value.error());
  }
  return encode(*value);
}

std::vector<form> forms() {
  return {
    {"record", encode(full_record()),
     [](byte_view in) { return encoded_again(decode_record(full_record().key, in)); }},
    {"settled_record", encode(full_settled()),
     [](byte_view in) { return encoded_again(decode_settled(in)); }},
    {"surplus_certificate", encode(full_surplus()),
     [](byte_view in) { return encoded_again(decode_surplus(in)); }},
    {"trail_entry", encode(full_trail_entry()),
     [](byte_view in) { return encoded_again(decode_trail_entry(in)); }},
  };
}

} // namespace

TEST_CASE("every stored form survives a round trip", "[core][record]") {
  CHECK(decode_record(full_record().key, encode(full_record())).value() == full_record());
  CHECK(decode_settled(encode(full_settled())).value() == full_settled());
  CHECK(decode_surplus(encode(full_surplus())).value() == full_surplus());
  CHECK(decode_trail_entry(encode(full_trail_entry())).value() == full_trail_entry());
}

TEST_CASE("defaults survive a round trip too", "[core][record]") {
  CHECK(decode_record({}, encode(record{})).value() == record{});
  CHECK(decode_settled(encode(settled_record{})).value() == settled_record{});
  CHECK(decode_surplus(encode(surplus_certificate{})).value() == surplus_certificate{});
  CHECK(decode_trail_entry(encode(trail_entry{})).value() == trail_entry{});
}

TEST_CASE("live facts and the key are no part of the stored record", "[core][record]") {
  auto value = full_record();
  const auto octets = encode(value);
  value.live.ticket = 5;
  value.live.suspect = true;
  value.key.context = "another";
  CHECK(encode(value) == octets);
  const auto read = decode_record(value.key, octets);
  REQUIRE(read);
  CHECK(read->live == live_facts{});
  CHECK(read->key.context == "another");
}

TEST_CASE("a stored form that was cut short is corrupt at every length", "[core][record]") {
  for (const auto& one : forms()) {
    for (std::size_t size = 0; size < one.octets.size(); ++size) {
      const auto read = one.again(byte_view(one.octets).first(size));
      INFO(one.name << " cut at " << size);
      REQUIRE(!read);
      REQUIRE(read.error().code == errc::corrupt);
      REQUIRE(read.error().field.find(one.name + ".") == 0);
    }
  }
}

TEST_CASE("octets after the last field are corrupt", "[core][record]") {
  for (auto one : forms()) {
    one.octets.push_back(0);
    const auto read = one.again(one.octets);
    REQUIRE(!read);
    CHECK(read.error().code == errc::corrupt);
    CHECK(read.error().field == one.name + ".end");
  }
}

TEST_CASE("a flipped bit is refused, or read as exactly what it says", "[core][record]") {
  for (const auto& one : forms()) {
    for (std::size_t at = 0; at < one.octets.size() * 8; ++at) {
      auto damaged = one.octets;
      damaged[at / 8] = static_cast<std::uint8_t>(damaged[at / 8] ^ (1u << (at % 8)));
      const auto read = one.again(damaged);
      INFO(one.name << " bit " << at);
      // A form without redundancy can't notice every flip; what it accepts it must not change.
      const auto code = read ? errc::none : read.error().code;
      REQUIRE((read ? *read == damaged : code == errc::corrupt || code == errc::store_newer));
    }
  }
}

TEST_CASE("any octet at any place does not crash the decoders", "[core][record]") {
  for (const auto& one : forms()) {
    for (std::size_t at = 0; at < one.octets.size(); ++at) {
      for (const int value : {0x00, 0x01, 0x7f, 0x80, 0xff}) {
        auto damaged = one.octets;
        damaged[at] = static_cast<std::uint8_t>(value);
        const auto read = one.again(damaged);
        REQUIRE((!read || *read == damaged));
      }
    }
  }
}

TEST_CASE("a newer version is refused as newer, version 0 as corrupt", "[core][record]") {
  for (auto one : forms()) {
    one.octets[0] = 2;
    CHECK(one.again(one.octets).error().code == errc::store_newer);
    one.octets[0] = 255;
    CHECK(one.again(one.octets).error().code == errc::store_newer);
    one.octets[0] = 0;
    CHECK(one.again(one.octets).error().code == errc::corrupt);
  }
}

TEST_CASE("a newer version is told from damage even if the rest is unknown", "[core][record]") {
  const bytes newer = {2, 0xff, 0xff};
  CHECK(decode_record({}, newer).error().code == errc::store_newer);
  CHECK(decode_settled(newer).error().code == errc::store_newer);
  CHECK(decode_surplus(newer).error().code == errc::store_newer);
  CHECK(decode_trail_entry(newer).error().code == errc::store_newer);
}

TEST_CASE("unknown enumerators are refused and named", "[core][record]") {
  auto value = full_record();
  value.state = static_cast<record_state>(0);
  CHECK(decode_record({}, encode(value)).error().field == "record.state");
  value.state = static_cast<record_state>(record_state_count + 1);
  CHECK(decode_record({}, encode(value)).error().field == "record.state");

  value = full_record();
  value.kind = static_cast<request_kind>(3);
  CHECK(decode_record({}, encode(value)).error().field == "record.kind");

  value = full_record();
  value.outcome = static_cast<settled_as>(0);
  CHECK(decode_record({}, encode(value)).error().field == "record.outcome");

  value = full_record();
  value.failure_code = static_cast<service_code>(4008);
  CHECK(decode_record({}, encode(value)).error().field == "record.failure_code");

  auto settled = full_settled();
  settled.outcome = static_cast<settled_as>(4);
  CHECK(decode_settled(encode(settled)).error().field == "settled_record.outcome");

  auto surplus = full_surplus();
  surplus.request.in = static_cast<flow>(4);
  CHECK(decode_surplus(encode(surplus)).error().field == "surplus_certificate.request.flow");

  auto entry = full_trail_entry();
  entry.state = static_cast<record_state>(99);
  CHECK(decode_trail_entry(encode(entry)).error().field == "trail_entry.state");
}

TEST_CASE("a flag that is neither 0 nor 1 is refused", "[core][record]") {
  auto octets = encode(full_surplus());
  const std::size_t done_at = octets.size() - 4 - full_surplus().last_answer.size() - 1;
  REQUIRE(octets[done_at] == 1);
  octets[done_at] = 2;
  CHECK(decode_surplus(octets).error().field == "surplus_certificate.done");
}

TEST_CASE("a text that claims to be 4 GiB long is refused without reading it", "[core][record]") {
  auto octets = encode(full_trail_entry());
  const std::size_t length_at = 1 + 8 + 2 + 1;
  for (std::size_t at = 0; at < 4; ++at) {
    octets[length_at + at] = 0xff;
  }
  CHECK(decode_trail_entry(octets).error().field == "trail_entry.call_id");
}

TEST_CASE("states and outcomes have distinct names", "[core][record]") {
  std::set<std::string_view> names;
  for (std::uint8_t at = 1; at <= record_state_count; ++at) {
    names.insert(name_of(static_cast<record_state>(at)));
  }
  CHECK(names.size() == record_state_count);
  CHECK(name_of(record_state::received) == "received");
  CHECK(name_of(record_state::quarantined) == "quarantined");
  CHECK(name_of(settled_as::delivered) == "delivered");
  CHECK(name_of(settled_as::superseded) == "superseded");
  CHECK(name_of(settled_as::failed) == "failed");
  CHECK(name_of(static_cast<record_state>(0)) == "unknown");
  CHECK(name_of(static_cast<settled_as>(4)) == "unknown");
}
