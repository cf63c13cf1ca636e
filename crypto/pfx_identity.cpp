// Finds what an imported PFX is about among what it holds. Refuses a certificate without its key.
#include "crypto/digest.hpp"
#include "crypto/pfx_file.hpp"

#include <algorithm>

namespace pfx::crypto {

namespace {

constexpr std::size_t sha1_octets = 20;
constexpr std::size_t sha256_octets = 32;

bool has_thumbprint(const certificate& cert, byte_view thumbprint) {
  if (thumbprint.size() == sha256_octets)
    return std::ranges::equal(cert.thumbprint().octets, thumbprint);
  return std::ranges::equal(sha1(cert.der()), thumbprint);
}

/// The path from `leaf` towards its root, as far as the file has it. Each certificate is used once.
result<std::vector<certificate>> chain_of(const certificate& leaf,
                                          std::vector<pfx_certificate>& among) {
  std::vector<certificate> out;
  certificate below = leaf;
  for (;;) {
    const auto above = std::ranges::find_if(
      among, [&below](const pfx_certificate& one) { return below.issued_by(one.value); });
    if (above == among.end() || above->value.issued_by(above->value)) // a root is left out
      return out;
    if (out.size() == limits::chain_certificates_max)
      return failure(errc::too_large, "chain", "the path to the root has more than 8 certificates");
    below = above->value;
    out.push_back(std::move(above->value));
    among.erase(above);
  }
}

} // namespace

result<pfx_identity> take_identity(pfx_contents from, std::string_view thumbprint) {
  const auto wanted = from_hex(thumbprint);
  if (!wanted || (wanted->size() != sha1_octets && wanted->size() != sha256_octets))
    return failure(errc::bad_input, "thumbprint", "must have 40 or 64 hexadecimal digits");
  const auto leaf = std::ranges::find_if(from.certificates, [&wanted](const pfx_certificate& one) {
    return has_thumbprint(one.value, *wanted);
  });
  if (leaf == from.certificates.end())
    return failure(errc::bad_input, "thumbprint", "no certificate in the file has it");
  const auto key = std::ranges::find_if(
    from.keys, [&leaf](const private_key& one) { return leaf->value.matches(one); });
  if (key == from.keys.end())
    return failure(errc::bad_input, "thumbprint", "the certificate's key is not in the file");
  pfx_identity out{std::move(*key), leaf->value, {}, std::move(leaf->friendly_name)};
  from.certificates.erase(leaf);
  auto chain = chain_of(out.leaf, from.certificates);
  if (!chain)
    return failure(std::move(chain).error());
  out.chain = std::move(*chain);
  return out;
}

} // namespace pfx::crypto
