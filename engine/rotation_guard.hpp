// Who works with sealed files: many commands at once, or one rotation of the master key alone.
// Private to engine/.
#pragma once

#include "core/secret.hpp"
#include "engine/configuration.hpp"

namespace pfx::engine::detail {

/// A lock on the data directory that ends with this object or the process. Without the directory
/// there is nothing to guard. The engine itself is kept apart by the lock of its store.
class secrets_guard {
public:
  /// errc::unavailable while a rotation runs, errc::conflict if one was interrupted.
  [[nodiscard]] static result<secrets_guard> shared(const configuration& settings);
  /// errc::unavailable while another command holds it.
  [[nodiscard]] static result<secrets_guard> alone(const configuration& settings);
  secrets_guard(secrets_guard&& other) noexcept;
  secrets_guard& operator=(secrets_guard&&) = delete;
  ~secrets_guard();

private:
  explicit secrets_guard(int folder) noexcept : folder_(folder) {}
  [[nodiscard]] static result<secrets_guard> take(const configuration& settings, int how,
                                                  const char* refusal);
  int folder_ = -1; ///< owned
};

/// errc::wrong_key if the store, or the engine that owns it, records another master key: what is
/// sealed under `master_key` would be lost. errc::unavailable if an engine owns the store and does
/// not say which key it uses.
[[nodiscard]] result<void> refuse_other_master_key(const configuration& settings,
                                                   const secret_bytes& master_key);

/// The new key during a rotation of a key that lies in a file.
[[nodiscard]] std::string next_key_path(const configuration& settings);
/// Stands there, with the new key's id in it, during a rotation of a key that others keep.
[[nodiscard]] std::string rotation_mark_path(const configuration& settings);

} // namespace pfx::engine::detail
