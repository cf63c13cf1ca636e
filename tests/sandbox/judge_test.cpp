// The judge finds what was planted, and finds nothing where nothing is.
#include <algorithm>

#include "crypto/cms.hpp"
#include "crypto/random.hpp"
#include "tests/catch.hpp"
#include "tests/sandbox/support.hpp"

using namespace pfx;
using namespace pfx::sandbox;
using namespace pfx::test;

namespace {

judgement judged(const order& what, const request_result& delivered) {
  return judge_result(judge_with(), what, delivered, system_clock().wall());
}

/// The faults of a result that was made with one planted.
std::vector<std::string> found(const order& what, const faults_to_plant& plant) {
  const auto out = judged(what, fulfil(what.request, plant));
  CHECK_FALSE(out.as_expected);
  return out.faults;
}

/// An order with several recipients.
order crowded() {
  const auto orders = book();
  for (std::uint64_t index = 0; index < 1000; ++index) {
    auto one = orders.at(index);
    if (one.request.recipients.size() >= 2) {
      return one;
    }
  }
  throw std::runtime_error("no order has two recipients");
}

} // namespace

TEST_CASE("honest results of all kinds of names and devices have no fault", "[judge]") {
  const auto orders = book({{"create-ec", 0.8}, {"create-ec384", 0.1}, {"create-ec521", 0.1}});
  for (std::uint64_t index = 0; index < 60; ++index) {
    const auto one = orders.at(index);
    CAPTURE(one.request.create.subject);
    const auto out = judged(one, fulfil(one.request));
    CHECK(out.faults == std::vector<std::string>{});
    CHECK(out.as_expected);
    CHECK(out.public_key.size() == 64);
  }
}

TEST_CASE("an honest RSA result has no fault", "[judge]") {
  const auto one = book().of_kind("create-rsa", 3);
  CHECK(judged(one, fulfil(one.request)).faults == std::vector<std::string>{});
}

TEST_CASE("a key that is not the certificate's is found", "[judge]") {
  const auto what = book().at(1);
  const auto other = good(crypto::private_key::generate(what.request.create.key));
  faults_to_plant plant;
  plant.file_key = &other;
  try {
    const auto faults = found(what, plant);
    CHECK(
      (mentions(faults, "not the key of its certificate") || mentions(faults, "does not open")));
  } catch (const std::runtime_error&) {
    SUCCEED("the builder itself refuses such a file");
  }
}

TEST_CASE("a name that was not ordered is found", "[judge]") {
  const auto what = book().at(2);
  faults_to_plant plant;
  SECTION("the subject") {
    plant.names = [](crypto::csr_options& names) { names.subject = "CN=Mallory,O=Example Test"; };
    CHECK(mentions(found(what, plant), "the subject is"));
  }
  SECTION("the subject's order") {
    plant.names = [](crypto::csr_options& names) { names.subject = "O=Example Test,CN=x"; };
    CHECK(mentions(found(what, plant), "the subject is"));
  }
  SECTION("an alternative name too many") {
    plant.names = [](crypto::csr_options& names) {
      names.alternative_names.push_back({name_type::dns, "more.example.test"});
    };
    CHECK(mentions(found(what, plant), "the alternative names are"));
  }
  SECTION("an alternative name too few") {
    plant.names = [](crypto::csr_options& names) { names.alternative_names.pop_back(); };
    CHECK(mentions(found(what, plant), "the alternative names are"));
  }
  SECTION("another value") {
    plant.names = [](crypto::csr_options& names) {
      names.alternative_names.front() = {name_type::upn, "admin@example.test"};
    };
    CHECK(mentions(found(what, plant), "the alternative names are"));
  }
  SECTION("another key usage") {
    plant.names = [](crypto::csr_options& names) {
      names.usages = static_cast<key_usages>(key_usage::non_repudiation);
    };
    CHECK(mentions(found(what, plant), "key usages"));
  }
  SECTION("another extended key usage") {
    plant.names
      = [](crypto::csr_options& names) { names.extended_usages.emplace_back("1.3.6.1.5.5.7.3.1"); };
    CHECK(mentions(found(what, plant), "extended key usages"));
  }
  SECTION("another SID") {
    plant.names
      = [](crypto::csr_options& names) { names.security_identifier = "S-1-5-21-1-2-3-4444"; };
    CHECK(mentions(found(what, plant), "the SID is"));
  }
}

TEST_CASE("another validity is found", "[judge]") {
  const auto what = book().at(4);
  faults_to_plant plant;
  plant.validity = [](validity_period& validity) { validity.value += 3; };
  CHECK(mentions(found(what, plant), "not the ordered validity"));
}

TEST_CASE("a key of another algorithm is found", "[judge]") {
  const auto what = book().at(5);
  const auto other = good(crypto::private_key::generate(key_algorithm::ec_p384));
  faults_to_plant plant;
  plant.key = &other;
  CHECK(mentions(found(what, plant), "not of the ordered algorithm"));
}

TEST_CASE("a certificate of another CA is found", "[judge]") {
  const auto now = system_clock().wall() / 1000 * 1000;
  const auto foreign = good(crypto::make_root(
    {"CN=Issuing,O=Test", key_algorithm::ec_p256, now - 1000, now + 400LL * 86'400'000}));
  faults_to_plant plant;
  plant.issuer = &foreign;
  plant.without_chain = true;
  CHECK(mentions(found(book().at(6), plant), "does not chain"));
}

TEST_CASE("a missing chain and a root in the file are found", "[judge]") {
  const auto what = book().at(7);
  faults_to_plant plant;
  plant.without_chain = true;
  CHECK(mentions(found(what, plant), "does not chain"));
  const auto with_root
    = fulfil(what.request, {}, [&](const pfx_request& request, const bytes& csr) {
        (void)request;
        const auto parsed = good(crypto::parse_csr(csr));
        const auto now = system_clock().wall() / 1000 * 1000;
        crypto::sign_options options{
          parsed.subject,    parsed.public_key,
          parsed.extensions, crypto::random_serial(),
          now - 1000,        crypto::add_validity(now, what.request.create.validity)};
        const auto leaf = good(crypto::sign_certificate(ca().issuing, options));
        return certified{leaf.der(), {ca().issuing.cert.der(), ca().root.der()}};
      });
  CHECK(mentions(judged(what, with_root).faults, "holds the root"));
}

TEST_CASE("parameters that are not the profile's are found", "[judge]") {
  auto what = book().at(8);
  what.request.profile = pfx_profile::modern;
  faults_to_plant plant;
  SECTION("fewer iterations") {
    plant.parameters = [](crypto::pkcs12_options& options) { options.kdf_iterations = 1000; };
    CHECK(mentions(found(what, plant), "iterations"));
  }
  SECTION("a short salt") {
    plant.parameters = [](crypto::pkcs12_options& options) { options.kdf_salt_bytes = 8; };
    CHECK(mentions(found(what, plant), "the KDF salt"));
  }
  SECTION("a short MAC salt") {
    plant.parameters = [](crypto::pkcs12_options& options) { options.mac_salt_bytes = 8; };
    CHECK(mentions(found(what, plant), "the MAC salt"));
  }
  SECTION("the old MAC") {
    plant.parameters = [](crypto::pkcs12_options& options) { options.mac_sha1 = true; };
    CHECK(mentions(found(what, plant), "the MAC digest"));
  }
}

TEST_CASE("a password of another form is found", "[judge]") {
  const auto what = book().at(9);
  faults_to_plant plant;
  plant.password = "short";
  CHECK(mentions(found(what, plant), "the password has characters"));
  CHECK(check_password("0123456789abcdefghijABCDEFGHIJxy").empty());
  CHECK_FALSE(check_password("0123456789abcdefghijABCDEFGHIJx").empty());
  CHECK_FALSE(check_password("0123456789abcdefghijABCDEFGHIJx-").empty());
  CHECK_FALSE(check_password("").empty());
}

TEST_CASE("every recipient must be able to open the password", "[judge]") {
  const auto what = crowded();
  faults_to_plant plant;
  SECTION("one is missing") {
    plant.document = [](request_result& out) { out.deliveries.pop_back(); };
    CHECK(mentions(found(what, plant), "is missing among the deliveries"));
  }
  SECTION("one got another's") {
    plant.document = [](request_result& out) {
      out.deliveries.back().encrypted_password = out.deliveries.front().encrypted_password;
    };
    CHECK(mentions(found(what, plant), "cannot open its password"));
  }
  SECTION("one got another password") {
    plant.document = [&](request_result& out) {
      const auto& last = what.request.recipients.back();
      const auto recipient = good(crypto::certificate::from_der(last.certificate));
      const auto other = crypto::random_password();
      out.deliveries.back().encrypted_password
        = good(crypto::encrypt_to(recipient, last.transport, other.view()));
    };
    CHECK(mentions(found(what, plant), "another password"));
  }
  SECTION("a stranger got it too") {
    plant.document = [](request_result& out) {
      out.deliveries.push_back({"stranger", out.deliveries.front().encrypted_password});
    };
    CHECK(mentions(found(what, plant), "was not asked for"));
  }
  SECTION("one got it twice") {
    plant.document = [](request_result& out) { out.deliveries.push_back(out.deliveries.front()); };
    CHECK(mentions(found(what, plant), "delivered to twice"));
  }
  SECTION("nobody") {
    plant.document = [](request_result& out) { out.deliveries.clear(); };
    CHECK(mentions(found(what, plant), "no recipient can open"));
  }
}

TEST_CASE("a document that contradicts its file is found", "[judge]") {
  const auto what = book().at(10);
  faults_to_plant plant;
  SECTION("no certificate") {
    plant.document = [](request_result& out) { out.certificate.reset(); };
    CHECK(mentions(found(what, plant), "has no certificate"));
  }
  SECTION("another thumbprint") {
    plant.document = [](request_result& out) { out.certificate->thumbprint.octets[0] ^= 1; };
    CHECK(mentions(found(what, plant), "thumbprint is wrong"));
  }
  SECTION("another serial") {
    plant.document = [](request_result& out) { out.certificate->serial_number = "00"; };
    CHECK(mentions(found(what, plant), "serial is wrong"));
  }
  SECTION("another issuer") {
    plant.document = [](request_result& out) { out.certificate->issuer = "CN=Nobody"; };
    CHECK(mentions(found(what, plant), "issuer is wrong"));
  }
  SECTION("another certificate") {
    const auto other = fulfil(what.request);
    plant.document = [&](request_result& out) { out.certificate = other.certificate; };
    CHECK(mentions(found(what, plant), "is not the PFX's"));
  }
  SECTION("a file cut short") {
    plant.document = [](request_result& out) { out.encrypted_pfx.resize(100); };
    CHECK(mentions(found(what, plant), "does not open"));
  }
}

TEST_CASE("a file without a friendly name is found", "[judge]") {
  faults_to_plant plant;
  plant.without_friendly_name = true;
  try {
    CHECK(mentions(found(book().at(11), plant), "friendlyName"));
  } catch (const std::runtime_error&) {
    SUCCEED("the builder itself refuses such a file");
  }
}

TEST_CASE("failures are judged by code and by the field they name", "[judge]") {
  const auto bad = book().of_kind("bad:cn-200", 1);
  const auto good_one = book().at(12);
  const auto right = fail_with(service_code::parameter_invalid, "certificate.subject: is too long");
  CHECK(judged(bad, right).as_expected);
  CHECK(mentions(judged(bad, fail_with(service_code::cryptography, "subject: x")).faults,
                 "another code"));
  CHECK(mentions(judged(bad, fail_with(service_code::parameter_invalid, "went wrong")).faults,
                 "does not name"));
  CHECK_FALSE(judged(bad, fail_with(service_code::parameter_invalid, "")).as_expected);
  auto retryable = right;
  retryable.retryable = true;
  CHECK(mentions(judged(bad, retryable).faults, "retryable"));
  CHECK(mentions(judged(good_one, right).faults, "a good request failed"));
  CHECK(mentions(judged(bad, fulfil(good_one.request)).faults, "a bad request was fulfilled"));
}

TEST_CASE("octets that are no certificate are not read", "[judge][reading]") {
  const auto der = devices().devices().front().keys.front().certificate.der();
  REQUIRE(read_certificate(der));
  for (std::size_t size = 0; size < der.size(); size += 7) {
    CHECK_FALSE(read_certificate(byte_view(der).first(size)));
  }
  auto trailing = der;
  trailing.push_back(0);
  CHECK_FALSE(read_certificate(trailing));
  // Whatever one octet becomes, reading it ends.
  for (std::size_t at = 0; at < der.size(); ++at) {
    auto damaged = der;
    damaged[at] ^= 0xff;
    (void)read_certificate(damaged);
  }
}
