// Looks back before a start: the halt of a former run, and the anchor that is kept elsewhere.
#include "engine/recollection.hpp"

#include "actors/tasks/audit.hpp"
#include "actors/tasks/ledger.hpp"
#include "engine/audit_store.hpp"
#include "engine/engine.hpp"
#include "engine/rotation.hpp"
#include "storage/anchor_file.hpp"

namespace pfx::engine {

namespace detail {

namespace {

constexpr std::size_t reason_characters_max = 400;

result<std::string> halt_of(const storage::store& open) {
  auto halted = open.meta(std::string(actors::tasks::halted_mark));
  if (!halted) {
    return failure(halted.error());
  }
  return *halted ? printable(to_text(**halted), reason_characters_max) : std::string();
}

result<std::string> doubt_by_anchor(const storage::store& open, const std::string& anchor_file) {
  auto known = storage::read_anchor(anchor_file);
  if (!known) {
    return known.error().code == errc::corrupt ? result<std::string>(to_string(known.error()))
                                               : failure(known.error());
  }
  if (!*known) {
    return std::string(); // the first start, or the service's word alone has to do
  }
  if ((*known)->store_id != open.store_id()) {
    return "the store is not the one that " + anchor_file + " tells of";
  }
  const auto ours = actors::tasks::in_our_chain(open, {(*known)->sequence, (*known)->head});
  if (!ours) {
    return failure(ours.error());
  }
  if (!*ours || (*known)->records > open.status().recovered) {
    return "the store is not as far as " + anchor_file + " says";
  }
  return std::string();
}

/// A write that a power cut tore was never acknowledged; but one flipped bit looks like that, too,
/// and takes with it what was acknowledged since the anchor was written.
std::string torn_log(const storage::store& open) {
  return open.status().tail_cut ? "the log of the store ended in the middle of a write" : "";
}

} // namespace

result<void> refuse_after_halt(const storage::store& open) {
  auto why = halt_of(open);
  if (!why) {
    return failure(why.error());
  }
  if (!why->empty()) {
    return failure(errc::stale_epoch, "dataDirectory",
                   "halted before: " + *why
                     + "; if this is the connector to go on: pfxengine run --resume");
  }
  return {};
}

result<std::string> doubt_of_memory(const storage::store& open, const std::string& anchor_file) {
  auto out = doubt_by_anchor(open, anchor_file);
  return out && out->empty() ? torn_log(open) : out;
}

result<void> ask_everything(storage::store& open) {
  return open.commit({storage::put_meta{std::string(actors::tasks::ask_everything_mark), {1}}});
}

} // namespace detail

result<std::string> engine::resume(const configuration& settings) {
  auto opened = detail::open_store(settings, false);
  if (!opened) {
    return failure(opened.error());
  }
  if (auto whole = refuse_during_rotation(settings); !whole) {
    return failure(whole.error());
  }
  auto& store = **opened;
  auto why = detail::halt_of(store);
  if (!why) {
    return failure(why.error());
  }
  if (why->empty()) {
    return failure(errc::not_found, "dataDirectory", "no run of this store has halted for good");
  }
  if (auto asked = detail::ask_everything(store); !asked) {
    return failure(asked.error());
  }
  auto cleared = store.commit({storage::put_meta{std::string(actors::tasks::halted_mark), {}}});
  if (!cleared) {
    return failure(cleared.error());
  }
  if (auto left = detail::leave(store); !left) {
    return failure(left.error());
  }
  return std::move(*why);
}

} // namespace pfx::engine
