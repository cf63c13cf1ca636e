// Connector keys in sealed files. Refuses to overwrite, to give a key away that was not made for
// it, and to decrypt with a padding that the administrator did not allow.
#include "crypto/file_key_store.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <mutex>
#include <optional>
#include <tuple>

#include "crypto/file_key_store_folder.hpp"
#include "crypto/file_key_store_form.hpp"
#include "crypto/key_der.hpp"
#include "crypto/rsa_check.hpp"

namespace pfx::crypto {
namespace {

using detail::file_stamp;
using detail::key_folder;

/// A key in memory and the file it was read from.
struct loaded_key {
  connector_key about;
  private_key pair;
  file_stamp stamp;
};

tl::unexpected<error> no_such_key() {
  return failure(errc::not_found, "keyName", "there is no key of this name for this provider");
}

result<std::vector<rsa_padding>> checked_paddings(std::vector<rsa_padding> wanted) {
  if (wanted.empty())
    wanted = {rsa_padding::oaep_sha256, rsa_padding::oaep_sha384, rsa_padding::oaep_sha512};
  std::ranges::sort(wanted);
  wanted.erase(std::unique(wanted.begin(), wanted.end()), wanted.end());
  if (wanted.front() < rsa_padding::pkcs1 || wanted.back() > rsa_padding::oaep_sha512)
    return failure(errc::bad_input, "paddings", "names an unknown padding");
  return wanted;
}

result<int> checked_bits(const private_key& key) {
  const auto* const pair = detail::access::pkey(key);
  const int bits = kind_of(pair) == key_kind::rsa ? ::EVP_PKEY_get_bits(pair) : 0;
  if (bits < limits_of_keys::bits_min || bits > limits_of_keys::bits_max)
    return failure(errc::bad_input, "key", "must be RSA of 2048 to 4096 bits");
  return bits;
}

/// What went wrong with one file, with its path in front.
tl::unexpected<error> of_file(const key_folder& folder, const std::string& name, error what) {
  return failure(what.code, printable(folder.path_of(name), 512), std::move(what.message));
}

result<detail::opened_key> read_key(const key_folder& folder, const sealer& under,
                                    const std::string& name, file_stamp& stamp) {
  const auto sealed = folder.read(name, stamp);
  if (!sealed)
    return failure(sealed.error());
  auto opened = detail::open_key(under, name, *sealed);
  if (!opened)
    return of_file(folder, name, opened.error());
  return opened;
}

} // namespace

struct file_key_store::state {
  std::string directory;
  mutable std::mutex mutex; ///< guards the two below; never held during a decryption
  std::shared_ptr<const sealer> seal;
  std::map<std::string, std::shared_ptr<const loaded_key>> cache; ///< by file name

  [[nodiscard]] std::shared_ptr<const sealer> current() const {
    const std::scoped_lock lock(mutex);
    return seal;
  }
  void forget(const std::string& file) {
    const std::scoped_lock lock(mutex);
    cache.erase(file);
  }
  [[nodiscard]] std::shared_ptr<const loaded_key> cached(const std::string& file,
                                                         const file_stamp& stamp) const;
  void keep(const std::string& file, std::shared_ptr<const loaded_key> key);
  [[nodiscard]] result<std::shared_ptr<const loaded_key>> load(std::string_view provider,
                                                               std::string_view name);
  [[nodiscard]] result<std::shared_ptr<const loaded_key>> load(const key_folder& folder,
                                                               const std::string& file);
  [[nodiscard]] result<connector_key> add(connector_key about, const private_key& key) const;
};

// -- keys in memory ------

std::shared_ptr<const loaded_key> file_key_store::state::cached(const std::string& file,
                                                                const file_stamp& stamp) const {
  const std::scoped_lock lock(mutex);
  const auto found = cache.find(file);
  return found != cache.end() && found->second->stamp == stamp ? found->second : nullptr;
}

void file_key_store::state::keep(const std::string& file, std::shared_ptr<const loaded_key> key) {
  const std::scoped_lock lock(mutex);
  // Only a folder whose keys were exchanged one by one gets here; any of them may go.
  if (cache.size() >= limits_of_keys::keys_max && !cache.contains(file))
    cache.erase(cache.begin());
  cache.insert_or_assign(file, std::move(key));
}

result<std::shared_ptr<const loaded_key>> file_key_store::state::load(const key_folder& folder,
                                                                      const std::string& file) {
  const auto now = folder.stamp(file);
  if (!now)
    return failure(now.error());
  if (auto known = cached(file, *now); known != nullptr)
    return known;
  file_stamp stamp;
  auto opened = read_key(folder, *current(), file, stamp);
  if (!opened)
    return failure(std::move(opened).error());
  auto pair = detail::pair_of(*opened);
  if (!pair)
    return of_file(folder, file, pair.error());
  auto made = std::make_shared<const loaded_key>(
    loaded_key{std::move(opened->about), std::move(*pair), stamp});
  keep(file, made);
  return made;
}

/// What another process removed or replaced is gone from memory at the next use.
result<std::shared_ptr<const loaded_key>> file_key_store::state::load(std::string_view provider,
                                                                      std::string_view name) {
  if (!detail::check_key_names(provider, name))
    return no_such_key();
  const auto file = detail::key_file_name(provider, name);
  const auto folder = key_folder::open(directory, false);
  auto found = folder ? load(*folder, file)
                      : result<std::shared_ptr<const loaded_key>>(failure(folder.error()));
  if (found)
    return found;
  forget(file);
  if (found.error().code == errc::not_found)
    return no_such_key();
  return found;
}

// -- the store ------

file_key_store::file_key_store(std::unique_ptr<state> s) noexcept : state_(std::move(s)) {}
file_key_store::~file_key_store() = default;

result<std::unique_ptr<file_key_store>> file_key_store::open(std::string directory,
                                                             secret_bytes master_key) {
  while (directory.size() > 1 && directory.back() == '/')
    directory.pop_back();
  if (directory.empty())
    return failure(errc::bad_input, "keysDirectory", "is empty");
  auto seal = detail::make_key_sealer(std::move(master_key));
  if (!seal)
    return failure(std::move(seal).error());
  if (const auto folder = key_folder::open(directory, false);
      !folder && folder.error().code != errc::not_found)
    return failure(folder.error());
  auto made = std::make_unique<state>();
  made->directory = std::move(directory);
  made->seal = std::make_shared<const sealer>(std::move(*seal));
  return std::unique_ptr<file_key_store>(new file_key_store(std::move(made)));
}

result<key_listing> file_key_store::list() const {
  key_listing out;
  const auto folder = key_folder::open(state_->directory, false);
  if (!folder && folder.error().code == errc::not_found)
    return out;
  const auto names = folder ? folder->names() : failure(folder.error());
  if (!names)
    return failure(names.error());
  const auto seal = state_->current();
  for (const auto& name : *names) {
    file_stamp ignored;
    auto opened = read_key(*folder, *seal, name, ignored);
    if (!opened && opened.error().code == errc::not_found)
      continue; // removed since the folder was read
    if (opened)
      out.keys.push_back(std::move(opened->about));
    else
      out.faults.push_back(std::move(opened).error());
  }
  std::ranges::sort(out.keys, [](const connector_key& left, const connector_key& right) {
    return std::tie(left.provider, left.name) < std::tie(right.provider, right.name);
  });
  return out;
}

result<connector_key> file_key_store::find(std::string_view provider, std::string_view name) const {
  const auto found = state_->load(provider, name);
  if (!found)
    return failure(found.error());
  return (*found)->about;
}

result<rsa_plaintext> file_key_store::decrypt(std::string_view provider, std::string_view name,
                                              rsa_padding padding, byte_view ciphertext) const {
  const auto found = state_->load(provider, name);
  if (!found)
    return failure(found.error());
  if (std::ranges::find((*found)->about.paddings, padding) == (*found)->about.paddings.end())
    return failure(errc::policy, "paddingScheme", "is not one that this key may be used with");
  return rsa_decrypt((*found)->pair, padding, ciphertext);
}

result<connector_key> file_key_store::state::add(connector_key about,
                                                 const private_key& key) const {
  auto folder = key_folder::open(directory, true);
  if (!folder)
    return failure(folder.error());
  if (auto locked = folder->lock(); !locked)
    return failure(std::move(locked).error());
  const auto names = folder->names();
  if (!names)
    return failure(names.error());
  const auto file = detail::key_file_name(about.provider, about.name);
  if (names->size() >= limits_of_keys::keys_max && !std::ranges::binary_search(*names, file))
    return failure(errc::too_large, "keys",
                   "there are " + std::to_string(limits_of_keys::keys_max)
                     + " already, as many as the service takes");
  const auto sealed = detail::seal_key(*current(), about, key);
  if (!sealed)
    return failure(sealed.error());
  if (auto made = folder->create(file, *sealed); !made)
    return failure(std::move(made).error());
  return about;
}

result<connector_key> file_key_store::create(const new_key& what, key_algorithm algorithm) {
  if (algorithm != key_algorithm::rsa2048 && algorithm != key_algorithm::rsa3072
      && algorithm != key_algorithm::rsa4096)
    return failure(errc::bad_input, "algorithm", "must be rsa2048, rsa3072 or rsa4096");
  if (auto named = detail::check_key_names(what.provider, what.name); !named)
    return failure(std::move(named).error());
  // Before the seconds that making a key takes; add() decides for good.
  if (state_->load(what.provider, what.name))
    return failure(errc::conflict, "keyName", "there is a key of this name already");
  const auto key = private_key::generate(algorithm);
  if (!key)
    return failure(key.error());
  return import(what, *key);
}

result<void> file_key_store::check(const new_key& what, const private_key* key) {
  if (auto named = detail::check_key_names(what.provider, what.name); !named)
    return named;
  if (const auto paddings = checked_paddings(what.paddings); !paddings)
    return failure(paddings.error());
  if (key == nullptr)
    return {};
  if (const auto bits = checked_bits(*key); !bits)
    return failure(bits.error());
  return check_rsa_pair(detail::access::pkey(*key));
}

result<connector_key> file_key_store::import(const new_key& what, const private_key& key) {
  if (auto good = check(what, &key); !good)
    return failure(std::move(good).error());
  auto paddings = checked_paddings(what.paddings);
  const auto bits = checked_bits(key);
  auto public_key = key.public_key();
  if (!paddings || !bits || !public_key)
    return failure(errc::internal, "key", "changed while it was looked at");
  connector_key about{what.provider,         what.name,       *bits,
                      std::move(*paddings),  what.exportable, system_clock().wall(),
                      std::move(*public_key)};
  return state_->add(std::move(about), key);
}

result<private_key> file_key_store::export_key(std::string_view provider,
                                               std::string_view name) const {
  const auto about = find(provider, name);
  if (!about)
    return failure(about.error());
  if (!about->exportable)
    return failure(errc::policy, "exportable", "the key was not made to be exported");
  const auto folder = key_folder::open(state_->directory, false);
  if (!folder)
    return failure(folder.error());
  file_stamp ignored;
  const auto opened = read_key(*folder, *state_->current(),
                               detail::key_file_name(about->provider, about->name), ignored);
  if (!opened)
    return failure(opened.error());
  if (!opened->about.exportable) // the file may have been another one a moment ago
    return failure(errc::policy, "exportable", "the key was not made to be exported");
  return detail::pair_of(*opened);
}

result<void> file_key_store::remove(std::string_view provider, std::string_view name) {
  if (!detail::check_key_names(provider, name))
    return no_such_key();
  const auto file = detail::key_file_name(provider, name);
  auto folder = key_folder::open(state_->directory, false);
  auto done = folder ? folder->lock() : result<void>(failure(folder.error()));
  if (done)
    done = folder->remove(file);
  state_->forget(file);
  if (!done && done.error().code == errc::not_found)
    return no_such_key();
  return done;
}

// -- another master key ------

namespace {

/// True if the file was sealed again, false if it was so already.
result<bool> reseal_file(const key_folder& folder, const sealer& from, const sealer& to,
                         const std::string& name) {
  file_stamp ignored;
  if (const auto done = read_key(folder, to, name, ignored))
    return false;
  else if (done.error().code != errc::wrong_key)
    return failure(done.error());
  const auto opened = read_key(folder, from, name, ignored);
  if (!opened)
    return failure(opened.error());
  const auto pair = detail::pair_of(*opened);
  if (!pair)
    return of_file(folder, name, pair.error());
  const auto sealed = detail::seal_key(to, opened->about, *pair);
  if (!sealed)
    return failure(sealed.error());
  if (auto put = folder.replace(name, *sealed); !put)
    return failure(std::move(put).error());
  return true;
}

} // namespace

result<std::size_t> file_key_store::reseal(const secret_bytes& next_master_key) {
  auto made = detail::make_key_sealer(next_master_key.duplicate());
  if (!made)
    return failure(std::move(made).error());
  const auto next = std::make_shared<const sealer>(std::move(*made));
  std::size_t count = 0;
  auto folder = key_folder::open(state_->directory, false);
  if (!folder && folder.error().code != errc::not_found)
    return failure(folder.error());
  if (folder) {
    if (auto locked = folder->lock(); !locked)
      return failure(std::move(locked).error());
    if (auto swept = folder->sweep(); !swept)
      return failure(std::move(swept).error());
    const auto names = folder->names();
    if (!names)
      return failure(names.error());
    for (const auto& name : *names) {
      const auto done = reseal_file(*folder, *state_->current(), *next, name);
      if (!done)
        return failure(done.error());
      count += *done ? 1 : 0;
    }
  }
  const std::scoped_lock lock(state_->mutex);
  state_->seal = next;
  return count;
}

} // namespace pfx::crypto
