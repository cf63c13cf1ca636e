// A rotation of the master key and its steps by name. Private to engine/: rotation.cpp seals and
// tells, rotation_choice.cpp decides on the key and proves the present one.
#pragma once

#include <optional>

#include "crypto/seal.hpp"
#include "engine/audit_store.hpp"
#include "engine/rotation.hpp"
#include "engine/rotation_guard.hpp"

namespace pfx::engine::detail {

/// Life: one rotation.
class rotation {
public:
  rotation(const configuration& settings, const rotation_order& order)
      : settings_(settings), order_(order), in_file_(replaceable(settings)) {}

  /// True for a file of ours in a folder that we can write to; a credential of the service manager,
  /// a link, or a read-only folder belongs to somebody who has to put the new key there himself.
  [[nodiscard]] static bool replaceable(const configuration& settings);

  [[nodiscard]] result<rotation_report> run();

private:
  using action = result<void> (rotation::*)();

  [[nodiscard]] result<void> open();
  [[nodiscard]] result<void> choose_key();
  [[nodiscard]] result<void> make_sealers();
  [[nodiscard]] result<void> seal_records();
  [[nodiscard]] result<void> tell_store();
  [[nodiscard]] result<void> erase_old_records();
  [[nodiscard]] result<void> seal_identity();
  [[nodiscard]] result<void> seal_keys();
  [[nodiscard]] result<void> close();
  [[nodiscard]] result<void> put_key_in_place();

  [[nodiscard]] result<void> already_there() const;
  [[nodiscard]] result<void> finish_with_old_key();
  [[nodiscard]] result<void> resume_or_write_next();
  [[nodiscard]] result<void> resume_or_write_mark();
  [[nodiscard]] result<void> prove_present_key();
  [[nodiscard]] result<void> prove_records(const crypto::sealer& with) const;
  [[nodiscard]] result<crypto::sealer> sealer_of(const secret_bytes& key) const;
  [[nodiscard]] result<std::optional<storage::put_blob>> sealed_again(const request_key& key,
                                                                      blob_kind kind,
                                                                      byte_view sealed) const;
  [[nodiscard]] result<void> commit(storage::batch& waiting);
  [[nodiscard]] result<void> passed(std::string_view step) const;

  const configuration& settings_;
  const rotation_order& order_;
  const bool in_file_;
  std::optional<detail::secrets_guard> guard_;
  std::unique_ptr<storage::store> store_;
  std::uint64_t epoch_ = 0;
  secret_bytes present_;
  secret_bytes next_;
  std::optional<crypto::sealer> from_;
  std::optional<crypto::sealer> to_;
  rotation_report report_;
};

} // namespace pfx::engine::detail
