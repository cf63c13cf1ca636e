// The gate that every recipient passes before a secret is made for it. What a certificate says for
// ever is cached; what depends on the moment, the device or the transport is asked each time.
#include "crypto/trust.hpp"

#include "core/limits.hpp"
#include "crypto/chain.hpp"
#include "crypto/digest.hpp"
#include "crypto/key_der.hpp"
#include "crypto/openssl.hpp"
#include "crypto/text.hpp"

#include <algorithm>
#include <cstring>
#include <list>
#include <mutex>
#include <optional>
#include <unordered_map>

namespace pfx::crypto {

namespace {

/// What is kept of one certificate: the names and the verdict on its chain.
struct known_recipient {
  certificate cert;
  chain_window window;
  std::string common_name;
  std::vector<alternative_name> names;
};

struct digest_hash {
  std::size_t operator()(const digest& key) const noexcept {
    std::size_t out = 0; // the first octets of a hash are one already
    std::memcpy(&out, key.octets.data(), sizeof(out));
    return out;
  }
};

/// Least recently used out first. Thread-safe; holds its lock for a look-up only.
class recipient_cache {
public:
  explicit recipient_cache(std::size_t entries_max) : entries_max_(entries_max) {}

  std::shared_ptr<const known_recipient> find(const digest& key) {
    const std::scoped_lock lock(mutex_);
    const auto found = index_.find(key);
    if (found == index_.end())
      return nullptr;
    order_.splice(order_.begin(), order_, found->second);
    return found->second->second;
  }

  void put(const digest& key, std::shared_ptr<const known_recipient> value) {
    if (entries_max_ == 0)
      return;
    const std::scoped_lock lock(mutex_);
    if (const auto found = index_.find(key); found != index_.end()) {
      found->second->second = std::move(value);
      return;
    }
    if (index_.size() >= entries_max_) {
      index_.erase(order_.back().first);
      order_.pop_back();
    }
    order_.emplace_front(key, std::move(value));
    index_.emplace(key, order_.begin());
  }

private:
  using entry = std::pair<digest, std::shared_ptr<const known_recipient>>;

  const std::size_t entries_max_;
  std::mutex mutex_;
  std::list<entry> order_;
  std::unordered_map<digest, std::list<entry>::iterator, digest_hash> index_;
};

using reason = std::optional<std::string>;

constexpr bool has(key_usages usages, key_usage wanted) {
  return (usages & static_cast<key_usages>(wanted)) != 0;
}

/// What the certificate itself must be, whoever asks: an end entity with a key that can receive.
reason unfit(const certificate& cert, int rsa_bits_min) {
  constexpr key_usages all = (1U << 9) - 1; // what an absent extension reads as
  const key_usages usages = cert.usages();
  if (cert.is_ca() || (usages != all && has(usages, key_usage::key_cert_sign))) {
    return "is a CA certificate, no device's";
  }
  if (cert.is_rsa()) {
    if (cert.key_bits() < rsa_bits_min || cert.key_bits() > rsa_bits_max) {
      return "its RSA key has " + std::to_string(cert.key_bits()) + " bits, at least "
        + std::to_string(rsa_bits_min) + " are needed";
    }
    if (!has(usages, key_usage::key_encipherment))
      return "its key usage lacks keyEncipherment";
    return {};
  }
  if (!on_known_curve(detail::access::pkey(cert))) {
    return "its key is neither RSA nor EC on P-256, -384 or -521";
  }
  if (!has(usages, key_usage::key_agreement))
    return "its key usage lacks keyAgreement";
  return {};
}

/// A URI names a device as a whole or by its last part: urn:uuid:ID, scheme://ID, …/ID, …=ID.
bool uri_names(std::string_view uri, std::string_view device_id) {
  if (uri.size() < device_id.size())
    return false;
  const std::string_view tail = uri.substr(uri.size() - device_id.size());
  if (!equal_ignoring_case(tail, device_id))
    return false;
  if (uri.size() == device_id.size())
    return true;
  constexpr std::string_view before = ":/=";
  return before.find(uri[uri.size() - device_id.size() - 1]) != std::string_view::npos;
}

/// A DNS name names a device as a whole or by its first label.
bool host_names(std::string_view host, std::string_view device_id) {
  return equal_ignoring_case(host, device_id)
    || (device_id.find('.') == std::string_view::npos
        && equal_ignoring_case(host.substr(0, host.find('.')), device_id));
}

bool names_device(const known_recipient& who, std::string_view device_id,
                  recipient_policy::device_match match) {
  using enum recipient_policy::device_match;
  if (match == off)
    return true;
  if (device_id.empty())
    return false;
  if (match != dns_or_uri_san && equal_ignoring_case(who.common_name, device_id))
    return true;
  if (match == common_name)
    return false;
  return std::any_of(who.names.begin(), who.names.end(), [device_id](const alternative_name& name) {
    return (name.type == name_type::dns && host_names(name.value, device_id))
      || (name.type == name_type::uri && uri_names(name.value, device_id));
  });
}

bool transport_fits(const certificate& cert, key_transport transport) {
  switch (transport) {
    case key_transport::rsa_pkcs1:
    case key_transport::rsa_oaep_sha256:
      return cert.is_rsa();
    case key_transport::ecdh:
      return cert.is_ec();
  }
  return false;
}

} // namespace

struct recipient_gate::state {
  explicit state(recipient_policy given)
      : policy(std::move(given)), cache(policy.cached_certificates_max),
        store(trust_store::make(policy.roots, policy.intermediates)) {}

  recipient_policy policy;
  recipient_cache cache;
  result<trust_store> store; ///< an error here is given to every recipient: nobody is trusted

  /// Errors name no field yet.
  result<std::shared_ptr<const known_recipient>> judged(byte_view der, unix_ms now);
};

result<std::shared_ptr<const known_recipient>> recipient_gate::state::judged(byte_view der,
                                                                             unix_ms now) {
  if (der.size() > limits::certificate_bytes_max) {
    return failure(errc::bad_input, "", "is larger than 32 KiB");
  }
  const digest key = sha256(der);
  auto found = cache.find(key);
  if (found != nullptr && now >= found->window.not_before && now < found->window.not_after) {
    return found;
  }
  auto cert = found != nullptr ? result<certificate>(found->cert) : certificate::from_der(der);
  if (!cert)
    return failure(errc::bad_input, "", cert.error().message);
  if (const auto why = unfit(*cert, policy.rsa_bits_min))
    return failure(errc::policy, "", *why);
  // Outside the window of an earlier verdict too: another path may do, and the words are the
  // verifier's.
  auto window = store->verify(*cert, now);
  if (!window)
    return failure(std::move(window).error());
  auto made = std::make_shared<known_recipient>(
    known_recipient{*cert, *window, cert->common_name(), cert->alternative_names()});
  cache.put(key, made);
  return std::shared_ptr<const known_recipient>(std::move(made));
}

recipient_gate::recipient_gate(recipient_policy policy)
    : state_(std::make_unique<state>(std::move(policy))) {}
recipient_gate::~recipient_gate() = default;

result<certificate> recipient_gate::admit(const recipient& who, std::size_t index,
                                          std::string_view device_id, unix_ms now) {
  const std::string prefix = "recipients[" + std::to_string(index) + "].";
  if (!state_->store || state_->policy.roots.empty()) {
    return failure(errc::policy, prefix + "certificate",
                   "no roots of device certificates are configured");
  }
  auto known = state_->judged(who.certificate, now);
  if (!known) {
    return failure(known.error().code, prefix + "certificate", known.error().message);
  }
  if (!transport_fits((*known)->cert, who.transport)) {
    return failure(errc::policy, prefix + "keyTransport",
                   std::string(name_of(who.transport)) + " does not fit the certificate's key");
  }
  if (!names_device(**known, device_id, state_->policy.match)) {
    return failure(errc::policy, prefix + "certificate",
                   "does not name the device '" + printable(device_id, 64) + "'");
  }
  return (*known)->cert;
}

} // namespace pfx::crypto
