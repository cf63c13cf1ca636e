// The bench of the actors' tests: a scratch store, fakes outside, a clock moved by hand.
#include <caf/scheduler/test_coordinator.hpp>

#include "actors/stages.hpp"
#include "core/codec.hpp"
#include "crypto/digest.hpp"
#include "crypto/random.hpp"
#include "tests/actors/harness.hpp"

namespace pfx::test {

using actors::go_atom_v;
using actors::stop_atom_v;

namespace {

constexpr std::int64_t day_ms = 24LL * 3600 * 1000;

struct deterministic_config : caf::actor_system_config {
  deterministic_config() { set("scheduler.policy", caf::atom("testing")); }
};

crypto::ca_identity make_ca(std::string subject, const fake_clock& time) {
  auto made = crypto::make_root({.subject = std::move(subject),
                                 .key = key_algorithm::ec_p256,
                                 .not_before = time.wall() - day_ms,
                                 .not_after = time.wall() + 400 * day_ms});
  return std::move(made.value());
}

fake_device make_device(const crypto::ca_identity& issuer, const fake_clock& time) {
  auto key = crypto::private_key::generate(key_algorithm::ec_p256);
  auto certificate
    = crypto::issue_leaf(issuer, *key,
                         {.names = {.subject = "CN=device-1",
                                    .usages = static_cast<key_usages>(key_usage::key_agreement)},
                          .not_before = time.wall() - day_ms,
                          .not_after = time.wall() + 300 * day_ms});
  return {std::move(key.value()), certificate.value()};
}

} // namespace

struct bench::system_parts {
  deterministic_config config;
  caf::actor_system system{config};
  caf::scheduler::test_coordinator& scheduler
    = dynamic_cast<caf::scheduler::test_coordinator&>(system.scheduler());
  actors::supervisor above;
  actors::supervision last;
};

bench::bench()
    : service(time), device{make_device(make_ca("CN=unused", time), time)},
      folder_(std::filesystem::temp_directory_path()
              / ("pfx-actors-" + to_hex(crypto::random_bytes(8)))) {
  auto device_ca = make_ca("CN=Devices", time);
  device = make_device(device_ca, time);
  crypto::recipient_policy trust;
  trust.roots = {device_ca.cert};
  gate_ = std::make_unique<crypto::recipient_gate>(std::move(trust));
  auto made = std::make_unique<fake_authority>(make_ca("CN=Test CA", time), time);
  ca = made.get();
  plant.authorities.emplace("CA", actors::tasks::authority_entry{std::move(made), {ca->root()}});
  std::filesystem::create_directories(folder_);
  secret_bytes master(32);
  std::fill_n(master.data(), 32, std::uint8_t{9});
  keys_ = crypto::file_key_store::open((folder_ / "keys").string(), std::move(master)).value();
  plant.keys = keys_.get();
  inline_ = actors::tasks::make_inline_executor();
  plant.settings.tenant = "tenant";
  plant.settings.anchor_file = anchor_path();
  plant.settings.poll_interval_ms = 1'000;
  plant.settings.lease_ms = 60'000;
  plant.rules.ca_settle_ms = 2'000;
  plant.rules.backoff_base_ms = 200;
  plant.rules.backoff_max_ms = 2'000;
  plant.issuance.authorities = {{"CA", {"User"}}};
  plant.issuance.name_types = {name_type::rfc822};
  plant.issuance.name_suffixes = {"example.test"};
  plant.issuance.extended_key_usages = {"1.3.6.1.5.5.7.3.2"};
  plant.service = &service;
  plant.gate = gate_.get();
  plant.time = &time;
  plant.cpu = plant.background = plant.io = plant.disk = inline_.get();
  plant.random = [this] { return random_ = random_ * 6364136223846793005u + 1442695040888963407u; };
  plant.tell = [this](const actors::tasks::report& what) {
    if (what.on == actors::tasks::report::channel::admin) {
      admin_events_.push_back(what.id);
    }
  };
}

bench::~bench() {
  crash();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

void bench::open_store() {
  storage::store_options options;
  options.directory = (folder_ / "store").string();
  options.fault = [this] { return disk_fault ? disk_fault() : result<void>{}; };
  options.free_bytes = [this] { return free_bytes; };
  std::filesystem::create_directories(folder_);
  auto opened = storage::store::open(std::move(options));
  if (!opened) {
    throw std::runtime_error(to_string(opened.error()));
  }
  store_ = std::move(*opened);
  ++epoch_;
  plant.halted = false; // a new process
  secret_bytes master(32);
  std::fill_n(master.data(), 32, std::uint8_t{7});
  sealer_ = std::make_unique<crypto::sealer>(
    std::move(crypto::sealer::make(std::move(master), store_->store_id(), epoch_).value()));
  plant.store = store_.get();
  plant.sealer = sealer_.get();
  plant.caller.set({"connector", epoch_, to_hex(crypto::random_bytes(16))});
  const auto last = store_->last_audit().value();
  const auto sequence = (last ? last->sequence : 0) + 1;
  const auto head = crypto::sha256(crypto::random_bytes(16));
  (void)store_->commit({storage::put_audit{sequence, head, {}}});
  plant.anchor.set({sequence, head});
}

void bench::start(std::size_t messages_max) {
  open_store();
  system_ = std::make_unique<system_parts>();
  auto& s = *system_;
  actors::supervisor_settings settings;
  settings.unclean_start = store_->status().unclean_start;
  const auto mark = store_->meta(std::string(actors::tasks::ask_everything_mark)).value();
  settings.ask_everything = mark == bytes{1};
  settings.on_phase = [&s](const actors::supervision& what) { s.last = what; };
  s.above = actors::spawn_supervisor(s.system, plant, std::move(settings));
  caf::anon_send(s.above, go_atom_v);
  s.scheduler.run(messages_max);
}

void bench::run() { system_->scheduler.run(); }

void bench::advance(std::int64_t ms) {
  for (std::int64_t gone = 0; gone < ms; gone += step_ms) {
    time.now += step_ms;
    system_->scheduler.advance_time(std::chrono::milliseconds(step_ms));
    run();
  }
}

void bench::crash() {
  if (!system_) {
    return;
  }
  caf::anon_send_exit(system_->above, caf::exit_reason::kill);
  run();
  system_->above = nullptr;
  // Timers of dead actors hold handles: let them fire into the void.
  for (int i = 0; i < 4 && system_->scheduler.has_pending_timeout(); ++i) {
    system_->scheduler.trigger_timeouts();
    run();
  }
  system_.reset();
  sealer_.reset();
  store_.reset();
}

void bench::back_up() const {
  std::filesystem::remove_all(folder_ / "backup");
  std::filesystem::copy(folder_ / "store", folder_ / "backup",
                        std::filesystem::copy_options::recursive);
}

void bench::restore() const {
  std::filesystem::remove_all(folder_ / "store");
  std::filesystem::copy(folder_ / "backup", folder_ / "store",
                        std::filesystem::copy_options::recursive);
}

bool bench::stop(const std::function<void()>& meanwhile) {
  bool quiet = false;
  {
    caf::scoped_actor self{system_->system};
    auto asked = self->request(system_->above, std::chrono::seconds(30), stop_atom_v);
    run();
    advance(500);
    if (meanwhile) {
      meanwhile();
      advance(500);
    }
    asked.receive([&](bool was_quiet) { quiet = was_quiet; }, [](const caf::error&) {});
  }
  if (quiet) {
    (void)store_->close_clean();
  }
  crash();
  return quiet;
}

errc bench::order_word(const std::string& context, revocation::event_kind word) {
  errc out = errc::internal;
  caf::scoped_actor self{system_->system};
  auto asked = self->request(
    system_->above, std::chrono::seconds(30),
    actors::pack(actors::order_wish{{plant.order_tenant(), flow::revocation, context}, word}));
  run();
  asked.receive([&](const actors::parcel<error>& what) { out = what->code; },
                [](const caf::error&) {});
  return out;
}

bool bench::halted() const { return system_->last.now == actors::supervision::phase::halted; }
errc bench::halted_by() const { return system_->last.halted_by; }

pfx_request bench::request(const std::string& context) const {
  pfx_request out;
  out.context = context;
  out.kind = request_kind::pfx_create;
  out.kind_word = "pfxCreate";
  out.created = time.wall();
  out.expires = time.wall() + day_ms;
  out.device_id = "device-1";
  out.recipients = {{"r1", device.certificate.der(), key_transport::ecdh}};
  out.create.subject = "CN=" + context;
  out.create.alternative_names = {{name_type::rfc822, "user@example.test"}};
  out.create.key = key_algorithm::ec_p256;
  out.create.usages = static_cast<key_usages>(key_usage::digital_signature);
  out.create.extended_usages = {"1.3.6.1.5.5.7.3.2"};
  out.create.validity = {30, validity_unit::days};
  out.create.authority = "CA";
  out.create.certificate_template = "User";
  return out;
}

bytes bench::encrypted(std::string_view password) const {
  const auto key = keys_->find("provider", "key").value();
  return crypto::rsa_encrypt(key.public_key, crypto::rsa_padding::oaep_sha256, as_bytes(password))
    .value();
}

pfx_request bench::import(const std::string& context, byte_view file, std::string_view password,
                          const std::string& thumbprint) const {
  auto out = request(context);
  out.kind = request_kind::pfx_import;
  out.kind_word = "pfxImport";
  out.create = {};
  out.profile = pfx_profile::unchanged;
  out.import = {.thumbprint = thumbprint,
                .intended_purpose = "smimeEncryption",
                .provider_name = "provider",
                .key_name = "key",
                .padding_scheme = "oaepSha256",
                .encrypted_pfx = bytes(file.begin(), file.end()),
                .encrypted_password = encrypted(password)};
  return out;
}

std::vector<actors::tasks::audit_line> bench::audit() const {
  std::vector<actors::tasks::audit_line> out;
  (void)plant.store->each_audit(0, [&](std::uint64_t, const digest&, const bytes& line) {
    if (auto read = actors::tasks::decode_audit_line(line)) {
      out.push_back(std::move(*read));
    }
    return true;
  });
  return out;
}

std::optional<settled_record> bench::settled(const std::string& context) const {
  return plant.store->find_settled(request_key{"tenant", flow::pfx, context}).value();
}

std::optional<record> bench::open_record(const std::string& context) const {
  return plant.store->find_record({"tenant", flow::pfx, context}).value();
}

std::vector<revocation_order> bench::orders() const {
  std::vector<revocation_order> out;
  const auto keep = [&out](revocation_order one) {
    out.push_back(std::move(one));
    return true;
  };
  if (!store_->each_order(keep) || !store_->each_reported_order(keep)) {
    throw std::runtime_error("the orders cannot be read");
  }
  return out;
}

bool bench::has_blob(const std::string& context, blob_kind kind) const {
  return plant.store->find_blob({"tenant", flow::pfx, context}, kind).value().has_value();
}

} // namespace pfx::test
