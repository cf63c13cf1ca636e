// From a request to an intent, and from a certificate to frozen bytes. Keys live here for moments.
#include "actors/tasks/crypto_work.hpp"

#include <cstdlib>
#include <exception>

#include "actors/tasks/vault.hpp"
#include "connect/service/codec.hpp"
#include "core/fault_point.hpp"
#include "crypto/cms.hpp"
#include "crypto/digest.hpp"
#include "crypto/pkcs12.hpp"
#include "crypto/random.hpp"
#include "crypto/request.hpp"

namespace pfx::actors::tasks {

namespace {

using lifecycle::event;
using lifecycle::event_kind;

event refused(service_code code, std::string text) {
  event out;
  out.kind = event_kind::work_refused;
  out.code = code;
  out.text = printable(text, 400);
  return out;
}

event refused(const error& why) {
  return refused(service_code_of(why.code),
                 why.field.empty() ? why.message : why.field + ": " + why.message);
}

event failed(event_kind kind, const error& why) {
  event out;
  out.kind = kind;
  out.text = printable(to_string(why), 400);
  return out;
}

/// A fault of the input or of policy is final; one of ours or of the machine may pass.
bool final_fault(errc code) {
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
  return final_fault(why.code) ? refused(why) : failed(event_kind::work_failed, why);
}

error under(std::string_view prefix, error why) {
  why.field = why.field.empty() ? std::string(prefix) : std::string(prefix) + "." + why.field;
  return why;
}

crypto::csr_options csr_options_of(const create_order& order) {
  return {.subject = order.subject,
          .alternative_names = order.alternative_names,
          .usages = order.usages,
          .extended_usages = order.extended_usages,
          .hash = order.hash,
          .security_identifier = order.security_identifier};
}

result<void> admit_recipients(const plant& p, const pfx_request& request) {
  if (p.gate == nullptr) {
    return failure(errc::policy, "recipients", "recipients.trust is not configured");
  }
  for (std::size_t i = 0; i < request.recipients.size(); ++i) {
    auto admitted = p.gate->admit(request.recipients[i], i, request.device_id, p.time->wall());
    if (!admitted) {
      return failure(admitted.error());
    }
  }
  return {};
}

result<void> check_create(const plant& p, const pfx_request& request) {
  if (request.profile != pfx_profile::modern) {
    return failure(errc::not_supported, "pfxProfile",
                   "this version writes the profile modern only");
  }
  const auto& order = request.create;
  if (p.authorities.find(order.authority) == p.authorities.end()) {
    return failure(errc::policy, "certificate.certificateAuthority",
                   "is not configured here: " + printable(order.authority));
  }
  if (auto allowed = check_issuance(order, p.issuance); !allowed) {
    return failure(allowed.error());
  }
  if (auto names = crypto::check_csr_options(csr_options_of(order)); !names) {
    return failure(under("certificate", names.error()));
  }
  return admit_recipients(p, request);
}

result<intent> make_key_and_csr(const plant& p, const create_order& order, pfx_profile profile) {
  auto key = crypto::private_key::generate(order.key);
  if (!key) {
    return failure(key.error());
  }
  ++p.totals.keys_made;
  auto csr = crypto::build_csr(*key, csr_options_of(order));
  if (!csr) {
    return failure(under("certificate", csr.error()));
  }
  auto pkcs8 = key->to_pkcs8();
  if (!pkcs8) {
    return failure(pkcs8.error());
  }
  intent out;
  out.key_pkcs8 = std::move(*pkcs8);
  out.public_key_hash = key->public_key_hash();
  out.certificate_request = std::move(*csr);
  out.authority = order.authority;
  out.certificate_template = order.certificate_template;
  out.validity = order.validity;
  out.security_identifier = order.security_identifier;
  out.profile = profile;
  return out;
}

struct pfx_parts {
  pfx_request request;
  intent plan;
  issued_certificate issued;
};

result<pfx_parts> load_parts(const plant& p, const request_key& key) {
  auto request = load_request(p, key);
  if (!request) {
    return failure(request.error());
  }
  auto plan = load_intent(p, key);
  if (!plan) {
    return failure(plan.error());
  }
  auto issued = load_certificate(p, key);
  if (!issued) {
    return failure(issued.error());
  }
  return pfx_parts{std::move(*request), std::move(*plan), std::move(*issued)};
}

result<bytes> build_pfx(const pfx_parts& parts, const crypto::certificate& leaf,
                        const secret_bytes& password) {
  auto key = crypto::private_key::from_pkcs8(parts.plan.key_pkcs8.view());
  if (!key) {
    return failure(key.error());
  }
  std::vector<crypto::certificate> chain;
  for (const auto& der : parts.issued.chain) {
    auto link = crypto::certificate::from_der(der);
    if (!link) {
      return failure(link.error());
    }
    if (link->subject() != link->issuer()) { // the root stays out of the file
      chain.push_back(std::move(*link));
    }
  }
  const auto name = leaf.common_name().empty() ? leaf.serial() : leaf.common_name();
  return crypto::build_pkcs12({*key, leaf, chain, name, password},
                              crypto::pkcs12_options::modern());
}

result<request_result> build_success(const plant& p, const pfx_parts& parts) {
  auto leaf = crypto::certificate::from_der(parts.issued.certificate);
  if (!leaf) {
    return failure(leaf.error());
  }
  const auto password = crypto::random_password();
  auto file = build_pfx(parts, *leaf, password);
  if (!file) {
    return failure(file.error());
  }
  request_result out;
  out.succeeded = true;
  out.encrypted_pfx = std::move(*file);
  for (std::size_t i = 0; i < parts.request.recipients.size(); ++i) {
    const auto& who = parts.request.recipients[i];
    // Asked again, not remembered: what the policy refuses by now gets no password.
    auto device = p.gate->admit(who, i, parts.request.device_id, p.time->wall());
    if (!device) {
      return failure(device.error());
    }
    auto wrapped = crypto::encrypt_to(*device, who.transport, password.view());
    if (!wrapped) {
      return failure(under("recipients[" + std::to_string(i) + "]", wrapped.error()));
    }
    out.deliveries.push_back({who.id, std::move(*wrapped)});
  }
  out.certificate = delivered_certificate{.certificate = leaf->der(),
                                          .chain = parts.issued.chain,
                                          .thumbprint = leaf->thumbprint(),
                                          .serial_number = leaf->serial(),
                                          .issuer = leaf->issuer(),
                                          .not_before = leaf->not_before(),
                                          .not_after = leaf->not_after()};
  return out;
}

request_result failure_document(const record& of) {
  request_result out;
  out.code = of.failure_code == service_code::none ? service_code::non_retryable : of.failure_code;
  out.message = printable(of.reason, 400);
  out.retryable = of.failure_retryable;
  return out;
}

event freeze(const plant& p, const record& of, const request_result& document) {
  const auto octets = connect::service::encode_result_document(document);
  auto sealed = seal_blob(p, of.key, blob_kind::result, octets);
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

} // namespace

event make_intent(const plant& p, const record& of) {
  auto request = load_request(p, of.key);
  if (!request) {
    return failed(event_kind::work_failed, request.error());
  }
  if (request->kind != request_kind::pfx_create) {
    return refused(service_code::not_supported,
                   "kind: this version does not process " + printable(request->kind_word));
  }
  if (auto allowed = check_create(p, *request); !allowed) {
    return fault_of_work(allowed.error());
  }
  auto plan = make_key_and_csr(p, request->create, request->profile);
  if (!plan) {
    return fault_of_work(plan.error());
  }
  auto sealed = seal_blob(p, of.key, blob_kind::intent, encode(*plan).view());
  if (!sealed) {
    return failed(event_kind::work_failed, sealed.error());
  }
  event out;
  out.kind = event_kind::worked;
  out.blobs.emplace_back(blob_kind::intent, std::move(*sealed));
  return out;
}

event build_result(const plant& p, const record& of) {
  if (of.failing) {
    return freeze(p, of, failure_document(of));
  }
  auto parts = load_parts(p, of.key);
  if (!parts) {
    return failed(event_kind::build_failed, parts.error());
  }
  auto document = build_success(p, *parts);
  if (!document) {
    return final_fault(document.error().code) ? refused(document.error())
                                              : failed(event_kind::build_failed, document.error());
  }
  return freeze(p, of, *document);
}

outcome run_crypto_task(const plant& p, const task& what) noexcept {
  outcome out{.key = what.of->key, .ticket = what.ticket, .what = what.what};
  try {
    if (poisonous(what.of->key.context) && what.what == lifecycle::action::work) {
      std::abort(); // what a request does that breaks a parser below us
    }
    out.event
      = what.what == lifecycle::action::work ? make_intent(p, *what.of) : build_result(p, *what.of);
  } catch (const std::exception& thrown) {
    out.event = lost_answer(what.what, std::string("exception: ") + printable(thrown.what()));
  }
  return out;
}

} // namespace pfx::actors::tasks
