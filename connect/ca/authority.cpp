// Words of the CA interface, and the answer of a CA that cannot close a transaction id.
#include "connect/ca/authority.hpp"

namespace pfx::connect::ca {

std::string_view name_of(ca_status value) noexcept {
  switch (value) {
    case ca_status::issued:
      return "issued";
    case ca_status::pending:
      return "pending";
    case ca_status::refused:
      return "refused";
    case ca_status::conflict:
      return "conflict";
    case ca_status::closed:
      return "closed";
    case ca_status::never_seen:
      return "neverSeen";
    case ca_status::unsupported:
      return "unsupported";
    case ca_status::unknown:
      break;
  }
  return "unknown";
}

std::string_view name_of(revoke_status value) noexcept {
  switch (value) {
    case revoke_status::done:
      return "done";
    case revoke_status::already:
      return "already";
    case revoke_status::not_found:
      return "notFound";
    case revoke_status::refused:
      return "refused";
    case revoke_status::unknown:
      break;
  }
  return "unknown";
}

ca_answer authority::close(const digest&) {
  ca_answer out;
  out.status = ca_status::unsupported;
  return out;
}

} // namespace pfx::connect::ca
