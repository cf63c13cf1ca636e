// RocksDB's repairer with the families of this store.
#include "storage/salvage.hpp"

#include <filesystem>

#include <rocksdb/db.h>
#include <rocksdb/options.h>

#include "storage/directory.hpp"
#include "storage/rocks.hpp"

namespace pfx::storage {

result<void> rebuild(const std::string& directory) {
  auto room = data_directory::claim(directory, false);
  if (!room) {
    return failure(room.error());
  }
  const rocksdb::DBOptions how;
  const rocksdb::ColumnFamilyOptions known;
  const std::vector<rocksdb::ColumnFamilyDescriptor> families{
    {"default", known}, {"blobs", known}, {"settled", known}};
  const auto status = rocksdb::RepairDB(room->database_path().string(), how, families);
  if (!status.ok()) {
    return failure(error_of(status, "cannot repair the database"));
  }
  return {};
}

result<void> nobody_owns(const std::string& directory) {
  std::error_code ignored;
  if (!std::filesystem::exists(directory, ignored)) {
    return {};
  }
  auto room = data_directory::claim(directory, false);
  return room ? result<void>{} : failure(room.error());
}

} // namespace pfx::storage
