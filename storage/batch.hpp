// Turns a typed batch into the one batch that the database writes. Refuses what could not be read
// back: keys beyond the limits, unknown kinds, too many octets, an audit that does not go forward.
#pragma once

#include <optional>

#include "storage/rocks.hpp"
#include "storage/store.hpp"

namespace rocksdb {
class WriteBatch;
}

namespace pfx::storage {

/// The time from which an abandoned record may be purged: its expiry, or, if none was readable, the
/// time of its reception.
[[nodiscard]] unix_ms abandoned_until(const record& value) noexcept;

/// Life: one commit. The first fault sticks; the batch must not be written then.
class batch_builder {
public:
  struct position {
    std::uint64_t next_trail = 0; ///< larger than every number given to a trail entry before
    std::optional<std::uint64_t> last_audit;
  };

  batch_builder(const rocks& database, rocksdb::WriteBatch& out, std::size_t bytes_max, position at)
      : database_(database), out_(out), bytes_max_(bytes_max), at_(at) {}

  [[nodiscard]] result<void> add(const operation& what);
  [[nodiscard]] std::optional<std::uint64_t> last_audit() const noexcept { return at_.last_audit; }

  void set(family in, byte_view key, byte_view value);
  void erase(family in, byte_view key);

private:
  void put(const put_record& what);
  void put(const drop_record& what);
  void put(const put_blob& what);
  void put(const drop_blob& what);
  void put(const put_settled& what);
  void put(const put_surplus& what);
  void put(const put_trail& what);
  void put(const put_order& what);
  void put(const put_issued& what);
  void put(const put_notice& what);
  void put(const put_audit& what);
  void put(const put_meta& what);

  void check(const request_key& key);
  void check(blob_kind kind);
  void refuse(errc code, std::string field, std::string message);

  const rocks& database_;
  rocksdb::WriteBatch& out_;
  std::size_t bytes_max_;
  position at_;
  std::optional<error> fault_;
};

} // namespace pfx::storage
