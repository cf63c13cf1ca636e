// bench_queue --dir FOLDER [--requests N] [--in-flight N]: bare RocksDB, then the ledger on its
// store, in fresh folders; one line of JSON.
#include "bench/queue.hpp"

#include <cstdlib>
#include <iostream>

#include <nlohmann/json.hpp>

namespace {

using namespace pfx::bench;
using json = nlohmann::ordered_json;

json json_of(const queue_report& what) {
  return {{"per_s", what.per_second},
          {"p50_ms", what.p50_ms},
          {"p99_ms", what.p99_ms},
          {"cpu_us", what.cpu_us},
          {"commits", what.commits}};
}

int complain(const pfx::error& why) {
  std::cerr << "bench_queue: " << to_string(why) << "\n";
  return 1;
}

int run(const queue_options& options) {
  const auto script = take_down(options);
  if (!script) {
    return complain(script.error());
  }
  const auto raw = write_raw(*script, options.directory + "/raw");
  const auto store = run_ledger(options, options.directory + "/store");
  if (!raw || !store) {
    return complain(raw ? store.error() : raw.error());
  }
  if (store->commits != script->batches) {
    return complain({pfx::errc::internal, "", "the two did not write in the same groups"});
  }
  const auto requests = static_cast<double>(script->requests);
  std::cout << json{{"requests", script->requests},
                    {"in_flight", options.in_flight},
                    {"batches", script->batches},
                    {"octets_per_request", static_cast<double>(script->octets) / requests},
                    {"engine", json_of(*store)},
                    {"limit", json_of(*raw)}}
                 .dump()
            << "\n";
  return 0;
}

} // namespace

int main(int count, char** words) {
  queue_options options;
  for (int at = 1; at + 1 < count; at += 2) {
    const std::string name = words[at];
    const char* value = words[at + 1];
    if (name == "--dir") {
      options.directory = value;
    } else if (name == "--requests") {
      options.requests = std::strtoull(value, nullptr, 10);
    } else if (name == "--in-flight") {
      options.in_flight = std::strtoull(value, nullptr, 10);
    }
  }
  if (options.directory.empty() || options.requests == 0 || options.in_flight == 0) {
    std::cerr << "bench_queue --dir FOLDER [--requests N] [--in-flight N]\n";
    return 2;
  }
  try {
    return run(options);
  } catch (const std::exception& caught) {
    std::cerr << "bench_queue: " << caught.what() << "\n";
    return 1;
  }
}
