// ustar (POSIX.1-2017, pax, "ustar Interchange Format"), the part of it that a program needs.
#include "release/package.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <functional>
#include <optional>
#include <set>
#include <sys/stat.h>
#include <unistd.h>

#include "core/fault_point.hpp"
#include "release/files.hpp"

namespace pfx::release {

namespace {

constexpr std::size_t block = 512;
constexpr std::size_t copy_bytes = 256u << 10;

tl::unexpected<error> bad(std::string why) {
  return failure(errc::bad_input, "package", std::move(why));
}

/// A field up to its first NUL.
std::string_view text_of(byte_view octets, std::size_t at, std::size_t size) {
  const std::string_view whole(reinterpret_cast<const char*>(octets.data()) + at, size);
  return whole.substr(0, whole.find('\0'));
}

/// Octal digits, ended by NUL, blank or the field's end.
std::optional<std::uint64_t> octal(byte_view octets, std::size_t at, std::size_t size) {
  std::uint64_t out = 0;
  std::size_t digits = 0;
  for (; digits < size; ++digits) {
    const char c = static_cast<char>(octets[at + digits]);
    if (c == '\0' || c == ' ')
      break;
    if (c < '0' || c > '7')
      return std::nullopt;
    out = out * 8 + static_cast<std::uint64_t>(c - '0');
  }
  return digits == 0 ? std::nullopt : std::optional(out);
}

bool sum_fits(byte_view octets) {
  constexpr std::size_t sum_at = 148;
  constexpr std::size_t sum_size = 8;
  std::uint64_t sum = 0;
  for (std::size_t at = 0; at < block; ++at)
    sum += at >= sum_at && at < sum_at + sum_size ? ' ' : octets[at];
  return octal(octets, sum_at, sum_size) == sum;
}

bool all_zero(byte_view octets) {
  return std::all_of(octets.begin(), octets.end(), [](std::uint8_t one) { return one == 0; });
}

/// A package read from its beginning to its end.
class archive {
public:
  archive(detail::descriptor file, std::string path)
      : file_(std::move(file)), path_(std::move(path)) {}

  /// The next entry; nothing at the end mark.
  result<std::optional<package_entry>> next() {
    bytes head(block);
    if (auto got = fill(head); !got)
      return failure(got.error());
    if (all_zero(head))
      return std::optional<package_entry>();
    auto entry = read_package_header(head);
    if (!entry)
      return failure(entry.error());
    if (++entries_ > package_entries_max)
      return failure(errc::too_large, "package", "has too many entries");
    if (!names_.insert(entry->name).second)
      return bad("has " + printable(entry->name) + " twice");
    return std::optional(std::move(*entry));
  }

  /// Hands out an entry's content in pieces, and passes over the filling behind it.
  result<void> content(const package_entry& of,
                       const std::function<result<void>(byte_view)>& take) {
    bytes piece;
    for (std::uint64_t left = of.size; left > 0; left -= piece.size()) {
      piece.resize(static_cast<std::size_t>(std::min<std::uint64_t>(left, copy_bytes)));
      if (auto got = fill(piece); !got)
        return got;
      if (auto taken = take(piece); !taken)
        return taken;
    }
    piece.resize(static_cast<std::size_t>((block - of.size % block) % block));
    return fill(piece);
  }

private:
  result<void> fill(bytes& into) {
    std::size_t size = 0;
    while (size < into.size()) {
      const auto got = ::read(file_.number(), into.data() + size, into.size() - size);
      if (got < 0 && errno == EINTR)
        continue;
      if (got < 0)
        return failure(detail::system_error(path_, "cannot be read"));
      if (got == 0)
        return bad("is cut");
      size += static_cast<std::size_t>(got);
    }
    return {};
  }

  detail::descriptor file_;
  std::string path_;
  std::size_t entries_ = 0;
  std::set<std::string> names_;
};

result<archive> open_archive(const std::string& path) {
  auto file = detail::open_regular(path);
  if (!file)
    return failure(file.error());
  return archive(std::move(*file), path);
}

result<void> put_file(archive& from, const package_entry& entry, const std::string& path) {
  const detail::descriptor file(
    ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file.open())
    return failure(detail::system_error(path, "cannot be made"));
  auto done
    = from.content(entry, [&](byte_view piece) { return detail::write_all(file, piece, path); });
  if (done && ::fchmod(file.number(), entry.runs ? 0755 : 0644) != 0)
    done = failure(detail::system_error(path, "cannot be given its rights"));
  return done ? detail::sync(file, path) : done;
}

result<void> put_folder(const std::string& path) {
  if (::mkdir(path.c_str(), 0755) != 0 || ::chmod(path.c_str(), 0755) != 0)
    return failure(detail::system_error(path, "cannot be made"));
  return {};
}

/// What tar leaves out: a folder whose files come without it.
result<void> make_parents(const std::string& folder, const std::string& name,
                          std::set<std::string>& made) {
  for (auto slash = name.find('/'); slash != std::string::npos; slash = name.find('/', slash + 1)) {
    const auto parent = name.substr(0, slash);
    if (!made.insert(parent).second)
      continue;
    if (auto put = put_folder(folder + "/" + parent); !put)
      return put;
  }
  return {};
}

result<void> sync_folders(const std::string& folder, const std::set<std::string>& made) {
  for (const auto& one : made)
    if (auto synced = detail::sync_folder_of(folder + "/" + one + "/x"); !synced)
      return synced;
  if (auto synced = detail::sync_folder_of(folder + "/x"); !synced)
    return synced;
  return detail::sync_folder_of(folder);
}

} // namespace

bool is_package_name(std::string_view name) noexcept {
  if (name.empty() || name.size() > package_name_bytes_max)
    return false;
  for (std::size_t at = 0; at <= name.size();) {
    const auto end = std::min(name.find('/', at), name.size());
    const auto part = name.substr(at, end - at);
    const bool plain = std::all_of(part.begin(), part.end(), [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.'
        || c == '-' || c == '_' || c == '+' || c == '@';
    });
    if (part.empty() || part == "." || part == ".." || !plain)
      return false;
    at = end + 1;
  }
  return true;
}

result<package_entry> read_package_header(byte_view octets) {
  constexpr std::size_t name_at = 0, mode_at = 100, size_at = 124, type_at = 156, magic_at = 257,
                        prefix_at = 345;
  if (octets.size() != block)
    return bad("is cut in a header");
  if (text_of(octets, magic_at, 6) != "ustar" || octets[263] != '0' || octets[264] != '0')
    return bad("is no ustar archive");
  if (!sum_fits(octets))
    return bad("has a header with a wrong sum");
  const char type = static_cast<char>(octets[type_at]);
  if (type != '0' && type != '5')
    return bad("holds something that is neither a file nor a folder");
  package_entry out;
  out.folder = type == '5';
  out.name = text_of(octets, prefix_at, 155);
  out.name.append(out.name.empty() ? "" : "/").append(text_of(octets, name_at, 100));
  if (out.name.starts_with("./"))
    out.name.erase(0, 2);
  if (out.folder && out.name.ends_with('/'))
    out.name.pop_back();
  const auto mode = octal(octets, mode_at, 8);
  const auto size = octal(octets, size_at, 12);
  if (!mode || !size || (out.folder && *size != 0))
    return bad("has a header with a wrong number");
  out.runs = (*mode & 0100) != 0;
  out.size = *size;
  const bool top = out.folder && out.name.empty();
  if (!top && !is_package_name(out.name))
    return bad("has a name that is not plain: " + printable(out.name));
  return out;
}

result<std::vector<package_entry>> list_package(const std::string& path) {
  auto from = open_archive(path);
  if (!from)
    return failure(from.error());
  std::vector<package_entry> out;
  for (;;) {
    auto entry = from->next();
    if (!entry)
      return failure(entry.error());
    if (!*entry)
      return out;
    if (auto passed = from->content(**entry, [](byte_view) { return result<void>{}; }); !passed)
      return failure(passed.error());
    out.push_back(std::move(**entry));
  }
}

result<void> unpack(const std::string& path, const std::string& folder) {
  auto from = open_archive(path);
  if (!from)
    return failure(from.error());
  if (auto gone = detail::remove_tree(folder); !gone)
    return gone;
  if (auto made = put_folder(folder); !made)
    return made;
  std::set<std::string> folders;
  for (;;) {
    const auto entry = from->next();
    if (!entry)
      return failure(entry.error());
    if (!*entry)
      break;
    const auto& one = **entry;
    auto done = make_parents(folder, one.name, folders);
    if (done && one.folder && !one.name.empty() && folders.insert(one.name).second)
      done = put_folder(folder + "/" + one.name);
    if (done && !one.folder)
      done = put_file(*from, one, folder + "/" + one.name);
    if (!done)
      return done;
    fault_point("unpack.entry");
  }
  return sync_folders(folder, folders);
}

} // namespace pfx::release
