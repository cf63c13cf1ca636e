// Faults placed exactly: an encoded message is taken out of a good ciphertext by the raw private
// operation, changed, and put back by the raw public one.
#include "tests/tools/oracle_cases.hpp"

#include "crypto/issue.hpp"
#include "crypto/openssl.hpp"
#include "crypto/pkcs12.hpp"
#include "crypto/random.hpp"

#include <openssl/rsa.h>

#include <cstdio>
#include <cstdlib>

namespace pfx::oracle {

namespace {

using crypto::handle;
using crypto::rsa_padding;
using context_handle = handle<::EVP_PKEY_CTX, ::EVP_PKEY_CTX_free>;
using file_handle = handle<::PKCS12, ::PKCS12_free>;

constexpr std::string_view right = "Right Password 1";
constexpr std::string_view wrong = "Wrong Password 1";
constexpr std::size_t hash_octets = 32; // SHA-256

void need(bool good, const char* what) {
  if (!good) {
    std::fprintf(stderr, "oracle: %s\n", what);
    std::exit(2);
  }
}

crypto::private_key make_key() {
  auto made = crypto::private_key::generate(key_algorithm::rsa2048);
  need(made.has_value(), "no key");
  return std::move(*made);
}

enum class way { to_number, from_number, sha1_oaep, labelled };

/// EVP_PKEY_encrypt or, for from_number, EVP_PKEY_decrypt, with what `how` says.
bytes rsa(::EVP_PKEY* key, way how, byte_view in) {
  const context_handle context(::EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
  const bool back = how == way::from_number;
  bool good = (back ? ::EVP_PKEY_decrypt_init : ::EVP_PKEY_encrypt_init)(context.get()) == 1;
  const bool raw = how == way::to_number || back;
  good = good
    && ::EVP_PKEY_CTX_set_rsa_padding(context.get(), raw ? RSA_NO_PADDING : RSA_PKCS1_OAEP_PADDING)
      == 1;
  if (!raw) {
    const ::EVP_MD* hash = how == way::sha1_oaep ? ::EVP_sha1() : ::EVP_sha256();
    good = good && ::EVP_PKEY_CTX_set_rsa_oaep_md(context.get(), hash) == 1
      && ::EVP_PKEY_CTX_set_rsa_mgf1_md(context.get(), hash) == 1;
  }
  if (how == way::labelled) {
    void* label = ::OPENSSL_strdup("label");
    good = good && ::EVP_PKEY_CTX_set0_rsa_oaep_label(context.get(), label, 5) == 1;
  }
  bytes out(256);
  std::size_t size = out.size();
  good = good
    && (back ? ::EVP_PKEY_decrypt : ::EVP_PKEY_encrypt)(context.get(), out.data(), &size, in.data(),
                                                        in.size())
      == 1;
  need(good && size == out.size(), "an RSA operation failed");
  return out;
}

/// A file of OpenSSL's: PBES2, and no MAC at all.
file_handle file_without_mac(::EVP_PKEY* key, ::X509* cert, int iterations) {
  file_handle out(::PKCS12_create(std::string(right).c_str(), "name", key, cert, nullptr,
                                  NID_aes_256_cbc, NID_aes_256_cbc, iterations, -1, 0));
  need(out != nullptr, "no file without a MAC");
  return out;
}

constexpr std::size_t at_start = 0; ///< for damaged()

/// Changes one octet of the first encrypted part: its first, or one so far from its end.
bytes damaged(const ::PKCS12* file, std::size_t from_end) {
  file_handle copy(::PKCS12_init(NID_pkcs7_data));
  STACK_OF(PKCS7)* safes = ::PKCS12_unpack_authsafes(file);
  need(copy != nullptr && safes != nullptr, "a file cannot be taken apart");
  for (int at = 0; at < sk_PKCS7_num(safes); ++at) {
    const ::PKCS7* safe = sk_PKCS7_value(safes, at);
    if (!PKCS7_type_is_encrypted(safe))
      continue;
    ::ASN1_OCTET_STRING* octets = safe->d.encrypted->enc_data->enc_data;
    const auto length = static_cast<std::size_t>(octets->length);
    octets->data[from_end == at_start ? 0 : length - from_end] ^= 0x55;
    break;
  }
  need(::PKCS12_pack_authsafes(copy.get(), safes) == 1, "a file cannot be put together");
  sk_PKCS7_pop_free(safes, ::PKCS7_free);
  return crypto::encode_der(::i2d_PKCS12, copy.get());
}

std::vector<series> make_series() {
  const std::vector<kind> oaep{
    {"wrong-password"}, {"random-number"}, {"wrong-length"},        {"oaep-first-octet"},
    {"oaep-hash"},      {"oaep-padding"},  {"oaep-no-separator"},   {"oaep-sha1"},
    {"label"},          {"pkcs1"},         {"right-password", true}};
  const std::vector<kind> pkcs1{
    {"wrong-password"},      {"random-plaintext"},   {"random-number"},
    {"wrong-length"},        {"pkcs1-first-octet"},  {"pkcs1-block-type"},
    {"pkcs1-short-padding"}, {"pkcs1-no-separator"}, {"right-password", true}};
  const std::vector<kind> damage{
    {"wrong-password"}, {"bad-padding"}, {"bad-structure"}, {"bad-certificate"}};
  return {{"oaep", rsa_padding::oaep_sha256, oaep},
          {"pkcs1", rsa_padding::pkcs1, pkcs1},
          {"oaep-no-mac", rsa_padding::oaep_sha256, oaep},
          {"pkcs1-no-mac", rsa_padding::pkcs1, pkcs1},
          {"damaged-file-no-mac", rsa_padding::oaep_sha256, damage}};
}

} // namespace

cases::cases(int iterations) : key_(make_key()), all_(make_series()) {
  const auto info = key_.public_key();
  need(info.has_value(), "no public key");
  public_key_ = *info;
  const auto held = make_key();
  const auto authority = crypto::make_root({.subject = "CN=R", .not_after = 4'000'000'000'000});
  need(authority.has_value(), "no authority");
  const auto cert = crypto::issue_leaf(
    *authority, held, {.names = {.subject = "CN=Mail"}, .not_after = 4'000'000'000'000});
  need(cert.has_value(), "no certificate");
  thumbprint_ = to_hex(cert->thumbprint());
  auto options = crypto::pkcs12_options::modern();
  options.kdf_iterations = options.mac_iterations = iterations;
  const secret_bytes password(as_bytes(right));
  const auto modern = crypto::build_pkcs12({held, *cert, {}, "mail", password}, options);
  need(modern.has_value(), "no file");
  with_mac_ = *modern;
  const auto plain = file_without_mac(crypto::detail::access::pkey(held),
                                      crypto::detail::access::x509(*cert), iterations);
  without_mac_ = crypto::encode_der(::i2d_PKCS12, plain.get());
  bad_padding_ = damaged(plain.get(), 17); // the octet that turns into the last one of the padding
  bad_structure_ = damaged(plain.get(), at_start);
  bad_certificate_ = damaged(plain.get(), 200);
}

const bytes& cases::file(const series& of, const kind& what) const {
  if (what.name == "bad-padding")
    return bad_padding_;
  if (what.name == "bad-structure")
    return bad_structure_;
  if (what.name == "bad-certificate")
    return bad_certificate_;
  return of.name.ends_with("no-mac") ? without_mac_ : with_mac_;
}

bytes cases::encrypt(rsa_padding padding, std::string_view text) const {
  const auto done = crypto::rsa_encrypt(public_key_, padding, as_bytes(text));
  need(done.has_value(), "a password cannot be encrypted");
  return *done;
}

/// EM = 00 | seed | DB; DB = lHash | PS | 01 | M, under a mask that a flipped bit passes (RFC 8017
/// 7.1).
bytes cases::fault_in_oaep(const std::string& name) const {
  ::EVP_PKEY* const pair = crypto::detail::access::pkey(key_);
  bytes message = rsa(pair, way::from_number, encrypt(rsa_padding::oaep_sha256, right));
  const std::size_t database = 1 + hash_octets;
  if (name == "oaep-first-octet") // Manger 2001
    message[0] = 1;
  else if (name == "oaep-hash")
    message[database] ^= 1;
  else if (name == "oaep-padding")
    message[database + hash_octets + 7] ^= 0x40;
  else if (name == "oaep-no-separator")
    message[message.size() - right.size() - 1] ^= 1;
  else
    return {};
  return rsa(pair, way::to_number, message);
}

/// EM = 00 | 02 | PS | 00 | M (RFC 8017 7.2).
bytes cases::fault_in_pkcs1(const std::string& name) const {
  ::EVP_PKEY* const pair = crypto::detail::access::pkey(key_);
  bytes message = rsa(pair, way::from_number, encrypt(rsa_padding::pkcs1, right));
  if (name == "pkcs1-first-octet")
    message[0] = 1;
  else if (name == "pkcs1-block-type") // Bleichenbacher 1998
    message[1] = 1;
  else if (name == "pkcs1-short-padding")
    message[6] = 0;
  else if (name == "pkcs1-no-separator")
    message[message.size() - right.size() - 1] = 7;
  else
    return {};
  return rsa(pair, way::to_number, message);
}

bytes cases::ciphertext(const series& of, const kind& what) const {
  ::EVP_PKEY* const pair = crypto::detail::access::pkey(key_);
  if (of.name.starts_with("damaged"))
    return encrypt(of.padding, what.name == "wrong-password" ? wrong : right);
  if (what.name == "wrong-password")
    return encrypt(of.padding, wrong);
  if (what.opens)
    return encrypt(of.padding, right);
  if (what.name == "random-plaintext") // what a guessed ciphertext of good padding decrypts to
    return encrypt(of.padding, to_text(crypto::random_bytes(1 + crypto::random_u64() % 240)));
  if (what.name == "wrong-length") {
    constexpr std::size_t lengths[] = {1, 128, 255, 257, 512};
    return crypto::random_bytes(lengths[crypto::random_u64() % std::size(lengths)]);
  }
  if (what.name == "oaep-sha1")
    return rsa(pair, way::sha1_oaep, as_bytes(right));
  if (what.name == "label")
    return rsa(pair, way::labelled, as_bytes(right));
  if (what.name == "pkcs1")
    return encrypt(rsa_padding::pkcs1, right);
  auto out
    = of.padding == rsa_padding::pkcs1 ? fault_in_pkcs1(what.name) : fault_in_oaep(what.name);
  if (out.empty()) { // random-number
    out = crypto::random_bytes(256);
    out[0] &= 0x7f;
  }
  return out;
}

std::int64_t read_clock(clockid_t which) {
  timespec now{};
  ::clock_gettime(which, &now);
  return now.tv_sec * 1'000'000'000LL + now.tv_nsec;
}

std::int64_t time_of_derivation(int iterations) {
  bytes out(hash_octets);
  const auto start = read_clock(CLOCK_THREAD_CPUTIME_ID);
  need(::PKCS5_PBKDF2_HMAC(right.data(), static_cast<int>(right.size()), out.data(), 16, iterations,
                           ::EVP_sha256(), static_cast<int>(out.size()), out.data())
         == 1,
       "no derivation");
  return read_clock(CLOCK_THREAD_CPUTIME_ID) - start;
}

} // namespace pfx::oracle
