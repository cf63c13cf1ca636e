// PKCS#12 files of others: raw octets, and octets put where only a right password leads, because a
// mutated file would end at its MAC.
#include "crypto/der.hpp"
#include "crypto/digest.hpp"
#include "crypto/openssl.hpp"
#include "crypto/pfx_file.hpp"
#include "crypto/pkcs12.hpp"
#include "tests/fuzz/target.hpp"

#include <openssl/hmac.h>

#include <array>

using namespace pfx;
namespace der = pfx::crypto::der;

namespace {

constexpr std::int64_t budget = 5'000; ///< a mutated count shall not cost seconds
constexpr const char* password = "secret";

constexpr const char* data_type = "1.2.840.113549.1.7.1";
constexpr const char* encrypted_type = "1.2.840.113549.1.7.6";
constexpr const char* shrouded_bag = "1.2.840.113549.1.12.10.1.2";

void judge(crypto::pfx_contents contents) {
  fuzz::promise(contents.iterations <= budget, "the budget was kept");
  fuzz::promise(contents.keys.size() <= crypto::pfx_limits::keys_max, "keys are limited");
  fuzz::promise(contents.certificates.size() <= crypto::pfx_limits::bags_max, "bags are limited");
  for (const auto& key : contents.keys)
    fuzz::promise(key.to_pkcs8().has_value(), "a key that was taken can be written");
  if (contents.certificates.empty())
    return;
  const auto thumbprint = to_hex(contents.certificates.back().value.thumbprint());
  const auto identity = crypto::take_identity(std::move(contents), thumbprint);
  if (!identity)
    return;
  fuzz::promise(identity->leaf.matches(identity->key), "an identity's key is its certificate's");
  const secret_bytes secret(as_bytes(password));
  const crypto::pkcs12_input again{identity->key, identity->leaf, identity->chain,
                                   identity->friendly_name, secret};
  auto options = crypto::pkcs12_options::modern();
  options.kdf_iterations = options.mac_iterations = 1;
  static_cast<void>(crypto::build_pkcs12(again, options));
}

void read(byte_view file, std::initializer_list<const char*> passwords) {
  const auto parsed = crypto::pfx_file::parse(file);
  if (!parsed)
    return;
  const auto known = parsed->known_iterations();
  fuzz::promise(known >= 0 && known <= crypto::pfx_limits::iterations_max, "counts were judged");
  for (const auto* one : passwords) {
    auto opened = parsed->open(secret_bytes(as_bytes(one)), budget);
    if (opened)
      judge(std::move(*opened));
    else if (opened.error().why == crypto::pfx_refusal::reason::not_opened)
      continue;
    return;
  }
}

bytes type(const char* dotted) { return *der::oid(dotted); }
bytes content_info(const char* kind, byte_view content) {
  return der::tlv(der::sequence, {type(kind), der::tlv(der::context_constructed(0), content)});
}
bytes data_content(byte_view content) {
  return content_info(data_type, der::tlv(der::octet_string, content));
}

struct encrypted {
  bytes algorithm; ///< AlgorithmIdentifier
  bytes octets;
};
/// One iteration, a salt of zeros.
encrypted encrypt(byte_view plain) {
  std::array<unsigned char, 8> salt{};
  const crypto::handle<::X509_ALGOR, ::X509_ALGOR_free> algorithm(
    ::PKCS5_pbe_set(NID_pbe_WithSHA1And3_Key_TripleDES_CBC, 1, salt.data(), 8));
  unsigned char* out = nullptr;
  int size = 0;
  fuzz::promise(algorithm != nullptr
                  && ::PKCS12_pbe_crypt(algorithm.get(), password, 6, plain.data(),
                                        static_cast<int>(plain.size()), &out, &size, 1)
                    != nullptr,
                "octets can be encrypted");
  encrypted done{crypto::encode_der(::i2d_X509_ALGOR, algorithm.get()), bytes(out, out + size)};
  ::OPENSSL_free(out);
  return done;
}

/// PFX with a MAC of one iteration around an AuthenticatedSafe.
bytes file_around(byte_view authenticated_safe) {
  std::array<unsigned char, 8> salt{};
  std::array<unsigned char, 20> key{};
  std::array<unsigned char, 20> mac{};
  unsigned int size = 0;
  fuzz::promise(::PKCS12_key_gen_utf8(password, 6, salt.data(), 8, PKCS12_MAC_ID, 1, 20, key.data(),
                                      ::EVP_sha1())
                    == 1
                  && ::HMAC(::EVP_sha1(), key.data(), 20, authenticated_safe.data(),
                            authenticated_safe.size(), mac.data(), &size)
                    != nullptr,
                "a MAC can be made");
  const auto sha1
    = der::tlv(der::sequence, {type("1.3.14.3.2.26"), der::tlv(der::null, byte_view{})});
  const auto digest_info = der::tlv(der::sequence, {sha1, der::tlv(der::octet_string, mac)});
  const auto mac_data = der::tlv(der::sequence, {digest_info, der::tlv(der::octet_string, salt)});
  const std::array<std::uint8_t, 1> three{3};
  return der::tlv(der::sequence,
                  {der::unsigned_integer(three), data_content(authenticated_safe), mac_data});
}

bytes encrypted_safe(byte_view safe_contents) {
  const auto [algorithm, octets] = encrypt(safe_contents);
  const auto info
    = der::tlv(der::sequence, {type(data_type), algorithm, der::tlv(der::context(0), octets)});
  const auto data = der::tlv(der::sequence, {der::unsigned_integer({}), info});
  return der::tlv(der::sequence, content_info(encrypted_type, data));
}

bytes safe_with_shrouded_key(byte_view key_info) {
  const auto [algorithm, octets] = encrypt(key_info);
  const auto shrouded = der::tlv(der::sequence, {algorithm, der::tlv(der::octet_string, octets)});
  const auto bag = der::tlv(der::sequence,
                            {type(shrouded_bag), der::tlv(der::context_constructed(0), shrouded)});
  return der::tlv(der::sequence, data_content(der::tlv(der::sequence, bag)));
}

/// Each wrapping leads inside: a good key in it is found.
bool wrappings_open() {
  const auto key = crypto::private_key::from_pem(fuzz::data_text("fuzz-keys/ec.key"));
  const auto info = key->to_pkcs8();
  const auto holds_it = [](const bytes& file) {
    const auto parsed = crypto::pfx_file::parse(file);
    const auto opened = parsed
      ? parsed->open(secret_bytes(as_bytes(password)), budget)
      : crypto::pfx_result<crypto::pfx_contents>(tl::unexpected(parsed.error()));
    return opened && opened->keys.size() == 1;
  };
  const auto contents = safe_with_shrouded_key(info->view()); // AuthenticatedSafe
  const auto safe = der::only(contents, der::sequence);
  const auto data = der::reader(safe->content).next()->content; // type, [0] { OCTET STRING }
  der::reader parts(data);
  static_cast<void>(parts.next());
  const auto inside = der::only(parts.next()->content, der::octet_string)->content;
  return holds_it(file_around(contents)) && holds_it(file_around(encrypted_safe(inside)));
}

} // namespace

PFX_FUZZ_TARGET(pfx) { read(input, {password, "", "cryptography", "v3-certs", "TestCert"}); }

PFX_FUZZ_TARGET(pfx_inside) {
  static const bool open = wrappings_open();
  fuzz::promise(open, "a file wrapped by this target opens");
  const auto [which, rest] = fuzz::choose(input, 4);
  if (rest.size() > crypto::pfx_limits::octets_max)
    return;
  switch (which) {
    case 0: // an AuthenticatedSafe
      return read(file_around(rest), {password});
    case 1: // SafeContents, plain
      return read(file_around(der::tlv(der::sequence, data_content(rest))), {password});
    case 2: // SafeContents, encrypted
      return read(file_around(encrypted_safe(rest)), {password});
    default: // PKCS#8, encrypted
      return read(file_around(safe_with_shrouded_key(rest)), {password});
  }
}
