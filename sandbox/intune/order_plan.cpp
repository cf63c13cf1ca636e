// Orders by dice.
#include "sandbox/intune/order_plan.hpp"

#include <algorithm>

#include "crypto/digest.hpp"
#include "sandbox/dice.hpp"

namespace pfx::sandbox {

namespace {

constexpr std::uint64_t certificate_stream = 0x5e71a1;
constexpr std::uint64_t order_stream = 0x0de7;
constexpr std::size_t context_octets = 60;
constexpr const char* other_issuer = "CN=Other Issuing CA,O=Elsewhere";

bytes octets(dice& choice, std::size_t size) {
  bytes out(size);
  for (auto& one : out) {
    one = static_cast<std::uint8_t>(choice.below(256));
  }
  return out;
}

std::string upper(std::string text) {
  std::ranges::transform(text, text.begin(), [](char c) {
    return c >= 'a' && c <= 'f' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  return text;
}

std::string with_colons(const std::string& hex) {
  const auto even = hex.size() % 2 == 0 ? hex : "0" + hex;
  std::string out;
  for (std::size_t at = 0; at < even.size(); at += 2) {
    out += (at == 0 ? "" : ":") + even.substr(at, 2);
  }
  return out;
}

/// A certificate is ordered revoked by the number that its connector once reported, whatever form
/// that had.
std::string spelled(const std::string& hex, dice& choice) {
  const auto way = choice.share();
  return way < 0.35 ? hex
    : way < 0.55    ? upper(hex)
    : way < 0.80    ? decimal_of(hex)
    : way < 0.90    ? upper(with_colons(hex))
                    : "00" + hex;
}

} // namespace

std::string decimal_of(const std::string& hex) {
  std::string digits = "0"; // least significant first
  for (const char c : hex) {
    int carry = c >= 'a' ? c - 'a' + 10 : c - '0';
    for (auto& one : digits) {
      const int value = (one - '0') * 16 + carry;
      one = static_cast<char>('0' + value % 10);
      carry = value / 10;
    }
    for (; carry > 0; carry /= 10) {
      digits += static_cast<char>('0' + carry % 10);
    }
  }
  std::ranges::reverse(digits);
  return digits;
}

planned_order order_plan::order_of(std::string kind, const std::string& serial) {
  dice choice(options_.seed ^ order_stream, orders_++);
  planned_order out;
  out.kind = std::move(kind);
  out.order.context = crypto::to_base64(octets(choice, context_octets));
  if (out.kind == "unknown") {
    auto other = octets(choice, 16);
    other.front() = 0x5a;
    out.order.serial_number = spelled(to_hex(other), choice);
    out.expected = service_code::not_supported;
  } else {
    out.order.serial_number = spelled(serial, choice);
  }
  if (out.kind == "foreign") {
    out.order.issuer_name = other_issuer;
    out.expected = service_code::not_supported;
    return out;
  }
  const auto named = choice.share();
  if (named < 0.4) {
    out.order.issuer_name = options_.authority_name;
    out.order.ca_configuration = options_.authority_name;
  } else if (named < 0.7) {
    out.order.issuer_name = options_.issuer;
  }
  out.serial = out.expected == service_code::none ? serial : "";
  return out;
}

std::vector<planned_order> order_plan::recorded(const std::string& serial) {
  dice choice(options_.seed ^ certificate_stream, certificates_++);
  std::vector<planned_order> out;
  if (orders_ >= options_.orders_max || choice.share() >= options_.share) {
    return out;
  }
  const auto kind = choice.share();
  out.push_back(order_of(kind < 0.03 ? "foreign" : "plain", serial));
  if (kind >= 0.92 && orders_ < options_.orders_max) {
    out.push_back(order_of(kind < 0.96 ? "second" : "unknown", serial));
  }
  return out;
}

} // namespace pfx::sandbox
