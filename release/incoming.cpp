// Copy, verify, unpack: each from what the step before made in root's own folders.
#include "release/incoming.hpp"

#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>

#include "core/fault_point.hpp"
#include "core/release_text.hpp"
#include "release/files.hpp"
#include "release/package.hpp"
#include "release/staging.hpp"
#include "release/trust_store.hpp"
#include "release/updater.hpp"

namespace pfx::release::detail {

namespace {

constexpr std::size_t small_file_bytes_max = 512;
constexpr std::uint64_t program_bytes_max = 1u << 30;

/// Gives what was made beside the others its name.
result<void> put_in_place(const std::string& beside, const std::string& to) {
  if (auto gone = remove_tree(to); !gone)
    return gone;
  if (::rename(beside.c_str(), to.c_str()) != 0)
    return failure(system_error(to, "cannot be named"));
  fault_point("switch.named");
  return sync_folder_of(to);
}

/// At most `length` octets, whatever the file grows to meanwhile.
result<void> copy_file(const std::string& from, const std::string& to, std::uint64_t length) {
  const auto input = open_regular(from);
  if (!input)
    return failure(input.error());
  const descriptor output(
    ::open(to.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!output.open())
    return failure(system_error(to, "cannot be made"));
  bytes piece(part_bytes);
  std::uint64_t copied = 0;
  while (copied <= length) {
    const auto got = ::read(input->number(), piece.data(), piece.size());
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      return failure(system_error(from, "cannot be read"));
    if (got == 0)
      return sync(output, to);
    const auto octets = byte_view(piece).first(static_cast<std::size_t>(got));
    if (auto put = write_all(output, octets, to); !put)
      return put;
    copied += octets.size();
  }
  return failure(errc::too_large, "length", printable(from, 512) + " is longer than it may be");
}

} // namespace

result<std::optional<wish>> read_wish(const std::string& update_folder) {
  const auto path = wish_path(update_folder);
  struct ::stat facts {};
  const auto seen = ::lstat(path.c_str(), &facts); // before it is read: a newer one is not missed
  auto text = read_file(path, small_file_bytes_max);
  if (!text && text.error().code == errc::not_found)
    return std::optional<wish>();
  if (!text)
    return failure(text.error());
  if (text->ends_with('\n'))
    text->pop_back();
  const auto what = version_from(*text);
  if (!what)
    return failure(errc::bad_input, printable(path, 512), "holds no version");
  wish out{*what, *text};
  if (seen == 0)
    out.name += " " + std::to_string(facts.st_ino) + " " + std::to_string(facts.st_mtim.tv_sec)
      + " " + std::to_string(facts.st_mtim.tv_nsec);
  return std::optional(std::move(out));
}

result<std::optional<std::uint32_t>> store_format(const std::string& marker) {
  constexpr std::string_view head = "pfxengine store\nformat ";
  const auto text = read_file(marker, small_file_bytes_max);
  if (!text && text.error().code == errc::not_found)
    return std::optional<std::uint32_t>();
  if (!text)
    return failure(text.error());
  const auto end = text->find('\n', head.size());
  const auto number = text->starts_with(head) && end != std::string::npos
    ? whole_number(std::string_view(*text).substr(head.size(), end - head.size()), store_format_max)
    : std::nullopt;
  if (!number)
    return failure(errc::corrupt, "store", printable(marker, 512) + " does not tell its format");
  return std::optional(static_cast<std::uint32_t>(*number));
}

result<incoming> take_incoming(const switch_settings& settings, const version& installed,
                               unix_ms now) {
  const auto staging = staging_path(settings.update_folder);
  const auto own = settings.state_folder + "/incoming";
  auto trust = trust_store::open(settings.state_folder + "/trusted", settings.first_root, now);
  if (!trust)
    return failure(trust.error());
  const auto roots = open_folder_feed(staging + "/roots");
  if (auto followed = trust->follow_all(*roots, now); !followed)
    return failure(followed.error());
  const auto text = read_file(staging + "/staged.manifest", document_bytes_max);
  if (!text)
    return failure(text.error());
  const auto taken
    = trust->take_manifest(*text, {settings.product, settings.platform, installed, now});
  if (!taken)
    return failure(taken.error());
  if (taken->is == standing::installed)
    return failure(errc::conflict, "version", to_string(installed) + " runs already");
  if (auto made = make_folder(own, 0700); !made)
    return failure(made.error());
  if (auto fits = need_room(own, taken->what.length); !fits)
    return failure(fits.error());
  incoming out{taken->what, own + "/package.tar"};
  const auto source = staging + "/" + package_file_name(out.what);
  if (auto copied = copy_file(source, out.package, out.what.length); !copied)
    return failure(copied.error());
  fault_point("switch.copied");
  const auto whole = measure(out.package, out.what.length);
  if (!whole)
    return failure(whole.error());
  if (whole->length != out.what.length || whole->hash != out.what.hash)
    return failure(errc::crypto, "sha256", "the staged package is not the one of its manifest");
  return out;
}

result<void> install(const incoming& from, const std::string& programs_folder) {
  const auto versions = programs_folder + "/versions";
  const auto beside = versions + "/.incoming";
  const auto to = version_folder(programs_folder, from.what.what);
  if (auto made = make_folder(versions, 0755); !made)
    return made;
  if (auto fits = need_room(versions, from.what.length); !fits)
    return fits;
  auto done = unpack(from.package, beside);
  std::error_code none;
  const auto file = std::filesystem::status(beside + "/" + std::string(program), none);
  if (done
      && (none || !std::filesystem::is_regular_file(file)
          || (file.permissions() & std::filesystem::perms::owner_exec)
            == std::filesystem::perms::none))
    done = failure(errc::bad_input, "package", "has no program " + std::string(program));
  if (!done) {
    static_cast<void>(remove_tree(beside));
    return done;
  }
  fault_point("switch.unpacked");
  return put_in_place(beside, to);
}

result<void> install_program(const std::string& from, const version& as,
                             const std::string& programs_folder) {
  const auto beside = programs_folder + "/versions/.incoming";
  const auto to = beside + "/" + std::string(program);
  if (auto gone = remove_tree(beside); !gone)
    return gone;
  if (auto made = make_folder(std::filesystem::path(to).parent_path().string(), 0755); !made)
    return made;
  auto done = copy_file(from, to, program_bytes_max);
  if (done && ::chmod(to.c_str(), 0755) != 0)
    done = failure(system_error(to, "cannot be made a program"));
  if (done)
    done = sync_folder_of(to);
  if (done)
    return put_in_place(beside, version_folder(programs_folder, as));
  static_cast<void>(remove_tree(beside));
  return done;
}

std::optional<version> linked_version(const std::string& programs_folder) {
  std::error_code none;
  const auto to = std::filesystem::read_symlink(programs_folder + "/current", none);
  const auto what = version_from(to.filename().string());
  return none || !what ? std::nullopt : std::optional(*what);
}

std::string version_folder(const std::string& programs_folder, const version& of) {
  return programs_folder + "/versions/" + to_string(of);
}

} // namespace pfx::release::detail
