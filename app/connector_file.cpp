// Which settings a sandbox needs opened, as one function; nothing in it fits a real service.
#include "app/connector_file.hpp"

#include <filesystem>
#include <fstream>

#include "engine/identity.hpp"
#include "engine/keys.hpp"

namespace pfx::app {
namespace {

/// Domain of the security identifiers that the sandbox's requests carry.
constexpr const char* sandbox_sid_domain = "S-1-5-21-1004336348-1177238915-682003330";
constexpr std::int64_t poll_interval_ms = 1'000;
/// A test bed imports the same few files for the same few devices again and again.
constexpr std::size_t uses_per_hour = 1'000'000;
/// And it wants more certificates revoked in an hour than anybody would let pass.
constexpr std::size_t orders_per_hour = 1'000'000;
constexpr std::int64_t order_retry_ms = 500;
constexpr std::int64_t settle_ms = 3'000; ///< on one machine nothing is under way for longer

/// The certificate first, then the secret: the one can be replaced while the other works.
engine::intune_settings tenant_for(const sandbox::intune_address& where) {
  engine::intune_settings out;
  out.tenant = where.tenant;
  out.client_id = where.client_id;
  out.login_url = where.login_url;
  out.graph_url = where.graph_url;
  out.trusted_roots_file = where.trusted_roots;
  out.credentials.push_back(
    {.certificate_file = where.certificate_file, .key_file = where.key_file});
  out.credentials.push_back({.secret_file = where.secret_file});
  out.poll_interval_ms = poll_interval_ms;
  out.orders_per_hour = orders_per_hour;
  out.retry_ms = order_retry_ms;
  return out;
}

} // namespace

engine::configuration connector_for(const sandbox_address& where, const std::string& folder) {
  const std::filesystem::path home = folder;
  engine::configuration out;
  out.path = (home / "pfxengine.json").string();
  out.data_directory = (home / "data").string();
  out.master_key_file = (home / "master.key").string();
  out.identity_file = (home / "data" / "identity.json").string();
  out.keys_directory = (home / "data" / "keys").string();
  out.control_socket = (home / "data" / "control.sock").string();
  out.service.url = where.service_url;
  out.service.trusted_roots_file = where.server_roots;
  out.service.tenant = where.tenant;
  out.service.poll_interval_ms = poll_interval_ms;
  out.service.lease_ms = where.lease_ms;
  engine::authority_settings authority;
  authority.name = where.ca_name;
  authority.url = where.ca_url;
  authority.trusted_roots_file = where.server_roots;
  authority.chain_roots_file = where.ca_roots;
  authority.settle_ms = settle_ms;
  out.authorities.push_back(authority);
  if (where.intune)
    out.intune = tenant_for(*where.intune);
  out.recipients.trust_file = where.device_roots;
  out.imports.per_thumbprint_per_hour = uses_per_hour;
  out.imports.per_recipient_per_hour = uses_per_hour;
  auto& open = out.issuance;
  open.authorities.push_back({where.ca_name, {"User", "Device"}});
  open.name_types = {"rfc822", "upn", "dns", "uri", "ip", "directoryName"};
  open.name_suffixes = {"example.test"};
  open.ip_ranges = {"10.0.0.0/8", "192.0.2.0/24", "2001:db8::/32"};
  open.directory_name_suffixes = {"O=Example Test"};
  open.security_identifier_domains = {sandbox_sid_domain};
  open.extended_key_usages = {"1.3.6.1.5.5.7.3.2", "1.3.6.1.5.5.7.3.4"};
  return out;
}

result<std::string> write_connector(const sandbox_address& where, const std::string& folder) {
  const auto settings = connector_for(where, folder);
  std::error_code fault;
  std::filesystem::create_directories(folder, fault);
  if (std::filesystem::exists(settings.path, fault))
    return failure(errc::conflict, printable(settings.path, 512), "exists already");
  std::ofstream file(settings.path, std::ios::binary);
  file << engine::to_json(settings);
  file.close();
  if (!file)
    return failure(errc::io, printable(settings.path, 512), "cannot be written");
  // The configuration stands, so that this makes only the two things beside it.
  const auto done
    = engine::initialise({settings.path, settings.data_directory, settings.service.url,
                          settings.service.trusted_roots_file, settings.service.tenant});
  if (!done)
    return failure(done.error());
  return settings.path;
}

result<void> make_import_key(const engine::configuration& settings) {
  engine::key_order order;
  order.name = "imports";
  const auto made = engine::create_key(settings, order, "rsa2048");
  return made ? result<void>() : result<void>(failure(made.error()));
}

} // namespace pfx::app
