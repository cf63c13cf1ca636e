// The durable queue: what was promised to the service, the CA and the operator, on one disk.
// One owner process, one synced write in flight, strict recovery. Knows sealed bytes only.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/record.hpp"
#include "core/revocation.hpp"
#include "core/scep_notice.hpp"

namespace pfx::storage {

/// trail() returns no more than the newest of them.
inline constexpr std::size_t trail_entries_max = 1000;

struct store_options {
  std::string directory;                         ///< made if missing (mode 0700)
  std::uint64_t free_bytes_floor = 256u << 20;   ///< below it a commit gets errc::disk_full
  std::size_t batch_bytes_max = 8u << 20;        ///< a larger commit is refused (errc::too_large)
  std::uint64_t wal_bytes_max = 256u << 20;
  bool create_if_missing = true;
  /// An operator's last resort on a copy: opens what is readable up to the first damage of the log.
  /// Synced facts may be missing then; the caller must treat the run as one with amnesia.
  bool salvage = false;
  /// For tests: asked before each synced write; an error is what the disk would have said (then the
  /// store is poisoned).
  std::function<result<void>()> fault;
  /// For tests: free bytes on the file system; default statvfs.
  std::function<std::uint64_t()> free_bytes;
};

// -- what one atomic, synced batch can hold ------
struct put_record { record value; };
struct drop_record { request_key key; };                       ///< with all its blobs but `result`
struct put_blob { request_key key; blob_kind kind = blob_kind::request; bytes sealed; };
struct drop_blob { request_key key; blob_kind kind = blob_kind::request; };
struct put_settled { request_key key; settled_record value; };
struct put_surplus { surplus_certificate value; };
struct put_trail { request_key key; trail_entry value; };
/// Open, or, once it is reported or given up, kept for ever among the reported ones.
struct put_order { revocation_order value; };
/// A certificate that was issued through us: what a revocation order may mean. Kept for ever.
/// At most 256 octets of authority and 64 characters of serial number.
struct put_issued {
  std::string authority;
  std::string serial_number;
  std::string issuer; ///< RFC 4514
  request_key request;
};
/// With its CSR, which is sealed. When it has ended, the CSR goes in the same batch, and the notice
/// may be purged as if it were a settled request.
struct put_notice { scep_notice value; };
/// One line of the hash-chained audit: SHA-256 links are computed by the caller (`chain_head` after
/// this entry). A sequence that is not behind the last one is errc::conflict.
struct put_audit { std::uint64_t sequence = 0; digest chain_head; bytes entry; };
/// Small values of the engine itself: identity, epoch, … (key at most 64 octets, value at most
/// 64 KiB).
struct put_meta { std::string name; bytes value; };

using operation = std::variant<put_record, drop_record, put_blob, drop_blob, put_settled,
                               put_surplus, put_trail, put_order, put_issued, put_notice,
                               put_audit, put_meta>;
using batch = std::vector<operation>;

struct store_status {
  bool poisoned = false;
  std::string poison_reason;
  bool below_floor = false;
  std::uint64_t free_bytes = 0;
  std::uint64_t sequence = 0;     ///< RocksDB's latest sequence number; of synced writes
  std::uint64_t recovered = 0;    ///< the same, as it was read back when the store was opened
  std::uint64_t commits = 0;      ///< synced writes in this process
  bool unclean_start = false;
  /// The log ended in the middle of a write when the store was opened. Either that write was never
  /// acknowledged (a power cut), or synced ones are gone: only the anchor, elsewhere, knows.
  bool tail_cut = false;
};

/// What a store holds, counted.
struct store_contents {
  std::uint64_t open_requests = 0;
  std::uint64_t settled_requests = 0;
  std::uint64_t blobs = 0;
  std::uint64_t surplus_certificates = 0;
  std::uint64_t revocation_orders = 0; ///< open and reported ones
  std::uint64_t scep_notices = 0;
  std::uint64_t audit_lines = 0;
};

/// Thread-safe for reads; commit() is for one thread at a time (the keeper's disk thread).
class store {
public:
  /// Errors: errc::store_locked (another process; says which pid if known), errc::corrupt (strict
  /// recovery refused; says what to do), errc::store_newer (format of a newer program),
  /// errc::bad_input (directory: rights, owner, foreign files), errc::not_found, errc::io,
  /// errc::disk_full (less than half the floor is free), errc::store_poisoned (its own first write
  /// failed). Writes and syncs the mark "running"; `unclean_start` tells that the mark of the last
  /// run was still there.
  [[nodiscard]] static result<std::unique_ptr<store>> open(store_options options);
  /// Without close_clean() the mark stays, and the next start is an unclean one.
  ~store();

  /// All or nothing, synced before it returns. errc::disk_full: nothing was written, may be tried
  /// again. errc::store_poisoned: this or an earlier write failed, or damage was read; nothing more
  /// is written in this process. Other errors refuse the batch and change nothing.
  [[nodiscard]] result<void> commit(const batch& what);
  /// What commit() would refuse of this batch alone, whatever the disk says: errc::bad_input,
  /// errc::too_large. Writes nothing.
  [[nodiscard]] result<void> would_take(const batch& what) const;
  /// errc::bad_input for a key that no commit takes.
  [[nodiscard]] static result<void> would_take(const request_key& key);
  /// Removes the mark, flushes, syncs. The store takes no more commits.
  [[nodiscard]] result<void> close_clean();

  /// 16 random octets, made with the store; binds sealed bytes to it.
  [[nodiscard]] const bytes& store_id() const noexcept;
  [[nodiscard]] store_status status() const;

  [[nodiscard]] result<std::optional<record>> find_record(const request_key& key) const;
  [[nodiscard]] result<std::optional<settled_record>> find_settled(const request_key& key) const;
  /// In the order of `keys`; one look-up each through a bloom filter.
  [[nodiscard]] result<std::vector<std::optional<settled_record>>>
  find_settled(const std::vector<request_key>& keys) const;
  [[nodiscard]] result<std::optional<bytes>> find_blob(const request_key& key,
                                                       blob_kind kind) const;
  [[nodiscard]] result<std::vector<trail_entry>> trail(const request_key& key) const;
  [[nodiscard]] result<std::optional<bytes>> meta(const std::string& name) const;

  /// Calls `visit` for each; stops early when it returns false.
  [[nodiscard]] result<void> each_record(const std::function<bool(record)>& visit) const;
  [[nodiscard]] result<void> each_settled(
    const std::function<bool(request_key, settled_record)>& visit) const;
  [[nodiscard]] result<void> each_surplus(
    const std::function<bool(surplus_certificate)>& visit) const;
  /// The open ones.
  [[nodiscard]] result<void> each_order(const std::function<bool(revocation_order)>& visit) const;
  /// Those that are reported, or given up as unreported.
  [[nodiscard]] result<void> each_reported_order(
    const std::function<bool(revocation_order)>& visit) const;
  /// In the order of `keys`, open or reported. Who asks also brings the writes: an order that is
  /// opened again meanwhile could be missed.
  [[nodiscard]] result<std::vector<std::optional<revocation_order>>>
  find_orders(const std::vector<request_key>& keys) const;
  /// Waiting ones and those that ended and are not purged yet.
  [[nodiscard]] result<void> each_notice(const std::function<bool(scep_notice)>& visit) const;
  [[nodiscard]] result<std::optional<scep_notice>> find_notice(const request_key& key) const;
  [[nodiscard]] result<std::optional<put_issued>> find_issued(
    const std::string& authority, const std::string& serial_number) const;
  static constexpr std::size_t issued_authorities_max = 1'000;
  /// The names of the CAs that put_issued was ever given, each once. One look a name.
  /// errc::too_large, field "issued": more than issued_authorities_max.
  [[nodiscard]] result<std::vector<std::string>> issued_authorities() const;
  /// Every blob as it is stored: sealed. `visit` may commit; what it writes is not seen by this
  /// walk.
  [[nodiscard]] result<void> each_blob(
    const std::function<bool(request_key, blob_kind, bytes)>& visit) const;
  /// Audit entries from `from` on: sequence, chain head, entry.
  [[nodiscard]] result<void> each_audit(
    std::uint64_t from, const std::function<bool(std::uint64_t, digest, bytes)>& visit) const;
  /// The last audit entry, if any.
  [[nodiscard]] result<std::optional<put_audit>> last_audit() const;

  /// Deletes blobs, trails and finished surplus entries of requests settled before `before`, and
  /// abandoned records whose expiry was before `before`. At most `count_max` keys of the database a
  /// call (and 10,000, or 4 MiB of them, in any case); returns how many went; 0: all are gone.
  /// Goes on down to half the free-space floor. Settled records stay for ever.
  [[nodiscard]] result<std::size_t> purge(unix_ms before, std::size_t count_max);

  /// Rewrites the tables of blobs, so that what was overwritten or dropped is gone from the files
  /// of the database (not from the disk's own free blocks). Takes as much room as all blobs for a
  /// while; errc::disk_full if it would not fit above the floor.
  [[nodiscard]] result<void> erase_overwritten();

  /// Reads every table and every entry, checksums and forms. errc::corrupt with the first damage.
  [[nodiscard]] result<store_contents> verify() const;
  /// A complete copy as of now in `target`, which must not exist (errc::conflict). Tables are
  /// linked where both lie on one file system. May be called while others commit.
  [[nodiscard]] result<void> back_up(const std::string& target) const;

  /// The storage key of a blob: bound into its seal, so that blobs can't be exchanged.
  [[nodiscard]] static bytes blob_key(const request_key& key, blob_kind kind);

private:
  struct state;
  explicit store(std::unique_ptr<state> s);
  std::unique_ptr<state> state_;
};

} // namespace pfx::storage
