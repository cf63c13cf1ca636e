// The judge of imports finds what was planted, and finds nothing where nothing is.
#include <algorithm>
#include <set>

#include "crypto/random.hpp"
#include "crypto/rsa_decrypt.hpp"
#include "sandbox/profile_check.hpp"
#include "sandbox/sandbox.hpp"
#include "tests/catch.hpp"
#include "tests/sandbox/support.hpp"

using namespace pfx;
using namespace pfx::sandbox;
using namespace pfx::test;

namespace {

judgement judged(const order& what, const request_result& delivered) {
  return judge_result(judge_with(), what, delivered, system_clock().wall());
}

std::vector<std::string> found(const order& what, const import_faults& plant) {
  const auto out = judged(what, fulfil_import(what.request, plant));
  CHECK_FALSE(out.as_expected);
  return out.faults;
}

/// The first import of that profile; a fast one.
order import_in(pfx_profile profile, const std::string& file = {}) {
  for (std::uint64_t index = 0; index < 1000; ++index) {
    auto one = book().of_kind("import", index);
    const bool fits
      = file.empty() ? one.brought.file->weight >= 20 : one.brought.file->name == file;
    if (one.request.profile == profile && fits) {
      return import_of("import", index);
    }
  }
  throw std::runtime_error("no import has this profile");
}

} // namespace

TEST_CASE("honest imports of all profiles have no fault", "[judge][import]") {
  std::set<pfx_profile> profiles;
  for (std::uint64_t index = 0; index < 40; ++index) {
    if (book().of_kind("import", index).brought.file->weight < 20) {
      continue; // two million iterations prove nothing more
    }
    const auto one = import_of("import", index);
    CAPTURE(index, std::string(one.brought.file->name));
    profiles.insert(one.request.profile);
    const auto out = judged(one, fulfil_import(one.request));
    CHECK(out.faults == std::vector<std::string>{});
    CHECK(out.as_expected);
    CHECK(out.public_key.empty()); // its key is not new: it may come again
  }
  CHECK(profiles.size() == 4);
}

TEST_CASE("a file that was swapped is found", "[judge][import]") {
  const auto* other = file_named("openssl-rsa4096.p12");
  import_faults plant;
  plant.request = [&](pfx_request& asked) {
    const auto password = secret_bytes(other->password);
    asked.import.encrypted_pfx = to_bytes(other->octets);
    asked.import.thumbprint = other->sha1;
    asked.import.padding_scheme = "oaepSha256";
    asked.import.encrypted_password = good(crypto::rsa_encrypt(
      importer().announced.public_key, crypto::rsa_padding::oaep_sha256, password.view()));
  };
  CHECK(mentions(found(import_in(pfx_profile::unchanged, "openssl-rsa2048.p12"), plant),
                 "not the one that was imported"));
  const auto faults = found(import_in(pfx_profile::modern, "openssl-rsa2048.p12"), plant);
  CHECK(mentions(faults, "the certificate is not that of openssl-rsa2048.p12"));
  CHECK(mentions(faults, "the key is not that of"));
}

TEST_CASE("the other entry of a file of two is not the one that was asked for", "[judge][import]") {
  const auto what = import_in(pfx_profile::compatible, "java-two-entries.p12");
  import_faults plant;
  plant.request = [&](pfx_request& asked) {
    for (const auto& row : foreign_files()) {
      if (row.name == what.brought.file->name && row.sha1 != what.brought.file->sha1) {
        asked.import.thumbprint = row.sha1;
      }
    }
  };
  CHECK(mentions(found(what, plant), "the certificate is not that of java-two-entries.p12"));
}

TEST_CASE("one changed octet of an unchanged file is found", "[judge][import]") {
  const auto what = import_in(pfx_profile::unchanged);
  import_faults plant;
  plant.document = [](request_result& out) { out.encrypted_pfx.back() ^= 0x01; };
  CHECK(mentions(found(what, plant), "not the one that was imported"));
}

TEST_CASE("a password that is not the file's is found", "[judge][import]") {
  import_faults plant;
  plant.password = "wrong";
  CHECK(mentions(found(import_in(pfx_profile::unchanged), plant), "the password is not"));
  CHECK(mentions(found(import_in(pfx_profile::modern), plant), "does not open"));
  plant.password = std::string(crypto::random_password().text());
  CHECK(mentions(found(import_in(pfx_profile::legacy), plant), "does not open"));
}

TEST_CASE("another profile than the one asked for is found", "[judge][import]") {
  import_faults plant;
  SECTION("rewritten though it was to stay") {
    plant.profile = [](pfx_profile& profile) { profile = pfx_profile::modern; };
    CHECK(mentions(found(import_in(pfx_profile::unchanged), plant), "not the one that was"));
  }
  SECTION("left though it was to be rewritten") {
    plant.profile = [](pfx_profile& profile) { profile = pfx_profile::unchanged; };
    CHECK_FALSE(found(import_in(pfx_profile::modern, "openssl-ec256.p12"), plant).empty());
  }
  SECTION("each of the three is told from the others") {
    for (const auto asked : {pfx_profile::modern, pfx_profile::compatible, pfx_profile::legacy}) {
      for (const auto written :
           {pfx_profile::modern, pfx_profile::compatible, pfx_profile::legacy}) {
        const auto what = import_in(asked);
        plant.profile = [&](pfx_profile& profile) { profile = written; };
        const auto out = judged(what, fulfil_import(what.request, plant));
        CAPTURE(std::string(name_of(asked)), std::string(name_of(written)));
        CHECK(out.faults.empty() == (asked == written));
      }
    }
  }
}

TEST_CASE("a certificate in the document of an import is found", "[judge][import]") {
  import_faults plant;
  plant.document = [](request_result& out) { out.certificate = delivered_certificate{}; };
  CHECK(mentions(found(import_in(pfx_profile::unchanged), plant), "has a certificate"));
}

TEST_CASE("a recipient that is missing or strange is found in imports too", "[judge][import]") {
  const auto what = import_in(pfx_profile::unchanged);
  import_faults plant;
  plant.document = [](request_result& out) { out.deliveries.clear(); };
  CHECK(mentions(found(what, plant), "is missing"));
  plant.document = [](request_result& out) { out.deliveries.front().recipient_id = "mallory"; };
  CHECK(mentions(found(what, plant), "was not asked for"));
}

TEST_CASE("failures of imports are judged by code, field and finality", "[judge][import]") {
  const auto bad = import_of("bad:import-ciphertext-random", 1);
  const auto right
    = fail_with(service_code::cryptography, "crypto: encryptedPfxPassword: does not open the PFX");
  CHECK(judged(bad, right).as_expected);
  CHECK_FALSE(judged(bad, fail_with(service_code::parameter_invalid, right.message)).as_expected);
  CHECK_FALSE(judged(bad, fail_with(service_code::cryptography, "paddingScheme")).as_expected);
  auto retryable = right;
  retryable.retryable = true;
  CHECK_FALSE(judged(bad, retryable).as_expected);
  const auto unknown = import_of("bad:import-key-unknown", 1);
  retryable = fail_with(service_code::certificate_not_found, "not_found: keyName: no such key");
  CHECK(judged(unknown, retryable).as_expected);
  retryable.retryable = true; // another connector may have it
  CHECK(judged(unknown, retryable).as_expected);
  const auto honest = import_in(pfx_profile::unchanged);
  CHECK(mentions(judged(honest, right).faults, "a good request failed"));
  CHECK(mentions(judged(bad, fulfil_import(honest.request)).faults, "a bad request was fulfilled"));
}

TEST_CASE("created files are judged by their profile", "[judge]") {
  std::set<pfx_profile> profiles;
  for (std::uint64_t index = 0; index < 24; ++index) {
    const auto one = book().at(index);
    profiles.insert(one.request.profile);
    CHECK(judged(one, fulfil(one.request)).faults == std::vector<std::string>{});
    auto other = one;
    other.request.profile
      = one.request.profile == pfx_profile::legacy ? pfx_profile::compatible : pfx_profile::legacy;
    CHECK(mentions(judged(other, fulfil(one.request)).faults, "in a file of profile"));
  }
  CHECK(profiles.size() == 3);
}
