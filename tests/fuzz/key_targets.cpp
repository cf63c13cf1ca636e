// Keys, key files and RSA blobs: what is read must be written again as it was, and a key that was
// taken must work.
#include "crypto/file_key_store_form.hpp"
#include "crypto/private_key.hpp"
#include "crypto/rsa_blob.hpp"
#include "tests/fuzz/target.hpp"

using namespace pfx;

namespace {

/// The forms that we write ourselves must come back to the same octets.
void judge(const crypto::private_key& key) {
  const auto info = key.to_pkcs8();
  if (!info)
    return;
  const auto again = crypto::private_key::from_pkcs8(info->view());
  fuzz::promise(again.has_value(), "a key we wrote can be read");
  const auto second = again->to_pkcs8();
  fuzz::promise(second && equal_constant_time(second->view(), info->view()),
                "a key is written the same twice");
  fuzz::promise(again->public_key_hash() == key.public_key_hash(), "its public half is the same");
}

} // namespace

PFX_FUZZ_TARGET(key) {
  const auto [which, rest] = fuzz::choose(input, 2);
  const auto key = which == 0 ? crypto::private_key::from_pkcs8(rest)
                              : crypto::private_key::from_pem(to_text(rest));
  if (key)
    judge(*key);
}

PFX_FUZZ_TARGET(rsa_blob) {
  const auto [which, rest] = fuzz::choose(input, 2);
  if (which == 0) {
    const auto info = crypto::from_rsa_public_blob(rest);
    if (!info)
      return;
    const auto again = crypto::to_rsa_public_blob(*info);
    fuzz::promise(again && *again == to_bytes(rest), "a public blob is bit-exact");
    return;
  }
  const auto key = crypto::from_rsa_full_private_blob(rest);
  if (!key)
    return;
  const auto again = crypto::to_rsa_full_private_blob(*key);
  fuzz::promise(again && equal_constant_time(again->view(), rest), "a private blob is bit-exact");
  judge(*key);
}

namespace {

/// A sealed key file of ours, so that the fuzzer's octets can be put under the same seal.
struct key_file {
  crypto::sealer under;
  std::string name;
  std::uint8_t record_type = 0;
};

key_file make_key_file() {
  auto under = crypto::detail::make_key_sealer(secret_bytes(32));
  const auto key = crypto::private_key::from_pem(fuzz::data_text("fuzz-keys/rsa.key"));
  fuzz::promise(under && key, "a key file can be made");
  crypto::connector_key about;
  about.provider = "provider";
  about.name = "key";
  about.bits = 2048;
  about.paddings = {crypto::rsa_padding::oaep_sha512};
  about.public_key = *key->public_key();
  key_file out{std::move(*under), crypto::detail::key_file_name(about.provider, about.name)};
  const auto sealed = crypto::detail::seal_key(out.under, about, *key);
  fuzz::promise(sealed && crypto::detail::open_key(out.under, out.name, *sealed),
                "a key file of ours opens");
  while (!out.under.open({out.record_type, as_bytes(out.name)}, *sealed))
    fuzz::promise(++out.record_type != 0, "key files have a record type");
  return out;
}

} // namespace

PFX_FUZZ_TARGET(key_file) {
  static const key_file file = make_key_file();
  const auto [which, rest] = fuzz::choose(input, 2);
  bytes sealed = to_bytes(rest);
  if (which == 1)
    sealed = *file.under.seal({file.record_type, as_bytes(file.name)}, rest);
  const auto opened = crypto::detail::open_key(file.under, file.name, sealed);
  if (opened)
    static_cast<void>(crypto::detail::pair_of(*opened));
}
