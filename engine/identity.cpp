// The connector's identity: made once, sealed, never overwritten. The private key lies in
// <identityFile>.key from before the first call on, so that a repeat registers the same key; it is
// "pending" until the identity file itself stands beside it.
#include "engine/identity.hpp"

#include <unistd.h>

#include <array>
#include <filesystem>

#include <nlohmann/json.hpp>

#include "connect/http/json.hpp"
#include "connect/service/client.hpp"
#include "core/program_version.hpp"
#include "crypto/digest.hpp"
#include "crypto/request.hpp"
#include "crypto/seal.hpp"
#include "engine/files.hpp"
#include "engine/identity_files.hpp"
#include "engine/rotation.hpp"
#include "engine/rotation_guard.hpp"

namespace pfx::engine {
namespace {

namespace service = connect::service;

constexpr std::size_t identity_bytes_max = 256u << 10;
constexpr std::size_t key_bytes_max = 16u << 10;
constexpr std::size_t roots_bytes_max = 8u << 20;
constexpr std::size_t connector_id_bytes_max = 128;

// -- the sealed key ------

/// Identity files are older than any store and outlive it, so their seal has a store id of its own.
constexpr std::string_view seal_store_id = "pfxengine-identity-1";
constexpr std::uint64_t seal_epoch = 1;
constexpr std::uint8_t seal_record_type = 1;
constexpr std::string_view seal_key = "connector-key";

crypto::seal_place place_of_key() { return {seal_record_type, as_bytes(seal_key)}; }

result<crypto::sealer> sealer_of(secret_bytes master_key) {
  return crypto::sealer::make(std::move(master_key), as_bytes(seal_store_id), seal_epoch);
}

result<crypto::sealer> open_sealer(const configuration& settings) {
  auto master = crypto::read_master_key(settings.master_key_file);
  if (!master)
    return failure(master.error());
  return sealer_of(std::move(*master));
}

} // namespace

std::string detail::key_path(const configuration& settings) {
  return settings.identity_file + ".key";
}
std::string detail::next_identity_path(const configuration& settings) {
  return settings.identity_file + ".next";
}
std::string detail::next_identity_key_path(const configuration& settings) {
  return settings.identity_file + ".next.key";
}

detail::identity_files detail::identity_in_use(const configuration& settings) {
  const auto next = next_identity_path(settings);
  if (::access(next.c_str(), F_OK) != 0)
    return {settings.identity_file, key_path(settings)};
  const auto key = next_identity_key_path(settings);
  return {next, ::access(key.c_str(), F_OK) == 0 ? key : key_path(settings)};
}

result<secret_bytes> detail::read_sealed_key(const configuration& settings,
                                             const std::string& path) {
  const auto sealed = read_file(path, key_bytes_max);
  if (!sealed)
    return failure(sealed.error());
  const auto sealer = open_sealer(settings);
  if (!sealer)
    return failure(sealer.error());
  auto opened = sealer->open(place_of_key(), *sealed);
  if (!opened)
    return failure(opened.error().code, printable(path, 512), opened.error().message);
  return opened;
}

result<void> detail::write_sealed_key(const configuration& settings, const std::string& path) {
  auto key = crypto::private_key::generate(key_algorithm::ec_p256);
  if (!key)
    return failure(key.error());
  const auto plain = key->to_pkcs8();
  if (!plain)
    return failure(plain.error());
  const auto sealer = open_sealer(settings);
  if (!sealer)
    return failure(sealer.error());
  const auto sealed = sealer->seal(place_of_key(), plain->view());
  if (!sealed)
    return failure(sealed.error());
  return write_new_file(path, *sealed);
}

namespace {

using detail::key_path;

/// Whoever writes the file first wins; everybody reads what stands there.
result<crypto::private_key> pending_key(const configuration& settings) {
  if (auto written = detail::write_sealed_key(settings, key_path(settings));
      !written && written.error().code != errc::conflict)
    return failure(written.error());
  const auto plain = detail::read_sealed_key(settings, key_path(settings));
  if (!plain)
    return failure(plain.error());
  return crypto::private_key::from_pkcs8(plain->view());
}

// -- registration ------

std::string machine_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0 || name[0] == '\0')
    return "unknown";
  return printable(name.data(), limits::common_name_characters_max);
}

/// Characters that RFC 4514 reserves would need escapes; a connector's name does without them.
result<std::string> checked_name(const std::string& wanted) {
  const auto name = wanted.empty() ? machine_name() : wanted;
  if (name.size() > limits::common_name_characters_max
      || name.find_first_not_of(
           "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._ ")
        != std::string::npos
      || name.front() == ' ' || name.back() == ' ')
    return failure(errc::bad_input, "connectorName",
                   "must have 1 to 64 letters, digits, spaces and . - _");
  return name;
}

result<std::string> read_roots(const std::string& path) {
  if (path.empty())
    return std::string();
  const auto octets = detail::read_file(path, roots_bytes_max);
  if (!octets)
    return failure(octets.error());
  return to_text(*octets);
}

result<service::register_answer> ask(const configuration& settings, const register_settings& order,
                                     const crypto::private_key& key) {
  const auto name = checked_name(order.connector_name);
  if (!name)
    return failure(name.error());
  auto roots = read_roots(settings.service.trusted_roots_file);
  if (!roots)
    return failure(roots.error());
  auto csr = crypto::build_csr(key, crypto::csr_options{.subject = "CN=" + *name});
  if (!csr)
    return failure(csr.error());
  connect::http::client_options http;
  http.base_url = settings.service.url;
  http.trusted_roots_pem = std::move(*roots);
  http.call_timeout_ms = settings.service.call_timeout_ms;
  http.user_agent = "pfxengine/" + program_version();
  service::register_order call;
  call.code = order.code;
  call.connector_name = *name;
  call.machine_name = machine_name();
  call.connector_version = program_version();
  call.features = {"pfxCreate"};
  call.certificate_request = std::move(*csr);
  auto answer = service::register_connector(std::move(http), call);
  wipe(call.code);
  if (!answer)
    return failure(answer.error().what);
  return std::move(*answer);
}

/// What the service gave must be a certificate of our key, or the engine could never use it.
result<std::string> document_of(const service::register_answer& answer,
                                const crypto::private_key& key) {
  if (answer.connector_id.empty() || answer.connector_id.size() > connector_id_bytes_max
      || printable(answer.connector_id) != answer.connector_id)
    return failure(errc::bad_input, "connectorId", "is empty, too long or not printable");
  const auto own = crypto::certificate::from_der(answer.certificate);
  if (!own)
    return failure(own.error().code, "certificate", own.error().message);
  if (!own->matches(key))
    return failure(errc::crypto, "certificate", "is not one of the key that was registered");
  std::vector<std::string> chain;
  for (const auto& der : answer.chain) {
    const auto each = crypto::certificate::from_der(der);
    if (!each)
      return failure(each.error().code, "chain", each.error().message);
    chain.push_back(each->pem());
  }
  return detail::identity_text(answer.connector_id, *own, chain);
}

} // namespace

std::string detail::identity_text(const std::string& connector_id, const crypto::certificate& own,
                                  const std::vector<std::string>& chain) {
  const nlohmann::ordered_json document{{"connectorId", connector_id},
                                        {"certificate", own.pem()},
                                        {"chain", chain},
                                        {"registeredAt", to_rfc3339(system_clock().wall())}};
  return document.dump(2) + "\n";
}

// -- reading ------

result<detail::identity_document> detail::read_identity_document(const std::string& file) {
  const auto path = printable(file, 512);
  const auto octets = read_file(file, identity_bytes_max);
  if (!octets && octets.error().code == errc::not_found)
    return failure(errc::not_found, path,
                   "there is no identity yet: register with `pfxengine register CODE`");
  if (!octets)
    return failure(octets.error());
  const auto parsed = connect::http::parse_json_strict(to_text(*octets));
  if (!parsed)
    return failure(errc::corrupt, path, parsed.error().message);
  identity_document out;
  try {
    out.connector_id = parsed->at("connectorId").get<std::string>();
    out.certificates = parsed->at("certificate").get<std::string>();
    for (const auto& each : parsed->at("chain"))
      out.certificates += each.get<std::string>();
  } catch (const nlohmann::json::exception& fault) {
    return failure(errc::corrupt, path, printable(fault.what(), 200));
  }
  if (out.connector_id.empty() || out.connector_id.size() > connector_id_bytes_max)
    return failure(errc::corrupt, path, "has no usable connectorId");
  return out;
}

result<std::string> register_with_service(const configuration& settings,
                                          const register_settings& order) {
  std::error_code fault;
  if (std::filesystem::exists(settings.identity_file, fault))
    return failure(
      errc::conflict, printable(settings.identity_file, 512),
      "this connector is registered already; move its identity away to register another");
  if (order.code.empty())
    return failure(errc::bad_input, "code", "is empty");
  const auto guard = detail::secrets_guard::shared(settings);
  if (!guard)
    return failure(guard.error());
  const auto master = crypto::read_master_key(settings.master_key_file);
  if (!master)
    return failure(master.error());
  if (auto same = detail::refuse_other_master_key(settings, *master); !same)
    return failure(std::move(same).error());
  const auto key = pending_key(settings);
  if (!key)
    return failure(key.error());
  const auto answer = ask(settings, order, *key);
  if (!answer)
    return failure(answer.error());
  const auto document = document_of(*answer, *key);
  if (!document)
    return failure(document.error());
  if (auto written = detail::write_new_file(settings.identity_file, as_bytes(*document)); !written)
    return failure(written.error());
  return answer->connector_id;
}

result<connector_identity> load_identity(const configuration& settings) {
  if (auto may = refuse_during_rotation(settings); !may)
    return failure(std::move(may).error());
  const auto files = detail::identity_in_use(settings);
  const auto document = detail::read_identity_document(files.document);
  if (!document)
    return failure(document.error());
  const auto plain = detail::read_sealed_key(settings, files.key);
  if (!plain)
    return failure(plain.error());
  const auto key = crypto::private_key::from_pkcs8(plain->view());
  if (!key)
    return failure(errc::corrupt, printable(files.key, 512), key.error().message);
  const auto own = crypto::certificate::from_pem(document->certificates);
  if (!own)
    return failure(errc::corrupt, printable(files.document, 512), own.error().message);
  if (!own->matches(*key))
    return failure(errc::corrupt, printable(files.document, 512),
                   "its certificate is not one of the key beside it");
  auto pem = key->to_pem();
  if (!pem)
    return failure(pem.error());
  connector_identity out;
  out.connector_id = document->connector_id;
  out.certificate_pem = document->certificates;
  out.key_pem = std::move(*pem);
  return out;
}

namespace {

result<bool> reseal_key(const std::string& path, const secret_bytes& from, const secret_bytes* to) {
  const auto sealed = detail::read_file(path, key_bytes_max);
  if (!sealed && sealed.error().code == errc::not_found)
    return false; // not registered yet, or no renewal under way
  if (!sealed)
    return failure(sealed.error());
  const auto refuse
    = [&path](const error& why) { return failure(why.code, printable(path, 512), why.message); };
  const auto old = sealer_of(from.duplicate());
  if (!old)
    return failure(old.error());
  const auto plain = old->open(place_of_key(), *sealed);
  if (to == nullptr)
    return plain ? result<bool>(false) : refuse(plain.error());
  const auto next = sealer_of(to->duplicate());
  if (!next)
    return failure(next.error());
  if (const auto done = next->open(place_of_key(), *sealed); done)
    return false;
  if (!plain)
    return refuse(plain.error());
  const auto again = next->seal(place_of_key(), plain->view());
  if (!again)
    return refuse(again.error());
  if (auto put = detail::replace_file(path, *again); !put)
    return failure(std::move(put).error());
  return true;
}

} // namespace

result<bool> detail::reseal_identity(const configuration& settings, const secret_bytes& from,
                                     const secret_bytes* to) {
  const auto own = reseal_key(key_path(settings), from, to);
  if (!own)
    return own;
  const auto next = reseal_key(next_identity_key_path(settings), from, to); // of a renewal begun
  if (!next)
    return next;
  return *own || *next;
}

} // namespace pfx::engine
