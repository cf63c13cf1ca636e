// Makes the fleet: one RSA certificate for every third key, the rest P-256. Refuses absurd counts.
#include "sandbox/devices.hpp"

#include <algorithm>
#include <array>

#include "crypto/name.hpp"
#include "sandbox/dice.hpp"

namespace pfx::sandbox {

namespace {

constexpr std::size_t rsa_keys = 4; // shared by all RSA certificates: RSA keys are slow to make
constexpr std::size_t keys_per_device_max = 3;
constexpr unix_ms day_ms = 86'400'000;
constexpr std::uint64_t device_stream = 0xd001; // dice of device i start here

/// SubjectPublicKeyInfo of an RSA key of 512 bits; its private half was thrown away.
constexpr std::string_view rsa512_public_key
  = "305c300d06092a864886f70d0101010500034b003048024100f4868f5a3510b8d5dd573d4a8973a2"
    "ce89611266f5221c4be83ec25f4b28cd51c8a7203107507c76e97e62028b9aabb8f6d716d8b8527f"
    "107bfe966fd74d9ed50203010001";
/// Extensions with a critical KeyUsage of keyEncipherment.
constexpr std::string_view key_encipherment_extension = "3010300e0603551d0f0101ff040403020520";

using shared_key = std::shared_ptr<const crypto::private_key>;

result<shared_key> make_key(key_algorithm algorithm) {
  auto made = crypto::private_key::generate(algorithm);
  if (!made) {
    return failure(made.error());
  }
  return shared_key(std::make_shared<crypto::private_key>(std::move(*made)));
}

result<crypto::ca_identity> make_device_root(const std::string& subject, unix_ms now) {
  return crypto::make_root({subject, key_algorithm::ec_p256, now - day_ms, now + 3650 * day_ms});
}

struct leaf_order {
  std::string device_id;
  std::string unit;
  bool rsa = false;
  unix_ms not_before = 0;
  unix_ms not_after = 0;
  bool fit = true; ///< false: a key usage that is none for a recipient
};

result<crypto::certificate> make_leaf(const crypto::ca_identity& root,
                                      const crypto::private_key& key, const leaf_order& order) {
  crypto::leaf_options options;
  options.names.subject = "CN=" + order.device_id + ",OU=" + order.unit + ",O=Sandbox Devices";
  options.names.alternative_names = {{name_type::uri, "urn:uuid:" + order.device_id},
                                     {name_type::dns, order.device_id + ".devices.example.test"}};
  const auto usage = !order.fit ? key_usage::digital_signature
    : order.rsa                 ? key_usage::key_encipherment
                                : key_usage::key_agreement;
  options.names.usages = static_cast<key_usages>(usage);
  options.not_before = order.not_before;
  options.not_after = order.not_after;
  return crypto::issue_leaf(root, key, options);
}

result<bytes> make_rsa512(const crypto::ca_identity& root, const std::string& device_id,
                          unix_ms now) {
  auto subject = crypto::name_from_text("CN=" + device_id);
  auto public_key = from_hex(rsa512_public_key);
  auto extensions = from_hex(key_encipherment_extension);
  if (!subject || !public_key || !extensions) {
    return failure(errc::internal, "", "the constants of the 512-bit certificate are wrong");
  }
  crypto::sign_options sign;
  sign.subject = std::move(*subject);
  sign.public_key = std::move(*public_key);
  sign.extensions = std::move(*extensions);
  sign.serial = crypto::random_serial();
  sign.not_before = now - day_ms;
  sign.not_after = now + 365 * day_ms;
  const auto made = crypto::sign_certificate(root, sign);
  return made ? result<bytes>(made->der()) : result<bytes>(failure(made.error()));
}

/// What must be refused, all naming device 0, so that nothing else is wrong with them.
result<unfit_certificates> make_unfit(const crypto::ca_identity& root, const std::string& id,
                                      const crypto::private_key& key, unix_ms now) {
  const auto foreign_root = make_device_root("CN=Somebody Else,O=Elsewhere", now);
  if (!foreign_root) {
    return failure(foreign_root.error());
  }
  const leaf_order good{id, "Unfit", false, now - day_ms, now + 365 * day_ms, true};
  leaf_order late = good;
  late.not_before = now - 30 * day_ms;
  late.not_after = now - day_ms;
  leaf_order signer = good;
  signer.fit = false;
  const auto foreign = make_leaf(*foreign_root, key, good);
  const auto expired = make_leaf(root, key, late);
  const auto no_usage = make_leaf(root, key, signer);
  auto small = make_rsa512(root, id, now);
  if (!foreign || !expired || !no_usage || !small) {
    return failure(!foreign      ? foreign.error()
                     : !expired  ? expired.error()
                     : !no_usage ? no_usage.error()
                                 : small.error());
  }
  return unfit_certificates{foreign->der(), expired->der(), std::move(*small), no_usage->der(),
                            root.cert.der()};
}

} // namespace

std::string dice::uuid() {
  std::array<std::uint64_t, 2> halves = {next(), next()};
  std::string hex;
  for (const auto half : halves) {
    bytes octets;
    for (int shift = 56; shift >= 0; shift -= 8) {
      octets.push_back(static_cast<std::uint8_t>((half >> shift) & 0xff));
    }
    hex += to_hex(octets);
  }
  hex[12] = '4';
  hex[16] = '8';
  return hex.substr(0, 8) + "-" + hex.substr(8, 4) + "-" + hex.substr(12, 4) + "-"
    + hex.substr(16, 4) + "-" + hex.substr(20);
}

result<fleet> fleet::make(std::size_t count, std::uint64_t seed, unix_ms now) {
  if (count == 0 || count > devices_max) {
    return failure(errc::bad_input, "devices", "is zero or too many");
  }
  now = now / 1000 * 1000;
  const auto root = make_device_root("CN=Sandbox Device Root,O=Sandbox Devices", now);
  if (!root) {
    return failure(root.error());
  }
  std::vector<shared_key> rsa;
  for (std::size_t index = 0; index < std::min(rsa_keys, count); ++index) {
    auto key = make_key(key_algorithm::rsa2048);
    if (!key) {
      return failure(key.error());
    }
    rsa.push_back(std::move(*key));
  }
  fleet out(root->cert);
  for (std::size_t index = 0; index < count; ++index) {
    dice choice(seed, device_stream + index);
    device one{choice.uuid(), {}};
    const std::size_t keys = 1 + index % keys_per_device_max;
    for (std::size_t number = 0; number < keys; ++number) {
      const bool is_rsa = (index + number) % keys_per_device_max == 0;
      auto key = is_rsa ? result<shared_key>(rsa[(index + number) % rsa.size()])
                        : make_key(key_algorithm::ec_p256);
      if (!key) {
        return failure(key.error());
      }
      auto leaf = make_leaf(
        *root, **key,
        {one.id, "Key " + std::to_string(number), is_rsa, now - day_ms, now + 730 * day_ms, true});
      if (!leaf) {
        return failure(leaf.error());
      }
      const auto id = choice.uuid();
      out.by_id_[id] = {index, number};
      one.keys.push_back({id, std::move(*leaf), std::move(*key)});
    }
    out.devices_.push_back(std::move(one));
  }
  auto spare = make_key(key_algorithm::ec_p256);
  auto unfit = spare ? make_unfit(*root, out.devices_.front().id, **spare, now)
                     : result<unfit_certificates>(failure(spare.error()));
  if (!unfit) {
    return failure(unfit.error());
  }
  out.unfit_ = std::move(*unfit);
  return out;
}

const device_key* fleet::find(const std::string& recipient_id) const {
  const auto at = by_id_.find(recipient_id);
  return at == by_id_.end() ? nullptr : &devices_[at->second.first].keys[at->second.second];
}

} // namespace pfx::sandbox
