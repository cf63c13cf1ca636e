// Reading JSON members without a throw.
#include "connect/service/fields.hpp"

#include "crypto/digest.hpp"

namespace pfx::connect::service {

namespace {

const json no_object = json::object();
const json::array_t no_items;

} // namespace

void fault::note(errc code, std::string field, std::string message) {
  if (!first)
    first = error{code, std::move(field), std::move(message)};
}

fields::fields(const json& value, std::string path, fault& into)
    : value_(&value), path_(std::move(path)), fault_(&into) {
  if (!value_->is_object()) {
    fault_->note(errc::bad_input, path_, "is not an object");
    value_ = &no_object;
  }
}

const json* fields::whole() const noexcept { return value_ == &no_object ? nullptr : value_; }

std::string fields::path(std::string_view name) const {
  return path_.empty() ? std::string(name) : path_ + "." + std::string(name);
}

std::string fields::path(const char* list, std::size_t index) const {
  return path(list) + "[" + std::to_string(index) + "]";
}

void fields::note(errc code, std::string_view name, std::string message) {
  fault_->note(code, path(name), std::move(message));
}

void fields::note_unknown_word(const char* name, const std::string& text) {
  note(errc::bad_input, name, "is not a word of the protocol: " + printable(text, 64));
}

const json* fields::find(const char* name) const {
  auto at = value_->find(name);
  return at == value_->end() || at->is_null() ? nullptr : &*at;
}

const json* fields::need(const char* name) {
  const json* value = find(name);
  if (value == nullptr)
    note(errc::bad_input, name, "is missing");
  return value;
}

const std::string* fields::need_string(const char* name, std::size_t bytes_max) {
  const json* value = need(name);
  if (value == nullptr)
    return nullptr;
  const auto* text = value->get_ptr<const std::string*>();
  if (text == nullptr) {
    note(errc::bad_input, name, "is not a string");
  } else if (text->size() > bytes_max) {
    note(errc::too_large, name, "is longer than " + std::to_string(bytes_max) + " octets");
    return nullptr;
  }
  return text;
}

std::string fields::any_text(const char* name, std::size_t bytes_max) {
  const std::string* text = need_string(name, bytes_max);
  return text == nullptr ? std::string() : *text;
}

std::string fields::text(const char* name, std::size_t bytes_max) {
  const std::string* text = need_string(name, bytes_max);
  if (text != nullptr && text->empty())
    note(errc::bad_input, name, "is empty");
  return text == nullptr ? std::string() : *text;
}

std::string fields::optional_text(const char* name, std::size_t bytes_max) {
  return find(name) == nullptr ? std::string() : any_text(name, bytes_max);
}

std::uint64_t fields::number(const char* name, std::uint64_t min, std::uint64_t max) {
  const json* value = need(name);
  if (value == nullptr)
    return 0;
  // A negative whole number is kept as signed, so this is false for it.
  const auto* whole = value->get_ptr<const json::number_unsigned_t*>();
  if (whole == nullptr || *whole < min || *whole > max) {
    note(errc::bad_input, name,
         "is not a whole number from " + std::to_string(min) + " to " + std::to_string(max));
    return 0;
  }
  return *whole;
}

std::uint64_t fields::optional_number(const char* name, std::uint64_t max) {
  return find(name) == nullptr ? 0 : number(name, 0, max);
}

bool fields::flag(const char* name) {
  const json* value = need(name);
  if (value == nullptr)
    return false;
  const auto* truth = value->get_ptr<const bool*>();
  if (truth == nullptr)
    note(errc::bad_input, name, "is not true or false");
  return truth != nullptr && *truth;
}

bool fields::optional_flag(const char* name) { return find(name) != nullptr && flag(name); }

bytes fields::octets(const char* name, std::size_t bytes_max) {
  const std::string* text = need_string(name, (bytes_max + 2) / 3 * 4);
  if (text == nullptr)
    return {};
  auto value = crypto::from_base64(*text);
  if (!value || value->empty()) {
    note(errc::bad_input, name, "is not base64 of something");
    return {};
  }
  if (value->size() > bytes_max) {
    note(errc::too_large, name, "is longer than " + std::to_string(bytes_max) + " octets");
    return {};
  }
  return std::move(*value);
}

bytes fields::optional_octets(const char* name, std::size_t bytes_max) {
  return find(name) == nullptr ? bytes() : octets(name, bytes_max);
}

digest fields::hash(const char* name) {
  const std::string* text = need_string(name, text_bytes_max);
  if (text == nullptr)
    return {};
  auto value = digest_from_hex(*text);
  if (!value)
    note(errc::bad_input, name, "is not a SHA-256 in hexadecimal");
  return value ? *value : digest();
}

digest fields::optional_hash(const char* name) {
  return find(name) == nullptr ? digest() : hash(name);
}

unix_ms fields::moment(const char* name) {
  const std::string* text = need_string(name, text_bytes_max);
  if (text == nullptr)
    return 0;
  auto value = from_rfc3339(*text);
  if (!value)
    note(errc::bad_input, name, "is not a time by RFC 3339");
  return value ? *value : 0;
}

std::optional<unix_ms> fields::optional_moment(const char* name) {
  if (find(name) == nullptr)
    return std::nullopt;
  return moment(name);
}

fields fields::object(const char* name) {
  const json* value = need(name);
  return {value == nullptr ? no_object : *value, path(name), *fault_};
}

const json::array_t& fields::items(const char* name) {
  const json* value = need(name);
  if (value == nullptr)
    return no_items;
  const auto* list = value->get_ptr<const json::array_t*>();
  if (list == nullptr)
    note(errc::bad_input, name, "is not an array");
  return list == nullptr ? no_items : *list;
}

const json::array_t& fields::optional_items(const char* name) {
  return find(name) == nullptr ? no_items : items(name);
}

std::vector<std::string> fields::texts(const char* list, const json::array_t& items) {
  std::vector<std::string> out;
  out.reserve(items.size());
  for (std::size_t i = 0; i < items.size(); ++i) {
    const auto* text = items[i].get_ptr<const std::string*>();
    if (text == nullptr || text->empty() || text->size() > text_bytes_max)
      fault_->note(errc::bad_input, path(list, i), "is not a text of sensible length");
    else
      out.push_back(*text);
  }
  return out;
}

} // namespace pfx::connect::service
