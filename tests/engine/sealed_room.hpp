// A data directory with a master key, and everything that can lie sealed in it: for tests of
// commands that work without an engine.
#pragma once

#include "crypto/file_key_store.hpp"
#include "crypto/seal.hpp"
#include "engine/audit_store.hpp"
#include "engine/configuration.hpp"
#include "engine/files.hpp"
#include "storage/store.hpp"
#include "tests/catch.hpp"
#include "tests/engine/scratch.hpp"

namespace pfx::test {

template <class T>
errc code_of(const result<T>& what) {
  return what ? errc::none : what.error().code;
}

/// Passes a good result on; ends the test otherwise.
template <class T>
T must(result<T> what) {
  INFO((what ? std::string() : to_string(what.error())));
  REQUIRE(what.has_value());
  return std::move(*what);
}
inline void must(const result<void>& what) {
  INFO((what ? std::string() : to_string(what.error())));
  REQUIRE(what.has_value());
}

class sealed_room {
public:
  sealed_room() {
    settings.data_directory = folder.path("data");
    settings.keys_directory = folder.path("data/keys");
    settings.control_socket = folder.path("data/control.sock");
    settings.identity_file = folder.path("data/identity.json");
    settings.master_key_file = folder.path("master.key");
    settings.limits.free_bytes_floor = 1u << 20;
    REQUIRE(engine::detail::make_private_folder(settings.data_directory));
    must(crypto::write_new_master_key(settings.master_key_file));
  }

  [[nodiscard]] secret_bytes master() const {
    return must(crypto::read_master_key(settings.master_key_file));
  }
  [[nodiscard]] std::unique_ptr<storage::store> store() const {
    return must(engine::detail::open_store(settings, true));
  }
  [[nodiscard]] std::unique_ptr<crypto::file_key_store> keys() const {
    return must(crypto::file_key_store::open(settings.keys_directory, master()));
  }
  [[nodiscard]] std::vector<engine::audit_entry> audit() const {
    const auto read = must(engine::read_audit(settings, 1'000));
    CHECK(read.fault.empty());
    return read.entries;
  }

  scratch_folder folder;
  engine::configuration settings;
};

} // namespace pfx::test
