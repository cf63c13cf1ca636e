// The other side of a bench run, as a process of its own: service, CA and devices. It is told what
// to do line by line on stdin and answers each line with one line of JSON, so that its driver can
// look at the engine's counters exactly between two of them.
//
//   prepare COUNT             waits for the connector, makes COUNT request bodies
//   run COUNT SECONDS IN_FLIGHT PER_SECOND   hands out; 0 = no limit of that kind
//   verify COUNT              opens COUNT results, evenly spread, as the devices would
#include <cstdio>
#include <iostream>
#include <sstream>

#include <nlohmann/json.hpp>

#include "bench/desk.hpp"
#include "connect/ca/embedded_authority.hpp"
#include "connect/service/codec.hpp"
#include "crypto/digest.hpp"
#include "crypto/random.hpp"
#include "storage/store.hpp"

namespace {

using namespace pfx;
using namespace pfx::bench;
using json = nlohmann::ordered_json;

constexpr std::chrono::seconds connector_patience{120};
constexpr std::chrono::seconds result_patience{60};
constexpr std::size_t seed_batch = 500;
constexpr std::size_t connections_max = 64;
constexpr std::size_t faults_max = 5;

struct arguments {
  world_options around;
  std::string store; ///< if set, the requests are settled there before the connector starts
  std::size_t settled = 0;
};

void say(const json& what) { std::cout << what.dump() << std::endl; }

int complain(const std::string& why) {
  std::cerr << "bench_generator: " << why << "\n";
  return 1;
}

parcel parcel_of(world& around, std::uint64_t index, std::uint64_t lease_number) {
  const auto ordered = around.order_of(index);
  parcel out;
  out.index = index;
  out.context = ordered.context;
  out.lease_number = lease_number;
  out.text = around.text_of(ordered, lease_number);
  return out;
}

/// Writes `count` settled requests through the store, as a connector that delivered them left them.
result<std::vector<parcel>> settle(world& around, const std::string& directory, std::size_t count) {
  auto opened = storage::store::open({.directory = directory});
  if (!opened) {
    return failure(opened.error());
  }
  auto& store = **opened;
  std::vector<parcel> out;
  storage::batch batch;
  for (std::size_t index = 0; index < count; ++index) {
    auto one = parcel_of(around, index, 2);
    const auto offered = connect::service::decode_download_answer(
      connect::service::encode_download_answer({one.text}, false));
    if (!offered || offered->offers.size() != 1) {
      return failure(errc::internal, "requests", "one of our own cannot be read");
    }
    const auto octets = crypto::random_bytes(64);
    one.known = true;
    one.stands
      = {crypto::sha256(octets), true, crypto::sha256(byte_view(octets).first(32)), "bench"};
    settled_record value;
    value.outcome = settled_as::delivered;
    value.kind = request_kind::pfx_create;
    value.settled_at = system_clock().wall();
    value.fingerprint = offered->offers.front().fingerprint;
    value.result_digest = one.stands.result_digest;
    value.thumbprint = one.stands.thumbprint;
    value.lease_number = 1;
    value.authority = around.options.authority_name;
    value.serial_number = to_hex(byte_view(octets).first(20));
    batch.push_back(
      storage::put_settled{{around.options.tenant, flow::pfx, one.context}, std::move(value)});
    out.push_back(std::move(one));
    if (batch.size() == seed_batch || index + 1 == count) {
      if (auto written = store.commit(batch); !written) {
        return failure(written.error());
      }
      batch.clear();
    }
  }
  auto closed = store.close_clean();
  return closed ? result<std::vector<parcel>>(std::move(out)) : failure(closed.error());
}

json json_of(const phase_report& what) {
  return {{"ended", what.ended},      {"seconds", what.seconds},     {"p50_ms", what.p50_ms},
          {"p99_ms", what.p99_ms},    {"downloads", what.downloads}, {"uploads", what.uploads},
          {"complete", what.complete}};
}

/// `count` results, evenly spread. Re-deliveries bring no result: each must have ended.
json verify(world& around, const std::vector<parcel>& all, std::size_t count) {
  std::vector<const parcel*> ended;
  for (const auto& one : all) {
    if (one.ended != steady::time_point{}) {
      ended.push_back(&one);
    }
  }
  json faults = json::array();
  std::size_t wrong = 0, opened = 0;
  const auto step = std::max<std::size_t>(1, ended.size() / std::max<std::size_t>(1, count));
  const auto judge = around.judge_options();
  for (std::size_t at = 0; at < ended.size(); at += step) {
    const auto& one = *ended[at];
    std::vector<std::string> found;
    if (one.known) {
      if (!one.document.empty()) {
        found.emplace_back("a settled request was answered with a document");
      }
    } else if (auto read = connect::service::decode_result_document(one.document); !read) {
      found.push_back(to_string(read.error()));
    } else {
      found
        = sandbox::judge_result(judge, around.order_of(one.index), *read, one.recorded_at).faults;
    }
    ++opened;
    wrong += found.empty() ? 0 : 1;
    for (const auto& text : found) {
      if (faults.size() < faults_max) {
        faults.push_back(one.context + ": " + text);
      }
    }
  }
  return {{"ended", ended.size()}, {"opened", opened}, {"wrong", wrong}, {"faults", faults}};
}

/// One line of the driver; false if it is none of ours.
bool obey(const std::string& line, world& around, desk& service, std::vector<parcel>& settled) {
  std::istringstream words(line);
  std::string verb;
  std::size_t count = 0;
  words >> verb >> count;
  if (verb == "prepare") {
    if (!service.await_connector(connector_patience)) {
      return false;
    }
    auto parcels = std::move(settled);
    for (std::size_t index = parcels.size(); index < count; ++index) {
      parcels.push_back(parcel_of(around, index, 1));
    }
    std::size_t size = 0;
    for (const auto& one : parcels) {
      size += one.text.size();
    }
    service.load(std::move(parcels));
    say({{"prepared", count}, {"bytes", size}});
    return true;
  }
  if (verb == "run") {
    phase what{.count = count};
    words >> what.seconds >> what.in_flight_max >> what.per_second;
    if (words.fail() || what.in_flight_max == 0) {
      return false;
    }
    say(json_of(service.run(what, result_patience)));
    return true;
  }
  if (verb == "verify") {
    say(verify(around, service.parcels(), count));
    return true;
  }
  return false;
}

int serve(const arguments& given) {
  auto made = world::make(given.around);
  if (!made) {
    return complain(to_string(made.error()));
  }
  auto& around = **made;
  std::vector<parcel> settled;
  if (!given.store.empty()) {
    auto written = settle(around, given.store, given.settled);
    if (!written) {
      return complain(to_string(written.error()));
    }
    settled = std::move(*written);
  }
  desk service(around, connect::ca::make_ca_handler(*around.authority, "/ca"));
  connect::http::server_options options;
  options.certificate_pem = around.own->server_chain_pem;
  options.key_pem = std::move(around.own->server_key_pem);
  options.client_roots_pem = around.registrar->root_pem();
  options.connections_max = connections_max;
  auto server = connect::http::server::start(
    std::move(options),
    [&service](const connect::http::server_request& in) { return service.handle(in); });
  if (!server) {
    return complain(to_string(server.error()));
  }
  const auto home = "https://127.0.0.1:" + std::to_string((*server)->port());
  say({{"serviceUrl", home + "/service"},
       {"caUrl", home + "/ca"},
       {"code", around.registration_code},
       {"tenant", around.options.tenant},
       {"authority", around.options.authority_name},
       {"directory", around.options.directory}});
  for (std::string line; std::getline(std::cin, line);) {
    if (!obey(line, around, service, settled)) {
      return complain("cannot do: " + line);
    }
  }
  return 0;
}

} // namespace

int main(int count, char** words) {
  arguments given;
  for (int at = 1; at + 1 < count; at += 2) {
    const std::string name = words[at];
    const std::string value = words[at + 1];
    if (name == "--dir") {
      given.around.directory = value;
    } else if (name == "--kind") {
      given.around.kind = value;
    } else if (name == "--settle-in") {
      given.store = value;
    } else if (name == "--settled") {
      given.settled = std::strtoull(value.c_str(), nullptr, 10);
    } else {
      return complain("unknown option " + name);
    }
  }
  if (given.around.directory.empty() || given.around.kind.empty()) {
    return complain("--dir FOLDER --kind KIND [--settle-in STORE --settled COUNT]");
  }
  try {
    return serve(given);
  } catch (const std::exception& caught) {
    return complain(caught.what());
  }
}
