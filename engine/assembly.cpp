// A plant put together step by step; the first step that fails names its setting or path.
#include "engine/assembly.hpp"

#include <fstream>

#include "actors/tasks/acceptance.hpp"
#include "actors/tasks/audit.hpp"
#include "connect/ca/breaking_authority.hpp"
#include "connect/ca/https_authority.hpp"
#include "connect/service/breaking_client.hpp"
#include "core/codec.hpp"
#include "core/program_version.hpp"
#include "crypto/file_key_store.hpp"
#include "crypto/random.hpp"
#include "engine/identity_files.hpp"
#include "engine/intune.hpp"
#include "engine/recollection.hpp"
#include "engine/rotation.hpp"
#include "engine/update_plan.hpp"
#include "engine/upkeep.hpp"

namespace pfx::engine {

namespace {

using actors::tasks::authority_entry;
using actors::tasks::report;

constexpr std::size_t roots_file_bytes_max = 4u << 20;

result<std::string> read_text(const std::string& path, std::string_view field) {
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    return failure(errc::io, std::string(field), "cannot read " + path);
  }
  std::string text(roots_file_bytes_max + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (text.size() > roots_file_bytes_max) {
    return failure(errc::too_large, std::string(field), path + " is larger than 4 MiB");
  }
  return text;
}

result<std::vector<crypto::certificate>> read_roots(const std::string& path,
                                                    std::string_view field) {
  auto text = read_text(path, field);
  if (!text) {
    return failure(text.error());
  }
  auto roots = crypto::certificate::all_from_pem(*text);
  if (!roots || roots->empty()) {
    return failure(errc::bad_input, std::string(field), path + " holds no certificate");
  }
  return roots;
}

result<connect::http::client_options> client_options_for(const assembly& a, const std::string& url,
                                                         const std::string& roots_file,
                                                         std::int64_t timeout_ms) {
  connect::http::client_options out;
  out.base_url = url;
  if (!roots_file.empty()) {
    auto roots = read_text(roots_file, "trustedRootsFile");
    if (!roots) {
      return failure(roots.error());
    }
    out.trusted_roots_pem = std::move(*roots);
  }
  out.shared_identity = a.identity;
  out.call_timeout_ms = timeout_ms;
  out.connections_max = a.settings.limits.io_threads;
  out.user_agent = "pfxengine/" + program_version();
  return out;
}

// -- the store ------

result<void> open_store(assembly& a) {
  storage::store_options options;
  options.directory = a.settings.data_directory + "/store";
  options.free_bytes_floor = a.settings.limits.free_bytes_floor;
  auto opened = storage::store::open(std::move(options));
  if (!opened) {
    return failure(opened.error());
  }
  a.store = std::move(*opened);
  // With the store's lock in hand no rotation can begin any more.
  if (auto whole = refuse_during_rotation(a.settings); !whole) {
    return whole;
  }
  a.unclean_start = a.store->status().unclean_start;
  return {};
}

/// With the store's lock in hand: nobody else touches the identity now.
result<void> settle_identity(assembly& a) {
  if (auto done = detail::finish_renewal(a.settings); !done) {
    return failure(done.error());
  }
  return {};
}

result<std::uint64_t> stored_epoch(const storage::store& store) {
  auto stored = store.meta("epoch");
  if (!stored) {
    return failure(stored.error());
  }
  if (!*stored) {
    return std::uint64_t{0};
  }
  reader in(**stored);
  const auto epoch = in.u64();
  if (!in.finished()) {
    return failure(errc::corrupt, "epoch", "the stored epoch is damaged");
  }
  return epoch;
}

/// Whether this store may go on, and whether it remembers everything.
result<void> look_back(assembly& a) {
  if (auto allowed = detail::refuse_after_halt(*a.store); !allowed) {
    return allowed;
  }
  auto doubt = detail::doubt_of_memory(*a.store, a.settings.anchor_file);
  if (!doubt) {
    return failure(doubt.error());
  }
  if (doubt->empty()) {
    return {};
  }
  a.tell({report::channel::system, report::level::warning, 10, system_clock().wall(), "", "", 0,
          *doubt});
  return detail::ask_everything(*a.store);
}

/// The start's mark in the audit chain: a random value, so that two copies of a store part ways.
result<void> begin_run(assembly& a) {
  auto epoch = stored_epoch(*a.store);
  if (!epoch) {
    return failure(epoch.error());
  }
  a.epoch = *epoch + 1;
  auto last = a.store->last_audit();
  if (!last) {
    return failure(last.error());
  }
  const auto sequence = (*last ? (*last)->sequence : 0) + 1;
  auto line = encode(actors::tasks::audit_line{.at = system_clock().wall(),
                                               .event = actors::tasks::audit_event::started,
                                               .random = crypto::random_bytes(16),
                                               .epoch = a.epoch});
  const auto head
    = actors::tasks::audit_link(*last ? (*last)->chain_head : digest{}, sequence, line);
  writer epoch_value;
  epoch_value.u64(a.epoch);
  auto written = a.store->commit({storage::put_meta{"epoch", epoch_value.take()},
                                  storage::put_audit{sequence, head, std::move(line)}});
  if (!written) {
    return failure(written.error());
  }
  a.plant.anchor.set({sequence, head});
  return {};
}

result<void> open_seal(assembly& a) {
  auto master = crypto::read_master_key(a.settings.master_key_file);
  if (!master) {
    return failure(master.error());
  }
  auto sealer = crypto::sealer::make(std::move(*master), a.store->store_id(), a.epoch);
  if (!sealer) {
    return failure(sealer.error());
  }
  a.sealer = std::make_unique<crypto::sealer>(std::move(*sealer));
  auto known = a.store->meta("master-key-id");
  if (!known) {
    return failure(known.error());
  }
  if (*known && **known != a.sealer->key_id()) {
    return failure(errc::wrong_key, "masterKeyFile",
                   a.settings.master_key_file + " is not the key that this store was sealed with");
  }
  return *known ? result<void>{}
                : a.store->commit({storage::put_meta{"master-key-id", a.sealer->key_id()}});
}

result<void> open_keys(assembly& a) {
  auto master = crypto::read_master_key(a.settings.master_key_file);
  if (!master) {
    return failure(master.error());
  }
  auto keys = crypto::file_key_store::open(a.settings.keys_directory, std::move(*master));
  if (!keys) {
    return failure(keys.error());
  }
  a.keys = std::move(*keys);
  a.uses = std::make_unique<actors::tasks::use_limits>(a.settings.imports.per_thumbprint_per_hour,
                                                       a.settings.imports.per_recipient_per_hour);
  return {};
}

// -- the world outside ------

result<void> connect_service(assembly& a) {
  const auto& s = a.settings.service;
  auto options = client_options_for(a, s.url, s.trusted_roots_file, s.call_timeout_ms);
  if (!options) {
    return failure(options.error());
  }
  auto made = connect::service::make_client(std::move(*options));
  if (!made) {
    return failure(made.error());
  }
  a.service = connect::service::with_breaker(
    std::move(*made), system_clock(), [] { return crypto::random_u64(); },
    [&plant = a.plant](const connect::service::call_error* fault) {
      actors::tasks::note_acceptance(plant, fault);
    });
  return {};
}

result<void> connect_authorities(assembly& a) {
  for (const auto& ca : a.settings.authorities) {
    const auto& roots = ca.trusted_roots_file.empty() ? a.settings.service.trusted_roots_file
                                                      : ca.trusted_roots_file;
    auto options = client_options_for(a, ca.url, roots, ca.call_timeout_ms);
    if (!options) {
      return failure(options.error());
    }
    auto calls = connect::ca::make_https_authority(std::move(*options));
    if (!calls) {
      return failure(calls.error());
    }
    auto chain_roots = read_roots(ca.chain_roots_file, "authorities.chainRootsFile");
    if (!chain_roots) {
      return failure(chain_roots.error());
    }
    auto guarded = connect::ca::with_breaker(std::move(*calls), system_clock(),
                                             [] { return crypto::random_u64(); });
    a.plant.authorities.emplace(ca.name,
                                authority_entry{std::move(guarded), std::move(*chain_roots)});
  }
  return {};
}

/// Calls nobody yet: a tenant that is down is no reason not to start.
result<void> connect_tenant(assembly& a) {
  if (!a.settings.intune) {
    return {};
  }
  auto settings = detail::connection_settings_of(*a.settings.intune);
  if (!settings) {
    return failure(settings.error());
  }
  auto made = connect::intune::connection::make(std::move(*settings));
  if (!made) {
    return failure(made.error().code, "intune." + made.error().field, made.error().message);
  }
  a.tenant = std::move(*made);
  a.plant.tenant = a.tenant.get();
  if (a.settings.intune->revocations_enabled) {
    a.plant.revocations = &a.tenant->revocations();
  }
  return {};
}

result<void> open_gate(assembly& a) {
  auto roots = read_roots(a.settings.recipients.trust_file, "recipients.trustFile");
  if (!roots) {
    return failure(roots.error());
  }
  using match = crypto::recipient_policy::device_match;
  crypto::recipient_policy policy;
  policy.roots = std::move(*roots);
  const auto& word = a.settings.recipients.match;
  policy.match = word == "commonName" ? match::common_name
    : word == "san"                   ? match::dns_or_uri_san
    : word == "off"                   ? match::off
                                      : match::any_of_these;
  a.gate = std::make_unique<crypto::recipient_gate>(std::move(policy));
  return {};
}

result<void> plan_updates(assembly& a) {
  if (!a.settings.updates) {
    return {};
  }
  auto plan = detail::update_plan_of(a.settings, a.connector_id);
  if (!plan) {
    return failure(plan.error());
  }
  a.updates = std::make_unique<actors::tasks::update_work>(std::move(*plan));
  return {};
}

// -- wiring ------

void wire(assembly& a) {
  a.plant.store = a.store.get();
  a.plant.sealer = a.sealer.get();
  a.plant.service = a.service.get();
  a.plant.gate = a.gate.get();
  a.plant.keys = a.keys.get();
  a.plant.uses = a.uses.get();
  a.plant.updates = a.updates.get();
  a.plant.time = &system_clock();
  a.plant.random = [] { return crypto::random_u64(); };
  a.plant.tell = [owner = &a](const report& what) { owner->tell(what); };
  a.upkeep = std::make_unique<upkeep>(a.settings, a.plant, a.identity);
  a.plant.upkeep = a.upkeep.get();
  a.plant.caller.set({a.connector_id, a.epoch, to_hex(crypto::random_bytes(16))});
}

std::string level_of(report::level value) {
  switch (value) {
    case report::level::debug:
      return "debug";
    case report::level::info:
      return "info";
    case report::level::warning:
      return "warning";
    case report::level::error:
      return "error";
  }
  return "error";
}

event_channel channel_of(report::channel value) {
  switch (value) {
    case report::channel::admin:
      return event_channel::admin;
    case report::channel::operational:
      return event_channel::operational;
    case report::channel::system:
      return event_channel::system;
  }
  return event_channel::system;
}

} // namespace

void assembly::tell(const report& what) {
  if (!sink) {
    return;
  }
  const event out{channel_of(what.on), what.id,      level_of(what.severity), what.at,
                  what.context,        what.call_id, what.duration_ms,        what.text};
  const std::lock_guard lock(sink_mutex);
  try {
    sink(out);
  } catch (...) { // the host's own; it must not end an actor
    ++sink_faults;
  }
}

result<std::unique_ptr<assembly>> assemble(configuration settings, event_sink sink) {
  auto made = std::make_unique<assembly>();
  auto& a = *made;
  a.settings = std::move(settings);
  a.sink = std::move(sink);
  auto who = load_identity(a.settings);
  if (!who) {
    return failure(who.error());
  }
  a.connector_id = who->connector_id;
  a.identity = std::make_shared<connect::http::identity_box>(
    connect::http::tls_identity{std::move(who->certificate_pem), {}, std::move(who->key_pem)});
  detail::take_settings(a);
  for (auto* const step :
       {&open_gate, &open_store, &settle_identity, &look_back, &begin_run, &open_seal, &open_keys,
        &connect_service, &connect_authorities, &connect_tenant, &plan_updates}) {
    if (auto done = (*step)(a); !done) {
      return failure(done.error());
    }
  }
  wire(a);
  return made;
}

} // namespace pfx::engine
