// The calls of the service that concern keys: a connector's new certificate, and the keys to which
// the passwords of imports are encrypted.
#include "connect/service/codec.hpp"
#include "crypto/digest.hpp"
#include "sandbox/replies.hpp"
#include "sandbox/service.hpp"

namespace pfx::sandbox {

connect::http::server_response request_service::renew(const service::caller& who,
                                                      const std::string& body) {
  const auto request = service::decode_renew(body);
  if (!request) {
    return refuse(request.error());
  }
  const auto certificate = desk_.renew(who.connector_id, *request, system_clock().wall());
  if (!certificate) {
    return refuse(certificate.error());
  }
  log_.append(line("certificate_renewed").text("connector", who.connector_id));
  return after_sync(service::encode_renew_answer(*certificate));
}

connect::http::server_response request_service::import_keys(const service::caller& who,
                                                            const std::string& body) {
  const auto keys = service::decode_import_keys(body);
  if (!keys) {
    return refuse(keys.error());
  }
  {
    const std::scoped_lock lock(mutex_);
    const auto fresh = imports_.announce(*keys);
    if (!fresh) {
      log_.append(line("keys_refused")
                    .text("connector", who.connector_id)
                    .text("run", who.run_id)
                    .text("why", to_string(fresh.error())));
    } else {
      for (const auto& one : *fresh) {
        log_.append(line("key_announced")
                      .text("connector", who.connector_id)
                      .text("run", who.run_id)
                      .text("provider", one.provider_name)
                      .text("key", one.key_name)
                      .text("public_key", to_hex(crypto::sha256(one.public_key))));
      }
    }
    if (imports_.has_key()) {
      books_.release();
    }
    if (!fresh) {
      return refuse(fresh.error());
    }
  }
  return after_sync(service::encode_import_keys_answer());
}

} // namespace pfx::sandbox
