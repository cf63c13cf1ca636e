// What the sandbox's tests share: a fleet, a CA, and a small stand-in for the engine that fulfils
// orders honestly or with one planted fault.
#pragma once

#include <functional>
#include <stdexcept>
#include <string>

#include "connect/ca/authority.hpp"
#include "crypto/pkcs12.hpp"
#include "sandbox/authorities.hpp"
#include "sandbox/import_desk.hpp"
#include "sandbox/judge.hpp"

namespace pfx::test {

template <class T>
T good(result<T> value) {
  if (!value) {
    throw std::runtime_error(to_string(value.error()));
  }
  return std::move(*value);
}

/// A temporary folder; removed with all it holds.
class scratch {
public:
  scratch();
  ~scratch();
  scratch(const scratch&) = delete;
  scratch& operator=(const scratch&) = delete;
  [[nodiscard]] std::string path(const std::string& name) const { return folder_ + "/" + name; }
  [[nodiscard]] const std::string& folder() const { return folder_; }

private:
  std::string folder_;
};

/// Six devices, made once per process.
[[nodiscard]] const sandbox::fleet& devices();
/// A CA for the stand-in, made once per process.
struct ca_identity_set {
  crypto::certificate root;
  crypto::ca_identity issuing;
};
[[nodiscard]] const ca_identity_set& ca();
[[nodiscard]] sandbox::order_book book(std::vector<std::pair<std::string, double>> mix = {});
[[nodiscard]] sandbox::judge_options judge_with();

/// Where a test puts its fault in. Every hook may be empty.
struct faults_to_plant {
  std::function<void(crypto::csr_options&)> names; ///< what is asked of the CA
  std::function<void(validity_period&)> validity;
  std::function<void(crypto::pkcs12_options&)> parameters;
  const crypto::private_key* key = nullptr;      ///< use this key
  const crypto::private_key* file_key = nullptr; ///< put this key into the file
  const crypto::ca_identity* issuer = nullptr;   ///< another CA
  std::string password;                          ///< instead of a random one
  bool without_chain = false;
  bool without_friendly_name = false;
  std::function<void(request_result&)> document; ///< last of all
};

/// How the stand-in gets a certificate: DER, and its chain.
struct certified {
  bytes certificate;
  std::vector<bytes> chain;
};
using certifier = std::function<certified(const pfx_request&, const bytes& csr)>;

/// Does what the engine must do with a pfxCreate. Throws if it can't.
[[nodiscard]] request_result fulfil(const pfx_request& request, const faults_to_plant& plant = {},
                                    const certifier& certify = {});
/// A connector's key for imports, made once per process, and a public key that nobody opens.
struct importing_connector {
  crypto::private_key key;
  connect::service::import_key announced;
  bytes stranger;
};
[[nodiscard]] const importing_connector& importer();
/// The import of that kind and index, encrypted to the importer's key.
[[nodiscard]] sandbox::order import_of(const std::string& kind, std::uint64_t index);

/// Where a test puts its fault into an import. Every hook may be empty.
struct import_faults {
  std::function<void(pfx_profile&)> profile;     ///< in which the file is written
  std::function<void(pfx_request&)> request;     ///< what is opened instead of the order
  std::string password;                          ///< instead of the right one, for the devices
  std::function<void(request_result&)> document; ///< last of all
};
/// Does what the engine must do with a pfxImport, failures included. Throws if it can't.
[[nodiscard]] request_result fulfil_import(const pfx_request& request,
                                           const import_faults& plant = {});

[[nodiscard]] request_result fail_with(service_code code, const std::string& message);

/// True if one of the sentences holds `piece`.
[[nodiscard]] bool mentions(const std::vector<std::string>& sentences, const std::string& piece);

} // namespace pfx::test
