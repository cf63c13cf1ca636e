// The deep look that `config check` takes: everything on this machine that a configuration names.
// Calls nobody and changes nothing.
#include <unistd.h>

#include <filesystem>

#include "crypto/certificate.hpp"
#include "crypto/name.hpp"
#include "crypto/release.hpp"
#include "crypto/seal.hpp"
#include "engine/files.hpp"
#include "engine/identity.hpp"
#include "engine/intune.hpp"

namespace pfx::engine {
namespace {

constexpr std::size_t bundle_bytes_max = 8u << 20;

/// Gathers faults under the name of the setting, with the path in the sentence.
class inspection {
public:
  void complain(std::string field, const error& what) {
    auto sentence = what.field.empty() ? what.message : what.field + ": " + what.message;
    faults_.push_back(error{what.code, std::move(field), std::move(sentence)});
  }
  void complain(std::string field, errc code, std::string sentence) {
    faults_.push_back(error{code, std::move(field), std::move(sentence)});
  }
  [[nodiscard]] std::vector<error> take() { return std::move(faults_); }

private:
  std::vector<error> faults_;
};

void inspect_bundle(inspection& into, const std::string& field, const std::string& path) {
  if (path.empty())
    return; // the system's roots
  const auto octets = detail::read_file(path, bundle_bytes_max);
  if (!octets)
    return into.complain(field, octets.error());
  const auto certificates = crypto::certificate::all_from_pem(to_text(*octets));
  if (!certificates)
    return into.complain(field, certificates.error());
  if (certificates->empty())
    return into.complain(field, errc::bad_input, printable(path, 512) + ": holds no certificate");
  const auto now = system_clock().wall();
  std::size_t living = 0;
  for (const auto& each : *certificates) {
    living += each.not_before() <= now && now < each.not_after() ? 1 : 0;
    if (!each.is_ca())
      into.complain(field, errc::bad_input,
                    printable(path, 512) + ": holds \"" + printable(each.subject())
                      + "\", which is not the certificate of an authority");
  }
  if (living == 0)
    into.complain(field, errc::bad_input,
                  printable(path, 512) + ": every certificate in it is out of time");
}

void inspect_folder(inspection& into, const configuration& settings) {
  const auto& path = settings.data_directory;
  std::error_code fault;
  const auto facts = std::filesystem::status(path, fault);
  if (!std::filesystem::is_directory(facts))
    return into.complain("dataDirectory", errc::not_found,
                         printable(path, 512) + ": is not a folder; `pfxengine init` makes it");
  using std::filesystem::perms;
  if ((facts.permissions() & (perms::group_all | perms::others_all)) != perms::none)
    into.complain("dataDirectory", errc::policy,
                  printable(path, 512) + ": may be entered by others; chmod 0700");
  if (::access(path.c_str(), R_OK | W_OK | X_OK) != 0)
    into.complain("dataDirectory", errc::io,
                  printable(path, 512) + ": cannot be written by this user");
  const auto space = std::filesystem::space(path, fault);
  if (!fault && space.available < settings.limits.free_bytes_floor)
    into.complain("limits.freeSpaceFloorMebibytes", errc::disk_full,
                  printable(path, 512) + ": only " + std::to_string(space.available >> 20)
                    + " MiB are free: nothing would be accepted");
}

void inspect_socket_folder(inspection& into, const configuration& settings) {
  const auto folder = std::filesystem::path(settings.control_socket).parent_path();
  if (folder.string() == settings.data_directory)
    return; // looked at already
  if (::access(folder.c_str(), W_OK | X_OK) != 0)
    into.complain("controlSocket", errc::io,
                  printable(folder.string(), 512)
                    + ": is not a folder that this user can write to");
}

/// Written each second by the engine; its folder is made if that is possible.
void inspect_anchor(inspection& into, const configuration& settings) {
  const auto folder = std::filesystem::path(settings.anchor_file).parent_path();
  std::error_code fault;
  const auto where = std::filesystem::exists(folder, fault) ? folder : folder.parent_path();
  if (::access(where.c_str(), W_OK | X_OK) != 0)
    into.complain("anchorFile", errc::io,
                  printable(folder.string(), 512)
                    + ": is not a folder that this user can write to; make it for this user, or "
                      "set anchorFile to a path outside of dataDirectory and of its backup");
}

void inspect_identity(inspection& into, const configuration& settings) {
  const auto identity = load_identity(settings);
  if (!identity)
    return into.complain("identityFile", identity.error());
  const auto own = crypto::certificate::from_pem(identity->certificate_pem);
  if (own && own->not_after() <= system_clock().wall())
    into.complain("identityFile", errc::unauthorized,
                  "the connector's certificate ended at " + to_rfc3339(own->not_after()));
}

void inspect_intune(inspection& into, const intune_settings& settings) {
  inspect_bundle(into, "intune.trustedRootsFile", settings.trusted_roots_file);
  if (const auto proxy = detail::read_proxy(settings); !proxy)
    into.complain(proxy.error().field, proxy.error().code, proxy.error().message);
  const auto now = system_clock().wall();
  std::size_t ended = 0;
  for (std::size_t i = 0; i < settings.credentials.size(); ++i) {
    const auto one = detail::read_credential(settings.credentials[i], i);
    if (!one)
      into.complain(one.error().field, one.error().code, one.error().message);
    else
      ended += one->end().value_or(now + 1) <= now ? 1 : 0;
  }
  if (ended > 0 && ended == settings.credentials.size())
    into.complain("intune.credentials", errc::unauthorized, "each of them has ended");
}

/// What is believed already needs no first root any more.
void inspect_updates(inspection& into, const updates_settings& settings) {
  inspect_bundle(into, "updates.trustedRootsFile", settings.trusted_roots_file);
  std::error_code none;
  if (std::filesystem::exists(settings.directory + "/trusted/trust", none))
    return;
  const auto text = detail::read_file(settings.first_root_file, release::document_bytes_max);
  if (!text) {
    into.complain("updates.firstRootFile", text.error());
    return;
  }
  const auto root = crypto::read_first_root(to_text(*text), system_clock().wall());
  if (!root)
    into.complain("updates.firstRootFile", root.error());
}

void inspect_names(inspection& into, const configuration& settings) {
  const auto& suffixes = settings.issuance.directory_name_suffixes;
  for (std::size_t i = 0; i < suffixes.size(); ++i)
    if (auto name = crypto::name_from_text(suffixes[i]); !name)
      into.complain("issuance.directoryNameSuffixes[" + std::to_string(i) + "]", errc::bad_input,
                    name.error().message);
}

} // namespace

std::vector<error> check_configuration(const configuration& settings) {
  inspection into;
  inspect_folder(into, settings);
  inspect_socket_folder(into, settings);
  inspect_anchor(into, settings);
  const auto key = crypto::read_master_key(settings.master_key_file);
  if (!key)
    into.complain("masterKeyFile", key.error());
  else
    inspect_identity(into, settings);
  inspect_bundle(into, "service.trustedRootsFile", settings.service.trusted_roots_file);
  for (std::size_t i = 0; i < settings.authorities.size(); ++i) {
    const auto& authority = settings.authorities[i];
    const auto field = "authorities[" + std::to_string(i) + "].";
    if (authority.trusted_roots_file != settings.service.trusted_roots_file)
      inspect_bundle(into, field + "trustedRootsFile", authority.trusted_roots_file);
    inspect_bundle(into, field + "chainRootsFile", authority.chain_roots_file);
  }
  inspect_bundle(into, "recipients.trustFile", settings.recipients.trust_file);
  inspect_names(into, settings);
  if (settings.intune)
    inspect_intune(into, *settings.intune);
  if (settings.updates)
    inspect_updates(into, *settings.updates);
  return into.take();
}

std::vector<std::string> configuration_notes(const configuration& settings) {
  std::vector<std::string> out;
  const auto now = system_clock().wall();
  const auto tell = [&](const std::string& field, std::optional<unix_ms> end) {
    if (end && *end <= now + detail::expiry_notice_ms)
      out.push_back(field + (*end <= now ? ": ended at " : ": ends at ") + to_rfc3339(*end)
                    + (*end <= now ? "" : "; put another one beside it before"));
  };
  if (!settings.intune)
    return out;
  const auto& credentials = settings.intune->credentials;
  for (std::size_t i = 0; i < credentials.size(); ++i)
    if (const auto one = detail::read_credential(credentials[i], i))
      tell("intune.credentials[" + std::to_string(i) + "]", one->end());
  return out;
}

} // namespace pfx::engine
