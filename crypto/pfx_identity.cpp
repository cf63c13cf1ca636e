// Finds what an imported PFX is about among what it holds. Refuses a certificate without its key.
#include "crypto/digest.hpp"
#include "crypto/key_der.hpp"
#include "crypto/pfx_file.hpp"
#include "crypto/rsa_check.hpp"

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

/// False if the private half is another's: comparing with the certificate has looked at the public
/// half alone. For RSA arithmetic of ours, because OpenSSL's check looks for primes, which takes as
/// long as the sender likes; adopting the key has limited the lengths of its numbers.
bool is_pair(const private_key& key) {
  const queue_guard guard;
  ::EVP_PKEY* const pair = detail::access::pkey(key);
  if (kind_of(pair) == key_kind::rsa)
    return check_rsa_pair(pair).has_value();
  const handle<::EVP_PKEY_CTX, ::EVP_PKEY_CTX_free> context(
    ::EVP_PKEY_CTX_new_from_pkey(nullptr, pair, nullptr));
  return context != nullptr && ::EVP_PKEY_pairwise_check(context.get()) == 1;
}

/// Asks who issued whom, so often and no more: names can be the same in a whole file, and each
/// question that they leave open costs a verification.
class issuers {
public:
  result<bool> issued(const certificate& below, const certificate& above) {
    if (!below.could_be_issued_by(above))
      return false;
    if (verifications_ == verifications_max)
      return failure(errc::too_large, "chain",
                     "more than 32 signatures would have to be verified to find the path");
    ++verifications_;
    return below.issued_by(above);
  }

private:
  static constexpr int verifications_max = 32; ///< a path of eight and its root take ten
  int verifications_ = 0;
};

using certificate_list = std::vector<pfx_certificate>;

result<certificate_list::iterator> issuer_of(const certificate& below, certificate_list& among,
                                             issuers& ask) {
  for (auto above = among.begin(); above != among.end(); ++above) {
    const auto issued = ask.issued(below, above->value);
    if (!issued)
      return failure(issued.error());
    if (*issued)
      return above;
  }
  return among.end();
}

/// The path from `leaf` towards its root, as far as the file has it. Each certificate is used once.
result<std::vector<certificate>> chain_of(const certificate& leaf, certificate_list& among) {
  std::vector<certificate> out;
  issuers ask;
  certificate below = leaf;
  for (;;) {
    const auto above = issuer_of(below, among, ask);
    if (!above)
      return failure(above.error());
    if (*above == among.end())
      return out;
    const auto root = ask.issued((*above)->value, (*above)->value);
    if (!root)
      return failure(root.error());
    if (*root) // is left out
      return out;
    if (out.size() == limits::chain_certificates_max)
      return failure(errc::too_large, "chain", "the path to the root has more than 8 certificates");
    below = (*above)->value;
    out.push_back(std::move((*above)->value));
    among.erase(*above);
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
  // After the password was proven, so that neither answer tells anything of a ciphertext.
  if (key == from.keys.end() || !is_pair(*key))
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
