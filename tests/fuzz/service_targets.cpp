// Bodies of the PFX request service in both directions, and of the CA service: JSON from whoever
// speaks to us.
#include "connect/ca/wire.hpp"
#include "connect/http/gzip.hpp"
#include "connect/http/header_text.hpp"
#include "connect/http/json.hpp"
#include "connect/service/codec.hpp"
#include "tests/fuzz/target.hpp"

#include <algorithm>

using namespace pfx;
namespace service = pfx::connect::service;
namespace wire = pfx::connect::ca::wire;

namespace {

/// What was understood must survive our own writing of it, on the wire and in the store.
void judge(const service::offer& one) {
  if (!one.request)
    return;
  const auto stored = decode_request(encode(*one.request));
  fuzz::promise(stored && *stored == *one.request, "a request is stored as it was understood");
  const auto text = service::encode_request(*one.request, one.lease_number, one.lease_ms);
  const auto again
    = service::decode_download_answer(service::encode_download_answer({text}, false));
  fuzz::promise(again && again->offers.size() == 1 && again->offers[0].request
                  && *again->offers[0].request == *one.request,
                "a request survives the wire");
}

void judge_lease_answers(std::string_view body) {
  std::int64_t lease_ms = 0;
  static_cast<void>(service::decode_renew_leases(body, lease_ms));
}

using decoder = void (*)(std::string_view);
template <auto Decode>
void drop(std::string_view body) {
  static_cast<void>(Decode(body));
}

constexpr decoder decoders[] = {
  &drop<&service::decode_register_answer>,
  &drop<&service::decode_check_in_answer>,
  &drop<&service::decode_renew_leases_answer>,
  &drop<&service::decode_upload_answer>,
  &drop<&service::decode_query_answer>,
  &drop<&service::decode_renew_answer>,
  &drop<&service::decode_import_keys_answer>,
  &drop<&service::decode_register>,
  &drop<&service::decode_caller>,
  &drop<&service::decode_check_in>,
  &drop<&service::decode_download>,
  &judge_lease_answers,
  &drop<&service::decode_upload>,
  &drop<&service::decode_query>,
  &drop<&service::decode_renew>,
  &drop<&service::decode_import_keys>,
  &drop<&wire::decode_submit>,
  &drop<&wire::decode_find>,
  &drop<&wire::decode_revoke>,
  &drop<&wire::decode_answer>,
  &drop<&wire::decode_revoke_answer>,
  &drop<&wire::error_message>,
};

} // namespace

PFX_FUZZ_TARGET(download) {
  const auto answer = service::decode_download_answer(to_text(input));
  if (answer)
    std::for_each(answer->offers.begin(), answer->offers.end(), judge);
}

PFX_FUZZ_TARGET(calls) {
  const auto [which, rest] = fuzz::choose(input, std::size(decoders));
  decoders[which](to_text(rest));
}

PFX_FUZZ_TARGET(result) {
  const auto read = service::decode_result_document(input);
  if (!read)
    return;
  const auto document = service::encode_result_document(*read);
  const auto again = service::decode_result_document(document);
  fuzz::promise(again.has_value(), "a result document of ours can be read");
  fuzz::promise(service::encode_result_document(*again) == document,
                "a result document is written the same twice");
}

PFX_FUZZ_TARGET(http) {
  const auto [which, rest] = fuzz::choose(input, 3);
  constexpr std::size_t octets_max = 1u << 20;
  const auto text = to_text(rest);
  if (which == 0) {
    const auto out = connect::http::gunzip(text, octets_max);
    fuzz::promise(!out || out->size() <= octets_max, "no more comes out than was allowed");
  } else if (which == 1) {
    const auto wait = connect::http::read_retry_after(text, 1'793'534'400'000);
    fuzz::promise(!wait || (*wait >= 0 && *wait <= 86'400'000), "a wait is between 0 and a day");
  } else {
    const auto strict = connect::http::parse_json_strict(text);
    fuzz::promise(!strict || connect::http::parse_json(text), "strict is narrower than parsing");
  }
}
