// PKCS#12 files that want too much: iterations, bags, attributes, nesting. All have valid MACs.
#include "tests/catch.hpp"
#include "tests/crypto/pfx_maker.hpp"
#include "tests/crypto/support.hpp"

using namespace pfx;
using namespace pfx::crypto;
using namespace pfx::crypto::test;

namespace {

using reason = pfx_refusal::reason;

const private_key& key() { return shared_key(key_algorithm::ec_p256); }
const certificate& cert() {
  static const certificate made
    = make_leaf(make_ca(key_algorithm::ec_p256, "CN=PFX root"), key(), {});
  return made;
}

/// The file is refused within 100 ms of CPU time.
void refused_at_once(const bytes& octets, reason why, const std::string& password = "secret") {
  const cpu_clock clock;
  INFO(words(octets, password));
  CHECK(refusal(octets, password) == why);
  CHECK(clock.milliseconds() < 200); // twice
}

/// PBES2 whose key comes from scrypt (RFC 7914 section 7).
bytes scrypt(const bytes& cost) {
  return seq({oid("1.2.840.113549.1.5.13"),
              seq({seq({oid("1.3.6.1.4.1.11591.4.11"),
                        seq({octets(bytes(8)), cost, integer(8), integer(1)})}),
                   seq({oid("2.16.840.1.101.3.4.1.42"), octets(bytes(16))})})});
}

pbe_shape modern(std::int64_t iterations) { return {"aes256", 256, iterations, 16}; }
pbe_shape old(std::int64_t iterations) { return {"pbe-3des", 0, iterations, 8}; }

constexpr std::int64_t huge = std::int64_t{1} << 30;

} // namespace

TEST_CASE("iteration bombs are refused before they go off", "[crypto][pfx][bomb]") {
  for (const auto& bomb : {algorithm(modern(huge)), algorithm(old(huge)),
                           algorithm(modern(2'000'001)), algorithm(old(2'000'001))}) {
    refused_at_once(file({sealed_safe(bomb, bytes(64))}, "secret"), reason::too_much);
    refused_at_once(file({plain_safe({hollow_bag(bomb, 64)})}, "secret"), reason::too_much);
    refused_at_once(file({plain_safe({nested_bag({hollow_bag(bomb, 64)})})}, "secret"),
                    reason::too_much);
    // Where a check of the outer parts does not see it.
    refused_at_once(
      file({encrypted_safe({hollow_bag(bomb, 64)}, modern(1000), "secret")}, "secret"),
      reason::too_much);
    refused_at_once(
      file({encrypted_safe({nested_bag({hollow_bag(bomb, 64)})}, old(1000), "secret")}, "secret"),
      reason::too_much);
  }
}

TEST_CASE("a MAC's count is judged before it is run", "[crypto][pfx][bomb]") {
  const bytes over = authenticated({plain_safe({cert_bag(cert())})});
  struct {
    std::string count; ///< hex, content of the INTEGER
    reason why;
  } const rows[] = {{"00", reason::malformed},
                    {"0000", reason::malformed},
                    {"", reason::malformed},
                    {"ff", reason::malformed},
                    {"80", reason::malformed},
                    {"ff7fffffff", reason::malformed},
                    {"1e8481", reason::too_much}, // 2,000,001
                    {"7fffffff", reason::too_much},
                    {"00ffffffff", reason::too_much},
                    {"7fffffffffffffff", reason::too_much},
                    {"008000000000000000", reason::too_much},
                    {"01" + std::string(128, '0'), reason::too_much}};
  for (const auto& one : rows) {
    INFO(one.count);
    refused_at_once(file(over, false_mac(unhex(one.count))), one.why);
  }
  refused_at_once(file({plain_safe({cert_bag(cert())})}, "secret", {256, huge, 256}),
                  reason::too_much);
  refused_at_once(file({plain_safe({cert_bag(cert())})}, "secret", {256, 1000, 256, huge}),
                  reason::too_much);
  refused_at_once(file({plain_safe({cert_bag(cert())})}, "secret", {256, 1000, 256, 65}),
                  reason::too_much);
}

TEST_CASE("scrypt is refused without any work", "[crypto][pfx][bomb]") {
  for (const auto& cost : {integer(16384), integer(huge)}) {
    refused_at_once(file({sealed_safe(scrypt(cost), bytes(64))}, "secret"), reason::unsupported);
    refused_at_once(file({plain_safe({hollow_bag(scrypt(cost))})}, "secret"), reason::unsupported);
    refused_at_once(
      file({encrypted_safe({hollow_bag(scrypt(cost))}, modern(1000), "secret")}, "secret"),
      reason::unsupported);
  }
}

TEST_CASE("counts that are small one by one are limited in sum", "[crypto][pfx][bomb]") {
  // 1,000 of the MAC, and eight keys.
  const parts bags(8, hollow_bag(algorithm(modern(249'876)), 64));
  refused_at_once(file({plain_safe(bags)}, "secret"), reason::too_much); // 2,000,008
  parts safes(8, sealed_safe(algorithm(old(249'876)), bytes(64)));
  refused_at_once(file(safes, "secret"), reason::too_much);
  // 1,000 + 1,000 outside, 1,998,008 inside
  refused_at_once(file({encrypted_safe(parts(8, hollow_bag(algorithm(modern(249'751)), 64)),
                                       modern(1000), "secret")},
                       "secret"),
                  reason::too_much);
}

TEST_CASE("two million iterations in sum are read, one more is not", "[crypto][pfx][bomb]") {
  const auto with = [](const bytes& key_inside, std::int64_t mac_iterations) {
    return file({encrypted_safe({key_inside, cert_bag(cert())}, modern(1000), "secret")}, "secret",
                {256, mac_iterations});
  };
  const auto most = open(with(shrouded_bag(key(), modern(9'000), "secret"), 1'990'000), "secret");
  REQUIRE(most);
  CHECK(most->iterations == 2'000'000);
  refused_at_once(with(hollow_bag(algorithm(modern(1'998'001)), 64), 1'000), reason::too_much);
  // Two passes with a wrong password are within what the slow lane allows.
  CHECK(refusal(with(shrouded_bag(key(), modern(9'000), "secret"), 1'990'000), "wrong")
        == reason::not_opened);
}

TEST_CASE("a file over the budget needs time, also by what it hides", "[crypto][pfx][bomb]") {
  const auto needs = [](const bytes& octets, std::int64_t budget) {
    const cpu_clock clock;
    CHECK(refusal(octets, "secret", budget) == reason::needs_time);
    CHECK(clock.milliseconds() < 100);
  };
  const bytes hidden
    = file({encrypted_safe({shrouded_bag(key(), old(98'001), "secret"), cert_bag(cert())},
                           modern(1000), "secret")},
           "secret");
  CHECK(pfx_file::parse(hidden)->known_iterations() == 2000);
  needs(hidden, pfx_limits::fast_iterations_max);
  needs(hidden, 2000);
  needs(hidden, 1999);
  needs(hidden, 0);
  needs(hidden, -1);
  const auto opened = open(hidden, "secret", 100'001);
  REQUIRE(opened);
  CHECK(opened->iterations == 100'001);
  const bytes seen = file(
    {plain_safe({shrouded_bag(key(), modern(99'000), "secret"), cert_bag(cert())})}, "secret");
  CHECK(pfx_file::parse(seen)->known_iterations() == 100'000);
  CHECK_FALSE(refusal(seen, "secret", pfx_limits::fast_iterations_max));
  needs(seen, 99'999);
}

TEST_CASE("bags are counted over all safes", "[crypto][pfx]") {
  const auto with
    = [](std::size_t bags) { return file({plain_safe(parts(bags, cert_bag(cert())))}, "secret"); };
  for (const std::size_t some : {0U, 1U, 33U, 64U}) {
    INFO(some);
    const auto out = open(with(some), "secret");
    REQUIRE(out);
    CHECK(out->certificates.size() == some);
  }
  refused_at_once(with(65), reason::too_much);
  const bytes small = bag("1.2.840.113549.1.12.10.1.5", integer(1)); // a secret bag, 20 octets
  CHECK_FALSE(refusal(file({plain_safe(parts(64, small))}, "secret"), "secret"));
  refused_at_once(file({plain_safe(parts(65, small))}, "secret"), reason::too_much);
  refused_at_once(file({plain_safe(parts(5'000, small))}, "secret"), reason::too_much);
  // 10,000 empty bags are 20,000 octets; the first is refused already.
  refused_at_once(file({plain_safe(parts(10'000, seq({})))}, "secret"), reason::malformed);
  refused_at_once(file({plain_safe(parts(40, small)), plain_safe(parts(25, small))}, "secret"),
                  reason::too_much);
  refused_at_once(
    file({plain_safe(parts(40, small)), encrypted_safe(parts(25, small), old(1), "secret")},
         "secret"),
    reason::too_much);
  refused_at_once(file({plain_safe({nested_bag(parts(64, small))})}, "secret"), reason::too_much);
  refused_at_once(file(parts(17, plain_safe({})), "secret"), reason::too_much);
  CHECK_FALSE(refusal(file(parts(16, plain_safe({})), "secret"), "secret"));
}

TEST_CASE("keys, passwords, salts and whole files have their limits", "[crypto][pfx]") {
  CHECK_FALSE(refusal(file({plain_safe(parts(8, key_bag(key())))}, "secret"), "secret"));
  refused_at_once(file({plain_safe(parts(9, key_bag(key())))}, "secret"), reason::too_much);
  const bytes good = file({plain_safe({cert_bag(cert())})}, std::string(512, 'a'));
  CHECK_FALSE(refusal(good, std::string(512, 'a')));
  CHECK(refusal(good, std::string(513, 'a')) == reason::too_much);
  CHECK_FALSE(refusal(
    file({encrypted_safe({cert_bag(cert())}, {"aes256", 256, 1000, 1024}, "secret")}, "secret"),
    "secret"));
  for (const auto* cipher : {"aes256", "pbe-3des"}) {
    refused_at_once(file({sealed_safe(algorithm({cipher, 256, 1000, 1025}), bytes(64))}, "secret"),
                    reason::too_much);
  }
  CHECK(pfx_file::parse(bytes(pfx_limits::octets_max + 1)).error().why == reason::too_much);
  CHECK(pfx_file::parse(bytes(pfx_limits::octets_max)).error().why == reason::malformed);
  CHECK(pfx_file::parse({}).error().why == reason::malformed);
  const bytes large(limits::certificate_bytes_max + 1, 0x30);
  refused_at_once(
    file({plain_safe({bag("1.2.840.113549.1.12.10.1.3",
                          seq({oid("1.2.840.113549.1.9.22.1"), explicit0(octets(large))}))})},
         "secret"),
    reason::too_much);
}

TEST_CASE("attributes are limited in number and size", "[crypto][pfx]") {
  const auto with = [](const parts& attributes) {
    return file({plain_safe({cert_bag(cert(), attributes)})}, "secret");
  };
  const bytes unknown = attribute("1.3.6.1.4.1.311.17.2", {});
  CHECK_FALSE(refusal(with(parts(16, unknown)), "secret"));
  refused_at_once(with(parts(17, unknown)), reason::too_much);
  refused_at_once(with(parts(1'000, unknown)), reason::too_much);
  CHECK_FALSE(refusal(with({attribute("1.2.3", {octets(bytes(1'000))})}), "secret"));
  refused_at_once(with({attribute("1.2.3", {octets(bytes(1'024))})}), reason::too_much);
  refused_at_once(with({local_key_id(bytes(1'024))}), reason::too_much);
  refused_at_once(with({friendly_name(std::u16string(512, u'a'))}), reason::too_much);
}

TEST_CASE("safes are nested four deep at most", "[crypto][pfx]") {
  const auto nested = [](std::size_t depth) {
    bytes inner = cert_bag(cert());
    for (std::size_t i = 0; i < depth; ++i)
      inner = nested_bag({inner});
    return inner;
  };
  for (std::size_t depth = 0; depth <= 4; ++depth) {
    INFO(depth);
    const auto plain = open(file({plain_safe({nested(depth)})}, "secret"), "secret");
    REQUIRE(plain);
    CHECK(plain->certificates.size() == 1);
    CHECK_FALSE(
      refusal(file({encrypted_safe({nested(depth)}, old(1), "secret")}, "secret"), "secret"));
  }
  for (const std::size_t depth : {5U, 10U}) {
    refused_at_once(file({plain_safe({nested(depth)})}, "secret"), reason::too_much);
    refused_at_once(file({encrypted_safe({nested(depth)}, old(1), "secret")}, "secret"),
                    reason::too_much);
  }
  for (const std::size_t depth : {100U, 1'000U}) { // over the depth of the encoding itself
    INFO(depth);
    const bytes deep = file({plain_safe({nested(depth)})}, "secret"); // not what is timed
    const cpu_clock clock;
    CHECK_FALSE(pfx_file::parse(deep));
    CHECK(clock.milliseconds() < 500);
  }
}
