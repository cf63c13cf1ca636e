// Puts the box together, piece by piece.
#include "sandbox/sandbox_state.hpp"

#include <filesystem>

#include "crypto/random.hpp"
#include "sandbox/description.hpp"
#include "sandbox/hostile_wire.hpp"

namespace pfx::sandbox {

namespace {

constexpr unix_ms request_life_ms = 24LL * 3'600'000;
constexpr std::int64_t client_certificate_ms = 90LL * 86'400'000;

} // namespace

order sandbox::state::draft_of(std::uint64_t index) const {
  if (index < how.requests) {
    return book->at(index);
  }
  std::string kind;
  {
    const std::scoped_lock lock(extra_mutex);
    kind = extra.at(index - how.requests);
  }
  return book->of_kind(kind, index);
}

order sandbox::state::order_of(std::uint64_t index) const {
  auto out = draft_of(index);
  if (auto completed = imports->complete(out); !completed) {
    note_fault(out, completed.error());
  }
  return out;
}

void sandbox::state::note_fault(const order& at, const error& what) const {
  log->append(line("fault").text("context", at.context).text("text", to_string(what)));
}

result<void> sandbox::state::make_files() {
  std::filesystem::create_directories(how.directory);
  std::filesystem::permissions(how.directory, std::filesystem::perms::owner_all);
  auto opened = journal::create(path("journal.jsonl"));
  auto ca_opened = opened ? journal::create(path("ca-journal.jsonl"))
                          : result<std::unique_ptr<journal>>(failure(opened.error()));
  if (!ca_opened) {
    return failure(ca_opened.error());
  }
  log = std::move(*opened);
  if (!how.faults.rules.empty()) {
    faults = std::make_unique<fault_injector>(how.faults, how.seed, *log);
  }
  ca_log = std::move(*ca_opened);
  return {};
}

result<void> sandbox::state::make_world() {
  const auto now = system_clock().wall();
  auto made = make_authorities(how.address, now);
  auto fleet_made
    = made ? fleet::make(how.devices, how.seed, now) : result<fleet>(failure(made.error()));
  if (!fleet_made) {
    return failure(fleet_made.error());
  }
  own.emplace(std::move(*made));
  devices.emplace(std::move(*fleet_made));
  auto booked = order_book::make({how.seed, how.authority_name, how.mix, now / 1000 * 1000,
                                  (now + request_life_ms) / 1000 * 1000},
                                 *devices);
  if (!booked) {
    return failure(booked.error());
  }
  book.emplace(std::move(*booked));
  return make_desks();
}

result<void> sandbox::state::make_desks() {
  for (std::size_t n = 0; n < how.registration_codes; ++n) {
    const auto code = crypto::random_password(24);
    codes.emplace_back(code.text());
  }
  desk = std::make_unique<registrar>(codes, std::move(own->connector_ca), client_certificate_ms);
  // The first key of the first device is RSA: for a password that is encrypted to the wrong one.
  auto public_key = devices->devices().front().keys.front().key->public_key();
  if (!public_key) {
    return failure(public_key.error());
  }
  imports = std::make_unique<import_desk>(how.seed, std::move(*public_key));
  return {};
}

result<void> sandbox::state::note_issuance(const connect::ca::issuance_event& event) {
  using what = connect::ca::issuance_event::what;
  ca_log->append(line_of(event));
  if (event.kind == what::issued) {
    watch.issued(event.serial_number, event.thumbprint);
  } else if (event.kind == what::revoked) {
    watch.revoked(event.serial_number);
  }
  return ca_log->sync();
}

result<void> sandbox::state::make_ca() {
  auto identity = copy_of(own->issuing_ca);
  if (!identity) {
    return failure(identity.error());
  }
  auto point = connect::ca::publication_point::open(
    {how.authority_name, how.address, how.public_port, {}, nullptr});
  if (!point) {
    return failure(point.error());
  }
  public_point = std::move(*point);
  connect::ca::embedded_options options{path("ca"), std::move(own->issuing_ca)};
  options.locations = public_point->locations();
  options.templates = {"User", "Device"};
  options.pending_answers = how.ca_pending_answers;
  options.pending_share = how.pending_share;
  const auto heard
    = [this](const connect::ca::issuance_event& event) { return note_issuance(event); };
  options.journal = heard;
  auto made = connect::ca::make_embedded_authority(std::move(options));
  if (!made) {
    return failure(made.error());
  }
  ca = std::move(*made);
  public_point->attach(*ca);
  if (faults) {
    erring_ca = std::make_unique<hostile_authority>(hostile_authority_options{
      *ca, *faults, *log, std::move(*identity), own->expired_issuer, heard});
  }
  return ca->upkeep();
}

void sandbox::state::make_judges() {
  judge_line_options line_options{{*devices, {own->ca_root}, how.authority_name},
                                  [this](std::uint64_t index) { return order_of(index); },
                                  {},
                                  *log};
  if (how.keep_deliveries) {
    deliveries = std::make_unique<delivery_store>(path("delivered"), *devices, own->ca_root.pem(),
                                                  how.deliveries_max);
    line_options.keep = [this](const order& ordered, const request_result& delivered) {
      if (auto kept = deliveries->keep(ordered, delivered); !kept) {
        note_fault(ordered, kept.error());
      }
    };
  }
  judges = std::make_unique<judge_line>(std::move(line_options));
}

/// The application's identity, and all that is said of the tenant.
result<void> sandbox::state::make_tenant() {
  const auto now = system_clock().wall();
  auto made = make_application(now);
  if (!made) {
    return failure(made.error());
  }
  app.emplace(std::move(*made));
  const auto& wanted = how.intune;
  tenant_options options{{app->tenant, app->client_id, app->secret, app->certificate}, {}, {}, {}};
  options.sign_in.life_ms = wanted.token_life_ms;
  options.sign_in.assertions_again = wanted.assertions_again;
  options.queue = {wanted.cool_down_ms, wanted.whole_queue_cools, how.redeliver_share, how.seed};
  options.plan = {wanted.orders_max, wanted.revoke_share, how.seed, how.authority_name,
                  app->issuer_of(ca->certificate())};
  options.scep.challenges = make_challenges(wanted.scep_challenges, now);
  options.odd_directory = wanted.odd_directory;
  options.faults = faults.get();
  tenant = std::make_unique<intune_tenant>(std::move(options), *log);
  return {};
}

void sandbox::state::make_service() {
  service_options options;
  options.books = {how.lease_ms,     how.redeliver_share,  how.seed,
                   how.reject_share, how.lose_lease_share, how.connectors};
  options.judge_share = how.judge_share;
  options.order_of = [this](std::uint64_t index) { return order_of(index); };
  options.text_of = [this](const order& what, const hand_out& given) {
    return book->text(what, given.lease_number, given.lease_ms, given.copy);
  };
  options.certified = [this](const digest& thumbprint) {
    watch.recorded(thumbprint);
    if (const auto serial = watch.serial_of(thumbprint); !serial.empty()) {
      tenant->recorded(serial);
    }
  };
  options.faults = faults.get();
  options.ca = connect::ca::make_ca_handler(
    erring_ca ? static_cast<connect::ca::authority&>(*erring_ca) : *ca, "/ca");
  service = std::make_unique<request_service>(std::move(options), *desk, *imports, *log, *judges);
}

result<void> sandbox::state::serve(const std::string& client_roots_pem) {
  connect::http::server_options options;
  options.address = how.address;
  options.port = how.port;
  options.certificate_pem = own->server_chain_pem;
  options.key_pem = std::move(own->server_key_pem);
  options.client_roots_pem = client_roots_pem;
  connect::http::handler handle = [this](const connect::http::server_request& request) {
    return tenant_call_of(request.target).empty() ? service->handle(request)
                                                  : tenant->handle(request);
  };
  if (faults) {
    options.others = std::move(own->bad_servers);
    options.which = [this] { return faults->next_identity(); };
    handle = make_hostile(std::move(handle), *faults, *log);
  }
  auto opened = connect::http::server::start(std::move(options), std::move(handle));
  if (!opened) {
    return failure(opened.error());
  }
  server = std::move(*opened);
  tenant->open({endpoint(""), endpoint("", "localhost")});
  return {};
}

result<void> sandbox::state::describe() {
  const auto text
    = description_of({endpoint("/service"), endpoint("/ca"), public_point->locations(), how.tenant,
                      how.authority_name, codes, path("server-root.pem"), path("device-root.pem"),
                      path("ca-root.pem"), tenant_address(), tenant->challenges()});
  const std::vector<std::pair<const char*, std::string>> files = {
    {"server-root.pem", own->server_root.pem()},
    {"device-root.pem", devices->root().pem()},
    {"ca-root.pem", own->ca_root.pem()},
    {"intune-secret", app->secret},
    {"intune-client.pem", app->certificate.pem()},
    {"intune-client.key", app->key_pem},
    {"sandbox.json", text},
  };
  for (const auto& [name, content] : files) {
    if (auto written = write_file(path(name), as_bytes(content)); !written) {
      return written;
    }
  }
  return {};
}

result<void> sandbox::state::start_feeding() {
  started = system_clock().boot();
  feeding = std::make_unique<feeder>(feeder_options{
    how.requests + how.extra.size(), how.feed_per_second,
    [this](std::uint64_t index) { service->enqueue(order_of(index), how.authority_name); },
    [this] { return log->sync(); }});
  return feeding->start();
}

void sandbox::state::stop() {
  if (feeding)
    feeding->stop();
  if (server)
    server->stop();
  if (public_point)
    public_point->stop();
}

result<void> sandbox::state::begin() {
  if (auto made = make_files(); !made) {
    return made;
  }
  if (auto made = make_world(); !made) {
    return made;
  }
  if (auto made = make_ca(); !made) {
    return made;
  }
  extra = how.extra;
  make_judges();
  if (auto made = make_tenant(); !made) {
    return made;
  }
  make_service();
  log->append(
    line("started").text("tenant", how.tenant).number("seed", static_cast<std::int64_t>(how.seed)));
  const auto client_roots = desk->root_pem();
  if (auto fed_all = start_feeding(); !fed_all) {
    return fed_all;
  }
  if (auto opened = serve(client_roots); !opened) {
    return opened;
  }
  return describe();
}

std::string sandbox::state::endpoint(const char* prefix, const std::string& host) const {
  const auto& name = host.empty() ? how.address : host;
  const bool v6 = name.find(':') != std::string::npos;
  return "https://" + (v6 ? "[" + name + "]" : name) + ":" + std::to_string(server->port())
    + prefix;
}

intune_address sandbox::state::tenant_address() const {
  return {endpoint(""),
          endpoint(""),
          app->tenant,
          app->client_id,
          path("intune-secret"),
          path("intune-client.pem"),
          path("intune-client.key"),
          path("server-root.pem")};
}

} // namespace pfx::sandbox
