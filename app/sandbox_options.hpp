// The sandbox's options on a command line, both ways: read by `sandbox`, passed on by `demo`.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/result.hpp"

namespace CLI {
class App;
}

namespace pfx::sandbox {
struct options;
}

namespace pfx::app {

/// "create-ec=3,create-rsa=1": kinds and weights; a kind without a weight has 1. Which kinds there
/// are the sandbox decides.
[[nodiscard]] result<std::vector<std::pair<std::string, double>>> read_mix(const std::string& text);

/// True if requests of this mix need a connector key. A mix that can't be read needs none.
[[nodiscard]] bool needs_import_key(const std::string& mix);

inline constexpr const char* mix_default = "create-ec=1,create-rsa=1";
inline constexpr const char* mix_words
  = "Kinds and weights, KIND=WEIGHT,…: create-ec create-ec384 create-ec521 create-rsa "
    "create-rsa3072 create-rsa4096 import import:FILE bad bad-import bad:NAME. Imports wait "
    "until a connector announced a key";

/// What connectors hear of their version at each check-in: a word, the newest version, two dates.
void add_connector_notice(CLI::App& command, sandbox::options& options);

} // namespace pfx::app
