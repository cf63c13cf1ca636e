// The codec of roots, manifests, signatures and of what is remembered. One form for each value:
// whatever is read is written again and must be the same.
#include "core/release_text.hpp"

#include <algorithm>
#include <charconv>

namespace pfx::release {

namespace {

using detail::line;
using detail::lines;

constexpr std::string_view root_kind = "pfxengine-release-root";
constexpr std::string_view manifest_kind = "pfxengine-release-manifest";
constexpr std::string_view trust_kind = "pfxengine-release-trust";
constexpr std::string_view signature_name = "signature";
constexpr std::uint64_t form = 1;

std::string number_line(std::string_view name, std::uint64_t value) {
  return line(name, std::to_string(value));
}

std::string role_lines(const std::string& name, const role& value) {
  auto out = number_line(name + "-threshold", value.threshold);
  for (const auto& one : value.keys) {
    out += line(name + "-key", to_hex(one.key.octets) + " " + to_rfc3339(one.valid_from));
  }
  return out;
}

role read_role(lines& in, const std::string& name) {
  role out;
  const auto threshold_name = name + "-threshold";
  const auto key_name = name + "-key";
  out.threshold = static_cast<std::uint32_t>(in.number(threshold_name, 1, keys_max));
  while (in.at(key_name)) {
    const auto text = in.value(key_name);
    role_key one;
    const auto space = text.find(' ');
    const auto from = space == std::string_view::npos
      ? std::nullopt
      : detail::whole_second(text.substr(space + 1));
    if (!from || !detail::octets_from(text.substr(0, space), one.key.octets)) {
      in.note(key_name, "must be 64 lower-case hexadecimal digits and a time in UTC");
      return out;
    }
    one.valid_from = *from;
    if (!out.keys.empty() && !(out.keys.back().key < one.key)) {
      in.note(key_name, "keys must be in ascending order, each once");
    }
    if (out.keys.size() == keys_max) {
      in.note(key_name, "more than " + std::to_string(keys_max) + " keys", errc::too_large);
      return out;
    }
    out.keys.push_back(one);
  }
  if (out.keys.size() < out.threshold) {
    in.note(threshold_name, "is more than there are keys");
  }
  return out;
}

/// Common to all documents: one kind, one size limit, one form.
template <class Value>
result<Value> finished(lines& in, Value value, std::string_view body) {
  in.end();
  if (in.fault()) {
    return failure(*in.fault());
  }
  if (encode(value) != body) {
    return failure(errc::bad_input, "document", "is not in its one form");
  }
  return value;
}

result<void> check_size(std::string_view text) {
  if (text.size() > document_bytes_max) {
    return failure(errc::too_large, "document",
                   "is longer than " + std::to_string(document_bytes_max) + " bytes");
  }
  return {};
}

} // namespace

// -- roots and manifests ------

std::string encode(const root& value) {
  return number_line(root_kind, form) + line("product", value.product)
    + number_line("number", value.number) + line("expires", to_rfc3339(value.expires))
    + role_lines("root", value.roots) + role_lines("release", value.releases);
}

result<root> decode_root(std::string_view body) {
  if (auto fits = check_size(body); !fits) {
    return failure(fits.error());
  }
  lines in(body);
  root out;
  static_cast<void>(in.number(root_kind, form, form));
  out.product = in.word("product");
  out.number = static_cast<std::uint32_t>(in.number("number", 1, root_number_max));
  out.expires = in.moment("expires");
  out.roots = read_role(in, "root");
  out.releases = read_role(in, "release");
  return finished(in, std::move(out), body);
}

std::string encode(const manifest& value) {
  return number_line(manifest_kind, form) + line("product", value.product)
    + line("platform", value.platform) + line("version", to_string(value.what))
    + line("released", to_rfc3339(value.released))
    + line("valid-from", to_rfc3339(value.valid_from)) + line("expires", to_rfc3339(value.expires))
    + number_line("length", value.length) + line("sha256", to_hex(value.hash))
    + number_line("share", value.share) + number_line("store-format", value.store_format);
}

result<manifest> decode_manifest(std::string_view body) {
  if (auto fits = check_size(body); !fits) {
    return failure(fits.error());
  }
  lines in(body);
  manifest out;
  static_cast<void>(in.number(manifest_kind, form, form));
  out.product = in.word("product");
  out.platform = in.word("platform");
  out.what = in.a_version("version");
  out.released = in.moment("released");
  out.valid_from = in.moment("valid-from");
  out.expires = in.moment("expires");
  out.length = in.number("length", 1, package_bytes_max);
  out.hash = in.hash("sha256");
  out.share = static_cast<std::uint32_t>(in.number("share", 0, 100));
  out.store_format = static_cast<std::uint32_t>(in.number("store-format", 1, store_format_max));
  if (!in.fault() && out.expires <= out.valid_from) {
    in.note("expires", "is not behind valid-from");
  }
  if (!in.fault() && out.expires - out.valid_from > manifest_validity_ms_max) {
    in.note("expires", "is more than 400 days behind valid-from");
  }
  return finished(in, std::move(out), body);
}

// -- signatures ------

std::string encode(const signed_text& value) {
  auto out = value.body;
  for (const auto& one : value.signatures) {
    out += line(signature_name, to_hex(one.by.octets) + " " + to_hex(one.octets));
  }
  return out;
}

result<signed_text> split_signatures(std::string_view text) {
  if (auto fits = check_size(text); !fits) {
    return failure(fits.error());
  }
  const auto mark = "\n" + std::string(signature_name) + " ";
  const auto begins = text.find(mark);
  if (begins == std::string_view::npos) {
    return failure(errc::bad_input, "signature", "is missing");
  }
  signed_text out;
  out.body = text.substr(0, begins + 1);
  lines in(text.substr(begins + 1));
  while (!in.fault() && in.at(signature_name)) {
    const auto value = in.value(signature_name);
    const auto space = value.find(' ');
    signature one;
    if (space == std::string_view::npos
        || !detail::octets_from(value.substr(0, space), one.by.octets)
        || !detail::octets_from(value.substr(space + 1), one.octets)) {
      in.note("signature", "must be a key and a signature in lower-case hexadecimal");
      break;
    }
    if (!out.signatures.empty() && !(out.signatures.back().by < one.by)) {
      in.note("signature", "signatures must be in the order of their keys, one of each");
    }
    if (out.signatures.size() == signatures_max) {
      in.note("signature", "more than " + std::to_string(signatures_max), errc::too_large);
      break;
    }
    out.signatures.push_back(one);
  }
  in.end();
  if (in.fault()) {
    return failure(*in.fault());
  }
  return out;
}

// -- what is remembered ------

std::string encode(const trust& value) {
  auto out = number_line(trust_kind, form);
  if (value.highest) {
    out += line("highest-version", to_string(value.highest->what))
      + number_line("highest-length", value.highest->length)
      + line("highest-sha256", to_hex(value.highest->hash));
  }
  return out + number_line("root-bytes", value.root_text.size()) + value.root_text;
}

result<trust> decode_trust(std::string_view text) {
  // The lines before the root are few and short.
  constexpr std::size_t head_bytes_max = 1u << 10;
  if (text.size() > document_bytes_max + head_bytes_max) {
    return failure(errc::too_large, "trust", "is longer than it can be");
  }
  const auto mark = text.find("\nroot-bytes ");
  const auto end = mark == std::string_view::npos ? mark : text.find('\n', mark + 1);
  if (end == std::string_view::npos) {
    return failure(errc::corrupt, "root-bytes", "is missing");
  }
  lines in(text.substr(0, end + 1));
  trust out;
  static_cast<void>(in.number(trust_kind, form, form));
  if (in.at("highest-version")) {
    seen highest;
    highest.what = in.a_version("highest-version");
    highest.length = in.number("highest-length", 1, package_bytes_max);
    highest.hash = in.hash("highest-sha256");
    out.highest = highest;
  }
  const auto size = in.number("root-bytes", 1, document_bytes_max);
  in.end();
  out.root_text = text.substr(end + 1);
  if (!in.fault() && size != out.root_text.size()) {
    in.note("root-bytes", "says another length than the root has");
  }
  if (in.fault()) {
    return failure(errc::corrupt, in.fault()->field, in.fault()->message);
  }
  if (encode(out) != text) {
    return failure(errc::corrupt, "trust", "is not in its one form");
  }
  return out;
}

// -- lines ------

namespace detail {

std::string line(std::string_view name, std::string_view value) {
  return std::string(name).append(" ").append(value).append("\n");
}

std::optional<std::uint64_t> whole_number(std::string_view text, std::uint64_t max) noexcept {
  if (text.empty() || text.size() > 20 || (text.size() > 1 && text[0] == '0')) {
    return std::nullopt;
  }
  std::uint64_t out = 0;
  const auto* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, out);
  if (read.ec != std::errc() || read.ptr != end || out > max) {
    return std::nullopt;
  }
  return out;
}

std::optional<unix_ms> whole_second(std::string_view text) {
  const auto read = from_rfc3339(text);
  if (!read || *read < 0 || *read % 1000 != 0 || to_rfc3339(*read) != text) {
    return std::nullopt;
  }
  return *read;
}

bool octets_from(std::string_view text, std::span<std::uint8_t> into) {
  const auto read = from_hex(text);
  if (!read || read->size() != into.size() || to_hex(*read) != text) {
    return false;
  }
  std::copy(read->begin(), read->end(), into.begin());
  return true;
}

bool lines::at(std::string_view name) const noexcept {
  return !fault_ && rest_.size() > name.size() && rest_.starts_with(name)
    && rest_[name.size()] == ' ';
}

std::string_view lines::value(std::string_view name) {
  if (!at(name)) {
    note(name, "is missing, or not where it must be");
    return {};
  }
  const auto end = rest_.find('\n');
  if (end == std::string_view::npos) {
    note(name, "is cut");
    return {};
  }
  const auto out = rest_.substr(name.size() + 1, end - name.size() - 1);
  rest_.remove_prefix(end + 1);
  return out;
}

void lines::end() {
  if (!rest_.empty()) {
    note("document", "has lines that are unknown or out of order");
  }
}

std::uint64_t lines::number(std::string_view name, std::uint64_t min, std::uint64_t max) {
  const auto read = whole_number(value(name), max);
  if (!read || *read < min) {
    note(name, "must be a whole number from " + std::to_string(min) + " to " + std::to_string(max));
    return min;
  }
  return *read;
}

std::string lines::word(std::string_view name) {
  const auto text = value(name);
  if (!is_word(text)) {
    note(name, "must be a word of a-z, 0-9, '.' and '-'");
    return {};
  }
  return std::string(text);
}

unix_ms lines::moment(std::string_view name) {
  const auto read = whole_second(value(name));
  if (!read) {
    note(name, "must be a time like 2026-11-01T12:00:00Z");
  }
  return read.value_or(0);
}

version lines::a_version(std::string_view name) {
  const auto read = version_from(value(name));
  if (!read) {
    note(name, read.error().message);
    return {};
  }
  return *read;
}

digest lines::hash(std::string_view name) {
  digest out;
  if (!octets_from(value(name), out.octets)) {
    note(name, "must be 64 lower-case hexadecimal digits");
  }
  return out;
}

void lines::note(std::string_view field, std::string message, errc code) {
  if (!fault_) {
    fault_ = error{code, std::string(field), std::move(message)};
  }
}

} // namespace detail

} // namespace pfx::release
