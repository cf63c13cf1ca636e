// Keys in files, documents in files, a feed made of files.
#include "release/maker.hpp"

#include <algorithm>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/ed25519.hpp"
#include "crypto/release.hpp"
#include "crypto/seal.hpp"
#include "release/feed.hpp"
#include "release/files.hpp"
#include "release/package.hpp"
#include "release/staging.hpp"

namespace pfx::release {

namespace {

constexpr std::string_view clear_kind = "pfxengine-release-key 1";
constexpr std::string_view sealed_kind = "pfxengine-release-key-sealed 1";
constexpr std::size_t key_file_bytes_max = 4'096;
constexpr std::string_view seal_domain = "pfxengine-release";
constexpr std::uint8_t seal_record = 1;

result<crypto::sealer> sealer_of(const std::string& master_key_file) {
  auto master = crypto::read_master_key(master_key_file);
  if (!master)
    return failure(master.error());
  return crypto::sealer::make(std::move(*master), as_bytes(seal_domain), 1);
}

/// What a key file says, besides its kind.
struct key_text {
  bool sealed = false;
  public_key key;
  std::string secret; ///< hexadecimal: the seed, or the seed sealed
  ~key_text() { wipe(secret); }
};

result<key_text> read_key(const std::string& path) {
  const auto file = detail::open_regular(path);
  struct stat facts {};
  if (!file)
    return failure(file.error());
  if (::fstat(file->number(), &facts) != 0 || (facts.st_mode & 077) != 0)
    return failure(errc::bad_input, printable(path, 512),
                   "group and others have rights on it; set mode 0600");
  auto text = detail::read_file(path, key_file_bytes_max);
  if (!text)
    return failure(text.error());
  key_text out;
  auto line = [&text, at = std::size_t{0}]() mutable {
    const auto end = std::min(text->find('\n', at), text->size());
    auto one = text->substr(at, end - at);
    at = std::min(end + 1, text->size());
    return one;
  };
  const auto kind = line();
  out.sealed = kind == sealed_kind;
  const auto octets = from_hex(line());
  out.secret = line();
  wipe(*text);
  if ((kind != clear_kind && !out.sealed) || !octets || octets->size() != out.key.octets.size())
    return failure(errc::bad_input, printable(path, 512), "is no file of a release key");
  std::copy(octets->begin(), octets->end(), out.key.octets.begin());
  return out;
}

result<secret_bytes> seed_of(const std::string& path, const std::string& sealed_by) {
  const auto text = read_key(path);
  if (!text)
    return failure(text.error());
  if (text->sealed == sealed_by.empty())
    return failure(errc::bad_input, printable(path, 512),
                   text->sealed ? "is sealed; name the master key's file" : "is not sealed");
  auto octets = from_hex(text->secret);
  if (!octets)
    return failure(errc::bad_input, printable(path, 512), "is no file of a release key");
  if (!text->sealed) {
    secret_bytes seed(*octets);
    wipe(*octets);
    return seed;
  }
  const auto sealer = sealer_of(sealed_by);
  if (!sealer)
    return failure(sealer.error());
  return sealer->open({seal_record, text->key.octets}, *octets);
}

/// A document that is to be published, verified as a machine would.
result<root> trusted_in(const std::string& feed_folder, unix_ms now) {
  const auto feed = open_folder_feed(feed_folder);
  const auto first = feed->document(root_file_name(1), document_bytes_max);
  if (!first)
    return failure(first.error().code, first.error().field, "the feed has no first root");
  auto last = crypto::read_first_root(*first, now);
  while (last && last->number < root_number_max) {
    const auto text = feed->document(root_file_name(last->number + 1), document_bytes_max);
    if (!text && text.error().code == errc::not_found)
      break;
    if (!text)
      return failure(text.error());
    last = crypto::read_next_root(*last, *text, now);
  }
  return last;
}

/// Whether machines that saw the feed's last manifest will take this one.
result<void> check_succession(const std::string& path, const manifest& next, unix_ms now) {
  const auto text = detail::read_file(path, document_bytes_max);
  if (!text)
    return text.error().code == errc::not_found ? result<void>{} : failure(text.error());
  const auto parts = split_signatures(*text);
  const auto last = parts ? decode_manifest(parts->body) : failure(parts.error());
  if (!last)
    return failure(last.error());
  const expectation here{next.product, next.platform, {}, std::max(now, next.valid_from)};
  const auto is = judge(next, here, seen_of(*last));
  return is ? result<void>{} : failure(is.error());
}

result<void> copy_package(const std::string& from, const manifest& of, const std::string& folder) {
  const auto to = folder + "/" + package_file_name(of);
  const auto there = measure(to, of.length);
  if (there && there->length == of.length && there->hash == of.hash)
    return {};
  if (there || there.error().code != errc::not_found)
    return failure(errc::conflict, printable(to, 512), "exists already and is left as it is");
  const detail::descriptor file(
    ::open((to + ".part").c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644));
  if (!file.open())
    return failure(detail::system_error(to, "cannot be made"));
  const auto input = detail::open_regular(from);
  if (!input)
    return failure(input.error());
  bytes piece(part_bytes);
  for (;;) {
    const auto got = ::read(input->number(), piece.data(), piece.size());
    if (got < 0)
      return failure(detail::system_error(from, "cannot be read"));
    if (got == 0)
      break;
    const auto octets = byte_view(piece).first(static_cast<std::size_t>(got));
    if (auto put = detail::write_all(file, octets, to); !put)
      return put;
  }
  if (auto synced = detail::sync(file, to); !synced)
    return synced;
  if (::link((to + ".part").c_str(), to.c_str()) != 0)
    return failure(detail::system_error(to, "cannot be named"));
  ::unlink((to + ".part").c_str());
  return detail::sync_folder_of(to);
}

} // namespace

result<public_key> make_key_file(const std::string& path, const std::string& sealed_by) {
  const auto pair = crypto::make_ed25519();
  if (!pair)
    return failure(pair.error());
  std::string text(sealed_by.empty() ? clear_kind : sealed_kind);
  text += "\n" + to_hex(pair->key) + "\n";
  if (sealed_by.empty()) {
    text += to_hex(pair->seed.view()) + "\n";
  } else {
    const auto sealer = sealer_of(sealed_by);
    if (!sealer)
      return failure(sealer.error());
    const auto sealed = sealer->seal({seal_record, pair->key}, pair->seed.view());
    if (!sealed)
      return failure(sealed.error());
    text += to_hex(*sealed) + "\n";
  }
  auto written = detail::write_new_file(path, as_bytes(text), 0600);
  wipe(text);
  if (!written)
    return failure(written.error());
  return public_key{pair->key};
}

result<public_key> public_key_of(const std::string& path) {
  const auto text = read_key(path);
  if (!text)
    return failure(text.error());
  return text->key;
}

result<void> write_root(const root& value, const std::string& path) {
  const auto text = encode(value);
  if (const auto read = decode_root(text); !read)
    return failure(read.error());
  return detail::write_new_file(path, as_bytes(text), 0644);
}

result<manifest> write_manifest(manifest value, const std::string& package,
                                const std::string& path) {
  const auto entries = list_package(package);
  if (!entries)
    return failure(entries.error());
  const auto whole = measure(package, package_bytes_max);
  if (!whole)
    return failure(whole.error());
  value.length = whole->length;
  value.hash = whole->hash;
  const auto text = encode(value);
  if (const auto read = decode_manifest(text); !read)
    return failure(read.error());
  if (auto put = detail::write_new_file(path, as_bytes(text), 0644); !put)
    return failure(put.error());
  return value;
}

result<void> sign_file(const std::string& path, const std::string& key_file,
                       const std::string& sealed_by) {
  auto seed = seed_of(key_file, sealed_by);
  if (!seed)
    return failure(seed.error());
  const auto text = detail::read_file(path, document_bytes_max);
  if (!text)
    return failure(text.error());
  const auto signed_one = crypto::add_signature(*text, std::move(*seed));
  if (!signed_one)
    return failure(signed_one.error());
  return detail::replace_file(path, as_bytes(*signed_one), 0644, "maker.sign");
}

result<root> publish_root(const std::string& feed, const std::string& path, unix_ms now) {
  const auto text = detail::read_file(path, document_bytes_max);
  if (!text)
    return failure(text.error());
  if (auto made = detail::make_folder(feed, 0755); !made)
    return failure(made.error());
  const auto last = trusted_in(feed, now);
  if (!last && last.error().code != errc::not_found)
    return failure(last.error());
  auto next
    = last ? crypto::read_next_root(*last, *text, now) : crypto::read_first_root(*text, now);
  if (!next)
    return next;
  if (!last && next->number != 1)
    return failure(errc::policy, "number", "the first root of a feed is number 1");
  if (auto lives = crypto::check_root_expiry(*next, now); !lives)
    return failure(lives.error());
  auto put
    = detail::write_new_file(feed + "/" + root_file_name(next->number), as_bytes(*text), 0644);
  if (!put)
    return failure(put.error());
  return next;
}

result<manifest> publish_release(const std::string& feed, const std::string& manifest_path,
                                 const std::string& package, unix_ms now) {
  const auto text = detail::read_file(manifest_path, document_bytes_max);
  if (!text)
    return failure(text.error());
  const auto trusted = trusted_in(feed, now);
  if (!trusted)
    return failure(trusted.error());
  if (auto lives = crypto::check_root_expiry(*trusted, now); !lives)
    return failure(lives.error());
  auto next = crypto::read_manifest(*trusted, *text, now);
  if (!next)
    return next;
  if (next->product != trusted->product)
    return failure(errc::policy, "product", "is not the product of the root");
  const auto whole = measure(package, next->length);
  if (!whole || whole->length != next->length || whole->hash != next->hash)
    return failure(errc::crypto, "sha256", "the package is not the one of the manifest");
  const auto path = feed + "/" + manifest_file_name(next->product, next->platform);
  if (auto follows = check_succession(path, *next, now); !follows)
    return failure(follows.error());
  // The package first: a manifest never names what is not there.
  if (auto copied = copy_package(package, *next, feed); !copied)
    return failure(copied.error());
  if (auto put = detail::replace_file(path, as_bytes(*text), 0644, "maker.publish"); !put)
    return failure(put.error());
  return next;
}

} // namespace pfx::release
