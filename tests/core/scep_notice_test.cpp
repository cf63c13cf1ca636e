// The stored form of a notice: it reads back as it was written, and nothing else reads at all.
#include "core/scep_notice.hpp"

#include "tests/catch.hpp"

using namespace pfx;

namespace {

scep_notice full() {
  scep_notice out;
  out.key = {"tenant", flow::scep, "transaction"};
  out.state = notice_state::refused;
  out.succeeded = true;
  out.csr_hash.octets.fill(7);
  out.thumbprint = std::string(40, 'a');
  out.serial_number = "1234";
  out.expires = 1'800'000'000'000;
  out.issuing_authority = "CN=CA";
  out.ca_configuration = "CA";
  out.certificate_authority = "ca.example.test";
  out.hresult = -2146885628;
  out.description = "the CA refused it";
  out.code_text = "ChallengeExpired";
  out.attempts = 3;
  out.made_at = 1'790'000'000'000;
  out.ended_at = 1'790'000'000'001;
  return out;
}

} // namespace

TEST_CASE("a notice reads back as it was written", "[core][scep]") {
  const auto back = decode_notice(full().key, encode(full()));
  REQUIRE(back);
  CHECK(*back == full());
  const scep_notice empty{.key = full().key};
  CHECK(*decode_notice(empty.key, encode(empty)) == empty);
}

TEST_CASE("a notice that is cut, longer, newer or of no state is refused", "[core][scep]") {
  const auto good = encode(full());
  for (std::size_t size = 0; size < good.size(); ++size) {
    CHECK_FALSE(decode_notice(full().key, byte_view(good).first(size)));
  }
  auto longer = good;
  longer.push_back(0);
  CHECK(decode_notice(full().key, longer).error().code == errc::corrupt);
  auto newer = good;
  newer[0] = 2;
  CHECK(decode_notice(full().key, newer).error().code == errc::store_newer);
  for (const std::uint8_t state : {std::uint8_t{0}, std::uint8_t{4}, std::uint8_t{255}}) {
    auto bad = good;
    bad[1] = state;
    CHECK(decode_notice(full().key, bad).error().code == errc::corrupt);
  }
  auto flag = good;
  flag[2] = 2;
  CHECK_FALSE(decode_notice(full().key, flag));
}

TEST_CASE("each state of a notice has a name", "[core][scep]") {
  CHECK(name_of(notice_state::waiting) == "waiting");
  CHECK(name_of(notice_state::confirmed) == "confirmed");
  CHECK(name_of(notice_state::refused) == "refused");
  CHECK(name_of(static_cast<notice_state>(9)) == "unknown");
}
