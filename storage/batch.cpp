// Each operation as puts and deletes. Whatever can be purged one day leaves a reminder under the
// time from which that is so, in the same batch.
#include "storage/batch.hpp"

#include <rocksdb/slice.h>
#include <rocksdb/status.h>
#include <rocksdb/write_batch.h>

#include "core/codec.hpp"
#include "storage/keys.hpp"

namespace pfx::storage {

namespace {

constexpr std::size_t meta_value_bytes_max = 64u << 10;
constexpr std::size_t authority_bytes_max = 256;
constexpr std::size_t serial_characters_max = 64;

rocksdb::Slice slice(byte_view octets) {
  return {reinterpret_cast<const char*>(octets.data()), octets.size()};
}

} // namespace

unix_ms abandoned_until(const record& value) noexcept {
  return value.expires_at != 0 ? value.expires_at : value.received_at;
}

result<void> batch_builder::add(const operation& what) {
  std::visit([this](const auto& one) { put(one); }, what);
  if (fault_) {
    return failure(*fault_);
  }
  return {};
}

void batch_builder::put(const put_record& what) {
  const auto& value = what.value;
  check(value.key);
  set(family::facts, keys::record(value.key), encode(value));
  if (value.state == record_state::abandoned) {
    set(family::facts, keys::due(abandoned_until(value), value.key), {});
  }
}

void batch_builder::put(const drop_record& what) {
  check(what.key);
  erase(family::facts, keys::record(what.key));
  for (const auto kind : {blob_kind::request, blob_kind::intent, blob_kind::certificate}) {
    erase(family::blobs, keys::blob(what.key, kind));
  }
}

void batch_builder::put(const put_blob& what) {
  check(what.key);
  check(what.kind);
  set(family::blobs, keys::blob(what.key, what.kind), what.sealed);
}

void batch_builder::put(const drop_blob& what) {
  check(what.key);
  check(what.kind);
  erase(family::blobs, keys::blob(what.key, what.kind));
}

void batch_builder::put(const put_settled& what) {
  check(what.key);
  set(family::settled, keys::settled(what.key), encode(what.value));
  set(family::facts, keys::due(what.value.settled_at, what.key), {});
}

void batch_builder::put(const put_surplus& what) {
  check(what.value.request);
  set(family::facts, keys::surplus(what.value), encode(what.value));
  if (what.value.done) {
    // The request may have been purged before this was done.
    set(family::facts, keys::due(what.value.found_at, what.value.request), {});
  }
}

void batch_builder::put(const put_trail& what) {
  check(what.key);
  set(family::facts, keys::trail(what.key, at_.next_trail++), encode(what.value));
}

void batch_builder::put(const put_order& what) {
  check(what.value.key);
  const auto& key = what.value.key;
  const auto octets = encode(what.value);
  if (is_final(what.value.state)) {
    erase(family::facts, keys::order(key));
    set(family::settled, keys::reported(key), octets);
    set(family::facts, keys::due(what.value.answered_at, key), {}); // its trail
  } else {
    set(family::facts, keys::order(key), octets);
    erase(family::settled, keys::reported(key)); // it may have come again
  }
}

void batch_builder::put(const put_issued& what) {
  check(what.request);
  if (what.authority.empty() || what.authority.size() > authority_bytes_max
      || what.serial_number.empty() || what.serial_number.size() > serial_characters_max) {
    refuse(errc::bad_input, "issued", "needs a CA and a serial number");
  }
  set(family::settled, keys::issued(what.authority, what.serial_number),
      writer().text(what.issuer).blob(keys::record(what.request)).take());
}

void batch_builder::put(const put_notice& what) {
  const auto& value = what.value;
  check(value.key);
  set(family::facts, keys::notice(value.key), encode(value));
  if (value.state != notice_state::waiting) {
    erase(family::blobs, keys::blob(value.key, blob_kind::request));
    set(family::facts, keys::due(value.ended_at, value.key), {});
  }
}

void batch_builder::put(const put_audit& what) {
  if (at_.last_audit && what.sequence <= *at_.last_audit) {
    refuse(errc::conflict, "audit",
           "entry " + std::to_string(what.sequence) + " is not behind the last one, "
             + std::to_string(*at_.last_audit));
  }
  bytes value(what.chain_head.octets.begin(), what.chain_head.octets.end());
  value.insert(value.end(), what.entry.begin(), what.entry.end());
  set(family::facts, keys::audit(what.sequence), value);
  at_.last_audit = what.sequence;
}

void batch_builder::put(const put_meta& what) {
  if (what.name.empty() || what.name.size() > keys::meta_name_bytes_max) {
    refuse(errc::bad_input, "meta", "needs a name of 1 to 64 octets");
  }
  if (what.value.size() > meta_value_bytes_max) {
    refuse(errc::too_large, "meta", "has a value of more than 64 KiB");
  }
  set(family::facts, keys::meta(what.name), what.value);
}

void batch_builder::check(const request_key& key) {
  if (auto good = keys::check(key); !good) {
    refuse(good.error().code, std::move(good.error().field), std::move(good.error().message));
  }
}

void batch_builder::check(blob_kind kind) {
  if (kind < blob_kind::request || kind > blob_kind::result) {
    refuse(errc::bad_input, "blob_kind", "is unknown");
  }
}

void batch_builder::refuse(errc code, std::string field, std::string message) {
  if (!fault_) {
    fault_ = error{code, std::move(field), std::move(message)};
  }
}

void batch_builder::set(family in, byte_view key, byte_view value) {
  // Asked before the copy: a batch that is too large shall not first become large memory.
  if (value.size() > bytes_max_ || out_.GetDataSize() + key.size() + value.size() > bytes_max_) {
    refuse(errc::too_large, "batch", "has more than " + std::to_string(bytes_max_) + " octets");
  }
  if (fault_) {
    return;
  }
  if (const auto put = out_.Put(database_.handle(in), slice(key), slice(value)); !put.ok()) {
    fault_ = error_of(put, "cannot build the batch");
  }
}

void batch_builder::erase(family in, byte_view key) {
  if (out_.GetDataSize() + key.size() > bytes_max_) {
    refuse(errc::too_large, "batch", "has more than " + std::to_string(bytes_max_) + " octets");
  }
  if (fault_) {
    return;
  }
  if (const auto erased = out_.Delete(database_.handle(in), slice(key)); !erased.ok()) {
    fault_ = error_of(erased, "cannot build the batch");
  }
}

} // namespace pfx::storage
