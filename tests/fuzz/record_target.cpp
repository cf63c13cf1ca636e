// Records as they lie in the store: octets that a damaged disk could turn into anything.
#include "core/record.hpp"
#include "core/request.hpp"
#include "tests/fuzz/target.hpp"

using namespace pfx;

namespace {

template <class T>
void judge(const result<T>& read, result<T> (*again)(byte_view)) {
  if (!read)
    return;
  const auto second = again(encode(*read));
  fuzz::promise(second && *second == *read, "what was read is written and read as the same");
}

result<record> record_of_fuzz(byte_view octets) {
  return decode_record({"tenant", flow::pfx, "context"}, octets);
}

} // namespace

PFX_FUZZ_TARGET(record) {
  const auto [which, rest] = fuzz::choose(input, 5);
  switch (which) {
    case 0:
      judge(record_of_fuzz(rest), &record_of_fuzz);
      break;
    case 1:
      judge(decode_settled(rest), &decode_settled);
      break;
    case 2:
      judge(decode_surplus(rest), &decode_surplus);
      break;
    case 3:
      judge(decode_trail_entry(rest), &decode_trail_entry);
      break;
    default:
      judge(decode_request(rest), &decode_request);
      break;
  }
}
