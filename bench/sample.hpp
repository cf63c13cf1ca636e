// Values that several micro benches work on: a request of the usual shape, and a failed "must" as
// an exception, so that a bench never measures an error path.
#pragma once

#include <stdexcept>
#include <string>

#include "core/clock.hpp"
#include "core/request.hpp"

namespace pfx::bench {

/// The value, or an exception with the error's text.
template <class T>
T must(result<T> what) {
  if (!what) {
    throw std::runtime_error(to_string(what.error()));
  }
  if constexpr (!std::is_void_v<T>) {
    return std::move(*what);
  }
}

/// `certificate`: the recipient's, DER.
inline pfx_request sample_request(const std::string& context, bytes certificate) {
  pfx_request out;
  out.context = context;
  out.kind = request_kind::pfx_create;
  out.kind_word = name_of(out.kind);
  out.created = 1'790'000'000'000;
  out.expires = out.created + 86'400'000;
  out.device_id = "5f0c6f5e-2f0e-4f0e-8f0e-5f0c6f5e2f0e";
  out.user_id = "0d9d6f5e-2f0e-4f0e-8f0e-5f0c6f5e2f0e";
  out.user_principal_name = "alice@example.test";
  out.profile_id = "77770000-2f0e-4f0e-8f0e-5f0c6f5e2f0e";
  out.recipients = {{"device-key-1", std::move(certificate), key_transport::rsa_oaep_sha256}};
  out.create.subject = "CN=Alice Example,OU=Sales,O=Example Test";
  out.create.alternative_names
    = {{name_type::rfc822, "alice@example.test"}, {name_type::upn, "alice@example.test"}};
  out.create.key = key_algorithm::ec_p256;
  out.create.usages = static_cast<key_usages>(key_usage::digital_signature);
  out.create.extended_usages = {"1.3.6.1.5.5.7.3.2"};
  out.create.validity = {1, validity_unit::years};
  out.create.authority = "Bench-CA";
  out.create.certificate_template = "User";
  return out;
}

} // namespace pfx::bench
