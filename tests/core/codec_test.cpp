// The binary form: exact octets, and every way in which a reader can be short-changed.
#include "core/codec.hpp"

#include "tests/catch.hpp"

using namespace pfx;

TEST_CASE("numbers are big-endian and octets carry their length", "[core][codec]") {
  writer out;
  out.u8(0x01).u16(0x0203).u32(0x04050607).u64(0x08090a0b0c0d0e0f).flag(true).flag(false);
  out.text("ab").i64(-2);
  CHECK(to_hex(out.view())
        == "0102030405060708090a0b0c0d0e0f"
           "0100"
           "000000026162"
           "fffffffffffffffe");
}

TEST_CASE("what was written is read back", "[core][codec]") {
  digest mark;
  mark.octets[31] = 9;
  writer out;
  out.u8(255).u16(65535).u32(4294967295u).u64(~0ull).i64(INT64_MIN).flag(true);
  out.text("").text(std::string_view("a\0b", 3)).blob(bytes{1, 2, 3}).fixed(mark);
  const auto octets = out.take();
  reader in(octets);
  CHECK(in.u8() == 255);
  CHECK(in.u16() == 65535);
  CHECK(in.u32() == 4294967295u);
  CHECK(in.u64() == ~0ull);
  CHECK(in.i64() == INT64_MIN);
  CHECK(in.flag());
  CHECK(in.text().empty());
  CHECK(in.text() == std::string("a\0b", 3));
  CHECK(in.blob() == bytes{1, 2, 3});
  CHECK_FALSE(in.finished());
  CHECK(in.fixed() == mark);
  CHECK(in.finished());
}

TEST_CASE("reading past the end yields zeroes and a fault that stays", "[core][codec]") {
  const bytes three = {1, 2, 3};
  reader in(three);
  CHECK(in.u32() == 0);
  CHECK_FALSE(in.ok());
  CHECK(in.u8() == 0); // three octets are still there, but nothing is true any more
  CHECK(in.blob().empty());
  CHECK(in.fixed() == digest{});
  CHECK_FALSE(in.flag());
  CHECK_FALSE(in.finished());
}

TEST_CASE("a length that promises more than there is allocates nothing", "[core][codec]") {
  const auto octets = *from_hex("ffffffff6162");
  reader in(octets);
  CHECK(in.blob().empty());
  CHECK_FALSE(in.ok());
  reader again(octets);
  CHECK(again.text().empty());
  CHECK_FALSE(again.ok());
}

TEST_CASE("a flag is 0 or 1 and nothing else", "[core][codec]") {
  for (int value = 0; value < 256; ++value) {
    const bytes one = {static_cast<std::uint8_t>(value)};
    reader in(one);
    CHECK(in.flag() == (value == 1));
    CHECK(in.ok() == (value <= 1));
  }
}

TEST_CASE("an empty input is finished at once and has nothing to give", "[core][codec]") {
  reader in({});
  CHECK(in.finished());
  CHECK(in.text().empty());
  CHECK_FALSE(in.finished());
}
