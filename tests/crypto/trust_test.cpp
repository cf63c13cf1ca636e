// The gate of recipients: who may receive a secret, and who is refused in which field.
#include "crypto/trust.hpp"

#include "crypto/digest.hpp"
#include "crypto/name.hpp"
#include "tests/catch.hpp"
#include "tests/crypto/support.hpp"

#include <thread>

using namespace pfx;
using namespace pfx::crypto;
using namespace pfx::crypto::test;

namespace {

using match = recipient_policy::device_match;

const ca_identity& device_ca() {
  static const ca_identity ca = make_ca(key_algorithm::ec_p256, "CN=Device CA");
  return ca;
}

recipient_policy policy_of(match how = match::any_of_these, std::size_t cached = 100) {
  recipient_policy out;
  out.roots = {device_ca().cert};
  out.match = how;
  out.cached_certificates_max = cached;
  return out;
}

constexpr key_usages rsa_usage = static_cast<key_usages>(key_usage::key_encipherment);
constexpr key_usages ec_usage = static_cast<key_usages>(key_usage::key_agreement);

certificate rsa_device(const leaf_shape& shape) {
  return make_leaf(device_ca(), shared_key(key_algorithm::rsa2048), shape);
}
certificate ec_device(const leaf_shape& shape) {
  return make_leaf(device_ca(), shared_key(key_algorithm::ec_p256), shape);
}

recipient to(const certificate& cert, key_transport transport) {
  return {"r", cert.der(), transport};
}

error refused(recipient_gate& gate, const recipient& who, std::string_view device = "device-1",
              unix_ms moment = now) {
  const auto out = gate.admit(who, 3, device, moment);
  REQUIRE_FALSE(out);
  INFO(out.error().message);
  CHECK_FALSE(out.error().message.empty());
  return out.error();
}

constexpr const char* certificate_field = "recipients[3].certificate";

} // namespace

TEST_CASE("devices of the trusted root are admitted", "[crypto][trust]") {
  recipient_gate gate(policy_of());
  const auto rsa = rsa_device({"CN=device-1", {}, rsa_usage});
  const auto ec = ec_device({"CN=device-1", {}, ec_usage});
  for (int round = 0; round < 3; ++round) {
    const auto first = gate.admit(to(rsa, key_transport::rsa_oaep_sha256), 0, "device-1", now);
    REQUIRE(first);
    CHECK(first->thumbprint() == rsa.thumbprint());
    CHECK(gate.admit(to(rsa, key_transport::rsa_pkcs1), 0, "device-1", now));
    CHECK(gate.admit(to(ec, key_transport::ecdh), 1, "device-1", now));
  }
  // No key usage at all allows everything (RFC 5280 4.2.1.3).
  CHECK(gate.admit(to(rsa_device({"CN=device-1", {}, 0}), key_transport::rsa_pkcs1), 0, "device-1",
                   now));
}

TEST_CASE("a transport that does not fit the key is refused in its own field", "[crypto][trust]") {
  recipient_gate gate(policy_of());
  const auto rsa = rsa_device({"CN=device-1", {}, rsa_usage});
  const auto ec = ec_device({"CN=device-1", {}, ec_usage});
  for (const auto& who : {to(ec, key_transport::rsa_pkcs1), to(ec, key_transport::rsa_oaep_sha256),
                          to(rsa, key_transport::ecdh), to(rsa, static_cast<key_transport>(0))}) {
    const error what = refused(gate, who);
    CHECK(what.code == errc::policy);
    CHECK(what.field == "recipients[3].keyTransport");
  }
}

TEST_CASE("time is judged at every admission, cached or not", "[crypto][trust]") {
  recipient_gate gate(policy_of());
  const auto cert = rsa_device({"CN=device-1", {}, rsa_usage});
  const recipient who = to(cert, key_transport::rsa_pkcs1);
  CHECK(refused(gate, who, "device-1", cert.not_before() - 1000).field == certificate_field);
  CHECK(refused(gate, who, "device-1", cert.not_after() + 1000).code == errc::policy);
  REQUIRE(gate.admit(who, 0, "device-1", now));
  CHECK(refused(gate, who, "device-1", cert.not_before() - 1000).code == errc::policy);
  CHECK(refused(gate, who, "device-1", cert.not_after() + 1000).field == certificate_field);
  CHECK(gate.admit(who, 0, "device-1", cert.not_after() - 1));
  CHECK_FALSE(gate.admit(who, 0, "device-1", cert.not_after()));
  CHECK(gate.admit(who, 0, "device-1", cert.not_before()));
}

TEST_CASE("the life of the root counts too", "[crypto][trust]") {
  auto root = make_root({"CN=Short root", key_algorithm::ec_p256, now - day, now + day});
  REQUIRE(root);
  recipient_policy policy = policy_of();
  policy.roots = {root->cert};
  recipient_gate gate(std::move(policy));
  const auto cert
    = make_leaf(*root, shared_key(key_algorithm::rsa2048), {"CN=device-1", {}, rsa_usage});
  const recipient who = to(cert, key_transport::rsa_pkcs1);
  REQUIRE(gate.admit(who, 0, "device-1", now));
  CHECK(refused(gate, who, "device-1", now + 2 * day).field == certificate_field);
}

TEST_CASE("certificates that must not receive a secret are refused", "[crypto][trust]") {
  recipient_gate gate(policy_of());
  const auto refuses = [&gate](const certificate& cert, key_transport transport) {
    const error what = refused(gate, to(cert, transport));
    CHECK(what.code == errc::policy);
    CHECK(what.field == certificate_field);
  };
  SECTION("of a foreign root, even one of the same name") {
    const ca_identity foreign = make_ca(key_algorithm::ec_p256, "CN=Device CA");
    refuses(make_leaf(foreign, shared_key(key_algorithm::rsa2048), {"CN=device-1", {}, rsa_usage}),
            key_transport::rsa_pkcs1);
    refuses(make_leaf(make_ca(), shared_key(key_algorithm::ec_p256), {"CN=device-1", {}, ec_usage}),
            key_transport::ecdh);
  }
  SECTION("self-signed") {
    refuses(make_ca(key_algorithm::ec_p256, "CN=device-1").cert, key_transport::ecdh);
  }
  SECTION("the root itself") { refuses(device_ca().cert, key_transport::ecdh); }
  SECTION("a CA by its key usage") {
    refuses(rsa_device(
              {"CN=device-1", {}, bits({key_usage::key_encipherment, key_usage::key_cert_sign})}),
            key_transport::rsa_pkcs1);
  }
  SECTION("without the usage that the transport needs") {
    refuses(rsa_device({"CN=device-1", {}, bits({key_usage::digital_signature})}),
            key_transport::rsa_oaep_sha256);
    refuses(rsa_device({"CN=device-1", {}, bits({key_usage::data_encipherment})}),
            key_transport::rsa_pkcs1);
    refuses(ec_device({"CN=device-1", {}, bits({key_usage::digital_signature})}),
            key_transport::ecdh);
  }
}

TEST_CASE("small keys are refused", "[crypto][trust][cli]") {
  const temporary_folder folder;
  write_file(folder.file("ca.pem"), device_ca().cert.pem());
  write_file(folder.file("ca.key"), device_ca().key.to_pem()->text());
  recipient_gate gate(policy_of());
  for (const char* size : {"512", "1024"}) {
    REQUIRE(openssl({"req", "-new", "-nodes", "-newkey", std::string("rsa:") + size, "-subj",
                     "/CN=device-1", "-out", folder.file("d.csr"), "-keyout", folder.file("d.key")})
              .status
            == 0);
    REQUIRE(openssl({"x509", "-req", "-in", folder.file("d.csr"), "-CA", folder.file("ca.pem"),
                     "-CAkey", folder.file("ca.key"), "-set_serial", "9", "-days", "3000", "-out",
                     folder.file("d.pem")})
              .status
            == 0);
    const auto cert = certificate::from_pem(to_text(read_file(folder.file("d.pem"))));
    REQUIRE(cert);
    const error what
      = refused(gate, to(*cert, key_transport::rsa_pkcs1), "device-1", cert->not_before() + day);
    CHECK(what.code == errc::policy);
    CHECK(what.field == certificate_field);
  }
  recipient_policy strict = policy_of();
  strict.rsa_bits_min = 3072;
  recipient_gate strict_gate(std::move(strict));
  CHECK(
    refused(strict_gate, to(rsa_device({"CN=device-1", {}, rsa_usage}), key_transport::rsa_pkcs1))
      .field
    == certificate_field);
}

TEST_CASE("octets that are no certificate are bad input", "[crypto][trust]") {
  recipient_gate gate(policy_of());
  const bytes good = rsa_device({"CN=device-1", {}, rsa_usage}).der();
  bytes longer = good;
  longer.push_back(0);
  for (const bytes& bad : {bytes(), bytes{0x30}, bytes(100, 0x30), bytes(40'000, 0x30), longer,
                           bytes(good.begin(), good.end() - 1)}) {
    const error what = refused(gate, {"r", bad, key_transport::rsa_pkcs1});
    CHECK(what.code == errc::bad_input);
    CHECK(what.field == certificate_field);
  }
  // Any flipped octet of a good one is refused too, whether it parses or not.
  for (std::size_t i = 0; i < good.size(); i += 7) {
    bytes bad = good;
    bad[i] = static_cast<std::uint8_t>(bad[i] ^ 0x40);
    CHECK(refused(gate, {"r", bad, key_transport::rsa_pkcs1}).field == certificate_field);
  }
}

TEST_CASE("the certificate must name the device, as the rule says", "[crypto][trust]") {
  const std::string id = "5f0c9f2e-8b7d-4c7e-9d55-0f1c2b3a4d5e";
  const auto admits = [&id](match rule, const leaf_shape& shape, std::string_view device) {
    recipient_gate gate(policy_of(rule));
    return bool(gate.admit(to(rsa_device(shape), key_transport::rsa_pkcs1), 0, device, now));
  };
  const leaf_shape by_name{"CN=" + id, {}, rsa_usage};
  const leaf_shape by_host{"CN=x", {{name_type::dns, id + ".devices.example"}}, rsa_usage};
  const leaf_shape by_uri{"CN=x", {{name_type::uri, "urn:uuid:" + id}}, rsa_usage};
  SECTION("rules") {
    CHECK(admits(match::common_name, by_name, id));
    CHECK(admits(match::any_of_these, by_name, id));
    CHECK_FALSE(admits(match::dns_or_uri_san, by_name, id));
    for (const leaf_shape& by_san : {by_host, by_uri}) {
      CHECK(admits(match::dns_or_uri_san, by_san, id));
      CHECK(admits(match::any_of_these, by_san, id));
      CHECK_FALSE(admits(match::common_name, by_san, id));
    }
    CHECK(admits(match::off, {"CN=x", {}, rsa_usage}, id));
  }
  SECTION("case of letters does not matter, everything else does") {
    CHECK(admits(match::common_name, by_name, "5F0C9F2E-8B7D-4C7E-9D55-0F1C2B3A4D5E"));
    for (const std::string& other :
         {std::string(), id + "0", id.substr(1), id + " ", " " + id, "x" + id, std::string("*")}) {
      INFO(other);
      CHECK_FALSE(admits(match::any_of_these, by_name, other));
      CHECK_FALSE(admits(match::any_of_these, by_host, other));
      CHECK_FALSE(admits(match::any_of_these, by_uri, other));
    }
  }
  SECTION("an id inside of something longer is no name") {
    CHECK_FALSE(
      admits(match::any_of_these, {"CN=x", {{name_type::uri, "urn:uuid:0" + id}}, rsa_usage}, id));
    CHECK_FALSE(admits(match::any_of_these,
                       {"CN=x", {{name_type::uri, "urn:uuid:" + id + ":x"}}, rsa_usage}, id));
    CHECK_FALSE(admits(match::any_of_these,
                       {"CN=x", {{name_type::dns, "x" + id + ".example"}}, rsa_usage}, id));
    CHECK_FALSE(admits(match::any_of_these,
                       {"CN=x", {{name_type::dns, "x." + id + ".example"}}, rsa_usage}, id));
    CHECK_FALSE(admits(match::any_of_these,
                       {"CN=x", {{name_type::rfc822, id + "@example.org"}}, rsa_usage}, id));
  }
  SECTION("a certificate that was admitted for one device is not admitted for another") {
    recipient_gate gate(policy_of());
    const recipient who = to(rsa_device(by_name), key_transport::rsa_pkcs1);
    REQUIRE(gate.admit(who, 0, id, now));
    CHECK(refused(gate, who, "device-2").field == certificate_field);
    CHECK(refused(gate, who, "").field == certificate_field);
  }
}

TEST_CASE("without roots nobody is admitted", "[crypto][trust]") {
  recipient_gate gate(recipient_policy{});
  const error what
    = refused(gate, to(rsa_device({"CN=device-1", {}, rsa_usage}), key_transport::rsa_pkcs1));
  CHECK(what.code == errc::policy);
  CHECK(what.field == certificate_field);
}

TEST_CASE("the cache stays right when it is small, or none", "[crypto][trust]") {
  for (const std::size_t size : {0, 1, 2}) {
    recipient_gate gate(policy_of(match::any_of_these, size));
    std::vector<certificate> devices;
    for (int i = 0; i < 4; ++i) {
      devices.push_back(ec_device({"CN=device-" + std::to_string(i), {}, ec_usage}));
    }
    for (int round = 0; round < 3; ++round) {
      for (std::size_t i = 0; i < devices.size(); ++i) {
        const auto admitted
          = gate.admit(to(devices[i], key_transport::ecdh), i, "device-" + std::to_string(i), now);
        REQUIRE(admitted);
        CHECK(admitted->thumbprint() == devices[i].thumbprint());
        CHECK_FALSE(gate.admit(to(devices[i], key_transport::ecdh), i, "device-9", now));
      }
    }
  }
}

TEST_CASE("one gate serves many threads", "[crypto][trust]") {
  recipient_gate gate(policy_of(match::any_of_these, 2));
  std::vector<certificate> devices;
  for (int i = 0; i < 4; ++i)
    devices.push_back(ec_device({"CN=device-1", {}, ec_usage}));
  std::vector<int> admitted(4);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < admitted.size(); ++t) {
    threads.emplace_back([&gate, &devices, &admitted, t] {
      for (std::size_t i = 0; i < 40; ++i) {
        const auto out
          = gate.admit(to(devices[(i + t) % 4], key_transport::ecdh), 0, "device-1", now);
        if (out)
          ++admitted[t];
      }
    });
  }
  for (std::thread& thread : threads)
    thread.join();
  for (const int count : admitted)
    CHECK(count == 40);
}
