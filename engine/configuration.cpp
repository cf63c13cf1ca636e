// Reads a configuration file whole: text, JSON with comments, values by the table, then what only
// holds between values. Opens no file but the configuration itself.
#include "engine/configuration.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>
#include <set>
#include <stdexcept>

#include <nlohmann/json.hpp>

#include "engine/intune.hpp"
#include "engine/settings_reader.hpp"

namespace pfx::engine {
namespace {

using nlohmann::json;
using faults = std::vector<error>;

constexpr int depth_max = 16; ///< of nested values; the deepest of ours is 4

tl::unexpected<configuration_faults> all_of(faults found) {
  return tl::unexpected(configuration_faults{std::move(found)});
}

/// Follows the parser through the file and notes keys that an object has twice: the parser itself
/// keeps the last one without a word, and which one was meant only its author knows.
class key_watch {
public:
  explicit key_watch(faults& found) : found_(found) {}

  bool operator()(int depth, json::parse_event_t event, json& value) {
    if (depth > depth_max) // not read on: the parser would, and take its time
      throw std::length_error("is nested too deeply");
    switch (event) {
      case json::parse_event_t::object_start:
        open(false);
        break;
      case json::parse_event_t::array_start:
        open(true);
        break;
      case json::parse_event_t::object_end:
      case json::parse_event_t::array_end:
        close();
        break;
      case json::parse_event_t::key:
        key(value.get_ref<const std::string&>());
        break;
      case json::parse_event_t::value:
        next_element();
        break;
    }
    return true;
  }

private:
  struct level {
    bool list = false;
    std::size_t index = 0;
    std::string path;
    std::set<std::string> keys;
    std::string current;
  };

  [[nodiscard]] std::string path_here() const {
    if (levels_.empty())
      return {};
    const auto& top = levels_.back();
    if (top.list)
      return top.path + "[" + std::to_string(top.index) + "]";
    return top.path.empty() ? top.current : top.path + "." + top.current;
  }
  void open(bool list) {
    auto path = path_here();
    levels_.push_back(level{.list = list, .path = std::move(path)});
  }
  void close() {
    levels_.pop_back();
    next_element();
  }
  void next_element() {
    if (!levels_.empty() && levels_.back().list)
      ++levels_.back().index;
  }
  void key(const std::string& name) {
    auto& top = levels_.back();
    top.current = printable(name);
    if (!top.keys.insert(name).second && found_.size() < 100)
      found_.push_back(error{errc::bad_input, path_here(), "appears twice in one object"});
  }

  faults& found_;
  std::vector<level> levels_;
};

/// "line 3, column 7" of an octet of the text.
std::string position_of(std::string_view text, std::size_t octet) {
  text = text.substr(0, std::min(octet == 0 ? 0 : octet - 1, text.size()));
  const auto line = std::ranges::count(text, '\n') + 1;
  const auto column = text.size() - (text.rfind('\n') + 1) + 1; // npos + 1 = 0: the first line
  return "line " + std::to_string(line) + ", column " + std::to_string(column);
}

std::optional<json> parse_text(std::string_view text, faults& found) {
  key_watch watch(found);
  try {
    return json::parse(
      text, [&](int depth, json::parse_event_t event, json& v) { return watch(depth, event, v); },
      true, true);
  } catch (const std::length_error& fault) {
    found.push_back(error{errc::too_large, "", fault.what()});
  } catch (const json::parse_error& fault) {
    // "[json.exception.parse_error.101] parse error at line 2, column 3: syntax error …"
    const std::string words = fault.what();
    const auto colon = words.find(": ");
    const auto reason = colon == std::string::npos ? words : words.substr(colon + 2);
    found.push_back(
      error{errc::bad_input, "",
            "is not JSON at " + position_of(text, fault.byte) + ": " + printable(reason, 300)});
  } catch (const std::exception& fault) {
    found.push_back(error{errc::bad_input, "", "cannot be read: " + printable(fault.what(), 300)});
  }
  return std::nullopt;
}

void fill_defaults(configuration& settings) {
  const auto beside = [&](std::string_view name) {
    return (std::filesystem::path(settings.data_directory) / name).string();
  };
  if (settings.identity_file.empty() && !settings.data_directory.empty())
    settings.identity_file = beside("identity.json");
  if (settings.anchor_file.empty() && !settings.data_directory.empty())
    settings.anchor_file = settings.data_directory + "-anchor/anchor";
  if (settings.updates && settings.updates->directory.empty() && !settings.data_directory.empty())
    settings.updates->directory = settings.data_directory + "-updates";
  if (settings.keys_directory.empty() && !settings.data_directory.empty())
    settings.keys_directory = beside("keys");
  if (settings.control_socket.empty() && !settings.data_directory.empty())
    settings.control_socket = beside("control.sock");
  while (settings.service.url.ends_with('/'))
    settings.service.url.pop_back();
  for (auto& authority : settings.authorities) {
    while (authority.url.ends_with('/'))
      authority.url.pop_back();
    if (authority.trusted_roots_file.empty())
      authority.trusted_roots_file = settings.service.trusted_roots_file;
  }
}

void check_intune(const intune_settings& settings, faults& found) {
  const auto complain = [&](std::string field, std::string sentence) {
    found.push_back(error{errc::bad_input, std::move(field), std::move(sentence)});
  };
  const auto where = detail::cloud_of(settings);
  if (!where)
    complain(where.error().field, where.error().message);
  else if (const auto address = connect::intune::token_address(*where, settings.tenant);
           !address && !settings.tenant.empty())
    complain("intune.tenant", address.error().message);
  constexpr auto most = connect::intune::credentials_max;
  if (settings.credentials.empty() || settings.credentials.size() > most)
    complain("intune.credentials", "must name 1 to " + std::to_string(most));
  for (std::size_t i = 0; i < settings.credentials.size(); ++i) {
    const auto& one = settings.credentials[i];
    const auto field = "intune.credentials[" + std::to_string(i) + "]";
    if (one.secret_file.empty() == one.certificate_file.empty())
      complain(field, "must have either secretFile or certificateFile with keyFile");
    else if (one.certificate_file.empty() != one.key_file.empty())
      complain(field,
               one.key_file.empty() ? "has no keyFile for its certificate"
                                    : "has a keyFile beside its secret");
  }
}

bool lies_in(const std::string& file, const std::string& folder) {
  const auto relative = std::filesystem::path(file).lexically_relative(folder);
  return !relative.empty() && *relative.begin() != "..";
}

/// What is right for each value alone and wrong together.
void check_together(const configuration& settings, faults& found) {
  const auto complain = [&](std::string field, std::string sentence) {
    found.push_back(error{errc::bad_input, std::move(field), std::move(sentence)});
  };
  if (!settings.master_key_file.empty() && !settings.data_directory.empty()
      && lies_in(settings.master_key_file, settings.data_directory))
    complain("masterKeyFile", "lies in dataDirectory: whoever copies one would have the other too");
  if (!settings.anchor_file.empty() && !settings.data_directory.empty()
      && lies_in(settings.anchor_file, settings.data_directory))
    complain("anchorFile", "lies in dataDirectory: a restored copy would bring its own along");
  if (settings.control_socket.size() > detail::control_socket_bytes_max)
    complain("controlSocket",
             "is a longer path than the " + std::to_string(detail::control_socket_bytes_max)
               + " bytes that a Unix socket may have: set a shorter one");
  if (settings.intune)
    check_intune(*settings.intune, found);
  if (settings.updates && !settings.updates->directory.empty() && !settings.data_directory.empty()
      && lies_in(settings.updates->directory, settings.data_directory))
    complain("updates.directory",
             "lies in dataDirectory: a restored copy would forget what was seen");
  std::set<std::string> names;
  for (std::size_t i = 0; i < settings.authorities.size(); ++i)
    if (!settings.authorities[i].name.empty() && !names.insert(settings.authorities[i].name).second)
      complain("authorities[" + std::to_string(i) + "].name", "is the name of an earlier one too");
  std::set<std::string> opened;
  for (std::size_t i = 0; i < settings.issuance.authorities.size(); ++i) {
    const auto& name = settings.issuance.authorities[i].name;
    const auto field = "issuance.authorities[" + std::to_string(i) + "].name";
    if (!name.empty() && !names.contains(name))
      complain(field, "is not the name of one of authorities");
    else if (!name.empty() && !opened.insert(name).second)
      complain(field, "is the name of an earlier one too");
  }
}

result<std::string> read_whole(const std::string& path) {
  std::error_code fault;
  if (!std::filesystem::is_regular_file(path, fault))
    return failure(fault ? errc::io : errc::not_found, printable(path, 512),
                   fault ? fault.message() : "there is no such file");
  std::ifstream file(path, std::ios::binary);
  if (!file)
    return failure(errc::io, printable(path, 512), "cannot be opened for reading");
  std::string text(detail::file_bytes_max + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad())
    return failure(errc::io, printable(path, 512), "cannot be read");
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > detail::file_bytes_max)
    return failure(errc::too_large, printable(path, 512), "is longer than 1 MiB");
  return text;
}

} // namespace

tl::expected<configuration, configuration_faults> parse_configuration(std::string_view text,
                                                                      const std::string& folder) {
  faults found;
  const auto whole = parse_text(text, found);
  if (!whole)
    return all_of(std::move(found));
  configuration settings;
  detail::settings_reader(settings, folder, found).read(*whole);
  fill_defaults(settings);
  check_together(settings, found);
  if (!found.empty())
    return all_of(std::move(found));
  return settings;
}

tl::expected<configuration, configuration_faults> load_configuration(const std::string& path) {
  const auto text = read_whole(path);
  if (!text)
    return all_of({text.error()});
  const auto full = std::filesystem::absolute(path).lexically_normal();
  auto settings = parse_configuration(*text, full.parent_path().string());
  if (settings)
    settings->path = full.string();
  return settings;
}

} // namespace pfx::engine
