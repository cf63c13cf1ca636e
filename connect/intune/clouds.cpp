// The table of clouds, and what is built from its lines.
#include "connect/intune/clouds.hpp"

#include <algorithm>
#include <array>

#include "connect/http/address.hpp"
#include "connect/http/header_text.hpp"

namespace pfx::connect::intune {

namespace {

struct line {
  std::string_view name;
  std::string_view login;
  std::string_view graph;
  std::string_view resource;
  std::string_view domain;
};

constexpr std::array<line, 4> table = {{
  {"public", "https://login.microsoftonline.com", "https://graph.microsoft.com",
   "https://api.manage.microsoft.com/", "manage.microsoft.com"},
  {"usGovernment", "https://login.microsoftonline.us", "https://graph.microsoft.us",
   "https://api.manage.microsoft.us/", "manage.microsoft.us"},
  {"usGovernmentDod", "https://login.microsoftonline.us", "https://dod-graph.microsoft.us",
   "https://api.manage.microsoft.us/", "manage.microsoft.us"},
  {"china", "https://login.partner.microsoftonline.cn", "https://microsoftgraph.chinacloudapi.cn",
   "", "manage.microsoftonline.cn"},
}};

/// Without a slash at its end, in one form.
result<void> put_right(std::string& part, std::string_view field) {
  if (part.empty())
    return failure(errc::bad_input, std::string(field), "is missing");
  auto read = http::parse_address(part, field);
  if (!read)
    return failure(read.error());
  if (!read->query.empty())
    return failure(errc::bad_input, std::string(field), "has a question mark");
  part = read->text();
  return {};
}

} // namespace

result<cloud> cloud_named(std::string_view name) {
  for (const line& one : table)
    if (one.name == name)
      return cloud{std::string(one.login),
                   std::string(one.graph),
                   std::string(one.resource),
                   {std::string(one.domain)}};
  return failure(errc::bad_input, "cloud",
                 "is none of public, usGovernment, usGovernmentDod, china");
}

std::vector<std::string_view> cloud_names() {
  std::vector<std::string_view> out;
  for (const line& one : table)
    out.push_back(one.name);
  return out;
}

result<cloud> checked(cloud given) {
  if (auto right = put_right(given.login, "login"); !right)
    return failure(right.error());
  if (auto right = put_right(given.graph, "graph"); !right)
    return failure(right.error());
  if (auto right = put_right(given.intune_resource, "intuneResource"); !right)
    return failure(right.error());
  given.intune_resource += '/';
  if (given.domains.empty())
    return failure(errc::bad_input, "domains", "is empty");
  for (std::string& domain : given.domains) {
    domain = http::lower(domain);
    auto read = http::parse_address("https://" + domain, "domains");
    if (!read || read->host != domain || read->text() != "https://" + domain)
      return failure(errc::bad_input, "domains", "holds something that is no domain");
  }
  return given;
}

result<std::string> token_address(const cloud& in, std::string_view tenant) {
  const std::string name = http::lower(tenant);
  if (name.empty())
    return failure(errc::bad_input, "tenant", "is missing");
  if (name.size() > 253
      || name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-.") != std::string::npos
      || name.find("..") != std::string::npos || name.front() == '.')
    return failure(errc::bad_input, "tenant", "is neither a GUID nor a domain");
  if (name == "common" || name == "organizations" || name == "consumers")
    return failure(errc::bad_input, "tenant",
                   "must be one tenant; an application has no home here");
  return in.login + "/" + std::string(tenant) + "/oauth2/v2.0/token";
}

std::string intune_scope(const cloud& in) { return in.intune_resource + "/.default"; }
std::string graph_scope(const cloud& in) { return in.graph + "/.default"; }

} // namespace pfx::connect::intune
