// PKCS#12 files that other programs wrote, with what must come out of them: built into the program
// from sandbox/data/pfx, nothing is asked of the machine. The facts are those of the makers'
// certificates, not of any reader of ours.
#pragma once

#include <span>
#include <string_view>

#include "core/request.hpp"
#include "sandbox/dice.hpp"

namespace pfx::sandbox {

/// One certificate with its key in one file; a file with two of them has two rows.
struct foreign_file {
  std::string_view name;
  std::string_view maker; ///< program and version
  byte_view octets;
  byte_view password; ///< as a client encrypts it: mostly UTF-8, for one file Latin-1
  key_algorithm key = key_algorithm::rsa2048;
  std::size_t chain = 0;          ///< certificates between leaf and root
  std::uint32_t weight = 0;       ///< how often it is taken; 0 = must be refused
  std::string_view sha1;          ///< of the certificate, lower-case hex
  std::string_view sha256;        ///< the same
  std::string_view public_key;    ///< SHA-256 of the SubjectPublicKeyInfo, lower-case hex
  std::string_view friendly_name; ///< UTF-8; empty = the file has none
};

[[nodiscard]] std::span<const foreign_file> foreign_files() noexcept;

/// One that must be accepted, by weight.
[[nodiscard]] const foreign_file& pick_file(dice& choice) noexcept;
/// Null if there is none; the first row of a file with several.
[[nodiscard]] const foreign_file* file_named(std::string_view name) noexcept;

} // namespace pfx::sandbox
