// Connector keys by order of an administrator: checked, noted in the audit, done. Refuses to begin
// what the audit cannot take.
#include "engine/keys.hpp"

#include <filesystem>
#include <functional>

#include <unistd.h>

#include "crypto/digest.hpp"
#include "crypto/file_key_store.hpp"
#include "crypto/rsa_blob.hpp"
#include "crypto/seal.hpp"
#include "engine/audit.hpp"
#include "engine/files.hpp"
#include "engine/keys_form.hpp"
#include "engine/rotation_guard.hpp"

namespace pfx::engine {
namespace {

using crypto::connector_key;

/// An open key store, and nobody rotating the master key meanwhile. Life: one command.
struct key_room {
  detail::secrets_guard guard;
  std::unique_ptr<crypto::file_key_store> store;
};

enum class purpose : std::uint8_t { look, change };

/// What is changed is sealed, or noted, under the master key: that has to be the one in use.
result<key_room> enter(const configuration& settings, purpose why = purpose::look) {
  auto guard = detail::secrets_guard::shared(settings);
  if (!guard)
    return failure(guard.error());
  std::error_code fault;
  if (!std::filesystem::is_directory(settings.data_directory, fault))
    return failure(errc::not_found, "dataDirectory",
                   printable(settings.data_directory, 512)
                     + " is not there; `pfxengine init` makes it");
  auto master = crypto::read_master_key(settings.master_key_file);
  if (!master)
    return failure(master.error());
  if (why == purpose::change)
    if (auto same = detail::refuse_other_master_key(settings, *master); !same)
      return failure(std::move(same).error());
  auto store = crypto::file_key_store::open(settings.keys_directory, std::move(*master));
  if (!store)
    return failure(store.error());
  return key_room{std::move(*guard), std::move(*store)};
}

key_summary summary_of(const connector_key& key) {
  key_summary out{key.provider,
                  key.name,
                  key.bits,
                  {},
                  key.exportable,
                  key.created_at,
                  to_hex(crypto::sha256(key.public_key))};
  for (const auto padding : key.paddings)
    out.paddings.emplace_back(name_of(padding));
  return out;
}

result<crypto::new_key> checked(const key_order& order) {
  crypto::new_key out{order.provider, order.name, {}, order.exportable};
  for (const auto& word : order.paddings) {
    const auto padding = crypto::rsa_padding_of(word);
    if (!padding)
      return failure(errc::bad_input, "padding",
                     "\"" + printable(word)
                       + "\" is none of oaepSha256, oaepSha384, oaepSha512 and pkcs1");
    out.paddings.push_back(*padding);
  }
  if (auto good = crypto::file_key_store::check(out); !good)
    return failure(std::move(good).error());
  return out;
}

std::string words_of(const std::string& provider, const std::string& name) {
  return "connector key \"" + printable(provider, 256) + "\" / \"" + printable(name, 256) + "\"";
}

/// Note first, act then; an act that failed after its note is noted as well.
result<void> noted(const configuration& settings, std::uint16_t event, std::string text,
                   const std::function<result<void>()>& act) {
  text += ", by user id " + std::to_string(::getuid());
  if (auto written = note_audit(settings, event, text); !written)
    return failure(written.error().code, written.error().field,
                   "the audit could not be written, so nothing was done: "
                     + written.error().message);
  auto done = act();
  if (!done) // the first fault is the one that matters; the note of the intent stands anyway
    (void)note_audit(settings, event, "did not happen: " + text);
  return done;
}

/// Adds a key that exists already in memory.
result<key_summary> add(const configuration& settings, const key_room& room,
                        const crypto::new_key& what, const crypto::private_key& key,
                        std::uint16_t event) {
  const auto there = room.store->find(what.provider, what.name);
  if (there)
    return failure(errc::conflict, "keyName", "there is a key of this name already");
  if (there.error().code != errc::not_found)
    return failure(there.error());
  result<connector_key> made = failure(errc::internal, "", "");
  const auto text = words_of(what.provider, what.name) + " with public key "
    + to_hex(key.public_key_hash()) + (event == audit_events::key_created ? " made" : " imported")
    + (what.exportable ? ", exportable" : ", not exportable");
  auto done = noted(settings, event, text, [&]() -> result<void> {
    made = room.store->import(what, key);
    return made ? result<void>() : failure(made.error());
  });
  if (!done)
    return failure(std::move(done).error());
  return summary_of(*made);
}

} // namespace

result<key_summary> create_key(const configuration& settings, const key_order& order,
                               const std::string& algorithm) {
  const auto what = checked(order);
  if (!what)
    return failure(what.error());
  const auto kind = key_algorithm_of(algorithm);
  if (!kind || !algorithm.starts_with("rsa"))
    return failure(errc::bad_input, "algorithm", "must be rsa2048, rsa3072 or rsa4096");
  const auto room = enter(settings, purpose::change);
  if (!room)
    return failure(room.error());
  if (room->store->find(order.provider, order.name)) // before the seconds that making one takes
    return failure(errc::conflict, "keyName", "there is a key of this name already");
  const auto key = crypto::private_key::generate(*kind);
  if (!key)
    return failure(key.error());
  return add(settings, *room, *what, *key, audit_events::key_created);
}

result<key_summary> import_key(const configuration& settings, const key_order& order,
                               const secret_bytes& octets) {
  const auto what = checked(order);
  if (!what)
    return failure(what.error());
  const auto key = detail::read_private_key(octets);
  if (!key)
    return failure(key.error());
  if (auto good = crypto::file_key_store::check(*what, &*key); !good)
    return failure(std::move(good).error());
  const auto room = enter(settings, purpose::change);
  if (!room)
    return failure(room.error());
  return add(settings, *room, *what, *key, audit_events::key_imported);
}

result<key_overview> overview_of_keys(const configuration& settings) {
  const auto room = enter(settings);
  if (!room)
    return failure(room.error());
  auto all = room->store->list();
  if (!all)
    return failure(all.error());
  key_overview out{{}, std::move(all->faults)};
  for (const auto& key : all->keys)
    out.keys.push_back(summary_of(key));
  return out;
}

result<std::vector<key_summary>> list_keys(const configuration& settings) {
  auto all = overview_of_keys(settings);
  if (!all)
    return failure(all.error());
  if (!all->faults.empty())
    return failure(all->faults.front());
  return std::move(all->keys);
}

result<key_summary> show_key(const configuration& settings, const std::string& provider,
                             const std::string& name) {
  const auto room = enter(settings);
  if (!room)
    return failure(room.error());
  const auto key = room->store->find(provider, name);
  if (!key)
    return failure(key.error());
  return summary_of(*key);
}

result<bytes> public_key_of(const configuration& settings, const std::string& provider,
                            const std::string& name, key_form form) {
  const auto room = enter(settings);
  if (!room)
    return failure(room.error());
  const auto key = room->store->find(provider, name);
  if (!key)
    return failure(key.error());
  switch (form) {
    case key_form::pem:
      return to_bytes(detail::public_key_pem(key->public_key));
    case key_form::blob:
      return crypto::to_rsa_public_blob(key->public_key);
    case key_form::pkcs8:
      break;
  }
  return failure(errc::bad_input, "form", "must be pem or blob for a public key");
}

namespace {

result<secret_bytes> in_form(const crypto::private_key& key, key_form form) {
  switch (form) {
    case key_form::pem:
      return key.to_pem();
    case key_form::pkcs8:
      return key.to_pkcs8();
    case key_form::blob:
      return crypto::to_rsa_full_private_blob(key);
  }
  return failure(errc::bad_input, "form", "must be pem, pkcs8 or blob");
}

} // namespace

result<void> export_key(const configuration& settings, const std::string& provider,
                        const std::string& name, key_form form, const std::string& path) {
  const auto room = enter(settings, purpose::change);
  if (!room)
    return failure(room.error());
  const auto about = room->store->find(provider, name);
  if (!about)
    return failure(about.error());
  if (!about->exportable)
    return failure(errc::policy, "exportable", "the key was not made to be exported");
  std::error_code fault;
  if (std::filesystem::symlink_status(path, fault).type() != std::filesystem::file_type::not_found)
    return failure(errc::conflict, printable(path, 512), "exists already and is left as it is");
  const auto text = words_of(provider, name) + " exported to "
    + printable(std::filesystem::absolute(path, fault).string(), 256);
  return noted(settings, audit_events::key_exported, text, [&]() -> result<void> {
    const auto key = room->store->export_key(provider, name);
    if (!key)
      return failure(key.error());
    const auto octets = in_form(*key, form);
    if (!octets)
      return failure(octets.error());
    return detail::write_new_file(path, octets->view());
  });
}

result<void> remove_key(const configuration& settings, const std::string& provider,
                        const std::string& name) {
  auto room = enter(settings, purpose::change);
  if (!room)
    return failure(room.error());
  const auto about = room->store->find(provider, name);
  if (!about && about.error().code == errc::wrong_key)
    return failure(errc::wrong_key, about.error().field,
                   "is sealed under another master key than the one in use; nothing was removed: "
                   "it opens with the master key that it was made under; if that is gone, remove "
                   "the file by hand");
  if (!about && about.error().code != errc::corrupt)
    return failure(about.error());
  // A damaged key can be removed all the same: it is of no use to anybody.
  const auto text = words_of(provider, name)
    + (about ? " with public key " + to_hex(crypto::sha256(about->public_key)) : ", damaged,")
    + " removed";
  return noted(settings, audit_events::key_removed, text,
               [&] { return room->store->remove(provider, name); });
}

} // namespace pfx::engine
