// Imports through the whole line: what devices get, what is refused with which words, what the
// audit says.
#include <fstream>
#include <iterator>

#include "actors/tasks/use_limits.hpp"
#include "connect/service/codec.hpp"
#include "crypto/cms.hpp"
#include "crypto/digest.hpp"
#include "crypto/pfx_file.hpp"
#include "crypto/pkcs12.hpp"
#include "tests/actors/import_support.hpp"
#include "tests/catch.hpp"

using namespace pfx;
using namespace pfx::test;

namespace {

request_result end_of(bench& b, const std::string& context = "i") {
  b.start();
  REQUIRE(b.advance_until([&] { return b.settled(context).has_value(); }));
  return connect::service::decode_result_document(b.service.requests[context].document).value();
}

std::string delivered_password(const bench& b, const request_result& from) {
  REQUIRE(from.deliveries.size() == 1);
  auto opened = crypto::decrypt_with(b.device.certificate, b.device.key,
                                     from.deliveries[0].encrypted_password);
  REQUIRE(opened.has_value());
  return std::string(opened->text());
}

std::size_t uses_in(const bench& b, std::uint16_t event) {
  std::size_t out = 0;
  for (const auto& line : b.audit()) {
    out += line.event == event ? 1 : 0;
  }
  return out;
}

request_result refusal_of(const std::function<void(bench&, pfx_request&)>& spoil) {
  bench b;
  make_key(b);
  auto request = sample(b);
  spoil(b, request);
  b.service.offer(request);
  auto out = end_of(b);
  CHECK_FALSE(out.succeeded);
  CHECK(out.encrypted_pfx.empty());
  CHECK(out.deliveries.empty());
  return out;
}

} // namespace

TEST_CASE("an imported file goes to the device as it came, with its password", "[actors][import]") {
  bench b;
  make_key(b);
  b.service.offer(sample(b));
  const auto got = end_of(b);
  REQUIRE(got.succeeded);
  CHECK(got.encrypted_pfx == windows_file());
  CHECK(delivered_password(b, got) == "TestCert");
  CHECK_FALSE(got.certificate);
  CHECK(b.settled("i")->outcome == settled_as::delivered);
  CHECK(b.admin_events() == std::vector<std::uint16_t>{2000});
  CHECK(b.ca->submits + b.ca->finds == 0);
  CHECK(b.plant.totals.keys_used == 1);
  CHECK(uses_in(b, actors::tasks::audit_event::key_used) == 1);
  SECTION("and is never opened again, however often it is handed out") {
    b.service.hand_out_again.insert("i");
    b.advance(5'000);
    CHECK(b.service.reacknowledged == 1);
    CHECK(b.plant.totals.keys_used == 1);
  }
}

TEST_CASE("a password that had to be read as Latin-1 goes on as it came, and is told",
          "[actors][import]") {
  bench b;
  make_key(b);
  const auto thumbprint = to_hex(crypto::sha1(b.device.certificate.der()));
  b.service.offer(b.import("i", file_with(b, 6'000, "caf\xc3\xa9"), "caf\xe9", thumbprint));
  const auto got = end_of(b);
  REQUIRE(got.succeeded);
  CHECK(delivered_password(b, got) == "caf\xe9");
  int told = 0;
  for (const auto& line : b.audit()) {
    told += line.event == actors::tasks::audit_event::key_used
        && line.text.find(": opened with its password read as Latin-1; ") != std::string::npos
      ? 1
      : 0;
  }
  CHECK(told == 1);
}

TEST_CASE("an imported file is written anew in the profile that was asked for",
          "[actors][import]") {
  const auto profile = GENERATE(pfx_profile::modern, pfx_profile::compatible, pfx_profile::legacy);
  bench b;
  make_key(b);
  auto request = sample(b);
  request.profile = profile;
  b.service.offer(request);
  const auto got = end_of(b);
  REQUIRE(got.succeeded);
  CHECK(got.encrypted_pfx != windows_file());
  const auto password = delivered_password(b, got);
  CHECK(password.size() == 32);
  const auto opened = crypto::read_pkcs12(got.encrypted_pfx, secret_bytes(as_bytes(password)));
  REQUIRE(opened.has_value());
  CHECK(to_hex(crypto::sha1(opened->leaf.der())) == windows_thumbprint);
  CHECK(opened->leaf.matches(opened->key));
}

TEST_CASE("whatever is wrong with the encrypted password, the answer is one", "[actors][import]") {
  const auto said = [](const std::function<void(bench&, pfx_request&)>& spoil) {
    const auto got = refusal_of(spoil);
    CHECK(got.code == service_code::cryptography);
    return got.message;
  };
  const auto wrong_password
    = said([](bench& b, pfx_request& r) { r.import.encrypted_password = b.encrypted("wrong"); });
  CHECK(wrong_password == "encryptedPfxPassword: does not open the PFX");
  CHECK(said([](bench&, pfx_request& r) { r.import.encrypted_password.assign(256, 0x5a); })
        == wrong_password);
  CHECK(said([](bench&, pfx_request& r) { r.import.encrypted_password.resize(255); })
        == wrong_password);
  CHECK(said([](bench&, pfx_request& r) { r.import.encrypted_password.back() ^= 1; })
        == wrong_password);
  CHECK(said([](bench&, pfx_request& r) { r.import.padding_scheme = "oaepSha512"; })
        == wrong_password);
}

TEST_CASE("the audit knows what really was wrong, and the service does not", "[actors][import]") {
  bench b;
  make_key(b);
  auto request = sample(b);
  request.import.encrypted_password.back() ^= 1;
  b.service.offer(request);
  const auto got = end_of(b);
  CHECK(got.message.find("ciphertext") == std::string::npos);
  bool told = false;
  for (const auto& line : b.audit()) {
    told = told
      || (line.event == actors::tasks::audit_event::key_used && line.context == "i"
          && line.text.find("the ciphertext is bad") != std::string::npos);
  }
  CHECK(told);
}

TEST_CASE("what is wrong with the order is said by its field, and no key is used for it",
          "[actors][import]") {
  const auto field = [](const std::function<void(bench&, pfx_request&)>& spoil) {
    std::size_t used = 1;
    const auto got = refusal_of([&](bench& b, pfx_request& r) {
      spoil(b, r);
      b.plant.tell = [&used, &b](const actors::tasks::report&) { used = b.plant.totals.keys_used; };
    });
    CHECK(used == 0);
    return got.message.substr(0, got.message.find(':'));
  };
  CHECK(field([](bench&, pfx_request& r) { r.import.padding_scheme = "oaepSha1"; })
        == "paddingScheme");
  CHECK(field([](bench&, pfx_request& r) { r.import.padding_scheme = "none"; }) == "paddingScheme");
  CHECK(field([](bench&, pfx_request& r) { r.import.padding_scheme = "pkcs1"; })
        == "paddingScheme");
  CHECK(field([](bench&, pfx_request& r) { r.import.key_name = "another"; }) == "keyName");
  CHECK(field([](bench&, pfx_request& r) { r.import.provider_name = "another"; }) == "keyName");
  CHECK(field([](bench&, pfx_request& r) { r.import.thumbprint = "xyz"; }) == "thumbprint");
  CHECK(field([](bench&, pfx_request& r) {
          r.import.encrypted_pfx = {1, 2, 3};
        })
        == "encryptedPfxBlob");
}

TEST_CASE("a certificate that is not in the file is refused", "[actors][import]") {
  const auto got
    = refusal_of([](bench&, pfx_request& r) { r.import.thumbprint = std::string(40, 'a'); });
  CHECK(got.code == service_code::parameter_invalid);
  CHECK(got.message.substr(0, 10) == "thumbprint");
}

TEST_CASE("a service that names its own certificate gets nothing, and it is audited",
          "[actors][import]") {
  bench b;
  make_key(b);
  auto request = sample(b);
  const auto own = crypto::make_root({.subject = "CN=device-1",
                                      .key = key_algorithm::ec_p256,
                                      .not_before = b.time.wall() - 1'000'000,
                                      .not_after = b.time.wall() + 1'000'000'000});
  request.recipients = {{"r1", own->cert.der(), key_transport::ecdh}};
  b.service.offer(request);
  const auto got = end_of(b);
  CHECK_FALSE(got.succeeded);
  CHECK(got.message.substr(0, 10) == "recipients");
  CHECK(b.plant.totals.keys_used == 0);
  CHECK(uses_in(b, actors::tasks::audit_event::recipient_refused) == 1);
  CHECK(uses_in(b, actors::tasks::audit_event::key_used) == 0);
}

TEST_CASE("a key is used for one certificate only so often in an hour", "[actors][import]") {
  bench b;
  make_key(b);
  actors::tasks::use_limits uses(3, 100);
  b.plant.uses = &uses;
  for (int i = 0; i < 5; ++i) {
    b.service.offer(sample(b, "i" + std::to_string(i)));
  }
  b.start();
  REQUIRE(b.advance_until([&] { return b.service.all_recorded(); }));
  int delivered = 0;
  int limited = 0;
  for (const auto& [context, kept] : b.service.requests) {
    const auto got = connect::service::decode_result_document(kept.document).value();
    delivered += got.succeeded ? 1 : 0;
    limited += got.code == service_code::service_too_busy && got.retryable ? 1 : 0;
  }
  CHECK(delivered == 3);
  CHECK(limited == 2);
  CHECK(uses_in(b, actors::tasks::audit_event::use_limited) == 2);
}

TEST_CASE("a file without a MAC is refused before a key is used", "[actors][import]") {
  const auto got = refusal_of([](bench&, pfx_request& r) {
    std::ifstream in(std::string(PFX_SOURCE_DIR) + "/sandbox/data/pfx/openssl-no-mac.p12",
                     std::ios::binary);
    r.import.encrypted_pfx.assign(std::istreambuf_iterator<char>(in), {});
  });
  CHECK(got.message.starts_with("encryptedPfxBlob: has no MAC"));
}

TEST_CASE("connector keys are announced, and again when they change", "[actors][import]") {
  bench b;
  b.start();
  b.advance(2'000);
  CHECK(b.service.announced.empty());
  make_key(b);
  b.advance(40'000);
  REQUIRE(b.service.announced.size() == 1);
  CHECK(b.service.announced[0].size() == 1);
  CHECK(b.service.announced[0][0].key_name == "key");
  b.advance(80'000);
  CHECK(b.service.announced.size() == 1);
  make_key(b, "second");
  b.advance(40'000);
  REQUIRE(b.service.announced.size() == 2);
  CHECK(b.service.announced[1].size() == 2);
}

TEST_CASE("a crash after any turn of an actor delivers one import all the same",
          "[actors][import]") {
  std::set<record_state> seen;
  for (std::size_t turns = 1; turns < 44; ++turns) {
    bench b;
    make_key(b);
    b.service.offer(sample(b));
    b.start(turns);
    if (const auto open = b.open_record("i")) {
      seen.insert(open->state);
    }
    b.crash();
    b.time.now += 1'000;
    b.start();
    REQUIRE(b.advance_until([&] { return b.settled("i").has_value(); }, 200'000));
    CHECK(b.settled("i")->outcome == settled_as::delivered);
    const auto& sent = b.service.requests.at("i").digests_seen;
    CHECK(std::set<digest>(sent.begin(), sent.end()).size() == 1);
    // Whoever was told something has its line in the audit.
    CHECK(uses_in(b, actors::tasks::audit_event::key_used) >= 1);
    CHECK(uses_in(b, actors::tasks::audit_event::key_used) <= 2);
  }
  CHECK(seen.contains(record_state::received));
  CHECK(seen.contains(record_state::working));
  CHECK(seen.contains(record_state::prepared));
}

TEST_CASE("a result that somebody else's connector delivered first supersedes ours",
          "[actors][import]") {
  bench b;
  make_key(b);
  b.service.offer(sample(b));
  b.service.on_upload = [&b](const connect::service::upload_entry& entry) {
    auto& kept = b.service.requests.at(entry.context);
    if (!kept.stands) {
      kept.stands = connect::service::recorded{};
      kept.stands->succeeded = true;
      kept.stands->result_digest = crypto::sha256(as_bytes(std::string_view("theirs")));
    }
  };
  b.start();
  REQUIRE(b.advance_until([&] { return b.settled("i").has_value(); }));
  CHECK(b.settled("i")->outcome == settled_as::superseded);
  CHECK(b.admin_events() == std::vector<std::uint16_t>{2004});
  CHECK(b.ca->revocations == 0);
}
