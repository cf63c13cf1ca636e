// Bodies of the PFX request service, both directions, so that client and sandbox share one truth.
// Text in, values out; no I/O. Errors name the JSON field ("recipients[3].certificate").
#pragma once

#include <string>

#include "connect/service/messages.hpp"

namespace pfx::connect::service {

// -- engine's side ------
[[nodiscard]] std::string encode_register(const register_order& order);
[[nodiscard]] result<register_answer> decode_register_answer(std::string_view body);
[[nodiscard]] std::string encode_check_in(const caller& who, const check_in_order& order);
[[nodiscard]] result<check_in_answer> decode_check_in_answer(std::string_view body);
[[nodiscard]] std::string encode_download(const caller& who, const download_order& order);
[[nodiscard]] result<download_answer> decode_download_answer(std::string_view body);
[[nodiscard]] std::string encode_renew_leases(const caller& who, std::int64_t lease_ms,
                                              const std::vector<lease_claim>& claims);
[[nodiscard]] result<std::vector<lease_answer>> decode_renew_leases_answer(std::string_view body);
[[nodiscard]] std::string encode_upload(const caller& who,
                                        const std::vector<upload_entry>& entries);
[[nodiscard]] result<std::vector<upload_answer>> decode_upload_answer(std::string_view body);
[[nodiscard]] std::string encode_query(const caller& who, const std::vector<std::string>& contexts);
[[nodiscard]] std::string encode_query_handed_to_me(const caller& who, const std::string& after);
[[nodiscard]] result<query_page> decode_query_answer(std::string_view body);
[[nodiscard]] std::string encode_renew(const caller& who, byte_view certificate_request);
[[nodiscard]] result<bytes> decode_renew_answer(std::string_view body);
[[nodiscard]] std::string encode_import_keys(const caller& who,
                                             const std::vector<import_key>& keys);
/// errc::bad_input unless the service says true.
[[nodiscard]] result<bool> decode_import_keys_answer(std::string_view body);

/// The frozen result document (docs/protocol.md, Result document). Same value in, same octets out.
[[nodiscard]] bytes encode_result_document(const request_result& value);
[[nodiscard]] result<request_result> decode_result_document(byte_view document);

// -- service's side (sandbox) ------
struct register_call {
  register_order order;
};
[[nodiscard]] result<register_order> decode_register(std::string_view body);
[[nodiscard]] std::string encode_register_answer(const register_answer& answer);
/// Any call but register: who calls.
[[nodiscard]] result<caller> decode_caller(std::string_view body);
[[nodiscard]] result<check_in_order> decode_check_in(std::string_view body);
[[nodiscard]] std::string encode_check_in_answer(const check_in_answer& answer);
[[nodiscard]] result<download_order> decode_download(std::string_view body);
/// One request of a download as a JSON object text; lease fields added.
[[nodiscard]] std::string encode_request(const pfx_request& request, std::uint64_t lease_number,
                                         std::int64_t lease_ms);
/// `request_texts` are JSON objects (possibly bad on purpose), put in as they are.
[[nodiscard]] std::string encode_download_answer(const std::vector<std::string>& request_texts,
                                                 bool more);
[[nodiscard]] result<std::vector<lease_claim>> decode_renew_leases(std::string_view body,
                                                                   std::int64_t& lease_ms);
[[nodiscard]] std::string encode_renew_leases_answer(const std::vector<lease_answer>& answers);
[[nodiscard]] result<std::vector<upload_entry>> decode_upload(std::string_view body);
[[nodiscard]] std::string encode_upload_answer(const std::vector<upload_answer>& answers);
struct query_order {
  std::vector<std::string> contexts;
  bool handed_to_me = false;
  std::string after;
};
[[nodiscard]] result<query_order> decode_query(std::string_view body);
[[nodiscard]] std::string encode_query_answer(const query_page& page);
[[nodiscard]] result<bytes> decode_renew(std::string_view body);
[[nodiscard]] std::string encode_renew_answer(byte_view certificate);
[[nodiscard]] result<std::vector<import_key>> decode_import_keys(std::string_view body);
[[nodiscard]] std::string encode_import_keys_answer();
/// {"error":{"code","message",…}}
[[nodiscard]] std::string encode_error(std::string_view code, std::string_view message,
                                       std::uint64_t highest_epoch = 0);

} // namespace pfx::connect::service
