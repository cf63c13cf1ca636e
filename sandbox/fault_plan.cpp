// From a file's text to a plan. Every fault of the file is gathered before it is refused.
#include "sandbox/fault_plan.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <stdexcept>

#include <nlohmann/json.hpp>

#include "sandbox/fault_table.hpp"

namespace pfx::sandbox {

using json = nlohmann::json;

namespace {

constexpr std::size_t file_bytes_max = 1u << 20;
constexpr int depth_max = 6; ///< of nested values; the deepest of ours is 4
constexpr std::size_t rules_max = 200;
constexpr std::size_t faults_max = 100; ///< of a file, told at once
constexpr double seconds_max = 120;     ///< of one late or dripping answer
constexpr double until_seconds_max = 86'400;
constexpr double count_max = 1'000'000'000;
constexpr std::size_t header_bytes_max = 200;

class plan_reader {
public:
  explicit plan_reader(std::vector<error>& faults) : faults_(faults) {}

  fault_plan read(const json& whole) {
    fault_plan out;
    if (!is_object(whole, "")) {
      return out;
    }
    for (const auto& [name, value] : whole.items()) {
      if (name == "until") {
        read_until(value, out);
      } else if (name == "faults") {
        read_rules(value, out);
      } else {
        complain(printable(name), "is not known: until or faults");
      }
    }
    if (!whole.contains("faults")) {
      complain("faults", "is missing");
    }
    return out;
  }

private:
  void complain(std::string field, std::string sentence) {
    if (faults_.size() < faults_max) {
      faults_.push_back(error{errc::bad_input, std::move(field), std::move(sentence)});
    }
  }

  static std::string shown(double limit) {
    const auto rounded = static_cast<std::int64_t>(limit);
    return static_cast<double>(rounded) == limit ? std::to_string(rounded) : json(limit).dump();
  }

  bool is_object(const json& value, const std::string& where) {
    if (!value.is_object()) {
      complain(where, "is no object");
    }
    return value.is_object();
  }

  std::optional<double> number(const json& value, const std::string& where, double least,
                               double most, bool whole) {
    const double out = value.is_number() ? value.get<double>() : 0;
    if (!value.is_number() || (whole && !value.is_number_integer())) {
      complain(where, whole ? "is no whole number" : "is no number");
    } else if (!(out >= least && out <= most)) {
      complain(where, "is not between " + shown(least) + " and " + shown(most));
    } else {
      return out;
    }
    return std::nullopt;
  }

  std::uint64_t whole(const json& value, const std::string& where, double least, double most) {
    return static_cast<std::uint64_t>(number(value, where, least, most, true).value_or(least));
  }

  std::string word(const json& value, const std::string& where) {
    if (!value.is_string() || value.get_ref<const std::string&>().size() > header_bytes_max) {
      complain(where, "is no text, or a long one");
      return {};
    }
    return value.get<std::string>();
  }

  void read_until(const json& value, fault_plan& into) {
    if (!is_object(value, "until")) {
      return;
    }
    for (const auto& [name, limit] : value.items()) {
      const auto where = "until." + printable(name);
      if (name == "seconds") {
        into.until_ms = static_cast<std::int64_t>(
          1'000 * number(limit, where, 0.001, until_seconds_max, false).value_or(0));
      } else if (name == "calls") {
        into.until_calls = whole(limit, where, 1, count_max);
      } else {
        complain(where, "is not known: seconds or calls");
      }
    }
  }

  void read_rules(const json& value, fault_plan& into) {
    if (!value.is_array() || value.size() > rules_max) {
      complain("faults", "is no list, or one of more than " + std::to_string(rules_max));
      return;
    }
    for (std::size_t at = 0; at < value.size(); ++at) {
      const auto where = "faults[" + std::to_string(at) + "]";
      if (is_object(value[at], where)) {
        into.rules.push_back(read_rule(value[at], where));
      }
    }
  }

  fault_rule read_rule(const json& value, const std::string& where) {
    fault_rule out;
    const auto named = value.find("fault");
    const auto* row = named != value.end() && named->is_string()
      ? row_named(named->get_ref<const std::string&>())
      : nullptr;
    if (row == nullptr) {
      complain(where + ".fault", named == value.end() ? "is missing" : "is no fault that is known");
      return out;
    }
    out.kind = row->kind;
    out.handled = row->kind == fault_kind::late;
    for (const auto& [name, one] : value.items()) {
      const auto path = where + "." + printable(name);
      if (name != "fault" && !read_common(out, *row, name, one, path)) {
        read_own(out, *row, name, one, path);
      }
    }
    if (value.contains("share") == value.contains("numbers")) {
      complain(where, "needs one of share and numbers");
    }
    return out;
  }

  bool read_common(fault_rule& into, const fault_row& row, const std::string& name,
                   const json& value, const std::string& path) {
    if (name == "calls") {
      read_calls(into, row, value, path);
    } else if (name == "share") {
      into.share = number(value, path, 0, 1, false).value_or(0);
    } else if (name == "numbers") {
      read_numbers(into, value, path);
    } else if (name == "span") {
      into.span = whole(value, path, 1, count_max);
    } else if (name == "most") {
      into.most = whole(value, path, 1, count_max);
    } else {
      return false;
    }
    return true;
  }

  void read_calls(fault_rule& into, const fault_row& row, const json& value,
                  const std::string& path) {
    if (!value.is_array() || value.empty()) {
      complain(path, "is no list of calls");
      return;
    }
    for (std::size_t at = 0; at < value.size(); ++at) {
      const auto where = path + "[" + std::to_string(at) + "]";
      const auto call = word(value[at], where);
      if (!call.empty() && !can_befall(row.kind, call)) {
        complain(where, "is no call at which \"" + std::string(row.name) + "\" can be");
      }
      into.calls.push_back(call);
    }
  }

  void read_numbers(fault_rule& into, const json& value, const std::string& path) {
    if (!value.is_array() || value.empty()) {
      complain(path, "is no list of whole numbers");
      return;
    }
    for (std::size_t at = 0; at < value.size(); ++at) {
      into.numbers.push_back(whole(value[at], path + "[" + std::to_string(at) + "]", 1, count_max));
    }
    std::ranges::sort(into.numbers);
  }

  void read_own(fault_rule& into, const fault_row& row, const std::string& name, const json& value,
                const std::string& path) {
    const auto at = std::ranges::find(row.settings, name,
                                      [](fault_setting one) { return std::string(name_of(one)); });
    if (at == row.settings.end()) {
      complain(path, "means nothing to \"" + std::string(row.name) + "\"");
      return;
    }
    switch (*at) {
      case fault_setting::when:
        read_when(into, value, path);
        break;
      case fault_setting::status:
        into.status = static_cast<int>(whole(value, path, 400, 599));
        break;
      case fault_setting::retry_after:
        read_retry_after(into, value, path);
        break;
      case fault_setting::seconds:
        into.ms = static_cast<std::int64_t>(
          1'000 * number(value, path, 0.001, seconds_max, false).value_or(1));
        break;
      case fault_setting::by:
        into.by
          = static_cast<std::int64_t>(number(value, path, -100'000, 100'000, true).value_or(1));
        if (into.by == 0) {
          complain(path, "is zero: that is the right length");
        }
        break;
      case fault_setting::count:
        into.count = whole(value, path, 1, 500);
        break;
      case fault_setting::which:
        read_which(into, value, path);
        break;
      case fault_setting::handshakes:
        into.handshakes = whole(value, path, 1, 1'000);
        break;
      case fault_setting::answers:
        into.answers = whole(value, path, 1, 1'000'000);
        break;
    }
  }

  void read_when(fault_rule& into, const json& value, const std::string& path) {
    const auto text = word(value, path);
    into.handled = text == "after";
    if (text != "before" && text != "after") {
      complain(path, "is neither \"before\" nor \"after\" the call was served");
    }
  }

  void read_which(fault_rule& into, const json& value, const std::string& path) {
    const auto text = word(value, path);
    for (const auto one :
         {bad_certificate::expired, bad_certificate::wrong_name, bad_certificate::stranger}) {
      if (text == name_of(one)) {
        into.which = one;
        return;
      }
    }
    complain(path, "is none of expired, wrongName, stranger");
  }

  /// A number or a text is the header as it stands; {"date": n} a date n seconds from now.
  void read_retry_after(fault_rule& into, const json& value, const std::string& path) {
    if (value.is_number_integer()) {
      into.retry_after = value.dump();
    } else if (value.is_string()) {
      into.retry_after = word(value, path);
      if (!std::ranges::all_of(*into.retry_after, [](char c) { return c >= ' ' && c <= '~'; })) {
        complain(path, "has octets that a header can't have");
      }
    } else if (value.is_object() && value.size() == 1 && value.contains("date")) {
      into.retry_after_date_s = static_cast<std::int64_t>(
        number(value["date"], path + ".date", -1e9, 1e9, true).value_or(0));
    } else {
      complain(path, "is neither a number, a text nor {\"date\": seconds}");
    }
  }

  std::vector<error>& faults_;
};

/// Notes keys that stand twice in one object, and refuses depth.
class key_watch {
public:
  explicit key_watch(std::vector<error>& faults) : faults_(faults) {}

  bool operator()(int depth, json::parse_event_t event, json& value) {
    if (depth > depth_max) {
      throw std::length_error("is nested too deeply");
    }
    if (event == json::parse_event_t::object_start) {
      open_.emplace_back();
    } else if (event == json::parse_event_t::object_end) {
      open_.pop_back();
    } else if (event == json::parse_event_t::key
               && !open_.back().insert(value.get_ref<const std::string&>()).second
               && faults_.size() < faults_max) {
      faults_.push_back(
        error{errc::bad_input, printable(value.get<std::string>()), "stands twice in one object"});
    }
    return true;
  }

private:
  std::vector<error>& faults_;
  std::vector<std::set<std::string>> open_;
};

tl::unexpected<fault_plan_faults> all_of(std::vector<error> faults) {
  return tl::unexpected(fault_plan_faults{std::move(faults)});
}

} // namespace

tl::expected<fault_plan, fault_plan_faults> read_fault_plan(std::string_view text) {
  std::vector<error> faults;
  try {
    key_watch watch(faults);
    const auto whole = json::parse(
      text,
      [&](int depth, json::parse_event_t event, json& value) { return watch(depth, event, value); },
      true, true);
    auto out = plan_reader(faults).read(whole);
    if (faults.empty()) {
      return out;
    }
  } catch (const std::exception& caught) {
    faults.push_back(error{errc::bad_input, "", "is not JSON: " + printable(caught.what(), 300)});
  }
  return all_of(std::move(faults));
}

tl::expected<fault_plan, fault_plan_faults> load_fault_plan(const std::string& path) {
  std::error_code fault;
  if (!std::filesystem::is_regular_file(path, fault)) {
    return all_of({error{errc::not_found, printable(path, 512), "there is no such file"}});
  }
  std::ifstream file(path, std::ios::binary);
  std::string text(file_bytes_max + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!file.is_open() || file.bad()) {
    return all_of({error{errc::io, printable(path, 512), "cannot be read"}});
  }
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > file_bytes_max) {
    return all_of({error{errc::too_large, printable(path, 512), "is longer than 1 MiB"}});
  }
  return read_fault_plan(text);
}

} // namespace pfx::sandbox
