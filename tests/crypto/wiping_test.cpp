// After keys are gone, their octets must be gone from the process too.
#include "crypto/cms.hpp"
#include "crypto/pkcs12.hpp"

#include "tests/catch.hpp"
#include "tests/crypto/support.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>

using namespace pfx;
using namespace pfx::crypto;
using namespace pfx::crypto::test;

namespace {

constexpr std::uint8_t mask
  = 0xa5; ///< what we search for is kept masked, or we would find ourselves

bytes masked(byte_view octets) {
  bytes out(octets.size());
  std::transform(octets.begin(), octets.end(), out.begin(),
                 [](std::uint8_t octet) { return static_cast<std::uint8_t>(octet ^ mask); });
  return out;
}

/// How often the masked octets lie unmasked in the writable memory of this process.
std::size_t occurrences(const bytes& hidden) {
  std::size_t found = 0;
  std::ifstream maps("/proc/self/maps");
  const int memory = ::open("/proc/self/mem", O_RDONLY | O_CLOEXEC); // no stream: its buffer stays
  REQUIRE(memory >= 0);
  std::string line;
  const auto hit = [&hidden](const std::uint8_t* at) {
    for (std::size_t i = 0; i < hidden.size(); ++i) {
      if (at[i] != (hidden[i] ^ mask))
        return false;
    }
    return true;
  };
  std::vector<std::uint8_t> window(1u << 20);
  while (std::getline(maps, line)) {
    std::istringstream fields(line);
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    char dash = 0;
    std::string rights;
    fields >> std::hex >> begin >> dash >> end >> rights;
    if (rights.substr(0, 2) != "rw" || end - begin > (1ULL << 30))
      continue;
    for (std::uint64_t at = begin; at < end; at += window.size() - hidden.size()) {
      const std::uint64_t size = std::min<std::uint64_t>(window.size(), end - at);
      const ssize_t read = ::pread(memory, window.data(), size, static_cast<off_t>(at));
      const std::size_t got = read > 0 ? static_cast<std::size_t>(read) : 0;
      for (std::size_t i = 0; i + hidden.size() <= got; ++i) {
        // The window itself is seen when its own mapping is read: old contents, the same octets.
        if (hit(window.data() + i))
          ++found;
      }
    }
    std::fill(window.begin(), window.end(), std::uint8_t{0});
  }
  ::close(memory);
  return found;
}

/// Makes, writes, reads, packs and uses a key; leaves the masked octets of its secret part.
bytes live_and_die(key_algorithm algorithm, const ca_identity& ca) {
  auto key = private_key::generate(algorithm);
  REQUIRE(key);
  const auto form = key->to_pkcs8();
  REQUIRE(form);
  // RSA: in the middle of d; EC: in the scalar, which lies at octet 36 of a P-256 key.
  const std::size_t place = algorithm == key_algorithm::ec_p256 ? 40 : 330;
  bytes hidden = masked(form->view().subspan(place, 16));
  CHECK(occurrences(hidden) >= 1); // the search finds what is there
  const auto again = private_key::from_pkcs8(form->view());
  REQUIRE(again);
  const auto cert = make_leaf(ca, *again, {});
  const secret_bytes password = secret("password");
  const std::vector<certificate> chain;
  REQUIRE(build_pkcs12({*again, cert, chain, "name", password}, pkcs12_options::modern()));
  const auto transport
    = algorithm == key_algorithm::ec_p256 ? key_transport::ecdh : key_transport::rsa_oaep_sha256;
  const auto message = encrypt_to(cert, transport, as_bytes("x"));
  REQUIRE(message);
  REQUIRE(decrypt_with(cert, *again, *message));
  return hidden;
}

} // namespace

TEST_CASE("no private key in DER stays in memory after its owners are gone", "[crypto][wiping]") {
  const ca_identity ca = make_ca();
  for (const auto algorithm : {key_algorithm::ec_p256, key_algorithm::rsa2048}) {
    const bytes hidden = live_and_die(algorithm, ca);
    INFO(name_of(algorithm));
    CHECK(occurrences(hidden) == 0);
  }
}
