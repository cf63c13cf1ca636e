// Settings and files to the settings of a connection. Refuses files with rights for others.
#include "engine/intune.hpp"

#include <filesystem>

#include "connect/http/address.hpp"
#include "core/program_version.hpp"
#include "crypto/private_key.hpp"
#include "crypto/seal.hpp"
#include "engine/files.hpp"

namespace pfx::engine::detail {

namespace {

namespace intune = connect::intune;

constexpr std::size_t secret_file_bytes_max = 4u << 10;
constexpr std::size_t key_file_bytes_max = 64u << 10;
constexpr std::size_t roots_file_bytes_max = 8u << 20;

tl::unexpected<error> fault_of(std::string field, const error& what) {
  return failure(what.code, std::move(field),
                 what.field.empty() ? what.message : what.field + ": " + what.message);
}

/// The editor's line end is no part of a secret.
void drop_line_end(secret_bytes& text) {
  auto size = text.size();
  while (size > 0 && (text.data()[size - 1] == '\n' || text.data()[size - 1] == '\r')) {
    --size;
  }
  text.shrink(size);
}

result<intune::client_certificate> read_pair(const intune_credential_settings& from,
                                             const std::string& field) {
  auto octets = read_file(from.certificate_file, key_file_bytes_max);
  if (!octets) {
    return fault_of(field + "certificateFile", octets.error());
  }
  auto certificate = crypto::certificate::from_pem(to_text(*octets));
  if (!certificate) {
    return fault_of(field + "certificateFile", certificate.error());
  }
  const auto pem = crypto::read_secret_file(from.key_file, key_file_bytes_max);
  if (!pem) {
    return fault_of(field + "keyFile", pem.error());
  }
  auto key = crypto::private_key::from_pem(pem->text());
  if (!key) {
    return fault_of(field + "keyFile", key.error());
  }
  return intune::client_certificate{std::move(*certificate), std::move(*key)};
}

} // namespace

result<intune::cloud> cloud_of(const intune_settings& from) {
  auto out = intune::cloud_named(from.cloud);
  if (!out) {
    return fault_of("intune.cloud", out.error());
  }
  if (!from.login_url.empty()) {
    out->login = from.login_url;
  }
  if (!from.resource_url.empty()) {
    out->intune_resource = from.resource_url;
  }
  if (out->intune_resource.empty()) {
    return failure(errc::bad_input, "intune.resourceUrl",
                   "is missing: nothing is published about this cloud's");
  }
  if (!from.graph_url.empty()) {
    out->graph = from.graph_url;
    const auto read = connect::http::parse_address(from.graph_url, "intune.graphUrl");
    if (!read) {
      return failure(read.error());
    }
    out->domains.push_back(read->host);
  }
  out->domains.insert(out->domains.end(), from.service_domains.begin(), from.service_domains.end());
  auto right = intune::checked(std::move(*out));
  return right ? right : fault_of("intune", right.error());
}

result<intune::credential> read_credential(const intune_credential_settings& from,
                                           std::size_t index) {
  const auto field = "intune.credentials[" + std::to_string(index) + "].";
  std::optional<unix_ms> expires;
  if (!from.expires.empty()) {
    auto read = from_rfc3339(from.expires + "T00:00:00Z");
    if (!read) {
      return fault_of(field + "expires", read.error());
    }
    expires = *read;
  }
  const bool is_secret = !from.secret_file.empty();
  const auto name
    = std::filesystem::path(is_secret ? from.secret_file : from.certificate_file).filename();
  intune::credential out{printable(name.string(), 128), secret_bytes{}, expires};
  if (is_secret) {
    auto text = crypto::read_secret_file(from.secret_file, secret_file_bytes_max);
    if (!text) {
      return fault_of(field + "secretFile", text.error());
    }
    drop_line_end(*text);
    out.proof = std::move(*text);
  } else {
    auto pair = read_pair(from, field);
    if (!pair) {
      return failure(pair.error());
    }
    out.proof = std::move(*pair);
  }
  if (auto good = intune::check(out, index); !good) {
    return failure(good.error().code, field + (is_secret ? "secretFile" : "certificateFile"),
                   good.error().message);
  }
  return out;
}

result<std::optional<connect::http::proxy_options>> read_proxy(const intune_settings& from) {
  std::optional<connect::http::proxy_options> out;
  if (!from.proxy) {
    return out;
  }
  out.emplace();
  out->url = from.proxy->url;
  if (from.proxy->user_file.empty()) {
    return out;
  }
  auto text = crypto::read_secret_file(from.proxy->user_file, secret_file_bytes_max);
  if (!text) {
    return fault_of("intune.proxy.userFile", text.error());
  }
  drop_line_end(*text);
  const auto colon = text->text().find(':');
  if (colon == std::string_view::npos || colon == 0) {
    return failure(errc::bad_input, "intune.proxy.userFile", "must hold user:password");
  }
  out->user = std::string(text->text().substr(0, colon));
  out->password = secret_bytes(text->view().subspan(colon + 1));
  return out;
}

result<intune::connection_settings> connection_settings_of(const intune_settings& from) {
  auto where = cloud_of(from);
  if (!where) {
    return failure(where.error());
  }
  intune::connection_settings out;
  out.where = std::move(*where);
  out.tenant = from.tenant;
  out.client_id = from.client_id;
  for (std::size_t i = 0; i < from.credentials.size(); ++i) {
    auto one = read_credential(from.credentials[i], i);
    if (!one) {
      return failure(one.error());
    }
    out.credentials.push_back(std::move(*one));
  }
  out.caller = "pfxengine " + program_version();
  if (!from.trusted_roots_file.empty()) {
    auto roots = read_file(from.trusted_roots_file, roots_file_bytes_max);
    if (!roots) {
      return fault_of("intune.trustedRootsFile", roots.error());
    }
    out.network.trusted_roots_pem = to_text(*roots);
  }
  auto proxy = read_proxy(from);
  if (!proxy) {
    return failure(proxy.error());
  }
  out.network.proxy = std::move(*proxy);
  if (out.network.proxy) {
    out.network.proxy->trusted_roots_pem = out.network.trusted_roots_pem;
  }
  out.network.call_timeout_ms = from.call_timeout_ms;
  out.network.user_agent = "pfxengine/" + program_version();
  return out;
}

} // namespace pfx::engine::detail
