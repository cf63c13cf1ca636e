// The stored form of a revocation order, and what a serial number in somebody's words can mean.
#include <algorithm>
#include <array>

#include "core/codec.hpp"
#include "core/revocation.hpp"

namespace pfx {

namespace {

constexpr std::uint8_t format_version = 1;
constexpr std::size_t serial_octets_max = 20; ///< RFC 5280 4.1.2.2

error corrupt(const char* field) {
  return {errc::corrupt, field, "a stored revocation order cannot be read"};
}

} // namespace

bytes encode(const revocation_order& o) {
  writer out;
  out.u8(format_version).u8(static_cast<std::uint8_t>(o.state));
  out.text(o.serial_number).text(o.issuer_name).text(o.ca_configuration).fixed(o.fingerprint);
  out.text(o.transaction_id).u64(o.arrival).i64(o.received_at).u32(o.hand_outs);
  out.flag(o.approved).text(o.authority).text(o.issuer).text(o.serial).i64(o.revoked_at);
  out.u32(o.attempts).u16(static_cast<std::uint16_t>(o.code)).text(o.text).text(o.crl_number);
  out.i64(o.answered_at).u32(o.uploads);
  return out.take();
}

result<revocation_order> decode_order(const request_key& key, byte_view octets) {
  reader in(octets);
  if (in.u8() > format_version) {
    return failure(errc::store_newer, "version", "a revocation order of a newer program");
  }
  revocation_order o;
  o.key = key;
  const auto state = in.u8();
  if (state < 1 || state > order_state_count) {
    return failure(corrupt("state"));
  }
  o.state = static_cast<order_state>(state);
  o.serial_number = in.text();
  o.issuer_name = in.text();
  o.ca_configuration = in.text();
  o.fingerprint = in.fixed();
  o.transaction_id = in.text();
  o.arrival = in.u64();
  o.received_at = in.i64();
  o.hand_outs = in.u32();
  o.approved = in.flag();
  o.authority = in.text();
  o.issuer = in.text();
  o.serial = in.text();
  o.revoked_at = in.i64();
  o.attempts = in.u32();
  const auto code = in.u16();
  o.text = in.text();
  o.crl_number = in.text();
  o.answered_at = in.i64();
  o.uploads = in.u32();
  if (!in.finished()) {
    return failure(corrupt("length"));
  }
  if (!is_known(static_cast<service_code>(code))) {
    return failure(corrupt("code"));
  }
  o.code = static_cast<service_code>(code);
  return o;
}

namespace revocation {

namespace {

std::string without_leading_zeros(std::string text) {
  const auto first = std::min(text.find_first_not_of('0'), text.size() - 1);
  return text.substr(first);
}

/// Decimal digits to lower-case hex, by repeated division; empty if it is over 20 octets.
std::string hex_of_decimal(std::string_view digits) {
  std::array<std::uint8_t, serial_octets_max> octets{}; // big-endian
  for (const char digit : digits) {
    unsigned carry = static_cast<unsigned>(digit - '0');
    for (auto at = octets.rbegin(); at != octets.rend(); ++at) {
      carry += *at * 10U;
      *at = static_cast<std::uint8_t>(carry & 0xff);
      carry >>= 8;
    }
    if (carry != 0) {
      return "";
    }
  }
  return without_leading_zeros(to_hex(octets));
}

bool is_hex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

} // namespace

serial_readings read_serial(std::string_view text) {
  std::string plain;
  for (const char c : text) {
    if (c != ':' && c != ' ') {
      plain += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
  }
  const bool marked = plain.starts_with("0x");
  plain.erase(0, marked ? 2 : 0);
  serial_readings out;
  constexpr std::size_t characters_max = 100; // a decimal one of 20 octets has 49
  if (plain.empty() || plain.size() > characters_max
      || !std::all_of(plain.begin(), plain.end(), is_hex)) {
    return out;
  }
  if (auto hex = without_leading_zeros(plain); hex.size() <= 2 * serial_octets_max) {
    out.as_hex = std::move(hex);
  }
  if (!marked && std::all_of(plain.begin(), plain.end(), is_digit)) {
    out.as_decimal = hex_of_decimal(plain);
    if (out.as_decimal == out.as_hex) {
      out.as_decimal.clear();
    }
  }
  return out;
}

} // namespace revocation

} // namespace pfx
