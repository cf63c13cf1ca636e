// A stand-in for a connector: enrols at a sandbox, downloads, certifies, uploads. For the tests of
// the whole box.
#pragma once

#include <fstream>
#include <map>
#include <sstream>

#include "connect/ca/https_authority.hpp"
#include "connect/service/client.hpp"
#include "connect/service/codec.hpp"
#include "crypto/digest.hpp"
#include "crypto/request.hpp"
#include "sandbox/sandbox.hpp"
#include "tests/catch.hpp"
#include "tests/sandbox/support.hpp"

namespace pfx::test {

namespace service = connect::service;
namespace http = connect::http;

inline std::string file_text(const std::string& path) {
  std::ifstream in(path);
  std::stringstream out;
  out << in.rdbuf();
  return out.str();
}

inline pfx::sandbox::options small(const std::string& directory) {
  pfx::sandbox::options out;
  out.directory = directory;
  out.requests = 12;
  out.devices = 4;
  out.redeliver_share = 0.5;
  return out;
}

/// A connector with its two clients.
struct connector {
  service::caller who;
  std::unique_ptr<service::pfx_request_service> desk;
  std::unique_ptr<connect::ca::authority> ca;

  explicit connector(const pfx::sandbox::sandbox& box, std::size_t code = 0) {
    http::client_options options;
    options.base_url = box.url();
    options.trusted_roots_pem = file_text(box.server_roots_path());
    const auto key = good(crypto::private_key::generate(key_algorithm::ec_p256));
    crypto::csr_options names;
    names.subject = "CN=connector";
    const auto answer = service::register_connector(
      copy(options),
      {box.registration_codes().at(code), "c", "m", "1", {}, good(crypto::build_csr(key, names))});
    REQUIRE(answer);
    who = {answer->connector_id, 1, std::string(32, 'f')};
    options.identity = identity(answer->certificate, key);
    auto ca_options = copy(options);
    ca_options.identity = identity(answer->certificate, key);
    ca_options.base_url = box.ca_url();
    desk = good(service::make_client(std::move(options)));
    ca = good(connect::ca::make_https_authority(std::move(ca_options)));
    REQUIRE(desk->check_in(who, {"1.0", {}, false, "{}"}));
  }

  static http::client_options copy(const http::client_options& from) {
    http::client_options out;
    out.base_url = from.base_url;
    out.trusted_roots_pem = from.trusted_roots_pem;
    return out;
  }
  static http::tls_identity identity(const bytes& certificate, const crypto::private_key& key) {
    http::tls_identity out;
    out.certificate_pem = good(crypto::certificate::from_der(certificate)).pem();
    out.key_pem = good(key.to_pem());
    return out;
  }

  [[nodiscard]] certifier by_ca(std::uint8_t generation = 0) const {
    return [this, generation](const pfx_request& request, const bytes& csr) {
      const auto id = crypto::sha256(
        transaction_id_preimage("sandbox", request.context, request.create.authority, generation));
      const auto answer = ca->submit({id, csr, request.create.certificate_template,
                                      request.create.validity, request.create.security_identifier});
      if (answer.status != connect::ca::ca_status::issued) {
        throw std::runtime_error("the CA did not issue: " + answer.reason);
      }
      return certified{answer.certificate, answer.chain};
    };
  }

  request_result result_of(const service::offer& offer) const {
    if (!offer.request) {
      return fail_with(service_code_of(offer.request.error().code),
                       to_string(offer.request.error()));
    }
    if (offer.request->kind == request_kind::unknown) {
      return fail_with(service_code::not_supported, "kind: is not known");
    }
    return offer.request->kind == request_kind::pfx_import ? fulfil_import(*offer.request)
                                                           : fulfil(*offer.request, {}, by_ca());
  }

  service::upload_entry answer_to(const service::offer& offer) {
    const auto result = result_of(offer);
    auto document = service::encode_result_document(result);
    const auto digest = crypto::sha256(document);
    return {offer.context, offer.lease_number, digest, std::move(document)};
  }

  /// Works until nothing is handed out any more. Results are kept and sent again for re-deliveries.
  void work() {
    for (int round = 0; round < 20; ++round) {
      const auto got
        = desk->download(who, {5, {request_kind::pfx_create, request_kind::pfx_import}, 60'000});
      REQUIRE(got);
      if (got->offers.empty()) {
        return;
      }
      std::vector<service::upload_entry> entries;
      for (const auto& offer : got->offers) {
        auto& kept = kept_[offer.context];
        if (kept.context.empty()) {
          kept = answer_to(offer);
        }
        kept.lease_number = offer.lease_number;
        entries.push_back(kept);
      }
      REQUIRE(desk->upload(who, entries));
    }
  }

  std::map<std::string, service::upload_entry> kept_;
};

} // namespace pfx::test
