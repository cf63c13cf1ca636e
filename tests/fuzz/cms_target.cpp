// EnvelopedData for an RSA and an EC recipient whose keys lie in tests/data/fuzz-keys.
#include "crypto/cms.hpp"
#include "tests/fuzz/target.hpp"

using namespace pfx;

namespace {

struct device {
  crypto::private_key key;
  crypto::certificate cert;
};

device load(const std::string& name) {
  auto key = crypto::private_key::from_pem(fuzz::data_text("fuzz-keys/" + name + ".key"));
  auto cert = crypto::certificate::from_pem(fuzz::data_text("fuzz-keys/" + name + ".pem"));
  fuzz::promise(key && cert, "the key of a device can be read");
  return {std::move(*key), std::move(*cert)};
}

} // namespace

PFX_FUZZ_TARGET(cms) {
  static const device rsa = load("rsa");
  static const device ec = load("ec");
  const auto [which, rest] = fuzz::choose(input, 2);
  const auto& one = which == 0 ? rsa : ec;
  static_cast<void>(crypto::decrypt_with(one.cert, one.key, rest));
}
