// The sandbox's own certification: roots for its server, its connectors and its CA, and an issuing
// CA under the latter, so that delivered chains are longer than one. Made fresh at each start.
#pragma once

#include <string>
#include <vector>

#include "connect/http/server.hpp"
#include "crypto/issue.hpp"

namespace pfx::sandbox {

struct authorities {
  crypto::certificate server_root;
  std::string server_chain_pem; ///< the server's certificate
  secret_bytes server_key_pem;
  crypto::ca_identity connector_ca; ///< issues client certificates
  crypto::certificate ca_root;
  crypto::ca_identity issuing_ca; ///< issues what connectors ask for
  bytes expired_issuer;           ///< a certificate of the issuing CA that has expired, DER
  /// What nobody may trust, in the order of bad_certificate: expired, for another name, of a root
  /// that nobody knows.
  std::vector<connect::http::server_identity> bad_servers;
};

/// `address` is put into the server's certificate beside "localhost".
[[nodiscard]] result<authorities> make_authorities(const std::string& address, unix_ms now);

/// An issuing CA below `root`: CA:TRUE, path length 0, keyCertSign and cRLSign.
[[nodiscard]] result<crypto::ca_identity> make_issuing_ca(const crypto::ca_identity& root,
                                                          const std::string& subject,
                                                          unix_ms not_before, unix_ms not_after);

/// The same CA a second time.
[[nodiscard]] result<crypto::ca_identity> copy_of(const crypto::ca_identity& issuer);

} // namespace pfx::sandbox
