// What of a CSR's wishes a certificate may carry: copies SAN, key usage, extended key usage and SID
// as they stand, refuses everything that would make a CA of the subject, and any extension it does
// not know.
#pragma once

#include "crypto/request.hpp"

namespace pfx::connect::ca {

/// The Extensions (DER, may be empty) to put into the certificate. errc::policy with the reason.
/// `security_identifier` must equal the CSR's SID extension, or both be absent.
[[nodiscard]] result<bytes> issuable_extensions(const crypto::csr& request,
                                                std::string_view security_identifier);

} // namespace pfx::connect::ca
