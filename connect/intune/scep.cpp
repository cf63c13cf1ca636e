// Three calls of ScepRequestValidationFEService.
#include "connect/intune/scep.hpp"

#include <nlohmann/json.hpp>

#include "connect/intune/codec.hpp"
#include "connect/intune/text.hpp"
#include "crypto/digest.hpp"

namespace pfx::connect::intune {

namespace {

using nlohmann::json;

constexpr std::string_view service = "ScepRequestValidationFEService";

/// The first thing wrong, with its name; later ones are not looked at.
class checks {
public:
  checks& text(const std::string& value, std::string_view field) {
    if (good_)
      good_ = check_text(value, scep_text_bytes_max, field);
    return optional_text(value, field);
  }
  checks& optional_text(const std::string& value, std::string_view field) {
    if (good_ && value.size() > scep_text_bytes_max)
      good_ = failure(errc::too_large, std::string(field), "is over 1024 octets");
    if (good_ && !utf16_units(value))
      good_ = failure(errc::bad_input, std::string(field), "is not UTF-8");
    return *this;
  }
  checks& request(const scep_request& value) {
    text(value.transaction_id, "transactionId");
    if (good_ && value.certificate_request.empty())
      good_ = failure(errc::bad_input, "certificateRequest", "is empty");
    if (good_ && value.certificate_request.size() > scep_request_bytes_max)
      good_ = failure(errc::too_large, "certificateRequest", "is over 65536 octets");
    return *this;
  }
  checks& that(bool kept, std::string_view field, const char* sentence) {
    if (good_ && !kept)
      good_ = failure(errc::bad_input, std::string(field), sentence);
    return *this;
  }
  [[nodiscard]] const result<void>& outcome() const { return good_; }

private:
  result<void> good_;
};

json fields_of(const scep_request& request, const std::string& caller) {
  return {{"transactionId", request.transaction_id},
          {"certificateRequest", crypto::to_base64(request.certificate_request)},
          {"callerInfo", caller}};
}

class scep_validation final : public scep_service {
public:
  scep_validation(intune_services& over, std::string caller, std::string version)
      : over_(over), caller_(std::move(caller)), version_(std::move(version)) {}

  answer<scep_verdict> validate(const scep_request& request) override {
    checks looked;
    looked.request(request);
    if (!looked.outcome())
      return refusal(looked.outcome().error());
    return ask("ScepActions/validateRequest", {{"request", fields_of(request, caller_)}});
  }

  answer<scep_verdict> notify_success(const scep_success& notice) override {
    const auto thumbprint = from_hex(notice.thumbprint);
    checks looked;
    looked.request(notice.request)
      .that(thumbprint && thumbprint->size() == 20, "certificateThumbprint",
            "is not 40 hexadecimal digits (SHA-1)")
      .text(notice.serial_number, "certificateSerialNumber")
      .that(notice.expires > 0, "certificateExpirationDateUtc", "is missing")
      .text(notice.issuing_authority, "issuingCertificateAuthority")
      .optional_text(notice.ca_configuration, "caConfiguration")
      .optional_text(notice.certificate_authority, "certificateAuthority");
    if (!looked.outcome())
      return refusal(looked.outcome().error());
    json fields = fields_of(notice.request, caller_);
    fields["certificateThumbprint"] = notice.thumbprint;
    fields["certificateSerialNumber"] = notice.serial_number;
    fields["certificateExpirationDateUtc"] = scep_time(notice.expires);
    fields["issuingCertificateAuthority"] = notice.issuing_authority;
    fields["caConfiguration"] = notice.ca_configuration;
    fields["certificateAuthority"] = notice.certificate_authority;
    return ask("ScepActions/successNotification", {{"notification", std::move(fields)}});
  }

  answer<scep_verdict> notify_failure(const scep_failure& notice) override {
    const auto units = utf16_units(notice.description);
    checks looked;
    looked.request(notice.request)
      .that(notice.hresult != 0, "hResult", "is zero, which is no failure")
      .text(notice.description, "errorDescription")
      .that(units && *units <= scep_description_characters_max, "errorDescription",
            "is over 255 characters");
    if (!looked.outcome())
      return refusal(looked.outcome().error());
    json fields = fields_of(notice.request, caller_);
    fields["hResult"] = notice.hresult;
    fields["errorDescription"] = notice.description;
    return ask("ScepActions/failureNotification", {{"notification", std::move(fields)}});
  }

private:
  answer<scep_verdict> ask(const char* suffix, const json& body) {
    auto got = over_.post({std::string(service), suffix, version_, body.dump()});
    if (!got)
      return tl::unexpected(std::move(got.error()));
    auto verdict = decode_verdict(got->body);
    if (!verdict) {
      error what = verdict.error();
      what.message += " (client-request-id " + got->request_id + ")";
      return tl::unexpected(call_error{std::move(what), 200, {}, got->request_id, 0});
    }
    verdict->request_id = std::move(got->request_id);
    return std::move(*verdict);
  }

  intune_services& over_;
  const std::string caller_;
  const std::string version_;
};

} // namespace

std::string scep_time(unix_ms moment) {
  std::string out = to_rfc3339(moment);
  if (out.find('.') == std::string::npos)
    out.insert(out.size() - 1, ".000");
  return out;
}

result<std::unique_ptr<scep_service>> make_scep_service(intune_services& over, std::string caller,
                                                        std::string api_version) {
  if (auto good = check_caller(caller); !good)
    return failure(good.error());
  if (auto good = check_version(api_version, "scepVersion"); !good)
    return failure(good.error());
  return std::unique_ptr<scep_service>(
    new scep_validation(over, std::move(caller), std::move(api_version)));
}

} // namespace pfx::connect::intune
