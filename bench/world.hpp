// Everything around the engine in a bench run: CAs, devices, and requests of one shape, so that a
// limit can be stated for them. The same index gives the same request.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "bench/quick_authority.hpp"
#include "sandbox/authorities.hpp"
#include "sandbox/import_desk.hpp"
#include "sandbox/judge.hpp"
#include "sandbox/registrar.hpp"

namespace pfx::bench {

struct world_options {
  std::string directory; ///< exists; the PEM files and the CA's journal are written there
  std::string kind;      ///< of the sandbox's orders: create-ec, create-rsa, import:<file>
  std::string tenant = "bench";
  std::string authority_name = "Bench-CA";
  std::uint64_t seed = 1;
  std::size_t devices = 48;
};

/// Life: the generator's. Immutable after `make`, but for the keys that a connector announces.
class world {
public:
  [[nodiscard]] static result<std::unique_ptr<world>> make(world_options options);

  /// One recipient with an RSA-2048 key and OAEP; profile modern for a create, the file as it came
  /// for an import.
  [[nodiscard]] sandbox::order order_of(std::uint64_t index);
  /// As a download has it, under lease 1 or later.
  [[nodiscard]] std::string text_of(const sandbox::order& what, std::uint64_t lease_number) const;
  [[nodiscard]] sandbox::judge_options judge_options() const;

  world_options options;
  std::optional<sandbox::authorities> own; ///< set; the signing keys went to those below
  std::string registration_code;
  std::unique_ptr<sandbox::registrar> registrar;
  std::unique_ptr<sandbox::import_desk> imports;
  std::unique_ptr<quick_authority> authority;

private:
  world() = default;
  result<void> fill(world_options wanted);

  std::optional<sandbox::fleet> devices_;
  std::optional<sandbox::order_book> book_;
  std::vector<std::pair<std::string, const sandbox::device_key*>> rsa_keys_; ///< with its device
};

inline constexpr std::int64_t lease_ms = 600'000;

} // namespace pfx::bench
