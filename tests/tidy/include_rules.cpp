// Who may include whom: the table of docs/architecture.md, as code.
#include <algorithm>
#include <array>
#include <optional>

#include "tests/tidy/rules.hpp"

namespace pfx::tidy {

namespace {

/// `from` may include what begins with `to`. The longest match of `from` counts with all shorter
/// ones, so that "connect/ca" has the arrows of "connect" as well.
struct arrow {
  std::string_view from;
  std::string_view to;
};

constexpr std::array<arrow, 43> arrows = {{
  {"core/", "core/"},
  {"crypto/", "core/"},
  {"crypto/", "crypto/"},
  {"storage/", "core/"},
  {"storage/", "storage/"},
  {"connect/", "core/"},
  {"connect/", "crypto/"},
  {"connect/", "connect/http/"},
  {"connect/service/", "connect/service/"},
  {"connect/ca/", "connect/ca/"},
  {"connect/ca/", "storage/ca_index.hpp"}, // the embedded CA's index
  {"connect/scep/", "connect/scep/"},
  {"connect/intune/", "connect/intune/"},
  {"release/", "core/"},
  {"release/", "crypto/"},
  {"release/", "release/"},
  {"switcher/", "core/"},
  {"switcher/", "release/"},
  {"switcher/", "switcher/"},
  {"actors/", "core/"},
  {"actors/", "crypto/"},
  {"actors/", "storage/"},
  {"actors/", "connect/"},
  {"actors/", "release/"},
  {"actors/", "actors/"},
  {"engine/", "core/"},
  {"engine/", "crypto/"},
  {"engine/", "storage/"},
  {"engine/", "connect/"},
  {"engine/", "actors/"},
  {"engine/", "release/"},
  {"engine/", "engine/"},
  {"app/", "core/"},
  {"app/", "engine/"},
  {"app/", "app/"},
  {"app/", "sandbox/sandbox.hpp"}, // docs/adr/0001
  {"app/", "release/maker.hpp"},   // the maker's commands
  {"sandbox/", "core/"},
  {"sandbox/", "crypto/"},
  {"sandbox/", "storage/"},
  {"sandbox/", "connect/"},
  {"sandbox/", "sandbox/"},
  {"examples/", "engine/"}, // an embedding host sees what is installed
}};

/// `prefix` may be included below `room` alone; a prefix with several rooms has several lines.
struct party {
  std::string_view prefix;
  std::string_view room;
};

constexpr std::array<party, 21> parties = {{
  {"caf/", "actors/"},         {"openssl/", "crypto/"},    {"openssl/", "connect/http/"},
  {"rocksdb/", "storage/"},    {"nlohmann/", "connect/"},  {"nlohmann/", "engine/"},
  {"nlohmann/", "sandbox/"},   {"curl/", "connect/http/"}, {"boost/", "connect/http/"},
  {"zlib.h", "connect/http/"}, {"spdlog/", "engine/"},     {"fmt/", "engine/"},
  {"prometheus/", "engine/"},  {"CLI/", "app/"},           {"CLI/", "switcher/"},
  {"systemd/", "app/"},        {"tl/", "core/"},           {"catch2/", "tests/"},
  {"benchmark/", "bench/"},    {"sanitizer/", "core/"},    {"gtest/", "(nowhere)"},
}};

constexpr std::array<std::string_view, 14> rooms
  = {"core/",   "crypto/", "storage/", "connect/", "release/",  "switcher/", "actors/",
     "engine/", "app/",    "sandbox/", "bench/",   "examples/", "tests/",    "docs/"};

bool is_room(std::string_view path) {
  return std::any_of(rooms.begin(), rooms.end(),
                     [path](std::string_view room) { return path.starts_with(room); });
}

/// Tests and benches look into any room and bring the third parties of the room they measure.
bool is_bound(std::string_view path) {
  return is_cpp(path) && !path.starts_with("tests/") && !path.starts_with("bench/");
}

/// What `#include` names, or nothing. Taken from the raw line, where the code line says that it is
/// no comment.
std::optional<std::string> included(const std::string& raw, const std::string& code) {
  const auto hash = code.find_first_not_of(" \t");
  if (hash == std::string::npos || code[hash] != '#'
      || find_word(code, "include") == std::string::npos) {
    return std::nullopt;
  }
  const auto open = raw.find_first_of("<\"", hash);
  if (open == std::string::npos) {
    return std::nullopt;
  }
  const auto close = raw.find_first_of(">\"", open + 1);
  return raw.substr(open + 1, close == std::string::npos ? close : close - open - 1);
}

bool has_arrow(std::string_view from, std::string_view to) {
  return std::any_of(arrows.begin(), arrows.end(), [from, to](const arrow& one) {
    return from.starts_with(one.from) && to.starts_with(one.to);
  });
}

/// True if `what` is of no listed party, or of one that lives where `from` is.
bool is_at_home(std::string_view from, std::string_view what) {
  bool listed = false;
  for (const auto& one : parties) {
    if (!what.starts_with(one.prefix)) {
      continue;
    }
    listed = true;
    if (from.starts_with(one.room)) {
      return true;
    }
  }
  return !listed;
}

} // namespace

void check_includes(const source& file, std::vector<finding>& out) {
  if (!is_bound(file.path)) {
    return;
  }
  for (std::size_t at = 0; at < file.raw.size(); ++at) {
    const auto what = included(file.raw[at], file.code[at]);
    if (!what) {
      continue;
    }
    if (is_room(*what) && !has_arrow(file.path, *what)) {
      out.push_back({"arrows", file.path, at + 1,
                     "includes " + *what + ", an arrow that docs/architecture.md does not have"});
    }
    if (what->starts_with("..") || what->starts_with("./")) {
      out.push_back({"arrows", file.path, at + 1, "includes are rooted at the top of the tree"});
    }
    if (!is_at_home(file.path, *what)) {
      out.push_back({"parties", file.path, at + 1,
                     "includes " + *what + ", a third party that lives in another room"});
    }
    if (is_header(file.path) && what->starts_with("rocksdb/")) {
      out.push_back({"parties", file.path, at + 1, "RocksDB is named in storage/*.cpp alone"});
    }
  }
}

} // namespace pfx::tidy
