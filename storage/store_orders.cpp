// Look-ups and walks of revocation orders, of the certificates that they may mean, and of notices
// to a SCEP service.
#include "core/codec.hpp"
#include "storage/store_state.hpp"
#include "storage/store_walk.hpp"

namespace pfx::storage {

namespace {

result<void> each(const rocks& database, family in, keys::prefix which,
                  const std::function<bool(revocation_order)>& visit) {
  return walk(database, in, keys::all(which), rocks::order::ascending,
              [&](byte_view key, byte_view value) -> result<bool> {
                const auto of = keys::request_of(which, key);
                if (!of) {
                  return damaged("revocation_order");
                }
                auto read = decode_order(*of, value);
                if (!read) {
                  return failure(std::move(read.error()));
                }
                return visit(std::move(*read));
              });
}

/// Fills the gaps of `out` with what is found under `name_of(key)`.
result<void> find_in(const rocks& database, family in, const std::vector<request_key>& wanted,
                     bytes (*name_of)(const request_key&),
                     std::vector<std::optional<revocation_order>>& out) {
  std::vector<bytes> names;
  names.reserve(wanted.size());
  for (const auto& key : wanted) {
    names.push_back(name_of(key));
  }
  auto found = database.find(in, names);
  if (!found) {
    return failure(std::move(found.error()));
  }
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (!(*found)[i] || out[i]) {
      continue;
    }
    auto read = decode_order(wanted[i], *(*found)[i]);
    if (!read) {
      return failure(std::move(read.error()));
    }
    out[i] = std::move(*read);
  }
  return {};
}

} // namespace

result<void> store::each_order(const std::function<bool(revocation_order)>& visit) const {
  return state_->seen(each(*state_->database, family::facts, keys::prefix::order, visit));
}

result<void> store::each_reported_order(const std::function<bool(revocation_order)>& visit) const {
  return state_->seen(each(*state_->database, family::settled, keys::prefix::reported, visit));
}

result<std::vector<std::optional<revocation_order>>> store::find_orders(
  const std::vector<request_key>& wanted) const {
  std::vector<std::optional<revocation_order>> out(wanted.size());
  const auto& database = *state_->database;
  // In this order, one that is reported between the two looks is found all the same.
  for (const bool open : {true, false}) {
    auto read = state_->seen(find_in(database, open ? family::facts : family::settled, wanted,
                                     open ? &keys::order : &keys::reported, out));
    if (!read) {
      return failure(std::move(read.error()));
    }
  }
  return out;
}

result<void> store::each_notice(const std::function<bool(scep_notice)>& visit) const {
  return state_->seen(walk(*state_->database, family::facts, keys::all(keys::prefix::notice),
                           rocks::order::ascending,
                           [&](byte_view key, byte_view value) -> result<bool> {
                             const auto of = keys::request_of(keys::prefix::notice, key);
                             if (!of) {
                               return damaged("scep_notice");
                             }
                             auto read = decode_notice(*of, value);
                             if (!read) {
                               return failure(std::move(read.error()));
                             }
                             return visit(std::move(*read));
                           }));
}

result<std::optional<scep_notice>> store::find_notice(const request_key& key) const {
  auto found = state_->database->find(family::facts, keys::notice(key));
  return state_->seen(decoded<scep_notice>(
    std::move(found), [&](const bytes& octets) { return decode_notice(key, octets); }));
}

result<std::optional<put_issued>> store::find_issued(const std::string& authority,
                                                     const std::string& serial_number) const {
  auto found = state_->database->find(family::settled, keys::issued(authority, serial_number));
  return state_->seen(
    decoded<put_issued>(std::move(found), [&](const bytes& octets) -> result<put_issued> {
      reader in(octets);
      put_issued out{authority, serial_number, in.text(), {}};
      const auto request = keys::request_of(keys::prefix::record, in.blob());
      if (!in.finished() || !request) {
        return damaged("issued");
      }
      out.request = *request;
      return out;
    }));
}

result<std::vector<std::string>> store::issued_authorities() const {
  std::vector<std::string> out;
  for (bool more = true; more;) {
    more = false;
    if (out.size() > issued_authorities_max) { // a part of them would make an order nobody's
      return failure(errc::too_large, "issued",
                     "names more than " + std::to_string(issued_authorities_max) + " CAs");
    }
    const auto range = keys::issued_behind(out.empty() ? "" : out.back());
    auto read
      = state_->seen(walk(*state_->database, family::settled, range, rocks::order::ascending,
                          [&](byte_view key, byte_view) -> result<bool> {
                            auto name = keys::authority_of_issued(key);
                            if (!name) {
                              return damaged("issued");
                            }
                            out.push_back(std::move(*name));
                            more = true;
                            return false; // the next one lies behind all of its serials
                          }));
    if (!read) {
      return failure(std::move(read.error()));
    }
  }
  return out;
}

} // namespace pfx::storage
