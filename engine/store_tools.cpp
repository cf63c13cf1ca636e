// Commands on a store that no engine owns. Each works on a copy until the copy is good.
#include "engine/store_tools.hpp"

#include <filesystem>

#include "actors/tasks/ledger.hpp"
#include "core/clock.hpp"
#include "engine/audit_store.hpp"
#include "engine/recollection.hpp"
#include "engine/rotation.hpp"
#include "storage/anchor_file.hpp"
#include "storage/copy.hpp"
#include "storage/salvage.hpp"

namespace pfx::engine {

namespace {

namespace fs = std::filesystem;

fs::path store_path(const configuration& settings) {
  return fs::path(settings.data_directory) / "store";
}

auto io_failure(const fs::path& path, const std::error_code& why) {
  return failure(errc::io, path.string(), why.message());
}

result<store_report> look_at(const storage::store& open) {
  auto found = open.verify();
  if (!found) {
    return failure(found.error());
  }
  store_report out{.open_requests = found->open_requests,
                   .settled_requests = found->settled_requests,
                   .blobs = found->blobs,
                   .surplus_certificates = found->surplus_certificates,
                   .audit_lines = found->audit_lines,
                   .words = {}};
  auto audit = detail::read_audit(open, 1);
  if (!audit) {
    return failure(audit.error());
  }
  if (!audit->fault.empty()) {
    return failure(errc::corrupt, "audit", audit->fault);
  }
  return out;
}

/// Whether the anchor outside remembers more than the store.
result<void> compare(const configuration& settings, const storage::store& open,
                     store_report& report) {
  auto doubt = detail::doubt_of_memory(open, settings.anchor_file);
  if (!doubt) {
    return failure(doubt.error());
  }
  if (!doubt->empty()) {
    auto known = storage::read_anchor(settings.anchor_file);
    auto last = open.last_audit();
    std::string far;
    if (known && *known && last && *last) {
      far = " (the anchor knows " + std::to_string((*known)->sequence) + " audit lines and "
        + std::to_string((*known)->records) + " writes, the store "
        + std::to_string((*last)->sequence) + " and " + std::to_string(open.status().recovered)
        + ")";
    }
    report.words.push_back(*doubt + far + ": what was acknowledged in between may not be in it");
  }
  const auto mark = open.meta(std::string(actors::tasks::ask_everything_mark));
  if (!mark) {
    return failure(mark.error());
  }
  if (!doubt->empty() || *mark == bytes{1}) {
    report.words.emplace_back("the next start asks the service about everything before it submits "
                              "anything");
  }
  return {};
}

/// A name beside the store that nothing has.
fs::path aside(const fs::path& path, const char* word) {
  for (int i = 1;; ++i) {
    auto name = path.string() + "." + word + "-" + std::to_string(i);
    std::error_code ignored;
    if (!fs::exists(name, ignored)) {
      return name;
    }
  }
}

result<void> copy_tree(const fs::path& from, const fs::path& to) {
  std::error_code why;
  fs::copy(from, to, fs::copy_options::recursive, why);
  if (why) {
    return io_failure(to, why);
  }
  fs::permissions(to, fs::perms::owner_all, why);
  return why ? result<void>(io_failure(to, why)) : storage::sync_file_system(to);
}

result<void> move_tree(const fs::path& from, const fs::path& to) {
  std::error_code why;
  fs::rename(from, to, why);
  return why ? result<void>(io_failure(to, why)) : result<void>{};
}

/// `fresh` becomes the store; what stood there is renamed and named in the report.
result<void> take_its_place(const fs::path& fresh, const fs::path& store, const char* word,
                            store_report& report) {
  std::error_code ignored;
  if (fs::exists(store, ignored)) {
    const auto old = aside(store, word);
    if (auto moved = move_tree(store, old); !moved) {
      return moved;
    }
    report.words.push_back("what stood there before is kept as " + old.string());
  }
  if (auto moved = move_tree(fresh, store); !moved) {
    return moved;
  }
  return storage::sync_file_system(store);
}

/// The engine must not own it: its lock is asked for and given back.
result<void> nobody_at_work(const configuration& settings) {
  if (auto whole = refuse_during_rotation(settings); !whole) {
    return whole;
  }
  auto free = storage::nobody_owns(store_path(settings).string());
  return free ? result<void>{} : failure(free.error());
}

result<store_report> judge_copy(const configuration& settings, const fs::path& copy, bool salvage) {
  storage::store_options how;
  how.directory = copy.string();
  how.create_if_missing = false;
  how.salvage = salvage;
  how.free_bytes_floor = settings.limits.free_bytes_floor;
  auto opened = storage::store::open(std::move(how));
  if (!opened) {
    return failure(opened.error());
  }
  auto report = look_at(**opened);
  if (!report) {
    return report;
  }
  if (auto compared = compare(settings, **opened, *report); !compared) {
    return failure(compared.error());
  }
  if (auto asked = detail::ask_everything(**opened); !asked) {
    return failure(asked.error());
  }
  // The mark of a running store stays: what was under way is unknown to the next start.
  return report;
}

} // namespace

result<store_report> verify_store(const configuration& settings) {
  auto opened = detail::open_store(settings, false);
  if (!opened) {
    return failure(opened.error());
  }
  auto report = look_at(**opened);
  if (!report) {
    return report;
  }
  if (auto compared = compare(settings, **opened, *report); !compared) {
    return failure(compared.error());
  }
  if (auto left = detail::leave(**opened); !left) {
    return failure(left.error());
  }
  return report;
}

result<store_report> back_up_store(const configuration& settings, const std::string& target) {
  auto opened = detail::open_store(settings, false);
  if (!opened) {
    return failure(opened.error());
  }
  auto report = look_at(**opened);
  if (!report) {
    return report;
  }
  if (auto copied = (*opened)->back_up(target); !copied) {
    return failure(copied.error());
  }
  report->words.push_back(target
                          + " holds the store alone: keep the master key, the identity and "
                            "the connector keys as well, and not in the same place");
  if (auto left = detail::leave(**opened); !left) {
    return failure(left.error());
  }
  return report;
}

result<store_report> restore_store(const configuration& settings, const std::string& source) {
  if (auto free = nobody_at_work(settings); !free) {
    return failure(free.error());
  }
  const auto store = store_path(settings);
  const auto fresh = aside(store, "restoring");
  if (auto copied = copy_tree(source, fresh); !copied) {
    return failure(copied.error());
  }
  auto report = judge_copy(settings, fresh, false);
  if (!report) {
    std::error_code ignored;
    fs::remove_all(fresh, ignored);
    return report;
  }
  if (auto placed = take_its_place(fresh, store, "replaced", *report); !placed) {
    return failure(placed.error());
  }
  return report;
}

result<store_report> repair_store(const configuration& settings) {
  if (auto free = nobody_at_work(settings); !free) {
    return failure(free.error());
  }
  const auto store = store_path(settings);
  const auto fresh = aside(store, "repairing");
  if (auto copied = copy_tree(store, fresh); !copied) {
    return failure(copied.error());
  }
  std::string lost = "the log was read up to its first damage; what was written after it is gone";
  auto report = judge_copy(settings, fresh, true);
  if (!report) {
    if (auto rebuilt = storage::rebuild(fresh.string()); !rebuilt) {
      return failure(rebuilt.error());
    }
    lost = "tables or the list of them were damaged; the database was made anew from every table "
           "that could be read, so newer and older facts may be missing alike";
    report = judge_copy(settings, fresh, true);
  }
  if (!report) {
    return failure(report.error().code, report.error().field,
                   report.error().message + "; nothing was changed, the attempt lies in "
                     + fresh.string());
  }
  report->words.insert(report->words.begin(), lost);
  if (auto placed = take_its_place(fresh, store, "damaged", *report); !placed) {
    return failure(placed.error());
  }
  return report;
}

} // namespace pfx::engine
