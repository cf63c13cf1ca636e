// What the tests of certification authorities share: one CA identity, CSRs and submissions.
#pragma once

#include <memory>
#include <mutex>
#include <stdexcept>
#include <vector>

#include "connect/ca/embedded_authority.hpp"
#include "crypto/digest.hpp"

namespace pfx::test {

template <class T>
T good(result<T> value) {
  if (!value) {
    throw std::runtime_error(to_string(value.error()));
  }
  return std::move(*value);
}

constexpr std::int64_t ca_day_ms = 86'400'000;

/// A CA of one life: the root ends in ten days.
struct ca_world {
  bytes certificate;
  secret_bytes key;

  ca_world() {
    const auto now = system_clock().wall() / 1000 * 1000;
    auto root = good(crypto::make_root({"CN=Test CA,O=Example Test", key_algorithm::ec_p256,
                                        now - ca_day_ms, now + 10 * ca_day_ms}));
    certificate = root.cert.der();
    key = good(root.key.to_pkcs8());
  }
  /// The same CA, as often as wanted.
  [[nodiscard]] crypto::ca_identity identity() const {
    return {good(crypto::certificate::from_der(certificate)),
            good(crypto::private_key::from_pkcs8(key.view()))};
  }
  [[nodiscard]] connect::ca::embedded_options options(const std::string& directory) const {
    connect::ca::embedded_options out{directory, identity()};
    return out;
  }
};

inline crypto::csr_options csr_names(const std::string& name) {
  crypto::csr_options out;
  out.subject = "CN=" + name + ",O=Example Test";
  out.alternative_names = {{name_type::rfc822, "someone@example.test"}};
  out.usages = static_cast<key_usages>(key_usage::digital_signature);
  out.extended_usages = {"1.3.6.1.5.5.7.3.2"};
  return out;
}

inline bytes make_csr(const crypto::csr_options& names) {
  const auto key = good(crypto::private_key::generate(key_algorithm::ec_p256));
  return good(crypto::build_csr(key, names));
}

inline digest txid(std::string_view text) { return crypto::sha256(as_bytes(text)); }

inline connect::ca::submission submission_of(std::string_view id, bytes csr) {
  return {txid(id), std::move(csr), "User", {1, validity_unit::days}, {}};
}

/// Remembers what the CA told its journal; refuses while `broken`.
struct journal_spy {
  std::mutex mutex;
  std::vector<connect::ca::issuance_event> events;
  bool broken = false;

  [[nodiscard]] std::function<result<void>(const connect::ca::issuance_event&)> callback() {
    return [this](const connect::ca::issuance_event& event) -> result<void> {
      const std::scoped_lock lock(mutex);
      if (broken) {
        return failure(errc::io, "journal", "is broken on purpose");
      }
      events.push_back(event);
      return {};
    };
  }
};

} // namespace pfx::test
