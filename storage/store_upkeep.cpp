// What an operator may want of a store: is it whole, and a copy of it.
#include <filesystem>

#include <rocksdb/db.h>
#include <rocksdb/utilities/checkpoint.h>

#include "storage/copy.hpp"
#include "storage/store_state.hpp"

namespace pfx::storage {

result<store_contents> store::verify() const {
  const auto& database = *state_->database;
  if (const auto status = database.database().VerifyChecksum(); !status.ok()) {
    return state_->seen(result<store_contents>(failure(error_of(status, "a table is damaged"))));
  }
  store_contents out;
  const auto counted = [](std::uint64_t& count) {
    return [&count](auto&&...) {
      ++count;
      return true;
    };
  };
  for (const auto& read :
       {each_record(counted(out.open_requests)), each_settled(counted(out.settled_requests)),
        each_blob(counted(out.blobs)), each_surplus(counted(out.surplus_certificates)),
        each_order(counted(out.revocation_orders)),
        each_reported_order(counted(out.revocation_orders)), each_notice(counted(out.scep_notices)),
        each_audit(0, counted(out.audit_lines))}) {
    if (!read) {
      return failure(read.error());
    }
  }
  return out;
}

result<void> store::back_up(const std::string& target) const {
  std::error_code ignored;
  if (std::filesystem::exists(target, ignored)) {
    return failure(errc::conflict, target, "exists already; a backup begins with nothing there");
  }
  auto room = data_directory::claim(target, true);
  if (!room) {
    return failure(room.error());
  }
  // Incomplete until the end: a half copy is never taken for a store.
  if (auto begun = room->write_marker({state_->id, false}); !begun) {
    return begun;
  }
  rocksdb::Checkpoint* raw = nullptr;
  auto status = rocksdb::Checkpoint::Create(&state_->database->database(), &raw);
  const std::unique_ptr<rocksdb::Checkpoint> checkpoint(raw);
  if (status.ok()) {
    status = checkpoint->CreateCheckpoint(room->database_path().string());
  }
  if (!status.ok()) {
    return failure(error_of(status, "cannot copy the database"));
  }
  if (auto own = part_from_links(room->database_path()); !own) {
    return own;
  }
  if (auto synced = sync_file_system(target); !synced) {
    return synced;
  }
  return room->write_marker({state_->id, true});
}

} // namespace pfx::storage
