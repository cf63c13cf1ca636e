// Enrolment and renewal. Refuses a used code for another key, and a CSR that does not verify.
#include "sandbox/registrar.hpp"

#include "crypto/digest.hpp"
#include "crypto/name.hpp"
#include "crypto/random.hpp"

namespace pfx::sandbox {

namespace {

/// Critical KeyUsage digitalSignature, and ExtendedKeyUsage clientAuth.
constexpr std::string_view client_extensions
  = "3025300e0603551d0f0101ff04040302078030130603551d25040c300a06082b06010505070302";
constexpr std::int64_t backdate_ms = 60'000;

} // namespace

result<crypto::certificate> registrar::sign(const std::string& connector_id,
                                            const crypto::csr& request, unix_ms now) {
  auto subject = crypto::name_from_text("CN=" + connector_id + ",OU=Connectors,O=Sandbox");
  auto extensions = from_hex(client_extensions);
  if (!subject || !extensions) {
    return failure(errc::internal, "", "the constants of the client certificate are wrong");
  }
  if (certificates_.size() >= certificates_max) {
    return failure(errc::too_large, "certificateRequest", "too many client certificates");
  }
  crypto::sign_options options;
  options.subject = std::move(*subject);
  options.public_key = request.public_key;
  options.extensions = std::move(*extensions);
  options.serial = crypto::random_serial();
  options.not_before = (now - backdate_ms) / 1000 * 1000;
  options.not_after = (now + certificate_ms_) / 1000 * 1000;
  return crypto::sign_certificate(issuer_, options);
}

result<connect::service::register_answer> registrar::enrol(
  const connect::service::register_order& order, unix_ms now) {
  const auto request = crypto::parse_csr(order.certificate_request);
  if (!request) {
    return failure(errc::bad_input, "certificateRequest", to_string(request.error()));
  }
  const std::scoped_lock lock(mutex_);
  const auto code = codes_.find(order.code);
  if (code == codes_.end()
      || (code->second.present() && code->second != request->public_key_hash)) {
    return failure(errc::unauthorized, "code", "is unknown or was used");
  }
  if (const auto known = by_key_.find(request->public_key_hash); known != by_key_.end()) {
    return known->second;
  }
  const auto id = to_hex(crypto::random_bytes(16));
  const auto signed_one = sign(id, *request, now);
  if (!signed_one) {
    return failure(signed_one.error());
  }
  connect::service::register_answer answer{id, signed_one->der(), {issuer_.cert.der()}};
  code->second = request->public_key_hash;
  certificates_[signed_one->thumbprint()] = {id, 1};
  used_[id] = 0;
  by_key_[request->public_key_hash] = answer;
  return answer;
}

result<bytes> registrar::renew(const std::string& connector_id, byte_view der, unix_ms now) {
  const auto request = crypto::parse_csr(der);
  if (!request) {
    return failure(errc::bad_input, "certificateRequest", to_string(request.error()));
  }
  const std::scoped_lock lock(mutex_);
  const auto used = used_.find(connector_id);
  if (used == used_.end()) {
    return failure(errc::unauthorized, "connectorId", "is unknown");
  }
  const auto signed_one = sign(connector_id, *request, now);
  if (!signed_one) {
    return failure(signed_one.error());
  }
  certificates_[signed_one->thumbprint()] = {connector_id, used->second + 1};
  return signed_one->der();
}

std::optional<std::string> registrar::who(std::string_view certificate_der) {
  if (certificate_der.empty()) {
    return std::nullopt;
  }
  const auto thumbprint = crypto::sha256(as_bytes(certificate_der));
  const std::scoped_lock lock(mutex_);
  const auto known = certificates_.find(thumbprint);
  if (known == certificates_.end()) {
    return std::nullopt;
  }
  auto& used = used_[known->second.connector_id];
  if (known->second.generation < used) {
    return std::nullopt;
  }
  used = known->second.generation;
  return known->second.connector_id;
}

std::size_t registrar::connectors() const {
  const std::scoped_lock lock(mutex_);
  return used_.size();
}

} // namespace pfx::sandbox
