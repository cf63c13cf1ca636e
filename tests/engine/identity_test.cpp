// Identity on this machine: made once, sealed, never overwritten, the same key on every repeat.
#include "tests/catch.hpp"

#include <atomic>
#include <mutex>

#include <nlohmann/json.hpp>
#include <sys/stat.h>

#include "connect/http/server.hpp"
#include "crypto/digest.hpp"
#include "crypto/issue.hpp"
#include "crypto/seal.hpp"
#include "engine/files.hpp"
#include "engine/identity.hpp"
#include "tests/engine/scratch.hpp"

namespace {

using namespace pfx;
using namespace pfx::engine;
namespace http = pfx::connect::http;
using nlohmann::json;

constexpr std::int64_t hour_ms = 3'600'000;

/// A registrar on this machine: answers `Connectors/register` as told, remembers whose keys it saw.
class registrar {
public:
  enum class mood { honest, lost_answer, other_key, no_id, refusing };

  registrar() {
    const auto now = system_clock().wall();
    root_ = std::make_unique<crypto::ca_identity>(
      crypto::make_root({"CN=Test Root", key_algorithm::ec_p256, now - hour_ms, now + hour_ms})
        .value());
    auto key = crypto::private_key::generate(key_algorithm::ec_p256).value();
    crypto::leaf_options leaf;
    leaf.names.subject = "CN=127.0.0.1";
    leaf.names.alternative_names = {{name_type::ip, "127.0.0.1"}};
    leaf.names.usages = static_cast<key_usages>(key_usage::digital_signature);
    leaf.names.extended_usages = {"1.3.6.1.5.5.7.3.1"};
    leaf.not_before = now - hour_ms;
    leaf.not_after = now + hour_ms;
    http::server_options options;
    options.certificate_pem = crypto::issue_leaf(*root_, key, leaf).value().pem();
    options.key_pem = key.to_pem().value();
    server_ = http::server::start(std::move(options), [this](const auto& call) {
                return answer(call);
              }).value();
  }
  void feel(mood how) { mood_ = how; }
  [[nodiscard]] std::string url() const {
    return "https://127.0.0.1:" + std::to_string(server_->port());
  }
  [[nodiscard]] std::string roots() const { return root_->cert.pem(); }
  [[nodiscard]] std::vector<digest> keys() {
    const std::lock_guard lock(guard_);
    return keys_;
  }
  [[nodiscard]] json last_call() {
    const std::lock_guard lock(guard_);
    return last_;
  }

private:
  http::server_response answer(const http::server_request& call) {
    const auto how = mood_.load();
    if (how == mood::refusing)
      return {401, {}, R"({"error":{"code":"unauthorized","message":"no such code"}})"};
    const auto body = json::parse(call.body);
    const auto asked
      = crypto::parse_csr(
          crypto::from_base64(body.at("certificateRequest").get<std::string>()).value())
          .value();
    {
      const std::lock_guard lock(guard_);
      keys_.push_back(asked.public_key_hash);
      last_ = body;
    }
    if (how == mood::lost_answer)
      return {503, {}, R"({"error":{"code":"unavailable","message":"come again"}})"};
    const auto other = crypto::private_key::generate(key_algorithm::ec_p256).value();
    const auto now = system_clock().wall();
    crypto::sign_options sign;
    sign.subject = asked.subject;
    sign.public_key = how == mood::other_key ? other.public_key().value() : asked.public_key;
    sign.serial = crypto::random_serial();
    sign.not_before = now - hour_ms;
    sign.not_after = now + hour_ms;
    const auto made = crypto::sign_certificate(*root_, sign).value();
    const json value{{"connectorId", how == mood::no_id ? "" : "connector-7"},
                     {"certificate", crypto::to_base64(made.der())},
                     {"chain", {crypto::to_base64(root_->cert.der())}}};
    return {200, {}, json{{"value", value}}.dump()};
  }

  std::atomic<mood> mood_ = mood::honest;
  std::mutex guard_;
  std::vector<digest> keys_;
  json last_;
  std::unique_ptr<crypto::ca_identity> root_;
  std::unique_ptr<http::server> server_; // ends first: it calls answer()
};

configuration prepared(const test::scratch_folder& folder, registrar& service) {
  const init_order order{folder.path("conf/pfxengine.json"), folder.path("data"), service.url(),
                         folder.write("tls.pem", service.roots()), "example"};
  REQUIRE(initialise(order));
  auto settings = load_configuration(order.configuration_path);
  REQUIRE(settings);
  return *settings;
}

int mode_of(const std::string& path) {
  struct stat facts {};
  REQUIRE(::stat(path.c_str(), &facts) == 0);
  return static_cast<int>(facts.st_mode & 07777);
}

std::string text_of(const std::string& path) {
  return to_text(detail::read_file(path, 1 << 20).value());
}

} // namespace

TEST_CASE("initialising makes what is missing and overwrites nothing", "[engine][identity]") {
  const test::scratch_folder folder;
  const init_order order{folder.path("conf/pfxengine.json"), folder.path("data/"),
                         "https://service.example.test/pfx", "", "example \"quoted\""};
  const auto first = initialise(order);
  REQUIRE(first);
  CHECK(first->size() == 4);
  CHECK(mode_of(folder.path("data-anchor")) == 0700);
  CHECK(mode_of(folder.path("data")) == 0700);
  CHECK(mode_of(folder.path("conf/master.key")) == 0600);
  const auto settings = load_configuration(order.configuration_path);
  REQUIRE(settings);
  CHECK(settings->service.tenant == "example \"quoted\"");
  CHECK(settings->data_directory == folder.path("data"));
  CHECK(settings->issuance.authorities.empty());
  const auto key = text_of(folder.path("conf/master.key"));
  const auto text = text_of(order.configuration_path);
  auto other = order;
  other.tenant = "somebody else";
  REQUIRE(initialise(other));
  CHECK(text_of(folder.path("conf/master.key")) == key);
  CHECK(text_of(order.configuration_path) == text);
}

TEST_CASE("a wrong order to initialise makes nothing at all", "[engine][identity]") {
  const test::scratch_folder folder;
  init_order order{folder.path("conf/pfxengine.json"), folder.path("data"),
                   "http://service.example.test", "", "t"};
  CHECK_FALSE(initialise(order));
  order.service_url = "https://service.example.test";
  order.tenant = "";
  CHECK_FALSE(initialise(order));
  order.tenant = "t";
  order.data_directory = folder.path("conf"); // the master key would lie in it
  CHECK_FALSE(initialise(order));
  CHECK_FALSE(std::filesystem::exists(folder.path("conf")));
  CHECK_FALSE(std::filesystem::exists(folder.path("data")));
}

TEST_CASE("a registered identity is sealed and loads again", "[engine][identity]") {
  const test::scratch_folder folder;
  registrar service;
  const auto settings = prepared(folder, service);
  const auto id = register_with_service(settings, {"code-1", "office 1"});
  REQUIRE(id);
  CHECK(*id == "connector-7");
  CHECK(service.last_call().at("code") == "code-1");
  CHECK(service.last_call().at("connectorName") == "office 1");
  CHECK(mode_of(settings.identity_file) == 0600);
  CHECK(mode_of(settings.identity_file + ".key") == 0600);
  const auto identity = load_identity(settings);
  REQUIRE(identity);
  CHECK(identity->connector_id == "connector-7");
  const auto key = crypto::private_key::from_pem(identity->key_pem.text());
  REQUIRE(key);
  CHECK(key->public_key_hash() == service.keys().at(0));
  CHECK(crypto::certificate::all_from_pem(identity->certificate_pem).value().size() == 2);
  // Neither file holds the key in clear, in whatever form.
  const auto plain = key->to_pkcs8().value();
  for (const auto& path : {settings.identity_file, settings.identity_file + ".key"}) {
    const auto text = text_of(path);
    CHECK(text.find("PRIVATE KEY") == std::string::npos);
    CHECK(text.find(std::string(plain.text().substr(plain.size() / 2))) == std::string::npos);
  }
}

TEST_CASE("a repeat after a lost answer registers the same key", "[engine][identity]") {
  const test::scratch_folder folder;
  registrar service;
  const auto settings = prepared(folder, service);
  service.feel(registrar::mood::lost_answer);
  CHECK(register_with_service(settings, {"code-1", "office"}).error().code != errc::none);
  CHECK(load_identity(settings).error().code == errc::not_found);
  service.feel(registrar::mood::honest);
  REQUIRE(register_with_service(settings, {"code-1", "office"}));
  REQUIRE(service.keys().size() == 2);
  CHECK(service.keys()[0] == service.keys()[1]);
}

TEST_CASE("an identity is never overwritten", "[engine][identity]") {
  const test::scratch_folder folder;
  registrar service;
  const auto settings = prepared(folder, service);
  REQUIRE(register_with_service(settings, {"code-1", "office"}));
  const auto before = text_of(settings.identity_file);
  const auto again = register_with_service(settings, {"code-2", "office"});
  REQUIRE_FALSE(again);
  CHECK(again.error().code == errc::conflict);
  CHECK(text_of(settings.identity_file) == before);
  CHECK(service.keys().size() == 1);
}

TEST_CASE("what a service may not answer is refused and leaves no identity", "[engine][identity]") {
  const test::scratch_folder folder;
  registrar service;
  const auto settings = prepared(folder, service);
  for (const auto how :
       {registrar::mood::other_key, registrar::mood::no_id, registrar::mood::refusing}) {
    service.feel(how);
    CHECK_FALSE(register_with_service(settings, {"secret-code", "office"}));
    CHECK_FALSE(std::filesystem::exists(settings.identity_file));
  }
  service.feel(registrar::mood::refusing);
  const auto refused = register_with_service(settings, {"secret-code", "office"});
  CHECK(refused.error().code == errc::unauthorized);
  CHECK(to_string(refused.error()).find("secret-code") == std::string::npos);
}

TEST_CASE("bad orders are refused before anybody is called", "[engine][identity]") {
  const test::scratch_folder folder;
  registrar service;
  auto settings = prepared(folder, service);
  CHECK(register_with_service(settings, {"", "office"}).error().field == "code");
  for (const auto* name : {"a,CN=b", " front", "back ", "zeile\n", "a=b", "tab\t"})
    CHECK(register_with_service(settings, {"code", name}).error().field == "connectorName");
  CHECK(register_with_service(settings, {"code", std::string(65, 'n')}).error().field
        == "connectorName");
  settings.service.trusted_roots_file = folder.path("nothing.pem");
  CHECK_FALSE(register_with_service(settings, {"code", "office"}));
  CHECK(service.keys().empty());
}

TEST_CASE("a service that is not who it must be is not registered with", "[engine][identity]") {
  const test::scratch_folder folder;
  registrar service;
  registrar other;
  auto settings = prepared(folder, service);
  settings.service.trusted_roots_file = folder.write("other.pem", other.roots());
  CHECK_FALSE(register_with_service(settings, {"code", "office"}));
  CHECK(service.keys().empty());
}

TEST_CASE("damaged or foreign identity files are told apart", "[engine][identity]") {
  const test::scratch_folder folder;
  registrar service;
  const auto settings = prepared(folder, service);
  REQUIRE(register_with_service(settings, {"code-1", "office"}));
  const auto key_file = settings.identity_file + ".key";
  const auto sealed = text_of(key_file);
  const auto document = text_of(settings.identity_file);

  SECTION("one octet of the sealed key changed") {
    auto changed = sealed;
    changed.back() = static_cast<char>(changed.back() ^ 1);
    folder.write("data/identity.json.key", changed);
    CHECK(load_identity(settings).error().code == errc::corrupt);
  }
  SECTION("a key file that was cut") {
    folder.write("data/identity.json.key", sealed.substr(0, 10));
    CHECK_FALSE(load_identity(settings));
  }
  SECTION("another master key") {
    auto other = settings;
    other.master_key_file = folder.path("other.key");
    REQUIRE(crypto::write_new_master_key(other.master_key_file));
    CHECK(load_identity(other).error().code == errc::wrong_key);
  }
  SECTION("the document of another connector") {
    auto swapped = json::parse(document);
    swapped["certificate"] = service.roots();
    folder.write("data/identity.json", swapped.dump());
    CHECK(load_identity(settings).error().code == errc::corrupt);
  }
  SECTION("a document without an id, a certificate, or JSON") {
    for (const auto* text : {"", "{}", "[]", "{\"connectorId\":\"x\"}",
                             "{\"connectorId\":7,\"certificate\":\"\",\"chain\":[]}",
                             "{\"connectorId\":\"\",\"certificate\":\"x\",\"chain\":[]}"}) {
      folder.write("data/identity.json", text);
      CHECK(load_identity(settings).error().code == errc::corrupt);
    }
  }
}

TEST_CASE("a new file never replaces one that is there", "[engine][files]") {
  const test::scratch_folder folder;
  const auto path = folder.path("file");
  REQUIRE(detail::write_new_file(path, as_bytes("first")));
  CHECK(mode_of(path) == 0600);
  CHECK(detail::write_new_file(path, as_bytes("second")).error().code == errc::conflict);
  CHECK(text_of(path) == "first");
  CHECK(detail::write_new_file(folder.path("none/file"), as_bytes("x")).error().code
        == errc::not_found);
  // No temporary file is left behind, whether it went well or not.
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path("")), {}) == 1);
}
