// Puts the box together: files, journals, CA, devices, service, server, feeder. Order of life: what
// the server calls is made before it and ends after it.
#include "sandbox/sandbox.hpp"

#include <algorithm>
#include <filesystem>
#include <mutex>
#include <optional>

#include "connect/ca/embedded_authority.hpp"
#include "connect/ca/publication.hpp"
#include "crypto/digest.hpp"
#include "crypto/random.hpp"
#include "sandbox/authorities.hpp"
#include "sandbox/certificates.hpp"
#include "sandbox/deliveries.hpp"
#include "sandbox/description.hpp"
#include "sandbox/feeder.hpp"
#include "sandbox/hostile_authority.hpp"
#include "sandbox/hostile_wire.hpp"
#include "sandbox/options_check.hpp"
#include "sandbox/service.hpp"

namespace pfx::sandbox {

namespace {

constexpr std::size_t extra_max = 1'000'000;
constexpr unix_ms request_life_ms = 24LL * 3'600'000;
constexpr std::int64_t client_certificate_ms = 90LL * 86'400'000;

} // namespace

struct sandbox::state {
  options how;
  std::vector<std::string> codes;
  std::unique_ptr<journal> log;
  std::unique_ptr<journal> ca_log;
  std::optional<authorities> own;
  std::optional<fleet> devices;
  std::optional<order_book> book;
  std::unique_ptr<registrar> desk;
  std::unique_ptr<import_desk> imports;
  certificate_watch watch;
  std::unique_ptr<fault_injector> faults; ///< none if nothing is to go wrong
  std::unique_ptr<connect::ca::embedded_ca> ca;
  std::unique_ptr<connect::ca::publication_point> public_point; ///< ends before the CA
  std::unique_ptr<hostile_authority> erring_ca;
  std::unique_ptr<delivery_store> deliveries;
  std::unique_ptr<judge_line> judges;
  std::unique_ptr<request_service> service;
  std::unique_ptr<connect::http::server> server;
  boot_ms started = 0;

  mutable std::mutex extra_mutex;
  std::vector<std::string> extra; ///< kinds of the orders behind how.requests
  std::unique_ptr<feeder> feeding;

  ~state() { stop(); }

  [[nodiscard]] std::string path(const char* name) const { return how.directory + "/" + name; }

  [[nodiscard]] order draft_of(std::uint64_t index) const {
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

  /// With the encrypted password of an import, as soon as there is a key.
  [[nodiscard]] order order_of(std::uint64_t index) const {
    auto out = draft_of(index);
    if (auto completed = imports->complete(out); !completed) {
      note_fault(out, completed.error());
    }
    return out;
  }
  void note_fault(const order& at, const error& what) const {
    log->append(line("fault").text("context", at.context).text("text", to_string(what)));
  }

  result<void> make_files() {
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

  result<void> make_world() {
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

  result<void> note_issuance(const connect::ca::issuance_event& event) {
    using what = connect::ca::issuance_event::what;
    ca_log->append(line_of(event));
    if (event.kind == what::issued) {
      watch.issued(event.serial_number, event.thumbprint);
    } else if (event.kind == what::revoked) {
      watch.revoked(event.serial_number);
    }
    return ca_log->sync();
  }

  result<void> make_ca() {
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

  void make_service() {
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
    service_options options;
    options.books
      = {how.lease_ms, how.redeliver_share, how.seed, how.reject_share, how.lose_lease_share};
    options.judge_share = how.judge_share;
    options.order_of = [this](std::uint64_t index) { return order_of(index); };
    options.text_of = [this](const order& what, const hand_out& given) {
      return book->text(what, given.lease_number, given.lease_ms, given.copy);
    };
    options.certified = [this](const digest& thumbprint) { watch.recorded(thumbprint); };
    options.faults = faults.get();
    options.ca = connect::ca::make_ca_handler(
      erring_ca ? static_cast<connect::ca::authority&>(*erring_ca) : *ca, "/ca");
    service = std::make_unique<request_service>(std::move(options), *desk, *imports, *log, *judges);
  }

  result<void> serve(const std::string& client_roots_pem) {
    connect::http::server_options options;
    options.address = how.address;
    options.port = how.port;
    options.certificate_pem = own->server_chain_pem;
    options.key_pem = std::move(own->server_key_pem);
    options.client_roots_pem = client_roots_pem;
    connect::http::handler handle
      = [this](const connect::http::server_request& request) { return service->handle(request); };
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
    return {};
  }

  [[nodiscard]] std::string endpoint(const char* prefix) const {
    const bool v6 = how.address.find(':') != std::string::npos;
    return "https://" + (v6 ? "[" + how.address + "]" : how.address) + ":"
      + std::to_string(server->port()) + prefix;
  }

  result<void> describe() {
    const auto text
      = description_of({endpoint("/service"), endpoint("/ca"), public_point->locations(),
                        how.tenant, how.authority_name, codes, path("server-root.pem"),
                        path("device-root.pem"), path("ca-root.pem")});
    const std::vector<std::pair<const char*, std::string>> files = {
      {"server-root.pem", own->server_root.pem()},
      {"device-root.pem", devices->root().pem()},
      {"ca-root.pem", own->ca_root.pem()},
      {"sandbox.json", text},
    };
    for (const auto& [name, content] : files) {
      if (auto written = write_file(path(name), as_bytes(content)); !written) {
        return written;
      }
    }
    return {};
  }

  result<void> start_feeding() {
    started = system_clock().boot();
    feeding = std::make_unique<feeder>(feeder_options{
      how.requests + how.extra.size(), how.feed_per_second,
      [this](std::uint64_t index) { service->enqueue(order_of(index), how.authority_name); },
      [this] { return log->sync(); }});
    return feeding->start();
  }

  void stop() {
    if (feeding)
      feeding->stop();
    if (server)
      server->stop();
    if (public_point)
      public_point->stop();
  }

  result<void> begin() {
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
    make_service();
    log->append(line("started")
                  .text("tenant", how.tenant)
                  .number("seed", static_cast<std::int64_t>(how.seed)));
    const auto client_roots = desk->root_pem();
    if (auto fed_all = start_feeding(); !fed_all) {
      return fed_all;
    }
    if (auto opened = serve(client_roots); !opened) {
      return opened;
    }
    return describe();
  }
};

sandbox::sandbox(std::unique_ptr<state> s) : state_(std::move(s)) {}
sandbox::~sandbox() = default;

result<std::unique_ptr<sandbox>> sandbox::start(options how) {
  if (auto checked = check(how); !checked) {
    return failure(checked.error());
  }
  try {
    auto made = std::make_unique<state>();
    made->how = std::move(how);
    if (auto begun = made->begin(); !begun) {
      return failure(begun.error());
    }
    return std::unique_ptr<sandbox>(new sandbox(std::move(made)));
  } catch (const std::exception& caught) {
    return failure(errc::io, "directory", printable(caught.what(), 300));
  }
}

std::string sandbox::url() const { return state_->endpoint("/service"); }
std::string sandbox::ca_url() const { return state_->endpoint("/ca"); }
std::string sandbox::crl_url() const { return state_->public_point->locations().crl; }
std::string sandbox::ocsp_url() const { return state_->public_point->locations().ocsp; }
std::string sandbox::issuer_url() const { return state_->public_point->locations().issuer; }
std::uint16_t sandbox::port() const { return state_->server->port(); }
std::string sandbox::registration_code() const { return state_->codes.front(); }
std::vector<std::string> sandbox::registration_codes() const { return state_->codes; }
std::string sandbox::server_roots_path() const { return state_->path("server-root.pem"); }
std::string sandbox::device_roots_path() const { return state_->path("device-root.pem"); }
std::string sandbox::ca_root_path() const { return state_->path("ca-root.pem"); }
std::string sandbox::description_path() const { return state_->path("sandbox.json"); }

result<std::string> sandbox::enqueue(const std::string& kind) {
  if (!order_book::knows(kind)) {
    return failure(errc::bad_input, "kind", "is unknown: " + printable(kind));
  }
  std::uint64_t index = 0;
  {
    const std::scoped_lock lock(state_->extra_mutex);
    if (state_->extra.size() >= extra_max) {
      return failure(errc::too_large, "extra", "has too many requests");
    }
    index = state_->how.requests + state_->extra.size();
    state_->extra.push_back(kind);
  }
  const auto made = state_->order_of(index);
  state_->service->enqueue(made, state_->how.authority_name);
  if (auto synced = state_->log->sync(); !synced) {
    return failure(synced.error());
  }
  return made.context;
}

summary sandbox::progress() const {
  const auto books = state_->service->counts();
  const auto judged = state_->judges->so_far();
  const auto certificates = state_->watch.so_far();
  summary out;
  out.requests = books.requests;
  out.handed_out = books.handed_out;
  out.delivered = books.delivered;
  out.imported = books.imported;
  out.expected_failures = judged.expected_failures;
  out.failed = books.failed - std::min(books.failed, judged.expected_failures);
  out.redelivered = books.redelivered;
  out.acknowledged = books.acknowledged;
  out.waiting = books.requests - books.handed_out;
  out.takeovers = books.takeovers;
  out.certificates = certificates.issued;
  out.revoked_certificates = certificates.revoked;
  out.surplus_certificates = certificates.loose;
  out.judged = judged.judged;
  out.connectors = state_->desk->connectors();
  out.faults_total = judged.faults;
  out.faults = judged.first_faults;
  const auto elapsed = system_clock().boot() - state_->started;
  out.requests_per_second
    = elapsed > 0 ? 1000.0 * static_cast<double>(books.recorded) / static_cast<double>(elapsed) : 0;
  return out;
}

bool sandbox::finished() const {
  const auto& how = state_->how;
  if (how.time_limit_ms > 0 && system_clock().boot() - state_->started >= how.time_limit_ms) {
    return true;
  }
  const auto books = state_->service->counts();
  return state_->feeding->finished() && books.open == 0 && books.redelivery_open == 0
    && state_->judges->idle() && state_->watch.so_far().loose == 0;
}

result<summary> sandbox::verdict() {
  state_->judges->drain();
  if (auto synced = state_->log->sync(); !synced) {
    return failure(synced.error());
  }
  return judge(state_->how.directory);
}

void sandbox::stop() { state_->stop(); }

} // namespace pfx::sandbox
