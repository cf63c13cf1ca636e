// The connector's identity on this machine: made by init and register, read by run.
#pragma once

#include "core/secret.hpp"
#include "engine/configuration.hpp"

namespace pfx::engine {

struct connector_identity {
  std::string connector_id;
  std::string certificate_pem; ///< leaf first, then chain
  secret_bytes key_pem;        ///< PKCS#8, PEM
};

/// Makes the data directory (0700), a master key if there is none, and a starting configuration
/// file if there is none; says what it did, line by line. Never overwrites.
struct init_order {
  std::string configuration_path;
  std::string data_directory;
  std::string service_url;
  std::string trusted_roots_file;
  std::string tenant;
  /// Who the engine will run as; empty = who runs this. Gets the data directory and may read the
  /// configuration; the master key stays with who runs this (root), and reaches the engine as a
  /// credential of the service manager.
  std::string user;
};
[[nodiscard]] result<std::vector<std::string>> initialise(const init_order& order);

/// Makes a key (P-256), registers with the one-time code, writes identity_file (0600, sealed key).
/// A repeat after a lost answer uses the same key; an existing identity is never overwritten
/// (errc::conflict).
struct register_settings {
  std::string code;
  std::string connector_name;
};
[[nodiscard]] result<std::string> register_with_service(const configuration& settings,
                                                        const register_settings& order);

/// Refuses while a rotation of the master key was interrupted (engine/rotation.hpp).
[[nodiscard]] result<connector_identity> load_identity(const configuration& settings);

namespace detail {
/// Seals the identity's key under another master key; a repeat goes on. False if there was nothing
/// to do. errc::wrong_key if neither opens it. Without `to` it only proves that `from` opens it.
[[nodiscard]] result<bool> reseal_identity(const configuration& settings, const secret_bytes& from,
                                           const secret_bytes* to);
} // namespace detail

} // namespace pfx::engine
