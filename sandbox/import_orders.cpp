// Makes import orders: a file that somebody else wrote, with its facts in the forms in which
// clients write them.
#include <algorithm>
#include <array>

#include "sandbox/orders.hpp"

namespace pfx::sandbox {

namespace {

/// Half of the imports stay as they are, half of those because nothing is said.
void put_profile(order& what, dice& choice) {
  constexpr std::array<pfx_profile, 3> written
    = {pfx_profile::modern, pfx_profile::compatible, pfx_profile::legacy};
  const auto drawn = choice.below(6);
  what.request.profile = drawn < written.size() ? written[drawn] : pfx_profile::unchanged;
  what.brought.without_profile
    = what.request.profile == pfx_profile::unchanged && choice.below(2) == 0;
}

/// SHA-1 in lower case as the public API has it; sometimes in the forms that people paste.
std::string thumbprint_of(const foreign_file& file, dice& choice) {
  const auto drawn = choice.below(8);
  std::string out(drawn == 0 ? file.sha256 : file.sha1);
  if (drawn == 1) {
    std::transform(out.begin(), out.end(), out.begin(), [](char c) {
      return c >= 'a' && c <= 'f' ? static_cast<char>(c - 'a' + 'A') : c;
    });
  }
  return out;
}

} // namespace

void put_import(order& what, dice& choice) {
  const auto& picked = pick_file(choice); // drawn in any case: the rest stays as it is
  const auto* named = file_of_kind(what.kind);
  const auto& file = named == nullptr ? picked : *named;
  what.brought.file = &file;
  auto& import = what.request.import;
  import.encrypted_pfx = to_bytes(file.octets);
  import.thumbprint = thumbprint_of(file, choice);
  import.intended_purpose = choice.below(2) == 0 ? "smimeEncryption" : "smimeSigning";
  put_profile(what, choice);
}

} // namespace pfx::sandbox
