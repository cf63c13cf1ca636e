// Verdicts, recipients and frozen bytes, as creates and imports need them alike.
#include "actors/tasks/work_parts.hpp"

#include "actors/tasks/vault.hpp"
#include "connect/service/codec.hpp"
#include "crypto/cms.hpp"
#include "crypto/digest.hpp"

namespace pfx::actors::tasks {

namespace {

constexpr std::size_t reason_characters_max = 400;

using lifecycle::event;
using lifecycle::event_kind;

} // namespace

event refused(const error& why, bool retryable) {
  event out;
  out.kind = event_kind::work_refused;
  out.code = service_code_of(why.code);
  out.retryable = retryable;
  out.text = printable(why.field.empty() ? why.message : why.field + ": " + why.message,
                       reason_characters_max);
  return out;
}

event failed(event_kind kind, const error& why) {
  event out;
  out.kind = kind;
  out.text = printable(to_string(why), reason_characters_max);
  return out;
}

bool is_final(errc code) noexcept {
  switch (code) {
    case errc::bad_input:
    case errc::policy:
    case errc::not_supported:
    case errc::too_large:
    case errc::conflict:
      return true;
    default:
      return false;
  }
}

event fault_of_work(const error& why) {
  return is_final(why.code) ? refused(why) : failed(event_kind::work_failed, why);
}

error under(std::string_view prefix, error why) {
  why.field = why.field.empty() ? std::string(prefix) : std::string(prefix) + "." + why.field;
  return why;
}

result<void> admit_recipients(const plant& p, const request_key& key, const pfx_request& request) {
  if (p.gate == nullptr) {
    return failure(errc::policy, "recipients", "recipients.trust is not configured");
  }
  for (std::size_t i = 0; i < request.recipients.size(); ++i) {
    const auto& who = request.recipients[i];
    auto admitted = p.gate->admit(who, i, request.device_id, p.time->wall());
    if (!admitted) {
      p.audit.put(key,
                  {audit_event::recipient_refused,
                   printable(to_string(admitted.error()), reason_characters_max) + "; certificate "
                     + to_hex(crypto::sha256(who.certificate))});
      return failure(admitted.error());
    }
  }
  return {};
}

result<std::vector<delivery>> wrap_for_recipients(const plant& p, const pfx_request& request,
                                                  byte_view password) {
  std::vector<delivery> out;
  for (std::size_t i = 0; i < request.recipients.size(); ++i) {
    const auto& who = request.recipients[i];
    auto device = p.gate->admit(who, i, request.device_id, p.time->wall());
    if (!device) {
      return failure(device.error());
    }
    auto wrapped = crypto::encrypt_to(*device, who.transport, password);
    if (!wrapped) {
      return failure(under("recipients[" + std::to_string(i) + "]", wrapped.error()));
    }
    out.push_back({who.id, std::move(*wrapped)});
  }
  return out;
}

event freeze(const plant& p, const request_key& key, const request_result& document) {
  const auto octets = connect::service::encode_result_document(document);
  auto sealed = seal_blob(p, key, blob_kind::result, octets);
  if (!sealed) {
    return failed(event_kind::build_failed, sealed.error());
  }
  event out;
  out.kind = event_kind::built;
  out.succeeded = document.succeeded;
  out.result_digest = crypto::sha256(octets);
  out.blobs.emplace_back(blob_kind::result, std::move(*sealed));
  return out;
}

} // namespace pfx::actors::tasks
