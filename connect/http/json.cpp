// Builds nlohmann's DOM from SAX events, so that depth, number of values and duplicate keys are
// seen while reading. Refuses what RFC 8259 refuses, and a NUL octet (which nlohmann takes for the
// end).
#include "connect/http/json.hpp"

namespace pfx::connect::http {

namespace {

using json = nlohmann::json;

/// A batch of 500 full requests has about 1.4 million values; each costs up to 100 octets of
/// memory.
constexpr std::size_t values_max = 2'000'000;

void append_pointer_token(std::string& out, const std::string& token) {
  out += '/';
  for (char c : token) {
    if (c == '~')
      out += "~0";
    else if (c == '/')
      out += "~1";
    else
      out += c;
  }
}

/// SAX handler; lives for one parse. Returning false stops the parser.
class dom_builder {
public:
  dom_builder(parsed_json& out, std::size_t depth_max) : out_(out), depth_max_(depth_max) {}

  bool null() { return put(nullptr) != nullptr; }
  bool boolean(bool value) { return put(value) != nullptr; }
  bool number_integer(json::number_integer_t value) { return put(value) != nullptr; }
  bool number_unsigned(json::number_unsigned_t value) { return put(value) != nullptr; }
  bool number_float(json::number_float_t value, const json::string_t&) {
    return put(value) != nullptr;
  }
  bool string(json::string_t& value) { return put(std::move(value)) != nullptr; }
  bool binary(json::binary_t&) { return false; }

  bool start_object(std::size_t) { return open(json::object()); }
  bool start_array(std::size_t) { return open(json::array()); }
  bool end_object() { return close(); }
  bool end_array() { return close(); }

  bool key(json::string_t& name) {
    level& top = levels_.back();
    auto [slot, fresh] = top.value->get_ref<json::object_t&>().try_emplace(name, nullptr);
    top.slot = &slot->second;
    top.key = std::move(name);
    if (!fresh && out_.duplicates.size() < json_duplicates_max)
      out_.duplicates.push_back(pointer());
    return true;
  }

  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception&) {
    fault_ = "is not JSON, at octet " + std::to_string(position);
    return false;
  }

  [[nodiscard]] const std::string& fault() const noexcept { return fault_; }
  [[nodiscard]] bool too_many() const noexcept { return too_many_; }

private:
  struct level {
    json* value = nullptr; ///< the array or object being filled
    json* slot = nullptr;  ///< object: where the next value goes
    std::string key;       ///< object: its name
  };

  json* put(json value) {
    if (++values_ > values_max) {
      too_many_ = true;
      fault_ = "has more than " + std::to_string(values_max) + " values";
      return nullptr;
    }
    if (levels_.empty()) {
      out_.value = std::move(value);
      return &out_.value;
    }
    level& top = levels_.back();
    if (top.value->is_array()) {
      auto& items = top.value->get_ref<json::array_t&>();
      items.push_back(std::move(value));
      return &items.back();
    }
    *top.slot = std::move(value);
    return top.slot;
  }

  bool open(json container) {
    if (levels_.size() >= depth_max_) {
      fault_ = "is nested deeper than " + std::to_string(depth_max_);
      return false;
    }
    json* placed = put(std::move(container));
    if (placed == nullptr)
      return false;
    levels_.push_back({placed, nullptr, {}});
    return true;
  }

  bool close() {
    levels_.pop_back();
    return true;
  }

  /// RFC 6901 pointer of the key just read.
  [[nodiscard]] std::string pointer() const {
    std::string out;
    for (const level& at : levels_) {
      if (at.value->is_array())
        append_pointer_token(out, std::to_string(at.value->size() - 1));
      else
        append_pointer_token(out, at.key);
    }
    return out;
  }

  parsed_json& out_;
  std::size_t depth_max_;
  std::size_t values_ = 0;
  bool too_many_ = false;
  std::string fault_;
  std::vector<level> levels_;
};

} // namespace

result<parsed_json> parse_json(std::string_view text, std::size_t depth_max) {
  if (auto nul = text.find('\0'); nul != std::string_view::npos)
    return failure(errc::bad_input, "", "is not JSON, at octet " + std::to_string(nul + 1));
  parsed_json out;
  dom_builder builder(out, depth_max);
  try {
    if (json::sax_parse(text.begin(), text.end(), &builder))
      return out;
  } catch (const std::exception&) {
    return failure(errc::bad_input, "", "is not JSON that can be held");
  }
  std::string fault = builder.fault().empty() ? "is not JSON" : builder.fault();
  return failure(builder.too_many() ? errc::too_large : errc::bad_input, "", std::move(fault));
}

result<nlohmann::json> parse_json_strict(std::string_view text) {
  auto parsed = parse_json(text);
  if (!parsed)
    return failure(parsed.error());
  if (!parsed->duplicates.empty())
    return failure(errc::bad_input, parsed->duplicates.front(), "appears twice");
  return std::move(parsed->value);
}

} // namespace pfx::connect::http
