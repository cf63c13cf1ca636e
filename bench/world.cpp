// Builds the world from the sandbox's parts.
#include "bench/world.hpp"

#include "core/clock.hpp"
#include "crypto/random.hpp"
#include "sandbox/deliveries.hpp"

namespace pfx::bench {

namespace {

constexpr unix_ms request_life_ms = 24LL * 3'600'000;
constexpr std::int64_t client_certificate_ms = 90LL * 86'400'000;

} // namespace

result<std::unique_ptr<world>> world::make(world_options options) {
  auto out = std::unique_ptr<world>(new world());
  if (auto filled = out->fill(std::move(options)); !filled) {
    return failure(filled.error());
  }
  return out;
}

result<void> world::fill(world_options wanted) {
  options = std::move(wanted);
  const auto now = system_clock().wall() / 1000 * 1000;
  auto made = sandbox::make_authorities("127.0.0.1", now);
  auto fleet = made ? sandbox::fleet::make(options.devices, options.seed, now)
                    : result<sandbox::fleet>(failure(made.error()));
  if (!fleet) {
    return failure(fleet.error());
  }
  own.emplace(std::move(*made));
  devices_.emplace(std::move(*fleet));
  auto book = sandbox::order_book::make(
    {options.seed, options.authority_name, {{options.kind, 1.0}}, now, now + request_life_ms},
    *devices_);
  if (!book) {
    return failure(book.error());
  }
  book_.emplace(std::move(*book));
  for (const auto& one : devices_->devices()) {
    for (const auto& key : one.keys) {
      if (key.certificate.is_rsa()) {
        rsa_keys_.emplace_back(one.id, &key);
      }
    }
  }
  if (rsa_keys_.empty()) {
    return failure(errc::internal, "devices", "none has an RSA key");
  }
  auto public_key = rsa_keys_.front().second->key->public_key();
  if (!public_key) {
    return failure(public_key.error());
  }
  imports = std::make_unique<sandbox::import_desk>(options.seed, std::move(*public_key));
  registration_code = to_hex(crypto::random_bytes(16));
  registrar
    = std::make_unique<sandbox::registrar>(std::vector<std::string>{registration_code},
                                           std::move(own->connector_ca), client_certificate_ms);
  authority = std::make_unique<quick_authority>(std::move(own->issuing_ca),
                                                options.directory + "/ca-journal.txt");
  const std::vector<std::pair<std::string, std::string>> files
    = {{"/server-root.pem", own->server_root.pem()},
       {"/device-root.pem", devices_->root().pem()},
       {"/ca-root.pem", own->ca_root.pem()}};
  for (const auto& [name, text] : files) {
    if (auto kept = sandbox::write_file(options.directory + name, as_bytes(text)); !kept) {
      return kept;
    }
  }
  return {};
}

sandbox::order world::order_of(std::uint64_t index) {
  auto out = book_->of_kind(options.kind, index);
  const auto& [device, key] = rsa_keys_[index % rsa_keys_.size()];
  out.request.device_id = device;
  out.request.recipients
    = {{key->recipient_id, key->certificate.der(), key_transport::rsa_oaep_sha256}};
  if (out.request.kind == request_kind::pfx_import) {
    out.request.profile = pfx_profile::unchanged;
    out.brought.without_profile = false;
  } else {
    out.request.profile = pfx_profile::modern;
    out.request.create.hash = hash_algorithm::sha256;
  }
  // An import that cannot be completed is noticed by the judge: its failure is not what was
  // ordered.
  static_cast<void>(imports->complete(out));
  return out;
}

std::string world::text_of(const sandbox::order& what, std::uint64_t lease_number) const {
  return book_->text(what, lease_number, lease_ms, 0);
}

sandbox::judge_options world::judge_options() const {
  return {*devices_, {own->ca_root}, options.authority_name};
}

} // namespace pfx::bench
