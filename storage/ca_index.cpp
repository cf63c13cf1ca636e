// The CA's index in a RocksDB of its own: "t" + transaction id, "s" + serial, "r" + serial, "m:" +
// word. Format 2 knows when a revocation was noted and which list has it; format 1 is read.
// Refuses to guess: an entry that does not decode is errc::corrupt, never "not there".
#include "storage/ca_index.hpp"

#include <atomic>
#include <filesystem>
#include <mutex>

#include <rocksdb/db.h>
#include <rocksdb/options.h>
#include <rocksdb/write_batch.h>

#include "core/codec.hpp"

namespace pfx::storage {

namespace {

constexpr std::uint8_t format_version = 2;
constexpr const char* format_key = "m:format";
constexpr const char* crl_number_key = "m:crl-number";
constexpr std::size_t write_buffer_bytes = 8u << 20;
constexpr std::size_t wal_bytes_max = 32u << 20;
constexpr std::size_t log_files_max = 2;

std::string entry_key(const digest& id) {
  return "t" + std::string(reinterpret_cast<const char*>(id.octets.data()), id.octets.size());
}

rocksdb::Slice slice(byte_view view) {
  return {reinterpret_cast<const char*>(view.data()), view.size()};
}

byte_view view_of(const std::string& text) { return as_bytes(text); }

bytes encode(const ca_entry& entry) {
  writer out;
  out.u8(format_version).u8(static_cast<std::uint8_t>(entry.state));
  out.fixed(entry.csr_hash).fixed(entry.public_key_hash);
  out.blob(entry.certificate).text(entry.serial).u32(entry.pending_answers);
  out.text(entry.reason).text(entry.certificate_template).blob(entry.order).flag(entry.journaled);
  return out.take();
}

bytes encode(const ca_revocation& what) {
  writer out;
  out.u8(format_version).u8(what.reason).i64(what.revoked_at).flag(what.journaled);
  out.i64(what.noted_at).i64(what.certificate_ends).u64(what.crl_number);
  return out.take();
}

result<ca_entry> decode_entry(byte_view octets) {
  reader in(octets);
  const auto version = in.u8();
  if (in.ok() && version > format_version) {
    return failure(errc::store_newer, "", "the CA's index was written by a newer program");
  }
  ca_entry out;
  const auto state = in.u8();
  out.state = static_cast<ca_state>(state);
  out.csr_hash = in.fixed();
  out.public_key_hash = in.fixed();
  out.certificate = in.blob();
  out.serial = in.text();
  out.pending_answers = in.u32();
  out.reason = in.text();
  out.certificate_template = in.text();
  out.order = in.blob();
  out.journaled = in.flag();
  if (!in.finished() || state < 1 || state > static_cast<std::uint8_t>(ca_state::closed)) {
    return failure(errc::corrupt, "", "an entry of the CA's index does not decode");
  }
  return out;
}

result<ca_revocation> decode_revocation(byte_view octets) {
  reader in(octets);
  const auto version = in.u8();
  if (in.ok() && version > format_version) {
    return failure(errc::store_newer, "", "the CA's index was written by a newer program");
  }
  ca_revocation out;
  out.reason = in.u8();
  out.revoked_at = in.i64();
  out.journaled = in.flag();
  if (version >= 2) {
    out.noted_at = in.i64();
    out.certificate_ends = in.i64();
    out.crl_number = in.u64();
  }
  if (!in.finished()) {
    return failure(errc::corrupt, "", "a revocation of the CA's index does not decode");
  }
  return out;
}

result<std::uint64_t> decode_number(byte_view octets) {
  reader in(octets);
  const auto number = in.u64();
  if (!in.finished()) {
    return failure(errc::corrupt, "", "the CRL number of the CA's index does not decode");
  }
  return number;
}

error error_of(const rocksdb::Status& status) {
  const auto text = printable(status.ToString(), 300);
  if (status.IsIOError() && text.find("lock") != std::string::npos) {
    return {errc::store_locked, "directory", "another process has the CA's index open: " + text};
  }
  if (status.IsCorruption()) {
    return {errc::corrupt, "directory", "the CA's index is damaged: " + text};
  }
  if (status.IsNoSpace()) {
    return {errc::disk_full, "directory", text};
  }
  return {errc::io, "directory", text};
}

rocksdb::Options small_options() {
  rocksdb::Options options;
  options.create_if_missing = true;
  options.paranoid_checks = true;
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  options.write_buffer_size = write_buffer_bytes;
  options.max_total_wal_size = wal_bytes_max;
  options.keep_log_file_num = log_files_max;
  options.max_background_jobs = 2;
  return options;
}

class rocksdb_ca_index final : public ca_index {
public:
  explicit rocksdb_ca_index(std::unique_ptr<rocksdb::DB> db) : db_(std::move(db)) {}

  result<std::optional<ca_entry>> find(const digest& id) const override {
    return read<ca_entry>(entry_key(id), decode_entry);
  }

  result<std::optional<digest>> issued(const std::string& serial) const override {
    return read<digest>("s" + serial, [](byte_view octets) -> result<digest> {
      reader in(octets);
      const auto id = in.fixed();
      if (!in.finished()) {
        return failure(errc::corrupt, "", "a serial of the CA's index does not decode");
      }
      return id;
    });
  }

  result<std::optional<ca_revocation>> revocation(const std::string& serial) const override {
    return read<ca_revocation>("r" + serial, decode_revocation);
  }

  result<void> walk_revoked(const revocation_visitor& visit) const override {
    const std::unique_ptr<rocksdb::Iterator> at(db_->NewIterator(rocksdb::ReadOptions()));
    for (at->Seek("r"); at->Valid() && at->key().starts_with("r"); at->Next()) {
      const auto one = decode_revocation(
        {reinterpret_cast<const std::uint8_t*>(at->value().data()), at->value().size()});
      if (!one) {
        return failure(one.error());
      }
      if (!visit(at->key().ToString().substr(1), *one)) {
        return {};
      }
    }
    return at->status().ok() ? result<void>() : failure(error_of(at->status()));
  }

  result<std::uint64_t> last_crl_number() const override {
    const auto last = read<std::uint64_t>(crl_number_key, decode_number);
    return last ? result<std::uint64_t>(last->value_or(0)) : failure(last.error());
  }

  result<std::uint64_t> take_crl_number() override {
    const std::scoped_lock lock(numbers_);
    const auto last = last_crl_number();
    if (!last) {
      return last;
    }
    const auto octets = writer().u64(*last + 1).take();
    rocksdb::WriteBatch batch;
    batch.Put(crl_number_key, slice(octets));
    if (auto written = commit(batch, true); !written) {
      return failure(written.error());
    }
    return *last + 1;
  }

  result<void> put(const digest& id, const ca_entry& entry) override {
    return write_entry(id, entry, true);
  }
  result<void> note(const digest& id, const ca_entry& entry) override {
    return write_entry(id, entry, false);
  }
  result<void> put(const std::string& serial, const ca_revocation& what) override {
    return write_revocation(serial, what, true);
  }
  result<void> note(const std::string& serial, const ca_revocation& what) override {
    return write_revocation(serial, what, false);
  }

  result<void> check_format() {
    std::string value;
    const auto status = db_->Get(rocksdb::ReadOptions(), format_key, &value);
    if (!status.ok() && !status.IsNotFound()) {
      return failure(error_of(status));
    }
    const std::string own(1, static_cast<char>(format_version));
    if (status.ok() && value == own) {
      return {};
    }
    if (status.ok()
        && (value.size() != 1 || static_cast<std::uint8_t>(value[0]) > format_version)) {
      return failure(errc::store_newer, "directory",
                     "the CA's index was written by a newer program");
    }
    rocksdb::WriteBatch batch; // a new index, or one of format 1 that gets records of format 2
    batch.Put(format_key, own);
    return commit(batch, true);
  }

private:
  template <class T, class Decode>
  result<std::optional<T>> read(const std::string& key, Decode decode) const {
    std::string value;
    const auto status = db_->Get(rocksdb::ReadOptions(), key, &value);
    if (status.IsNotFound()) {
      return std::optional<T>();
    }
    if (!status.ok()) {
      return failure(error_of(status));
    }
    auto decoded = decode(view_of(value));
    if (!decoded) {
      return failure(decoded.error());
    }
    return std::optional<T>(std::move(*decoded));
  }

  result<void> write_entry(const digest& id, const ca_entry& entry, bool sync) {
    rocksdb::WriteBatch batch;
    const auto octets = encode(entry);
    batch.Put(entry_key(id), slice(octets));
    if (entry.state == ca_state::issued) {
      batch.Put("s" + entry.serial, slice(id.octets));
    }
    return commit(batch, sync);
  }

  result<void> write_revocation(const std::string& serial, const ca_revocation& what, bool sync) {
    rocksdb::WriteBatch batch;
    const auto octets = encode(what);
    batch.Put("r" + serial, slice(octets));
    return commit(batch, sync);
  }

  /// The only write. Concurrent callers share one sync through RocksDB's own write group.
  result<void> commit(rocksdb::WriteBatch& batch, bool sync) {
    if (poisoned_.load()) {
      return failure(errc::store_poisoned, "", "an earlier write of the CA's index failed");
    }
    rocksdb::WriteOptions how;
    how.sync = sync;
    const auto status = db_->Write(how, &batch);
    if (!status.ok()) {
      poisoned_.store(true);
      return failure(error_of(status));
    }
    return {};
  }

  std::unique_ptr<rocksdb::DB> db_;
  std::atomic<bool> poisoned_ = false;
  std::mutex numbers_; ///< between reading a CRL number and writing the next
};

} // namespace

result<std::unique_ptr<ca_index>> ca_index::open(const std::string& directory) {
  try {
    std::filesystem::create_directories(directory);
    std::filesystem::permissions(directory, std::filesystem::perms::owner_all);
    rocksdb::DB* raw = nullptr;
    const auto status = rocksdb::DB::Open(small_options(), directory, &raw);
    if (!status.ok()) {
      return failure(error_of(status));
    }
    auto index = std::make_unique<rocksdb_ca_index>(std::unique_ptr<rocksdb::DB>(raw));
    if (auto checked = index->check_format(); !checked) {
      return failure(checked.error());
    }
    return std::unique_ptr<ca_index>(std::move(index));
  } catch (const std::exception& caught) {
    return failure(errc::io, "directory", printable(caught.what(), 300));
  }
}

} // namespace pfx::storage
