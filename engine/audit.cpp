// Reading and extending the audit chain. Refuses to extend a store that another process owns, and
// tells every entry that does not hang on the one before it.
#include "engine/audit.hpp"

#include <algorithm>
#include <deque>

#include "actors/tasks/audit.hpp"
#include "core/codec.hpp"
#include "engine/audit_store.hpp"
#include "engine/control.hpp"
#include "engine/recollection.hpp"
#include "engine/rotation.hpp"

namespace pfx::engine {
namespace {

namespace tasks = actors::tasks;

/// One walk over the chain.
class chain_walk {
public:
  explicit chain_walk(std::size_t last) : last_(last) {}

  void take(std::uint64_t sequence, const digest& head, byte_view line) {
    if (sequence != expected_)
      complain(sequence, "does not follow " + std::to_string(expected_ - 1));
    else if (tasks::audit_link(head_, sequence, line) != head)
      complain(sequence, "does not hang on the one before it");
    keep(sequence, head, line);
    head_ = head;
    expected_ = sequence + 1;
    ++out_.checked;
  }

  [[nodiscard]] audit_excerpt finish() {
    out_.entries.assign(std::make_move_iterator(kept_.begin()),
                        std::make_move_iterator(kept_.end()));
    return std::move(out_);
  }

private:
  void complain(std::uint64_t sequence, const std::string& why) {
    if (out_.fault.empty())
      out_.fault = "entry " + std::to_string(sequence) + " " + why;
  }

  void keep(std::uint64_t sequence, const digest& head, byte_view line) {
    audit_entry entry;
    entry.sequence = sequence;
    entry.head = to_hex(head);
    if (const auto read = tasks::decode_audit_line(line)) {
      entry.at = read->at;
      entry.event = read->event;
      entry.context = printable(read->context, 512);
      entry.thumbprint = read->thumbprint.present() ? to_hex(read->thumbprint) : "";
      entry.serial_number = printable(read->serial_number);
      entry.text = printable(read->text, audit_text_bytes_max);
      entry.epoch = read->epoch;
    } else {
      complain(sequence, "cannot be read");
    }
    kept_.push_back(std::move(entry));
    if (kept_.size() > last_)
      kept_.pop_front();
  }

  std::size_t last_;
  std::uint64_t expected_ = 1;
  digest head_;
  std::deque<audit_entry> kept_;
  audit_excerpt out_;
};

/// Nobody listens on the socket, and still the store is owned: an engine that starts, halts, or
/// runs inside another program.
tl::unexpected<error> owned(const error& what) {
  if (what.code != errc::store_locked)
    return failure(what);
  return failure(errc::unavailable, "controlSocket",
                 "an engine owns the data directory and does not answer on its control socket; "
                 "try again, or stop it");
}

} // namespace

namespace detail {

result<std::uint64_t> stored_epoch(const storage::store& of) {
  const auto stored = of.meta("epoch");
  if (!stored)
    return failure(stored.error());
  if (!*stored)
    return std::uint64_t{0};
  reader in(**stored);
  const auto epoch = in.u64();
  if (!in.finished())
    return failure(errc::corrupt, "epoch", "the stored epoch is damaged");
  return epoch;
}

result<void> leave(storage::store& open) {
  return open.status().unclean_start ? result<void>() : open.close_clean();
}

result<audit_excerpt> read_audit(const storage::store& from, std::size_t last) {
  chain_walk walk(std::min(last, audit_entries_max));
  auto read
    = from.each_audit(0, [&](std::uint64_t sequence, const digest& head, const bytes& line) {
        walk.take(sequence, head, line);
        return true;
      });
  if (!read)
    return failure(std::move(read).error());
  return walk.finish();
}

result<storage::put_audit> next_audit(const storage::store& of, std::uint16_t event,
                                      const std::string& text) {
  const auto last = of.last_audit();
  if (!last)
    return failure(last.error());
  const auto sequence = (*last ? (*last)->sequence : 0) + 1;
  tasks::audit_line line;
  line.at = system_clock().wall();
  line.event = event;
  line.text = printable(text, audit_text_bytes_max);
  auto octets = encode(line);
  const auto head = tasks::audit_link(*last ? (*last)->chain_head : digest{}, sequence, octets);
  return storage::put_audit{sequence, head, std::move(octets)};
}

result<std::unique_ptr<storage::store>> open_store(const configuration& settings, bool create) {
  storage::store_options options;
  options.directory = settings.data_directory + "/store";
  options.free_bytes_floor = settings.limits.free_bytes_floor;
  options.create_if_missing = create;
  auto opened = storage::store::open(std::move(options));
  // The next one that opens it finds a whole log, and would not know.
  if (opened && (*opened)->status().tail_cut) {
    if (auto asked = ask_everything(**opened); !asked) {
      return failure(asked.error());
    }
  }
  return opened;
}

} // namespace detail

result<audit_excerpt> read_audit(const configuration& settings, std::size_t last) {
  const auto client = control_client::make(settings.control_socket);
  if (!client)
    return failure(client.error());
  auto answer = client->audit(last);
  if (answer || answer.error().code != errc::unavailable)
    return answer;
  if (auto may = refuse_during_rotation(settings); !may)
    return failure(std::move(may).error());
  const auto store = detail::open_store(settings, false);
  if (!store)
    return owned(store.error());
  auto read = detail::read_audit(**store, last);
  if (auto closed = detail::leave(**store); read && !closed)
    return failure(std::move(closed).error());
  return read;
}

result<void> note_audit(const configuration& settings, std::uint16_t event,
                        const std::string& text) {
  const auto client = control_client::make(settings.control_socket);
  if (!client)
    return failure(client.error());
  auto answer = client->note_audit(event, text);
  if (answer || answer.error().code != errc::unavailable)
    return answer;
  const auto store = detail::open_store(settings, true);
  if (!store)
    return owned(store.error());
  auto line = detail::next_audit(**store, event, text);
  if (!line)
    return failure(std::move(line).error());
  if (auto written = (*store)->commit({std::move(*line)}); !written)
    return written;
  return detail::leave(**store);
}

} // namespace pfx::engine
