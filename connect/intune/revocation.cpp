// Two calls of PkiConnectorFEService.
#include "connect/intune/revocation.hpp"

#include "connect/intune/codec.hpp"
#include "connect/intune/text.hpp"

namespace pfx::connect::intune {

namespace {

constexpr std::string_view service = "PkiConnectorFEService";

result<void> check(const revocation_result& one, std::size_t index) {
  const std::string at = "results[" + std::to_string(index) + "].";
  if (auto good
      = check_text(one.request_context, revocation_context_bytes_max, at + "requestContext");
      !good)
    return good;
  if (one.succeeded && (one.code != service_code::none || !one.message.empty()))
    return failure(errc::bad_input, at + "errorCode", "goes with a failure only");
  if (!one.succeeded && one.code == service_code::none)
    return failure(errc::bad_input, at + "errorCode", "is missing for a failure");
  if (one.message.size() > result_message_bytes_max)
    return failure(errc::too_large, at + "errorMessage", "is over 1024 octets");
  if (!utf16_units(one.message) || !utf16_units(one.request_context))
    return failure(errc::bad_input, at + "errorMessage", "is not UTF-8");
  return {};
}

class revocation_queue final : public revocation_service {
public:
  revocation_queue(intune_services& over, std::string version)
      : over_(over), version_(std::move(version)) {}

  answer<revocation_batch> download(const std::string& transaction_id, int max_requests,
                                    const std::optional<std::string>& issuer_name) override {
    if (auto good = check_text(transaction_id, transaction_bytes_max, "transactionId"); !good)
      return refusal(good.error());
    if (max_requests < 1 || max_requests > revocations_max)
      return refusal({errc::bad_input, "maxRequests", "must be between 1 and 500"});
    if (issuer_name) {
      const auto units = utf16_units(*issuer_name);
      if (!units || blank(*issuer_name))
        return refusal({errc::bad_input, "issuerName", "is blank or not UTF-8"});
      if (*units > issuer_filter_characters_max)
        return refusal({errc::too_large, "issuerName", "is over 256 characters"});
    }
    auto got = ask(transaction_id, "CertificateAuthorityRequests/downloadRevocationRequests",
                   encode_download(max_requests, issuer_name));
    if (!got)
      return tl::unexpected(std::move(got.error()));
    auto batch = decode_revocations(got->body);
    if (!batch)
      return tl::unexpected(bad_answer(transaction_id, *got, batch.error()));
    batch->request_id = std::move(got->request_id);
    return std::move(*batch);
  }

  answer<std::string> upload(const std::string& transaction_id,
                             const std::vector<revocation_result>& results) override {
    if (auto good = check_text(transaction_id, transaction_bytes_max, "transactionId"); !good)
      return refusal(good.error());
    if (results.empty())
      return refusal({errc::bad_input, "results", "is empty"});
    if (results.size() > std::size_t{revocations_max})
      return refusal({errc::too_large, "results", "is over 500"});
    for (std::size_t i = 0; i < results.size(); ++i)
      if (auto good = check(results[i], i); !good)
        return refusal(good.error());
    auto got = ask(transaction_id, "CertificateAuthorityRequests/uploadRevocationResults",
                   encode_upload(results));
    if (!got)
      return tl::unexpected(std::move(got.error()));
    if (auto recorded = decode_recorded(got->body); !recorded)
      return tl::unexpected(bad_answer(transaction_id, *got, recorded.error()));
    return std::move(got->request_id);
  }

private:
  static std::string told(const std::string& transaction_id) {
    return " (transaction " + printable(transaction_id, 64) + ")";
  }

  answer<service_reply> ask(const std::string& transaction_id, const char* suffix,
                            std::string body) {
    auto got = over_.post({std::string(service), suffix, version_, std::move(body)});
    if (!got)
      got.error().what.message += told(transaction_id);
    return got;
  }

  static call_error bad_answer(const std::string& transaction_id, const service_reply& got,
                               error what) {
    what.message += " (client-request-id " + got.request_id + ")" + told(transaction_id);
    return {std::move(what), 200, {}, got.request_id, 0};
  }

  intune_services& over_;
  const std::string version_;
};

} // namespace

result<std::unique_ptr<revocation_service>> make_revocation_service(intune_services& over,
                                                                    std::string api_version) {
  if (auto good = check_version(api_version, "revocationVersion"); !good)
    return failure(good.error());
  return std::unique_ptr<revocation_service>(new revocation_queue(over, std::move(api_version)));
}

} // namespace pfx::connect::intune
