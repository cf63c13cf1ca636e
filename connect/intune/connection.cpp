// Puts the parts together in the order in which they need each other.
#include "connect/intune/connection.hpp"

namespace pfx::connect::intune {

/// In the order of construction; each uses those above it.
struct connection::parts {
  std::string scope;
  std::unique_ptr<web> over;
  std::unique_ptr<token_source> tokens;
  std::unique_ptr<service_directory> directory;
  std::unique_ptr<intune_services> services;
  std::unique_ptr<scep_service> scep;
  std::unique_ptr<revocation_service> revocations;
};

namespace {

/// Takes the value out, or the error along. False: stop.
template <class T>
bool take(result<T> from, T& into, error& fault) {
  if (!from) {
    fault = from.error();
    return false;
  }
  into = std::move(*from);
  return true;
}

} // namespace

connection::connection(std::unique_ptr<parts> made) noexcept : parts_(std::move(made)) {}
connection::~connection() = default;

result<std::unique_ptr<connection>> connection::make(connection_settings settings,
                                                     token_surroundings around) {
  error fault;
  auto made = std::make_unique<parts>();
  if (!take(checked(std::move(settings.where)), settings.where, fault))
    return failure(fault);
  std::string token_url;
  if (!take(token_address(settings.where, settings.tenant), token_url, fault))
    return failure(fault);
  const clock& time = *around.time;
  made->scope = intune_scope(settings.where);
  if (!take(make_web(std::move(settings.network)), made->over, fault)
      || !take(make_token_source(*made->over,
                                 {std::move(token_url), std::move(settings.client_id),
                                  std::move(settings.credentials)},
                                 std::move(around)),
               made->tokens, fault)
      || !take(make_directory(*made->over, *made->tokens,
                              {settings.where.graph, std::move(settings.graph_version),
                               std::move(settings.intune_app_id), graph_scope(settings.where),
                               settings.where.domains},
                              time),
               made->directory, fault))
    return failure(fault);
  made->services = make_services(*made->over, *made->tokens, *made->directory, made->scope);
  if (!take(make_scep_service(*made->services, std::move(settings.caller),
                              std::move(settings.scep_version)),
            made->scep, fault)
      || !take(make_revocation_service(*made->services, std::move(settings.revocation_version)),
               made->revocations, fault))
    return failure(fault);
  return std::unique_ptr<connection>(new connection(std::move(made)));
}

scep_service& connection::scep() noexcept { return *parts_->scep; }
revocation_service& connection::revocations() noexcept { return *parts_->revocations; }
token_source& connection::tokens() noexcept { return *parts_->tokens; }

answer<std::vector<service_location>> connection::probe() {
  if (auto token = parts_->tokens->token(parts_->scope); !token)
    return tl::unexpected(std::move(token.error()));
  std::vector<service_location> out;
  for (const char* service : {"ScepRequestValidationFEService", "PkiConnectorFEService"}) {
    auto found = parts_->directory->find(service);
    if (!found)
      return tl::unexpected(std::move(found.error()));
    out.push_back(std::move(*found));
  }
  return out;
}

answer<void> connection::upkeep() {
  if (auto token = parts_->tokens->token(parts_->scope); !token)
    return tl::unexpected(std::move(token.error()));
  return {};
}

void connection::cancel() noexcept { parts_->over->cancel(); }

} // namespace pfx::connect::intune
