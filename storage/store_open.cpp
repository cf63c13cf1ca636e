// From a path to an open store: directory, marker, database, identity, mark. Refuses to make an
// empty store where an older one was: what is missing is amnesia, never a fresh start.
#include "storage/store.hpp"

#include <cerrno>
#include <cstring>

#include <rocksdb/write_batch.h>
#include <sys/random.h>

#include "core/codec.hpp"
#include "storage/batch.hpp"
#include "storage/store_state.hpp"

namespace pfx::storage {

namespace {

constexpr std::size_t store_id_bytes = 16;

result<bytes> random_id() {
  bytes out(store_id_bytes);
  const auto got = ::getrandom(out.data(), out.size(), 0);
  if (got != static_cast<ssize_t>(out.size())) {
    return failure(errc::io, "store", std::string("no random octets: ") + std::strerror(errno));
  }
  return out;
}

tl::unexpected<error> amnesia(const std::string& what) {
  return failure(errc::corrupt, "store",
                 what + " (amnesia): what was acknowledged is gone. Nothing was changed. Restore "
                        "the data directory, or begin with an empty one and reconcile");
}

bytes format_octets() {
  writer out;
  return out.u32(data_directory::format_version).take();
}

} // namespace

result<std::unique_ptr<store>> store::open(store_options options) {
  auto directory = data_directory::claim(options.directory, options.create_if_missing);
  if (!directory) {
    return failure(std::move(directory.error()));
  }
  auto made = std::make_unique<state>(std::move(options), std::move(*directory));
  if (auto opened = made->open_database(); !opened) {
    return failure(std::move(opened.error()));
  }
  std::unique_ptr<store> out(new store(std::move(made)));
  auto last = out->last_audit();
  if (!last) {
    return failure(std::move(last.error()));
  }
  if (*last) {
    out->state_->last_audit = (*last)->sequence;
  }
  if (auto marked = out->state_->mark_running(); !marked) {
    return failure(std::move(marked.error()));
  }
  return out;
}

result<void> store::state::open_database() {
  // Opening writes by itself (log to tables, new log), so the disk is asked first.
  if (free_bytes() < housekeeping_floor()) {
    return failure(errc::disk_full, "directory",
                   "less than " + std::to_string(housekeeping_floor()) + " octets are free");
  }
  const auto known = find_or_make_marker();
  if (!known) {
    return failure(known.error());
  }
  if (!known->complete) {
    if (auto made = directory.make_database_directory(); !made) {
      return made;
    }
  }
  rocks_options how;
  how.path = directory.database_path().string();
  how.wal_bytes_max = options.wal_bytes_max;
  how.create = !known->complete;
  how.salvage = options.salvage;
  how.on_background_error = [this](const std::string& why) { poison("in the background: " + why); };
  auto opened = rocks::open(how);
  if (!opened) {
    return failure(std::move(opened.error()));
  }
  database = std::move(*opened);
  recovered = database->latest_sequence();
  id = known->store_id;
  return known->complete ? check_identity(*known) : write_identity(*known);
}

result<marker> store::state::find_or_make_marker() {
  auto known = directory.read_marker();
  if (!known) {
    return failure(std::move(known.error()));
  }
  if (*known) {
    return std::move(**known);
  }
  const auto empty = directory.empty();
  if (!empty) {
    return failure(empty.error());
  }
  std::error_code ignored;
  if (std::filesystem::exists(directory.database_path(), ignored)) {
    return amnesia("the database is there but the file pfxengine-store is missing");
  }
  if (!*empty) {
    return failure(errc::bad_input, "directory",
                   options.directory + " holds other files; a new store needs an empty directory");
  }
  if (!options.create_if_missing) {
    return failure(errc::not_found, "directory", options.directory + " holds no store");
  }
  auto made = random_id();
  if (!made) {
    return failure(std::move(made.error()));
  }
  marker fresh{std::move(*made), false};
  if (auto written = directory.write_marker(fresh); !written) {
    return failure(std::move(written.error()));
  }
  return fresh;
}

/// A store is complete once its identity lies in the database; before that nothing was promised, so
/// a start that ended in between is simply done again.
result<void> store::state::write_identity(const marker& made) {
  rocksdb::WriteBatch out;
  batch_builder builder(*database, out, options.batch_bytes_max, {});
  builder.set(family::facts, keys::engine("format"), format_octets());
  builder.set(family::facts, keys::engine("id"), made.store_id);
  if (auto written = write(out, housekeeping_floor()); !written) {
    return written;
  }
  return directory.write_marker({made.store_id, true});
}

result<void> store::state::check_identity(const marker& known) {
  const auto format = database->find(family::facts, keys::engine("format"));
  const auto stored_id = database->find(family::facts, keys::engine("id"));
  if (!format || !stored_id) {
    return failure(!format ? format.error() : stored_id.error());
  }
  if (!*format || !*stored_id) {
    return amnesia("the database is empty");
  }
  reader from(**format);
  const auto version = from.u32();
  if (!from.ok() || version == 0) {
    return failure(errc::corrupt, "store", "the format in the database is damaged");
  }
  if (version > data_directory::format_version) {
    return failure(errc::store_newer, "store",
                   "has format " + std::to_string(version) + ", this program knows "
                     + std::to_string(data_directory::format_version));
  }
  if (**stored_id != known.store_id) {
    return amnesia("the database belongs to another store than the file pfxengine-store");
  }
  return {};
}

result<void> store::state::mark_running() {
  const auto mark = database->find(family::facts, keys::engine("running"));
  if (!mark) {
    return failure(mark.error());
  }
  unclean_start = mark->has_value();
  rocksdb::WriteBatch out;
  batch_builder builder(*database, out, options.batch_bytes_max, {});
  builder.set(family::facts, keys::engine("running"), as_bytes("1"));
  return write(out, housekeeping_floor());
}

} // namespace pfx::storage
