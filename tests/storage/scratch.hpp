// What the tests of the store share: a directory that goes away, values, and a store to open.
#pragma once

#include <filesystem>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>

#include <stdlib.h>

#include "storage/store.hpp"
#include "tests/catch.hpp"

namespace scratch {

using namespace pfx;
using namespace pfx::storage;
namespace fs = std::filesystem;

/// Where syncs cost nothing, for tests that don't ask what they do and need hundreds of them.
inline fs::path in_memory() {
  std::error_code fault;
  const auto room = fs::space("/dev/shm", fault);
  return !fault && room.available > (256u << 20) ? fs::path("/dev/shm") : fs::temp_directory_path();
}

/// A directory of its own (mode 0700), deleted at the end.
class directory {
public:
  explicit directory(const fs::path& under = fs::temp_directory_path()) {
    auto pattern = (under / "pfx-storage-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) {
      throw std::runtime_error("mkdtemp failed");
    }
    root_ = pattern;
  }
  directory(const directory&) = delete;
  directory& operator=(const directory&) = delete;
  ~directory() {
    std::error_code ignored;
    fs::remove_all(root_, ignored);
  }
  [[nodiscard]] const fs::path& root() const { return root_; }
  /// Not made yet.
  [[nodiscard]] fs::path store() const { return root_ / "store"; }
  [[nodiscard]] fs::path database() const { return store() / "db"; }

private:
  fs::path root_;
};

inline store_options options(const fs::path& path) {
  store_options out;
  out.directory = path.string();
  out.free_bytes_floor = 1 << 20;
  return out;
}

/// Opens or fails the test.
inline std::unique_ptr<store> opened(store_options with) {
  auto out = store::open(std::move(with));
  INFO((out ? std::string() : to_string(out.error())));
  REQUIRE(out);
  return std::move(*out);
}
inline std::unique_ptr<store> opened(const directory& in) { return opened(options(in.store())); }

inline request_key key(const std::string& context) { return {"contoso", flow::pfx, context}; }
inline request_key key(std::uint64_t number) { return key("ctx-" + std::to_string(number)); }

inline record open_record(const request_key& of, record_state state = record_state::received) {
  record out;
  out.key = of;
  out.state = state;
  out.kind = request_kind::pfx_create;
  out.lease_number = 1;
  out.received_at = 1000;
  out.expires_at = 2000;
  return out;
}

inline settled_record settled(unix_ms at) {
  settled_record out;
  out.outcome = settled_as::delivered;
  out.kind = request_kind::pfx_create;
  out.settled_at = at;
  out.serial_number = "0a";
  return out;
}

inline trail_entry line(const std::string& text, unix_ms at = 1) {
  trail_entry out;
  out.at = at;
  out.event = 1001;
  out.text = text;
  return out;
}

inline surplus_certificate surplus(const request_key& of, const std::string& serial, bool done) {
  surplus_certificate out;
  out.request = of;
  out.authority = "corp-ca";
  out.issuer = "CN=Corp CA";
  out.serial_number = serial;
  out.found_at = 10;
  out.done = done;
  return out;
}

inline bytes octets(const std::string& text) { return to_bytes(text); }

inline std::string file_text(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

inline void write_file(const fs::path& path, const std::string& text) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out.write(text.data(), static_cast<std::streamsize>(text.size()));
  out.flush();
  REQUIRE(out.good());
}

/// The one file whose name ends like this and which is the largest.
inline fs::path largest(const fs::path& in, const std::string& extension) {
  fs::path out;
  std::uintmax_t size = 0;
  for (const auto& one : fs::directory_iterator(in)) {
    if (one.path().extension() == extension && one.file_size() >= size) {
      size = one.file_size();
      out = one.path();
    }
  }
  REQUIRE(!out.empty());
  return out;
}

} // namespace scratch
