// The named clouds in which a tenant can live: where to sign in, where to ask for addresses, which
// resource a token is for, and whose addresses are believed. Refuses to guess what nobody
// published.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"

namespace pfx::connect::intune {

struct cloud {
  std::string login;           ///< "https://login.microsoftonline.com"
  std::string graph;           ///< "https://graph.microsoft.com"
  std::string intune_resource; ///< with its slash: "https://api.manage.microsoft.com/"
  /// A discovered address must be within one of these, in lower case
  std::vector<std::string> domains;
};

/// "public", "usGovernment" (GCC High), "usGovernmentDod", "china" (21Vianet). Nothing is published
/// about the resource in China: it is empty there, and must be given.
[[nodiscard]] result<cloud> cloud_named(std::string_view name);
[[nodiscard]] std::vector<std::string_view> cloud_names();

/// Every part is an https address (slashes at the ends are put right); at least one domain.
/// errc::bad_input names the part.
[[nodiscard]] result<cloud> checked(cloud given);

/// "https://login/{tenant}/oauth2/v2.0/token". The tenant is a GUID or a domain name; "common" and
/// its like are refused, because no application can act for everybody.
[[nodiscard]] result<std::string> token_address(const cloud& in, std::string_view tenant);
/// "{resource}/.default": the resource ends with a slash, so that there are two of them. That is
/// right; with one the service answers AADSTS500011.
[[nodiscard]] std::string intune_scope(const cloud& in);
[[nodiscard]] std::string graph_scope(const cloud& in);

} // namespace pfx::connect::intune
