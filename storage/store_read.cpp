// All look-ups and walks. Refuses to go on over damage: a record that can't be read is an error,
// and from then on the store takes no writes.
#include "storage/store.hpp"

#include <algorithm>

#include "storage/store_state.hpp"
#include "storage/store_walk.hpp"

namespace pfx::storage {

namespace {

result<put_audit> audit_entry(byte_view key, byte_view value) {
  put_audit out;
  const auto sequence = keys::audit_sequence(key);
  if (!sequence || value.size() < out.chain_head.octets.size()) {
    return damaged("audit");
  }
  out.sequence = *sequence;
  const auto head = value.first(out.chain_head.octets.size());
  std::copy(head.begin(), head.end(), out.chain_head.octets.begin());
  out.entry = to_bytes(value.subspan(head.size()));
  return out;
}

} // namespace

bytes store::blob_key(const request_key& key, blob_kind kind) { return keys::blob(key, kind); }

// -- look-ups -----------------------------------------------------------------

result<std::optional<record>> store::find_record(const request_key& key) const {
  return state_->seen(
    decoded<record>(state_->database->find(family::facts, keys::record(key)),
                    [&](const bytes& octets) { return decode_record(key, octets); }));
}

result<std::optional<settled_record>> store::find_settled(const request_key& key) const {
  return state_->seen(
    decoded<settled_record>(state_->database->find(family::settled, keys::settled(key)),
                            [](const bytes& octets) { return decode_settled(octets); }));
}

result<std::vector<std::optional<settled_record>>> store::find_settled(
  const std::vector<request_key>& wanted) const {
  std::vector<bytes> octets;
  octets.reserve(wanted.size());
  for (const auto& key : wanted) {
    octets.push_back(keys::settled(key));
  }
  using all = std::vector<std::optional<settled_record>>;
  auto found = state_->seen(state_->database->find(family::settled, octets));
  if (!found) {
    return failure(std::move(found.error()));
  }
  all out;
  out.reserve(found->size());
  for (auto& one : *found) {
    auto value = state_->seen(decoded<settled_record>(
      std::move(one), [](const bytes& stored) { return decode_settled(stored); }));
    if (!value) {
      return failure(std::move(value.error()));
    }
    out.push_back(std::move(*value));
  }
  return out;
}

result<std::optional<bytes>> store::find_blob(const request_key& key, blob_kind kind) const {
  return state_->seen(state_->database->find(family::blobs, keys::blob(key, kind)));
}

result<std::optional<bytes>> store::meta(const std::string& name) const {
  return state_->seen(state_->database->find(family::facts, keys::meta(name)));
}

// -- walks --------------------------------------------------------------------

result<std::vector<trail_entry>> store::trail(const request_key& key) const {
  std::vector<trail_entry> out;
  auto walked = walk(*state_->database, family::facts, keys::trail_of(key),
                     rocks::order::descending, [&](byte_view, byte_view value) -> result<bool> {
                       auto entry = decode_trail_entry(value);
                       if (!entry) {
                         return failure(std::move(entry.error()));
                       }
                       out.push_back(std::move(*entry));
                       return out.size() < trail_entries_max;
                     });
  if (auto good = state_->seen(std::move(walked)); !good) {
    return failure(std::move(good.error()));
  }
  std::reverse(out.begin(), out.end());
  return out;
}

result<void> store::each_record(const std::function<bool(record)>& visit) const {
  return state_->seen(walk(*state_->database, family::facts, keys::all(keys::prefix::record),
                           rocks::order::ascending,
                           [&](byte_view key, byte_view value) -> result<bool> {
                             const auto request = keys::request_of(keys::prefix::record, key);
                             if (!request) {
                               return damaged("record");
                             }
                             auto read = decode_record(*request, value);
                             if (!read) {
                               return failure(std::move(read.error()));
                             }
                             return visit(std::move(*read));
                           }));
}

result<void> store::each_settled(
  const std::function<bool(request_key, settled_record)>& visit) const {
  return state_->seen(walk(*state_->database, family::settled, keys::all(keys::prefix::settled),
                           rocks::order::ascending,
                           [&](byte_view key, byte_view value) -> result<bool> {
                             auto request = keys::request_of(keys::prefix::settled, key);
                             if (!request) {
                               return damaged("settled_record");
                             }
                             auto read = decode_settled(value);
                             if (!read) {
                               return failure(std::move(read.error()));
                             }
                             return visit(std::move(*request), std::move(*read));
                           }));
}

result<void> store::each_surplus(const std::function<bool(surplus_certificate)>& visit) const {
  return state_->seen(walk(*state_->database, family::facts, keys::all(keys::prefix::surplus),
                           rocks::order::ascending,
                           [&](byte_view, byte_view value) -> result<bool> {
                             auto read = decode_surplus(value);
                             if (!read) {
                               return failure(std::move(read.error()));
                             }
                             return visit(std::move(*read));
                           }));
}

result<void> store::each_blob(
  const std::function<bool(request_key, blob_kind, bytes)>& visit) const {
  return state_->seen(walk(*state_->database, family::blobs, keys::all(keys::prefix::blob),
                           rocks::order::ascending,
                           [&](byte_view key, byte_view value) -> result<bool> {
                             auto place = keys::blob_of(key);
                             if (!place) {
                               return damaged("blob");
                             }
                             return visit(std::move(place->request), place->kind, to_bytes(value));
                           }));
}

result<void> store::each_audit(
  std::uint64_t from, const std::function<bool(std::uint64_t, digest, bytes)>& visit) const {
  return state_->seen(
    walk(*state_->database, family::facts, keys::audit_from(from), rocks::order::ascending,
         [&](byte_view key, byte_view value) -> result<bool> {
           auto entry = audit_entry(key, value);
           if (!entry) {
             return failure(std::move(entry.error()));
           }
           return visit(entry->sequence, entry->chain_head, std::move(entry->entry));
         }));
}

result<std::optional<put_audit>> store::last_audit() const {
  std::optional<put_audit> out;
  auto walked = walk(*state_->database, family::facts, keys::all(keys::prefix::audit),
                     rocks::order::descending, [&](byte_view key, byte_view value) -> result<bool> {
                       auto entry = audit_entry(key, value);
                       if (!entry) {
                         return failure(std::move(entry.error()));
                       }
                       out = std::move(*entry);
                       return false;
                     });
  if (auto good = state_->seen(std::move(walked)); !good) {
    return failure(std::move(good.error()));
  }
  return out;
}

} // namespace pfx::storage
