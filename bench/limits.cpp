// bench_limits WORKLOAD --threads T --seconds S --dir FOLDER [--records N]: one line of JSON.
#include "bench/limits.hpp"

#include <cstdlib>
#include <iostream>
#include <stdexcept>

#include <nlohmann/json.hpp>

int main(int count, char** words) {
  using json = nlohmann::ordered_json;
  pfx::bench::limit_options options;
  options.workload = count > 1 ? words[1] : "";
  for (int at = 2; at + 1 < count; at += 2) {
    const std::string name = words[at];
    const char* value = words[at + 1];
    if (name == "--threads") {
      options.threads = static_cast<unsigned>(std::strtoul(value, nullptr, 10));
    } else if (name == "--seconds") {
      options.seconds = std::strtod(value, nullptr);
    } else if (name == "--dir") {
      options.directory = value;
    } else if (name == "--records") {
      options.records = std::strtoull(value, nullptr, 10);
    }
  }
  const auto& what = options.workload;
  const bool crypto = what == "create-p256" || what == "create-rsa2048" || what == "import";
  if ((!crypto && what != "redelivery") || options.directory.empty() || options.threads == 0) {
    std::cerr << "bench_limits WORKLOAD --threads T --seconds S --dir FOLDER [--records N]\n";
    return 2;
  }
  try {
    const auto got
      = crypto ? pfx::bench::crypto_limit(options) : pfx::bench::look_up_limit(options);
    json parts = json::object();
    for (const auto& [name, microseconds] : got.parts) {
      parts[name] = microseconds;
    }
    std::cout << json{{"per_s", got.per_second}, {"parts_us", parts}}.dump() << "\n";
    return 0;
  } catch (const std::exception& caught) {
    std::cerr << "bench_limits: " << caught.what() << "\n";
    return 1;
  }
}
