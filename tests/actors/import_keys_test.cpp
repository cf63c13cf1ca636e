// Connector keys that are disputed, unreadable or used by work that goes wrong: what the service is
// told, what the audit keeps.
#include <functional>
#include <stdexcept>

#include "actors/tasks/use_limits.hpp"
#include "connect/service/codec.hpp"
#include "crypto/digest.hpp"
#include "crypto/pfx_file.hpp"
#include "crypto/pkcs12.hpp"
#include "tests/actors/harness.hpp"
#include "tests/catch.hpp"

using namespace pfx;
using namespace pfx::actors::tasks;
using test::bench;

namespace {

const crypto::private_key& connector_key() {
  static const auto key = crypto::private_key::generate(key_algorithm::rsa2048);
  return key.value();
}

void make_key(bench& b, const std::string& name = "key") {
  REQUIRE(b.keys().import({"provider", name, {}, false}, connector_key()));
}

/// A key store that does on order what real ones do when a disk or a token fails.
class troubled_keys final : public crypto::key_store {
public:
  explicit troubled_keys(const crypto::key_store& real) : real_(real) {}
  [[nodiscard]] result<crypto::key_listing> list() const override { return real_.list(); }
  [[nodiscard]] result<crypto::connector_key> find(std::string_view provider,
                                                   std::string_view name) const override {
    if (on_find) {
      on_find();
    }
    return fault.code == errc::none ? real_.find(provider, name) : failure(fault);
  }
  [[nodiscard]] result<crypto::rsa_plaintext> decrypt(std::string_view provider,
                                                      std::string_view name,
                                                      crypto::rsa_padding padding,
                                                      byte_view ciphertext) const override {
    if (on_decrypt) {
      on_decrypt();
    }
    return real_.decrypt(provider, name, padding, ciphertext);
  }
  error fault{errc::none, "", ""};
  std::function<void()> on_find;
  std::function<void()> on_decrypt;

private:
  const crypto::key_store& real_;
};

/// Work that waits until somebody lets it run.
class held_executor final : public executor {
public:
  bool post(job work) override {
    held.push_back(std::move(work));
    return true;
  }
  void run() {
    for (auto& one : std::exchange(held, {})) {
      one();
    }
  }
  std::vector<job> held;
};

bytes file_with(const bench& b, int iterations) {
  auto how = crypto::pkcs12_options::modern();
  how.kdf_iterations = how.mac_iterations = iterations / 3;
  const secret_bytes secret(as_bytes(std::string_view("password")));
  return crypto::build_pkcs12({b.device.key, b.device.certificate, {}, "one", secret}, how).value();
}

pfx_request sample(const bench& b, const std::string& context = "i",
                   std::string_view password = "password", int iterations = 6'000) {
  return b.import(context, file_with(b, iterations), password,
                  to_hex(crypto::sha1(b.device.certificate.der())));
}

std::vector<audit_line> lines_of(const bench& b, std::uint16_t event) {
  std::vector<audit_line> out;
  for (const auto& line : b.audit()) {
    if (line.event == event) {
      out.push_back(line);
    }
  }
  return out;
}

request_result recorded(const bench& b, const std::string& context = "i") {
  return connect::service::decode_result_document(b.service.requests.at(context).document).value();
}

} // namespace

TEST_CASE("a key whose name is taken at the service keeps no other key back", "[actors][import]") {
  bench b;
  make_key(b);
  make_key(b, "taken");
  b.service.foreign_keys = {"taken"};
  auto mine = sample(b);
  auto theirs = sample(b, "t");
  theirs.import.key_name = "taken";
  b.service.offer(mine);
  b.service.offer(theirs);
  b.start();
  REQUIRE(b.advance_until([&] { return b.settled("i") && b.settled("t"); }));
  REQUIRE(b.service.announced.size() == 1);
  CHECK(b.service.announced[0].at(0).key_name == "key");
  CHECK(recorded(b).succeeded);
  const auto refused = recorded(b, "t");
  CHECK_FALSE(refused.succeeded);
  CHECK(refused.retryable);
  CHECK(refused.message.starts_with("keyName: "));
  REQUIRE(b.plant.attention.current().size() == 1);
  CHECK(b.plant.attention.current()[0].find("\"taken\"") != std::string::npos);
  b.advance(100'000);
  CHECK(lines_of(b, audit_event::connector_key_disputed).size() == 1);
  CHECK(lines_of(b, audit_event::key_used).size() == 1);
  SECTION("and is announced when the name is free again") {
    b.service.foreign_keys.clear();
    b.advance(700'000);
    CHECK(b.plant.attention.current().empty());
    CHECK(b.service.announced.back().size() == 2);
    CHECK_FALSE(b.plant.announcement.disputed("provider", "taken"));
  }
}

TEST_CASE("a damaged key is told once and keeps no other key back", "[actors][import]") {
  bench b;
  make_key(b);
  const auto file = std::filesystem::directory_iterator(b.keys_path())->path();
  auto request = sample(b);
  request.import.key_name = "good";
  make_key(b, "good");
  const auto kept = b.keys_path() / "kept";
  std::filesystem::copy_file(file, kept);
  std::filesystem::resize_file(file, 100);
  int told = 0;
  b.plant.tell = [&told](const report& what) {
    told += what.text.find("connector keys cannot be read") != std::string::npos ? 1 : 0;
  };
  b.service.offer(request);
  b.start();
  REQUIRE(b.advance_until([&] { return b.settled("i").has_value(); }));
  CHECK(recorded(b).succeeded);
  REQUIRE(b.service.announced.size() == 1);
  REQUIRE(b.service.announced[0].size() == 1);
  CHECK(b.service.announced[0][0].key_name == "good");
  REQUIRE(b.plant.attention.current().size() == 1);
  CHECK(b.plant.attention.current()[0].find(file.string()) != std::string::npos);
  b.advance(200'000);
  CHECK(told == 1);
  CHECK(b.service.announced.size() == 1);
  std::filesystem::rename(kept, file);
  b.advance(100'000);
  CHECK(b.plant.attention.current().empty());
  REQUIRE(b.service.announced.size() == 2);
  CHECK(b.service.announced[1].size() == 2);
}

TEST_CASE("a use of a key is audited though the work after it throws", "[actors][import]") {
  bench b;
  make_key(b);
  troubled_keys keys(b.keys());
  keys.on_decrypt = [] { throw std::runtime_error("out of everything"); };
  b.plant.keys = &keys;
  b.service.offer(sample(b));
  b.start();
  b.advance(500);
  const auto lines = lines_of(b, audit_event::key_used);
  REQUIRE_FALSE(lines.empty());
  CHECK(lines[0].context == "i");
  CHECK(lines[0].text.find("out of everything") != std::string::npos);
}

TEST_CASE("a use of a key is audited though nobody waits for its outcome any more",
          "[actors][import]") {
  bench b;
  make_key(b);
  held_executor late;
  b.plant.cpu = &late;
  b.plant.settings.crypto_timeout_ms = 10'000;
  b.service.offer(sample(b));
  b.start();
  b.advance(15'000);
  REQUIRE(late.held.size() >= 1);
  auto first = std::move(late.held.front());
  late.held.clear();
  CHECK(lines_of(b, audit_event::key_used).empty());
  first();
  b.advance(100);
  CHECK(lines_of(b, audit_event::key_used).size() == 1);
}

TEST_CASE("a key store that fails gives a request back, and says nothing of itself",
          "[actors][import]") {
  bench b;
  make_key(b);
  troubled_keys keys(b.keys());
  keys.fault = {errc::io, "/var/lib/x/keys", "cannot be opened: Permission denied"};
  b.plant.keys = &keys;
  b.service.offer(sample(b));
  b.start();
  SECTION("when it does not get better") {
    REQUIRE(b.advance_until([&] { return b.settled("i").has_value(); }));
    const auto got = recorded(b);
    CHECK_FALSE(got.succeeded);
    CHECK(got.retryable);
    CHECK(got.code == service_code::retryable);
    CHECK(got.message == "keyName: this connector cannot read the key now");
  }
  SECTION("but not at the first fault") {
    b.advance(100);
    CHECK_FALSE(b.settled("i").has_value());
    keys.fault.code = errc::none;
    REQUIRE(b.advance_until([&] { return b.settled("i").has_value(); }));
    CHECK(recorded(b).succeeded);
  }
}

TEST_CASE("the audit names every recipient, in lines that are shown whole", "[actors][import]") {
  bench b;
  make_key(b);
  auto request = sample(b);
  for (int i = 2; i <= 20; ++i) {
    auto one = request.recipients[0];
    one.id = "r" + std::to_string(i);
    request.recipients.push_back(one);
  }
  b.service.offer(request);
  b.start();
  REQUIRE(b.advance_until([&] { return b.settled("i").has_value(); }));
  CHECK(recorded(b).succeeded);
  auto lines = lines_of(b, audit_event::key_used);
  REQUIRE(lines.size() == 1);
  const auto more = lines_of(b, audit_event::key_used_for);
  CHECK(more.size() == 2);
  lines.insert(lines.end(), more.begin(), more.end());
  const auto fingerprint = to_hex(crypto::sha256(b.device.certificate.der()));
  std::size_t named = 0;
  for (const auto& line : lines) {
    CHECK(line.text.size() <= 1'000);
    CHECK(line.context == "i");
    for (auto at = line.text.find(fingerprint); at != std::string::npos;
         at = line.text.find(fingerprint, at + 1)) {
      ++named;
    }
  }
  CHECK(named == 20);
}

TEST_CASE("work that goes on in the slow lane is counted as one use", "[actors][import]") {
  bench b;
  make_key(b);
  use_limits uses(1, 100);
  b.plant.uses = &uses;
  b.service.offer(sample(b, "i", "wrong", 99'000)); // quick to begin with, long if it is wrong
  b.start();
  REQUIRE(b.advance_until([&] { return b.settled("i").has_value(); }));
  CHECK(b.plant.totals.keys_used == 2);
  CHECK(recorded(b).code == service_code::cryptography);
  CHECK(lines_of(b, audit_event::use_limited).empty());
}
