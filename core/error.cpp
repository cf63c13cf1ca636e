// Names of errors, their protocol codes, and foreign text made safe to show. Refuses nothing: every
// input has a visible form.
#include "core/error.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

namespace pfx {

namespace {

constexpr std::size_t message_characters_max = 1024;

constexpr std::array<std::string_view, 20> names = {
  "none",        "bad_input",       "policy",         "not_supported", "too_large",
  "conflict",    "not_found",       "crypto",         "wrong_key",     "corrupt",
  "io",          "disk_full",       "store_poisoned", "store_locked",  "store_newer",
  "unavailable", "unknown_outcome", "unauthorized",   "stale_epoch",   "stopping",
};
static_assert(names.size() == static_cast<std::size_t>(errc::internal),
              "every errc but the last, internal, has its name here");

struct code_point {
  char32_t value = 0;
  std::size_t size = 1; ///< octets it took; 1 for an invalid octet
  bool valid = false;
};

bool is_continuation(char c) noexcept { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

/// The first character of `text` by RFC 3629: no overlong forms, no surrogates, <= U+10FFFF.
code_point decode(std::string_view text) noexcept {
  const auto first = static_cast<unsigned char>(text.front());
  if (first < 0x80) {
    return {first, 1, true};
  }
  const std::size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < size) {
    return {first, 1, false};
  }
  char32_t value = first & (0x7fu >> size);
  for (std::size_t at = 1; at < size; ++at) {
    if (!is_continuation(text[at])) {
      return {first, 1, false};
    }
    value = (value << 6) | (static_cast<unsigned char>(text[at]) & 0x3fu);
  }
  const bool overlong = (size == 3 && value < 0x800) || (size == 4 && value < 0x10000);
  const bool surrogate = value >= 0xd800 && value <= 0xdfff;
  if (overlong || surrogate || value > 0x10ffff) {
    return {first, 1, false};
  }
  return {value, size, true};
}

struct range {
  char32_t first;
  char32_t last;
};

/// Characters that show nothing, move the cursor, or turn the order of what is around them.
constexpr std::array<range, 14> hidden = {{
  {0x00, 0x1f},        // C0 controls, ESC among them
  {0x7f, 0x9f},        // DEL and C1 controls, CSI among them
  {0xad, 0xad},        // soft hyphen
  {0x61c, 0x61c},      // Arabic letter mark
  {0x180e, 0x180e},    // Mongolian vowel separator
  {0x200b, 0x200f},    // zero-width characters and marks
  {0x2028, 0x202e},    // line and paragraph separators, bidi embeddings and overrides
  {0x2060, 0x206f},    // invisible operators, bidi isolates
  {0xfe00, 0xfe0f},    // variation selectors
  {0xfeff, 0xfeff},    // byte order mark
  {0xfff0, 0xfffb},    // specials
  {0xfffe, 0xffff},    // noncharacters
  {0xe0000, 0xe0fff},  // tags and variation selectors
  {0xf0000, 0x10ffff}, // private planes
}};

bool is_hidden(char32_t value) noexcept {
  for (const auto& one : hidden) {
    if (value >= one.first && value <= one.last) {
      return true;
    }
  }
  return false;
}

/// What stands in the output for one character of the input.
std::string shown(const code_point& point, std::string_view octets) {
  std::array<char, 16> out{};
  if (!point.valid || (is_hidden(point.value) && point.value < 0x80)) {
    std::snprintf(out.data(), out.size(), "\\x%02x", static_cast<unsigned>(point.value));
    return out.data();
  }
  if (is_hidden(point.value)) {
    std::snprintf(out.data(), out.size(), "\\u{%x}", static_cast<unsigned>(point.value));
    return out.data();
  }
  return std::string(octets);
}

} // namespace

std::string_view name_of(errc code) noexcept {
  const auto at = static_cast<std::size_t>(code);
  return at < names.size() ? names[at] : std::string_view("internal");
}

std::string to_string(const error& what) {
  std::string out(name_of(what.code));
  if (!what.field.empty()) {
    out += ": " + printable(what.field);
  }
  if (!what.message.empty()) {
    out += ": " + printable(what.message, message_characters_max);
  }
  return out;
}

std::string printable(std::string_view text, std::size_t length_max) {
  constexpr std::string_view mark = "…"; // stands where text was cut off; one character
  std::string out;
  std::size_t length = 0;
  std::size_t room_for_mark = 0; // octets of `out` that leave one character for the mark
  while (!text.empty()) {
    const auto point = decode(text);
    const auto piece = shown(point, text.substr(0, point.size));
    const std::size_t characters = point.valid && piece.size() == point.size ? 1 : piece.size();
    if (length + characters > length_max) {
      out.resize(room_for_mark);
      return length_max == 0 ? std::string() : out + std::string(mark);
    }
    out += piece;
    length += characters;
    if (length < length_max) {
      room_for_mark = out.size();
    }
    text.remove_prefix(point.size);
  }
  return out;
}

namespace {

constexpr std::array<service_code, 13> service_codes = {
  service_code::none,
  service_code::non_retryable,
  service_code::data_serialization,
  service_code::parameter_invalid,
  service_code::cryptography,
  service_code::certificate_not_found,
  service_code::conflict,
  service_code::not_supported,
  service_code::payload_too_large,
  service_code::retryable,
  service_code::service_unavailable,
  service_code::service_too_busy,
  service_code::authentication,
};

} // namespace

bool is_known(service_code value) noexcept {
  return std::find(service_codes.begin(), service_codes.end(), value) != service_codes.end();
}

service_code service_code_of(errc code) noexcept {
  switch (code) {
    case errc::none:
      return service_code::none;
    case errc::bad_input:
    case errc::policy:
      return service_code::parameter_invalid;
    case errc::not_supported:
      return service_code::not_supported;
    case errc::too_large:
      return service_code::payload_too_large;
    case errc::conflict:
      return service_code::conflict;
    case errc::not_found:
      return service_code::certificate_not_found;
    case errc::crypto:
      return service_code::cryptography;
    case errc::unauthorized:
      return service_code::authentication;
    case errc::unavailable:
    case errc::stopping:
      return service_code::service_unavailable;
    // Trouble of this machine, none of the request: another connector may well do it.
    case errc::wrong_key:
    case errc::corrupt:
    case errc::io:
    case errc::disk_full:
    case errc::store_poisoned:
    case errc::store_locked:
    case errc::store_newer:
    case errc::unknown_outcome:
    case errc::stale_epoch:
      return service_code::retryable;
    case errc::internal:
      break;
  }
  return service_code::non_retryable;
}

} // namespace pfx
