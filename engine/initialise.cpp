// The first minute on a machine: data directory, master key, a configuration to start from.
// Overwrites nothing: what is there is told and left.
#include <filesystem>

#include <nlohmann/json.hpp>

#include "crypto/seal.hpp"
#include "engine/files.hpp"
#include "engine/identity.hpp"
#include "engine/owner.hpp"
#include "engine/settings_reader.hpp"

namespace pfx::engine {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view starting_text
  = R"(// Configuration of pfxengine. See `pfxengine config doc` and `pfxengine config check`.
{
  "dataDirectory": @data,
  "masterKeyFile": @key,
  "service": {
    "url": @url,
    @roots"tenant": @tenant
  },

  // The certification authorities by the names that the service uses.
  "authorities": [
    // {"name": "Example-CA", "url": "https://ca.example.test/ca", "chainRootsFile": "ca.pem"}
  ],

  // Who may receive a secret: the roots of device certificates (PEM). Put the file there.
  "recipients": {"trustFile": "device-roots.pem"},

  // What may be certified. Closed: whatever is not named here is refused.
  "issuance": {
    "authorities": [
      // {"name": "Example-CA", "templates": ["User"]}
    ],
    "nameTypes": [],           // "rfc822", "upn", "dns", "uri", "ip", "directoryName"
    "nameSuffixes": [],        // "example.test", ".example.test"
    "extendedKeyUsages": []    // "1.3.6.1.5.5.7.3.2" client, "…3.4" e-mail
  }
}
)";

void replace(std::string& text, std::string_view mark, const std::string& with) {
  if (const auto at = text.find(mark); at != std::string::npos)
    text.replace(at, mark.size(), with);
}

std::string quoted(const std::string& text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string starting_configuration(const init_order& order, const std::string& key_file) {
  std::string text(starting_text);
  const auto absolute = [](const std::string& path) { return detail::resolve_path(path, "."); };
  replace(text, "@data", quoted(absolute(order.data_directory)));
  replace(text, "@key", quoted(absolute(key_file)));
  replace(text, "@url", quoted(order.service_url));
  replace(text, "@roots",
          order.trusted_roots_file.empty()
            ? ""
            : "\"trustedRootsFile\": " + quoted(absolute(order.trusted_roots_file)) + ",\n    ");
  replace(text, "@tenant", quoted(order.tenant));
  return text;
}

/// A fault of the order shows before anything is made.
result<void> check_order(const std::string& text, const fs::path& folder) {
  const auto parsed = parse_configuration(text, folder.string());
  if (!parsed)
    return failure(parsed.error().faults.front());
  return {};
}

/// To the user that the engine will run as: only what was made here. What was there before keeps
/// its owner and its mode, whatever folder it is.
result<void> hand_over(const std::string& user, const std::vector<std::string>& folders,
                       const std::vector<std::string>& readable) {
  for (const auto& path : folders)
    if (auto given = give_to(user, path); !given)
      return given;
  for (const auto& path : readable)
    if (auto let = let_read(user, path); !let)
      return let;
  return {};
}

} // namespace

result<std::vector<std::string>> initialise(const init_order& order) {
  std::vector<std::string> done;
  const fs::path path = detail::resolve_path(order.configuration_path, ".");
  const auto key_file = (path.parent_path() / "master.key").string();
  const auto text = starting_configuration(order, key_file);
  if (auto sound = check_order(text, path.parent_path()); !sound)
    return failure(sound.error());
  if (!order.user.empty() && !user_exists(order.user))
    return failure(errc::bad_input, "user",
                   "there is no user " + printable(order.user) + " on this machine");

  const auto made = detail::make_private_folder(detail::resolve_path(order.data_directory, "."));
  if (!made)
    return failure(made.error());
  done.push_back((*made ? "made the data directory " : "kept the data directory ")
                 + order.data_directory);

  // Beside the data directory and not in it: a restored copy must not bring its own anchor along.
  // Made here, because the engine's user may have no right to make a folder there.
  const auto anchor = detail::resolve_path(order.data_directory, ".") + "-anchor";
  const auto beside = detail::make_private_folder(anchor);
  if (!beside)
    return failure(beside.error());
  done.push_back((*beside ? "made the folder of the anchor " : "kept the folder of the anchor ")
                 + anchor + ": leave it out of backups");

  const auto folder = detail::make_private_folder(path.parent_path().string());
  if (!folder)
    return failure(folder.error());
  if (std::error_code fault; fs::exists(key_file, fault)) {
    done.push_back("kept the master key " + key_file);
  } else {
    if (auto written = crypto::write_new_master_key(key_file); !written)
      return failure(written.error());
    done.push_back("made the master key " + key_file + ": keep a copy in a safe place");
  }

  const auto written = detail::write_new_file(path.string(), as_bytes(text));
  if (!written && written.error().code != errc::conflict)
    return failure(written.error());
  done.push_back((written ? "wrote the configuration " : "kept the configuration ")
                 + path.string());
  if (order.user.empty())
    return done;
  std::vector<std::string> folders, readable;
  if (*made)
    folders.push_back(detail::resolve_path(order.data_directory, "."));
  if (*beside)
    folders.push_back(anchor);
  if (*folder)
    readable.push_back(path.parent_path().string());
  if (written)
    readable.push_back(path.string());
  if (auto given = hand_over(order.user, folders, readable); !given)
    return failure(given.error());
  done.push_back("what was made here is for " + order.user
                 + ", who may read the configuration; the master key stays with who made it");
  return done;
}

} // namespace pfx::engine
