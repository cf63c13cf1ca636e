// Certificates of others: parsed or refused, never a crash; chains.
#include "crypto/certificate.hpp"

#include "crypto/chain.hpp"
#include "crypto/digest.hpp"
#include "crypto/issue.hpp"
#include "crypto/name.hpp"
#include "crypto/openssl.hpp"
#include "tests/catch.hpp"
#include "tests/crypto/support.hpp"

#include <filesystem>
#include <set>
#include <thread>

using namespace pfx;
using namespace pfx::crypto;
using namespace pfx::crypto::test;

namespace {

/// Calls everything that a certificate can be asked.
std::size_t ask_all(const certificate& cert) {
  std::size_t sum = cert.pem().size() + cert.serial().size() + cert.issuer().size()
    + cert.subject().size() + cert.common_name().size();
  sum += static_cast<std::size_t>(cert.is_ca()) + static_cast<std::size_t>(cert.is_rsa());
  sum += static_cast<std::size_t>(cert.is_ec()) + static_cast<std::size_t>(cert.key_bits());
  sum += cert.usages() + cert.extended_usages().size() + cert.alternative_names().size();
  sum += cert.security_identifier().size() + static_cast<std::size_t>(cert.issued_by(cert));
  sum += static_cast<std::size_t>(cert.matches(shared_key(key_algorithm::ec_p256)));
  return sum;
}

std::vector<certificate> corpus() {
  std::vector<certificate> out;
  for (const auto& entry : std::filesystem::directory_iterator(data_file("x509-pyca/custom"))) {
    const bytes content = read_file(entry.path().string());
    auto cert = entry.path().extension() == ".der" ? certificate::from_der(content)
                                                   : certificate::from_pem(to_text(content));
    INFO(entry.path().filename().string());
    if (cert) {
      out.push_back(std::move(*cert));
    } else {
      CHECK(cert.error().field == "certificate");
    }
  }
  return out;
}

/// A CA below `root`; without `is_ca` one that only its key usage makes an issuer.
ca_identity make_middle(const ca_identity& root, bool is_ca, const char* subject = "CN=Middle") {
  auto key = private_key::generate(key_algorithm::ec_p256);
  REQUIRE(key);
  sign_options options;
  options.subject = name_from_text(subject).value();
  options.public_key = key->public_key().value();
  options.serial = unhex("07");
  options.not_before = now - 10 * day;
  options.not_after = now + 100 * day;
  options.add_standard_extensions = false;
  // basicConstraints CA:TRUE critical, keyUsage keyCertSign critical; or keyUsage keyCertSign only
  options.extensions = is_ca ? unhex("3021300f0603551d130101ff040530030101ff"
                                     "300e0603551d0f0101ff040403020204")
                             : unhex("3010300e0603551d0f0101ff040403020204");
  auto cert = sign_certificate(root, options);
  INFO((cert ? std::string() : to_string(cert.error())));
  REQUIRE(cert);
  return {std::move(*cert), std::move(*key)};
}

} // namespace

TEST_CASE("certificates of others answer every question without falling over",
          "[crypto][certificate][corpus]") {
  const ca_identity root = make_ca();
  const auto all = corpus();
  CHECK(all.size() > 40);
  for (const certificate& cert : all) {
    CHECK(ask_all(cert) > 0);
    CHECK(cert.thumbprint() == sha256(cert.der()));
    CHECK_FALSE(verify_chain(cert, {}, {root.cert}, now));
  }
}

TEST_CASE("flipped octets in certificates are refused or answered", "[crypto][certificate]") {
  const ca_identity ca = make_ca();
  const auto good = make_leaf(ca, shared_key(key_algorithm::ec_p256),
                              {"CN=flip", {{name_type::upn, "a@b"}, {name_type::ip, "::1"}}, 1});
  std::size_t parsed = 0;
  for (std::size_t i = 0; i < good.der().size(); ++i) {
    for (const int flip : {0x01, 0x80}) {
      bytes bad = good.der();
      bad[i] = static_cast<std::uint8_t>(bad[i] ^ flip);
      const auto cert = certificate::from_der(bad);
      if (!cert)
        continue;
      ++parsed;
      CHECK(ask_all(*cert) > 0);
      // Whatever was flipped, the signature no longer holds.
      CHECK_FALSE(cert->issued_by(ca.cert));
    }
  }
  CHECK(parsed > 0);
}

TEST_CASE("known octets are the same certificate", "[crypto][certificate][corpus]") {
  const auto same = [](const certificate& left, const certificate& right) {
    return left.der() == right.der() && left.thumbprint() == right.thumbprint()
      && left.public_key_hash() == right.public_key_hash() && left.serial() == right.serial()
      && left.issuer() == right.issuer() && left.subject() == right.subject()
      && left.common_name() == right.common_name() && left.not_before() == right.not_before()
      && left.not_after() == right.not_after() && ask_all(left) == ask_all(right);
  };
  for (const certificate& cert : corpus()) {
    const auto again = certificate::from_known_der(cert.der());
    REQUIRE(again);
    CHECK(same(*again, cert));
  }
  const bytes good = make_ca().cert.der();
  for (std::size_t size = 0; size < good.size(); size += 7) {
    CHECK_FALSE(certificate::from_known_der(byte_view(good).first(size)));
  }
  CHECK(certificate::from_known_der(bytes(40'000, 0x30)).error().code == errc::too_large);
}

TEST_CASE("octets that are not one certificate are refused", "[crypto][certificate]") {
  const bytes good = make_ca().cert.der();
  bytes longer = good;
  longer.push_back(0);
  CHECK(certificate::from_der(longer).error().code == errc::bad_input);
  CHECK(certificate::from_der({}).error().code == errc::bad_input);
  CHECK(certificate::from_der(bytes(40'000, 0x30)).error().code == errc::too_large);
  for (std::size_t size = 1; size < good.size(); size += 7) {
    CHECK_FALSE(certificate::from_der(byte_view(good).first(size)));
  }
}

TEST_CASE("PEM bundles are read whole, other blocks are skipped", "[crypto][certificate]") {
  const ca_identity one = make_ca();
  const ca_identity two = make_ca();
  const auto key_pem = one.key.to_pem();
  REQUIRE(key_pem);
  const std::string text
    = "a comment\n" + one.cert.pem() + std::string(key_pem->text()) + "\n" + two.cert.pem();
  const auto all = certificate::all_from_pem(text);
  REQUIRE(all);
  REQUIRE(all->size() == 2);
  CHECK((*all)[0].der() == one.cert.der());
  CHECK((*all)[1].der() == two.cert.der());
  CHECK(certificate::from_pem(text)->der() == one.cert.der());
}

TEST_CASE("PEM texts without a certificate are refused", "[crypto][certificate]") {
  const std::string good = make_ca().cert.pem();
  CHECK_FALSE(certificate::from_pem(""));
  CHECK_FALSE(certificate::all_from_pem(""));
  CHECK_FALSE(certificate::all_from_pem("no PEM"));
  CHECK_FALSE(certificate::from_pem(good.substr(0, good.size() / 2)));
  CHECK_FALSE(certificate::from_pem("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"));
  CHECK_FALSE(
    certificate::from_pem("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"));
  // A good one before a broken one does not hide the broken one.
  CHECK_FALSE(certificate::all_from_pem(good + good.substr(0, good.size() - 40)));
}

TEST_CASE("serial numbers are written as people compare them", "[crypto][certificate]") {
  const ca_identity ca = make_ca();
  const auto serial_of = [&ca](const char* octets) {
    sign_options options;
    options.subject = detail::access::subject_der(ca.cert);
    options.public_key = shared_key(key_algorithm::ec_p256).public_key().value();
    options.serial = unhex(octets);
    options.not_before = now;
    options.not_after = now + day;
    return sign_certificate(ca, options)->serial();
  };
  CHECK(serial_of("01") == "1");
  CHECK(serial_of("0a0b") == "a0b");
  CHECK(serial_of("00ff") == "ff");
  CHECK(serial_of("ff") == "ff");
  CHECK(serial_of("7fffffffffffffffffffffffffffffffffffffff")
        == "7fffffffffffffffffffffffffffffffffffffff");
}

TEST_CASE("matches tells a key from all others", "[crypto][certificate]") {
  const auto cert = make_leaf(make_ca(), shared_key(key_algorithm::ec_p256), {});
  CHECK(cert.matches(shared_key(key_algorithm::ec_p256)));
  CHECK_FALSE(cert.matches(shared_key(key_algorithm::ec_p384)));
  CHECK_FALSE(cert.matches(shared_key(key_algorithm::rsa2048)));
  CHECK_FALSE(cert.matches(*private_key::generate(key_algorithm::ec_p256)));
}

TEST_CASE("chains are verified from the leaf to a root at a moment",
          "[crypto][certificate][chain]") {
  const ca_identity root = make_ca();
  const ca_identity middle = make_middle(root, true);
  const auto leaf = make_leaf(middle, shared_key(key_algorithm::ec_p256),
                              {"CN=leaf", {}, 0, now - 20 * day, now + 50 * day});
  CHECK(verify_chain(leaf, {middle.cert}, {root.cert}, now));
  CHECK(verify_chain(leaf, {root.cert, middle.cert}, {root.cert}, now));
  CHECK(verify_chain(middle.cert, {}, {root.cert}, now));
  CHECK(verify_chain(leaf, {middle.cert}, {root.cert}, leaf.not_after() - 1000));

  const auto code_of = [](const result<void>& out) {
    REQUIRE_FALSE(out);
    INFO(out.error().message);
    CHECK_FALSE(out.error().message.empty());
    return out.error().code;
  };
  CHECK(code_of(verify_chain(leaf, {}, {root.cert}, now)) == errc::policy);
  CHECK(code_of(verify_chain(leaf, {middle.cert}, {}, now)) == errc::policy);
  CHECK(code_of(verify_chain(leaf, {middle.cert}, {make_ca().cert}, now)) == errc::policy);
  CHECK(code_of(verify_chain(leaf, {make_middle(root, true).cert}, {root.cert}, now))
        == errc::policy);
  CHECK(code_of(verify_chain(leaf, {middle.cert}, {root.cert}, leaf.not_after() + 1000))
        == errc::policy);
  CHECK(code_of(verify_chain(leaf, {middle.cert}, {root.cert}, now - 15 * day)) == errc::policy);
  CHECK(code_of(verify_chain(leaf, {middle.cert}, {middle.cert}, now)) == errc::policy);
}

TEST_CASE("a leaf cannot issue, nor an issuer without CA:TRUE", "[crypto][certificate][chain]") {
  const ca_identity root = make_ca();
  SECTION("keyCertSign without basicConstraints") {
    const ca_identity fake = make_middle(root, false);
    const auto leaf = make_leaf(fake, shared_key(key_algorithm::ec_p256), {});
    CHECK_FALSE(verify_chain(leaf, {fake.cert}, {root.cert}, now));
  }
  SECTION("an end entity") {
    auto key = private_key::generate(key_algorithm::ec_p256);
    REQUIRE(key);
    certificate cert = make_leaf(root, *key, {"CN=end entity", {}, 1});
    const ca_identity fake{std::move(cert), std::move(*key)};
    const auto leaf = make_leaf(fake, shared_key(key_algorithm::ec_p256), {});
    CHECK_FALSE(verify_chain(leaf, {fake.cert}, {root.cert}, now));
  }
}

TEST_CASE("weak keys and signatures are refused by security level",
          "[crypto][certificate][chain][cli]") {
  const temporary_folder folder;
  const ca_identity root = make_ca();
  write_file(folder.file("root.pem"), root.cert.pem());
  write_file(folder.file("root.key"), root.key.to_pem()->text());
  write_file(folder.file("2048.key"), shared_key(key_algorithm::rsa2048).to_pem()->text());
  REQUIRE(openssl({"genrsa", "-out", folder.file("1024.key"), "1024"}).status == 0);
  const auto signed_by_cli = [&folder](const std::string& bits, const std::string& hash) {
    REQUIRE(openssl({"req", "-new", "-key", folder.file(bits + ".key"), "-subj", "/CN=x", "-out",
                     folder.file("x.csr")})
              .status
            == 0);
    const auto made = openssl({"x509", "-req", "-in", folder.file("x.csr"), "-CA",
                               folder.file("root.pem"), "-CAkey", folder.file("root.key"), hash,
                               "-set_serial", "5", "-days", "9999", "-out", folder.file("x.pem")});
    INFO(made.output);
    REQUIRE(made.status == 0);
    return certificate::from_pem(to_text(read_file(folder.file("x.pem")))).value();
  };
  const auto good = signed_by_cli("2048", "-sha256");
  const unix_ms moment = good.not_before() + day;
  CHECK(verify_chain(good, {}, {root.cert}, moment));
  CHECK_FALSE(verify_chain(signed_by_cli("2048", "-sha1"), {}, {root.cert}, moment));
  CHECK_FALSE(verify_chain(signed_by_cli("1024", "-sha256"), {}, {root.cert}, moment));
}

TEST_CASE("one certificate is asked by many threads at once", "[crypto][certificate]") {
  const ca_identity ca = make_ca();
  // Of our own signing: the X509 inside is made by whoever asks first.
  const auto cert = make_leaf(ca, shared_key(key_algorithm::ec_p256), {"CN=shared", {}, 1});
  std::vector<std::thread> threads;
  std::vector<std::size_t> sums(8);
  for (std::size_t i = 0; i < sums.size(); ++i) {
    threads.emplace_back([&cert, &ca, &sums, i] {
      for (int round = 0; round < 20; ++round)
        sums[i] += cert.is_ec() + cert.usages();
      sums[i] += cert.issued_by(ca.cert) ? 1 : 0;
    });
  }
  for (std::thread& thread : threads)
    thread.join();
  CHECK(std::set<std::size_t>(sums.begin(), sums.end()).size() == 1);
}
