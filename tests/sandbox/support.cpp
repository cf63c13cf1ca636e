// The stand-in for the engine, and shared worlds.
#include "tests/sandbox/support.hpp"

#include <algorithm>
#include <filesystem>

#include <unistd.h>

#include "crypto/cms.hpp"
#include "crypto/digest.hpp"
#include "crypto/pfx_file.hpp"
#include "crypto/random.hpp"
#include "crypto/request.hpp"
#include "crypto/rsa_decrypt.hpp"

namespace pfx::test {

namespace {

constexpr std::int64_t day_ms = 86'400'000;

certified sign(const crypto::ca_identity& issuer, const pfx_request& request, const bytes& der,
               const faults_to_plant& plant) {
  const auto csr = good(crypto::parse_csr(der));
  auto validity = request.create.validity;
  if (plant.validity) {
    plant.validity(validity);
  }
  const auto now = system_clock().wall() / 1000 * 1000;
  crypto::sign_options options;
  options.subject = csr.subject;
  options.public_key = csr.public_key;
  options.extensions = csr.extensions;
  options.serial = crypto::random_serial();
  options.not_before = now - 60'000;
  options.not_after = crypto::add_validity(now, validity);
  return {good(crypto::sign_certificate(issuer, options)).der(), {issuer.cert.der()}};
}

bytes build_file(const crypto::private_key& key, const crypto::certificate& leaf,
                 const std::vector<crypto::certificate>& chain, const secret_bytes& password,
                 pfx_profile profile, const faults_to_plant& plant) {
  auto options = crypto::pkcs12_options::of(profile);
  if (plant.parameters) {
    plant.parameters(options);
  }
  const auto name = plant.without_friendly_name ? std::string() : leaf.common_name() + " (test)";
  return good(crypto::build_pkcs12({key, leaf, chain, name, password}, options));
}

void deliver(const pfx_request& request, const secret_bytes& password, request_result& out) {
  for (const auto& one : request.recipients) {
    const auto recipient = good(crypto::certificate::from_der(one.certificate));
    out.deliveries.push_back(
      {one.id, good(crypto::encrypt_to(recipient, one.transport, password.view()))});
  }
}

} // namespace

scratch::scratch() {
  std::string pattern = (std::filesystem::temp_directory_path() / "pfx-sandbox-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) {
    throw std::runtime_error("no temporary folder");
  }
  folder_ = pattern;
}

scratch::~scratch() {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

const sandbox::fleet& devices() {
  static const auto the = good(sandbox::fleet::make(6, 1, system_clock().wall()));
  return the;
}

const ca_identity_set& ca() {
  static const auto the = [] {
    const auto now = system_clock().wall() / 1000 * 1000;
    auto root = good(crypto::make_root(
      {"CN=Root,O=Test", key_algorithm::ec_p256, now - day_ms, now + 4000 * day_ms}));
    auto issuing = good(
      sandbox::make_issuing_ca(root, "CN=Issuing,O=Test", now - day_ms, now + 4000 * day_ms));
    return ca_identity_set{root.cert, std::move(issuing)};
  }();
  return the;
}

sandbox::order_book book(std::vector<std::pair<std::string, double>> mix) {
  // One moment for all books of a run, so that two of them can be compared.
  static const auto now = system_clock().wall() / 1000 * 1000;
  return good(
    sandbox::order_book::make({7, "Sandbox-CA", std::move(mix), now, now + day_ms}, devices()));
}

sandbox::judge_options judge_with() { return {devices(), {ca().root}, "Sandbox-CA"}; }

request_result fulfil(const pfx_request& request, const faults_to_plant& plant,
                      const certifier& certify) {
  const auto own = good(crypto::private_key::generate(request.create.key));
  const auto& key = plant.key != nullptr ? *plant.key : own;
  crypto::csr_options names{request.create.subject, request.create.alternative_names,
                            request.create.usages,  request.create.extended_usages,
                            request.create.hash,    request.create.security_identifier};
  if (plant.names) {
    plant.names(names);
  }
  const auto csr = good(crypto::build_csr(key, names));
  const auto& issuer = plant.issuer != nullptr ? *plant.issuer : ca().issuing;
  const auto got = certify ? certify(request, csr) : sign(issuer, request, csr, plant);
  const auto leaf = good(crypto::certificate::from_der(got.certificate));
  std::vector<crypto::certificate> chain;
  for (const auto& one : got.chain) {
    chain.push_back(good(crypto::certificate::from_der(one)));
  }
  if (plant.without_chain) {
    chain.clear();
  }
  const auto password
    = plant.password.empty() ? crypto::random_password() : secret_bytes(as_bytes(plant.password));
  request_result out;
  out.succeeded = true;
  out.encrypted_pfx = build_file(plant.file_key != nullptr ? *plant.file_key : key, leaf, chain,
                                 password, request.profile, plant);
  deliver(request, password, out);
  out.certificate
    = delivered_certificate{leaf.der(),    got.chain,         leaf.thumbprint(), leaf.serial(),
                            leaf.issuer(), leaf.not_before(), leaf.not_after()};
  if (plant.document) {
    plant.document(out);
  }
  return out;
}

const importing_connector& importer() {
  static const auto the = [] {
    auto key = good(crypto::private_key::generate(key_algorithm::rsa2048));
    auto known = good(key.public_key());
    return importing_connector{
      std::move(key),
      {"Test Provider", "key-1", std::move(known)},
      good(devices().devices().front().keys.front().key->public_key())}; // an RSA key
  }();
  return the;
}

sandbox::order import_of(const std::string& kind, std::uint64_t index) {
  sandbox::import_desk desk(7, importer().stranger);
  (void)good(desk.announce({importer().announced}));
  auto out = book().of_kind(kind, index);
  if (auto done = desk.complete(out); !done) {
    throw std::runtime_error(to_string(done.error()));
  }
  return out;
}

request_result fulfil_import(const pfx_request& request, const import_faults& plant) {
  auto asked = request;
  if (plant.request) {
    plant.request(asked);
  }
  const auto padding = crypto::rsa_padding_of(asked.import.padding_scheme);
  if (!padding || *padding == crypto::rsa_padding::pkcs1) {
    return fail_with(service_code::parameter_invalid, "paddingScheme: is not allowed");
  }
  const auto file = crypto::pfx_file::parse(asked.import.encrypted_pfx);
  if (!file) {
    return fail_with(file.error().why == crypto::pfx_refusal::reason::too_much
                       ? service_code::payload_too_large
                       : service_code::parameter_invalid,
                     "encryptedPfxBlob: " + file.error().what.message);
  }
  auto plain = good(crypto::rsa_decrypt(importer().key, *padding, asked.import.encrypted_password));
  auto opened = file->open(plain.octets);
  if (!opened) {
    return fail_with(service_code::cryptography, "encryptedPfxPassword: does not open the PFX");
  }
  auto identity = crypto::take_identity(std::move(*opened), asked.import.thumbprint);
  if (!identity) {
    return fail_with(service_code::parameter_invalid, to_string(identity.error()));
  }
  auto profile = asked.profile;
  if (plant.profile) {
    plant.profile(profile);
  }
  request_result out;
  out.succeeded = true;
  out.encrypted_pfx = asked.import.encrypted_pfx;
  if (profile != pfx_profile::unchanged) {
    plain.octets = crypto::random_password();
    const auto& name = identity->friendly_name;
    out.encrypted_pfx = good(
      crypto::build_pkcs12({identity->key, identity->leaf, identity->chain,
                            name.empty() ? identity->leaf.common_name() : name, plain.octets},
                           crypto::pkcs12_options::of(profile)));
  }
  deliver(asked,
          plant.password.empty() ? plain.octets.duplicate()
                                 : secret_bytes(as_bytes(plant.password)),
          out);
  if (plant.document) {
    plant.document(out);
  }
  return out;
}

request_result fail_with(service_code code, const std::string& message) {
  request_result out;
  out.code = code;
  out.message = message;
  return out;
}

bool mentions(const std::vector<std::string>& sentences, const std::string& piece) {
  return std::any_of(sentences.begin(), sentences.end(),
                     [&](const auto& one) { return one.find(piece) != std::string::npos; });
}

} // namespace pfx::test
