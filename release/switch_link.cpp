// The link to the version that runs: where it leads, where it should, and what a package brings.
#include "release/switch.hpp"

#include <filesystem>
#include <unistd.h>

#include "core/fault_point.hpp"
#include "core/program_version.hpp"
#include "release/files.hpp"
#include "release/incoming.hpp"

namespace pfx::release {

result<bool> switcher::adopt(const std::string& program) {
  if (state_.phase != switch_phase::idle)
    return failure(errc::conflict, "switch", "goes on; pfxengine-switch run ends it");
  const auto& own = settings_.shipped;
  const bool newer = state_.current.what < own;
  const auto target = newer ? installed_version{own, store_format_version} : state_.current;
  if (newer && is_held(state_, own))
    return failure(errc::policy, "version", to_string(own) + " is held: " + state_.reason);
  if (auto reads = can_read_store(target); !reads)
    return failure(reads.error());
  const auto there = [this](const version& what) {
    std::error_code none;
    return std::filesystem::is_directory(detail::version_folder(settings_.programs_folder, what),
                                         none);
  };
  if (newer || (target.what == own && !there(own)))
    if (auto done = detail::install_program(program, own, settings_.programs_folder); !done)
      return failure(done.error());
  auto next = state_;
  next.current = target;
  if (newer) {
    next.previous = there(state_.current.what) ? std::optional(state_.current)
                                               : std::optional<installed_version>();
    next.reason.clear();
  }
  if (auto done = remember(std::move(next)); !done)
    return failure(done.error());
  if (auto led = lead_to(target.what); !led)
    return failure(led.error());
  return newer;
}

result<void> switcher::check_link(service_control& service) const {
  const auto link = std::filesystem::path(settings_.programs_folder) / "current";
  return service.check_program((link / detail::program).lexically_normal().string());
}

/// There must be a way back, and the link must be ours: nothing is switched otherwise.
result<void> switcher::check_current() const {
  const auto should = detail::version_folder(settings_.programs_folder, state_.current.what);
  const auto link = settings_.programs_folder + "/current";
  std::error_code none;
  if (std::filesystem::is_directory(should, none)
      && std::filesystem::equivalent(link, should, none))
    return {};
  return failure(errc::policy, "link",
                 printable(link, 512) + " does not lead to " + printable(should, 512)
                   + ", which should run; see /usr/libexec/pfxengine/updates on");
}

result<void> switcher::lead_to(const version& what) const {
  const auto& folder = settings_.programs_folder;
  const auto name = "versions/" + to_string(what);
  std::error_code none;
  if (!std::filesystem::is_directory(folder + "/" + name, none))
    return failure(errc::not_found, printable(folder + "/" + name, 512), "is not there");
  const auto link = folder + "/current";
  const auto beside = folder + "/.current";
  ::unlink(beside.c_str());
  if (::symlink(name.c_str(), beside.c_str()) != 0)
    return failure(detail::system_error(beside, "cannot be made"));
  fault_point("switch.link");
  if (::rename(beside.c_str(), link.c_str()) != 0)
    return failure(detail::system_error(link, "cannot be changed"));
  fault_point("switch.linked");
  return detail::sync_folder_of(link);
}

/// Keeps what runs and what ran before.
void switcher::sweep() const {
  std::error_code none;
  for (const auto& entry :
       std::filesystem::directory_iterator(settings_.programs_folder + "/versions", none)) {
    const auto what = version_from(entry.path().filename().string());
    if (what && *what != state_.current.what
        && (!state_.previous || *what != state_.previous->what))
      static_cast<void>(detail::remove_tree(entry.path().string()));
  }
}

} // namespace pfx::release
