// The octets of an operation: its keys and its value.
#include "actors/tasks/write_size.hpp"

namespace pfx::actors::tasks {

namespace {

constexpr std::size_t overhead = 256; ///< numbers, lengths, digests and our own short texts

std::size_t key_size(const request_key& key) { return key.tenant.size() + key.context.size() + 32; }

std::size_t size_of(const revocation_order& one) {
  constexpr std::size_t keys = 3; // put in one place, dropped from another, due one day
  return keys * key_size(one.key) + one.serial_number.size() + one.issuer_name.size()
    + one.ca_configuration.size() + one.transaction_id.size() + one.authority.size()
    + one.issuer.size() + one.serial.size() + one.text.size() + one.crl_number.size();
}

} // namespace

std::size_t write_size(const storage::operation& what) {
  if (const auto* order = std::get_if<storage::put_order>(&what)) {
    return overhead + size_of(order->value);
  }
  if (const auto* line = std::get_if<storage::put_trail>(&what)) {
    return overhead + key_size(line->key) + line->value.call_id.size() + line->value.text.size();
  }
  const auto* blob = std::get_if<storage::put_blob>(&what);
  return overhead + (blob == nullptr ? 0 : blob->sealed.size());
}

} // namespace pfx::actors::tasks
