// From a request to an intent, and from a certificate to frozen bytes. Keys live here for moments.
#include "actors/tasks/create_work.hpp"

#include "actors/tasks/vault.hpp"
#include "crypto/pkcs12.hpp"
#include "crypto/random.hpp"
#include "crypto/request.hpp"

namespace pfx::actors::tasks {

namespace {

using lifecycle::event;
using lifecycle::event_kind;

crypto::csr_options csr_options_of(const create_order& order) {
  return {.subject = order.subject,
          .alternative_names = order.alternative_names,
          .usages = order.usages,
          .extended_usages = order.extended_usages,
          .hash = order.hash,
          .security_identifier = order.security_identifier};
}

result<void> check_create(const plant& p, const request_key& key, const pfx_request& request) {
  const auto& order = request.create;
  if (p.authorities.find(order.authority) == p.authorities.end()) {
    return failure(errc::policy, "certificate.certificateAuthority",
                   "is not configured here: " + printable(order.authority));
  }
  if (auto allowed = check_issuance(order, p.issuance); !allowed) {
    return failure(allowed.error());
  }
  if (auto names = crypto::check_csr_options(csr_options_of(order), order.key); !names) {
    return failure(under("certificate", names.error()));
  }
  return admit_recipients(p, key, request);
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
    auto link = crypto::certificate::from_known_der(der);
    if (!link) {
      return failure(link.error());
    }
    if (link->subject() != link->issuer()) { // the root stays out of the file
      chain.push_back(std::move(*link));
    }
  }
  const auto name = leaf.common_name().empty() ? leaf.serial() : leaf.common_name();
  return crypto::build_pkcs12({*key, leaf, chain, name, password},
                              crypto::pkcs12_options::of(parts.plan.profile));
}

result<request_result> build_success(const plant& p, const pfx_parts& parts) {
  // Judged when the CA answered, and sealed since.
  auto leaf = crypto::certificate::from_known_der(parts.issued.certificate);
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
  auto wrapped = wrap_for_recipients(p, parts.request, password.view());
  if (!wrapped) {
    return failure(wrapped.error());
  }
  out.deliveries = std::move(*wrapped);
  out.certificate = delivered_certificate{.certificate = leaf->der(),
                                          .chain = parts.issued.chain,
                                          .thumbprint = leaf->thumbprint(),
                                          .serial_number = leaf->serial(),
                                          .issuer = leaf->issuer(),
                                          .not_before = leaf->not_before(),
                                          .not_after = leaf->not_after()};
  return out;
}

} // namespace

event make_intent(const plant& p, const record& of, const pfx_request& request) {
  if (auto allowed = check_create(p, of.key, request); !allowed) {
    return fault_of_work(allowed.error());
  }
  auto plan = make_key_and_csr(p, request.create, request.profile);
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

event build_created(const plant& p, const record& of) {
  auto parts = load_parts(p, of.key);
  if (!parts) {
    return failed(event_kind::build_failed, parts.error());
  }
  auto document = build_success(p, *parts);
  if (!document) {
    return is_final(document.error().code) ? refused(document.error())
                                           : failed(event_kind::build_failed, document.error());
  }
  return freeze(p, of.key, *document);
}

} // namespace pfx::actors::tasks
