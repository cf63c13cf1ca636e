// Parts are appended and synced; the name without ".part" and the manifest come after the hash.
#include "release/staging.hpp"

#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>

#include "core/fault_point.hpp"
#include "crypto/digest.hpp"
#include "release/files.hpp"

namespace pfx::release {

namespace {

constexpr std::string_view manifest_name = "/staged.manifest";

std::string part_path(const std::string& folder, const manifest& of) {
  return folder + "/" + package_file_name(of) + ".part";
}

/// Opened to append at its end; a part that is longer than it may be begins anew.
result<detail::descriptor> open_part(const std::string& path, std::uint64_t length_max) {
  detail::descriptor file(
    ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0644));
  if (!file.open())
    return failure(detail::system_error(path, "cannot be opened"));
  const auto size = detail::size_of(file, path);
  if (!size)
    return failure(size.error());
  if (*size > length_max && ::ftruncate(file.number(), 0) != 0)
    return failure(detail::system_error(path, "cannot be cut"));
  return file;
}

} // namespace

result<staging_folder> staging_folder::open(std::string path) {
  if (auto made = detail::make_folder(path, 0755); !made)
    return failure(made.error());
  return staging_folder(std::move(path));
}

result<std::optional<staged>> staging_folder::current() const {
  auto text = detail::read_file(path_ + std::string(manifest_name), document_bytes_max);
  if (!text && text.error().code == errc::not_found)
    return std::optional<staged>();
  if (!text)
    return failure(text.error());
  const auto parts = split_signatures(*text);
  const auto what = parts ? decode_manifest(parts->body) : failure(parts.error());
  if (!what)
    return failure(errc::corrupt, "staged." + what.error().field, what.error().message);
  return std::optional(staged{std::move(*text), *what, path_ + "/" + package_file_name(*what)});
}

std::uint64_t staging_folder::arrived(const manifest& of) const {
  std::error_code none;
  const auto size = std::filesystem::file_size(part_path(path_, of), none);
  return none ? 0 : static_cast<std::uint64_t>(size);
}

result<staging_folder::progress> staging_folder::advance(feed& from, const manifest& of,
                                                         const std::string& manifest_text) {
  const auto path = part_path(path_, of);
  const auto file = open_part(path, of.length);
  if (!file)
    return failure(file.error());
  const auto offset = detail::size_of(*file, path);
  if (!offset)
    return failure(offset.error());
  if (*offset == of.length)
    return finish(of, manifest_text);
  if (auto fits = detail::need_room(path_, of.length - *offset); !fits)
    return failure(fits.error());
  const auto wish
    = static_cast<std::size_t>(std::min<std::uint64_t>(part_bytes, of.length - *offset));
  const auto got = from.part(package_file_name(of), *offset, wish);
  if (!got)
    return failure(got.error());
  if (got->size() > wish)
    return failure(errc::too_large, "length", "the feed sends more than it was asked for");
  if (got->empty())
    return failure(errc::unavailable, "length",
                   "the feed has only " + std::to_string(*offset) + " of "
                     + std::to_string(of.length) + " bytes");
  if (auto put = detail::write_all(*file, as_bytes(*got), path); !put)
    return failure(put.error());
  if (auto synced = detail::sync(*file, path); !synced)
    return failure(synced.error());
  fault_point("staging.part");
  return progress::more;
}

result<staging_folder::progress> staging_folder::finish(const manifest& of,
                                                        const std::string& manifest_text) {
  const auto from = part_path(path_, of);
  const auto to = path_ + "/" + package_file_name(of);
  const auto whole = measure(from, of.length);
  if (!whole)
    return failure(whole.error());
  if (whole->length != of.length || whole->hash != of.hash) {
    ::unlink(from.c_str()); // it can only begin anew
    return failure(errc::crypto, "sha256", "what came is not the package of the manifest");
  }
  if (::rename(from.c_str(), to.c_str()) != 0)
    return failure(detail::system_error(to, "cannot be named"));
  fault_point("staging.named");
  if (auto synced = detail::sync_folder_of(to); !synced)
    return failure(synced.error());
  if (auto done = detail::replace_file(path_ + std::string(manifest_name), as_bytes(manifest_text),
                                       0644, "staging.manifest");
      !done)
    return failure(done.error());
  sweep(of);
  return progress::done;
}

bool staging_folder::holds(const manifest& of) const {
  const auto there = current();
  if (!there || !*there || seen_of((*there)->what) != seen_of(of))
    return false;
  const auto whole = measure(path_ + "/" + package_file_name(of), of.length);
  return whole && whole->length == of.length && whole->hash == of.hash;
}

result<bool> staging_folder::renew(const manifest& of, const std::string& manifest_text) {
  if (!holds(of))
    return false;
  const auto path = path_ + std::string(manifest_name);
  const auto there = detail::read_file(path, document_bytes_max);
  if (there && *there == manifest_text)
    return true;
  if (auto done = detail::replace_file(path, as_bytes(manifest_text), 0644, "staging.manifest");
      !done)
    return failure(done.error());
  return true;
}

// -- roots ------

namespace {

/// Signed by its own keys, of this number, and the one above follows it.
bool leads_to(const std::string& above, const std::string& text, std::uint32_t number,
              unix_ms now) {
  const auto of = crypto::read_first_root(text, now);
  return of && of->number == number && crypto::read_next_root(*of, above, now);
}

/// One that is good; nothing if it is nowhere. Root number `number` + 1 is `above`.
result<std::optional<std::string>> good_root(feed& from, const trust_store& known,
                                             std::uint32_t number, const std::string& above,
                                             const std::string& path, unix_ms now) {
  const auto& verified = known.verified_roots();
  if (const auto found = verified.find(number); found != verified.end())
    return std::optional(found->second);
  auto text = detail::read_file(path, document_bytes_max);
  if (text && leads_to(above, *text, number, now))
    return std::optional(std::move(*text));
  text = from.document(root_file_name(number), document_bytes_max);
  if (!text && text.error().code == errc::not_found)
    return std::optional<std::string>();
  if (!text)
    return failure(text.error());
  if (!leads_to(above, *text, number, now))
    return failure(errc::crypto, root_file_name(number),
                   "is not what root " + std::to_string(number + 1) + " follows");
  return std::optional(std::move(*text));
}

} // namespace

result<void> staging_folder::keep_roots(feed& from, const trust_store& known, unix_ms now) {
  const auto folder = path_ + "/roots";
  if (auto made = detail::make_folder(folder, 0755); !made)
    return failure(made.error());
  const auto last = known.trusted_root().number;
  if (auto gone = detail::remove_file(folder + "/" + root_file_name(last + 1)); !gone)
    return gone;
  std::string above;
  for (auto number = last; number >= 1; --number) {
    const auto path = folder + "/" + root_file_name(number);
    auto text = good_root(from, known, number, above, path, now);
    if (!text)
      return failure(text.error());
    if (!*text)
      return detail::remove_file(path);
    const auto there = detail::read_file(path, document_bytes_max);
    if (!there || *there != **text)
      if (auto put = detail::replace_file(path, as_bytes(**text), 0644, "staging.root"); !put)
        return put;
    above = std::move(**text);
  }
  return {};
}

void staging_folder::sweep(const manifest& keep) const {
  const auto name = package_file_name(keep);
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator(path_, none)) {
    const auto file = entry.path().filename().string();
    const bool ours = file.ends_with(".tar") || file.ends_with(".part");
    if (ours && file != name && file != name + ".part")
      std::filesystem::remove(entry.path(), none);
  }
}

result<measured> measure(const std::string& path, std::uint64_t bytes_max) {
  const auto file = detail::open_regular(path);
  if (!file)
    return failure(file.error());
  crypto::sha256_stream hash;
  measured out;
  std::string piece(part_bytes, '\0');
  for (;;) {
    const auto got = ::read(file->number(), piece.data(), piece.size());
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      return failure(detail::system_error(path, "cannot be read"));
    if (got == 0)
      break;
    out.length += static_cast<std::uint64_t>(got);
    if (out.length > bytes_max)
      return failure(errc::too_large, "length", "is more than the manifest says");
    hash.add(as_bytes(std::string_view(piece).substr(0, static_cast<std::size_t>(got))));
  }
  out.hash = hash.finish();
  return out;
}

} // namespace pfx::release
