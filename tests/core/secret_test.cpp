// Secrets: ownership, wiping, the locked arena and its end.
#include "core/secret.hpp"

#include <algorithm>
#include <atomic>
#include <fstream>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

#include "tests/catch.hpp"

using namespace pfx;

static_assert(!std::is_copy_constructible_v<secret_bytes>);
static_assert(!std::is_copy_assignable_v<secret_bytes>);
static_assert(std::is_nothrow_move_constructible_v<secret_bytes>);
static_assert(std::is_nothrow_move_assignable_v<secret_bytes>);
static_assert(!std::is_convertible_v<secret_bytes, std::string_view>);
static_assert(!std::is_convertible_v<byte_view, secret_bytes>);

namespace {

bool all_zero(byte_view octets) {
  return std::all_of(octets.begin(), octets.end(), [](std::uint8_t octet) { return octet == 0; });
}

/// The VmFlags of the mapping that holds `at`, from /proc/self/smaps.
std::string mapping_flags(const void* at) {
  std::ifstream maps("/proc/self/smaps");
  bool inside = false;
  for (std::string line; std::getline(maps, line);) {
    const auto dash = line.find('-');
    const auto space = line.find(' ');
    if (dash < space && line.find(':') > space) {
      const auto address = reinterpret_cast<std::uintptr_t>(at);
      inside = std::stoull(line, nullptr, 16) <= address
        && address < std::stoull(line.substr(dash + 1), nullptr, 16);
    } else if (inside && line.rfind("VmFlags:", 0) == 0) {
      return line + " ";
    }
  }
  return {};
}

} // namespace

TEST_CASE("a new secret is zero and holds what is put into it", "[core][secret]") {
  for (const std::size_t size : {1u, 63u, 64u, 65u, 4096u, 8193u, 16384u, 100'000u}) {
    secret_bytes one(size);
    REQUIRE(one.size() == size);
    CHECK(all_zero(one.view()));
    std::fill(one.data(), one.data() + size, std::uint8_t{0xa5});
    CHECK(one.view().back() == 0xa5);
  }
  CHECK(secret_bytes().empty());
  CHECK(secret_bytes(0).data() == nullptr);
  CHECK(secret_bytes(byte_view{}).empty());
  CHECK(secret_bytes(as_bytes("pass")).text() == "pass");
}

TEST_CASE("freed blocks come back as zeroes", "[core][secret]") {
  for (int round = 0; round < 50; ++round) {
    secret_bytes one(200);
    REQUIRE(all_zero(one.view()));
    std::fill(one.data(), one.data() + one.size(), std::uint8_t{0xff});
    one.shrink(10);
  }
}

TEST_CASE("moving leaves the source empty", "[core][secret]") {
  secret_bytes one(as_bytes("first"));
  secret_bytes two(std::move(one));
  CHECK(one.empty()); // NOLINT(bugprone-use-after-move): that is what is tested
  CHECK(one.data() == nullptr);
  CHECK(two.text() == "first");
  secret_bytes three(as_bytes("third"));
  three = std::move(two);
  CHECK(three.text() == "first");
  auto& same = three;
  three = std::move(same);
  CHECK(three.text() == "first");
}

TEST_CASE("a duplicate is another piece of memory", "[core][secret]") {
  secret_bytes one(as_bytes("key"));
  auto two = one.duplicate();
  CHECK(two.text() == "key");
  CHECK(two.data() != one.data());
  one.wipe();
  CHECK(one.empty());
  CHECK(two.text() == "key");
}

TEST_CASE("shrinking never grows", "[core][secret]") {
  secret_bytes one(as_bytes("0123456789"));
  one.shrink(20);
  CHECK(one.size() == 10);
  one.shrink(4);
  CHECK(one.text() == "0123");
  one.shrink(0);
  CHECK(one.empty());
  one.shrink(5);
  CHECK(one.empty());
}

TEST_CASE("wipe overwrites ordinary buffers and empties them", "[core][secret]") {
  std::uint8_t raw[8] = {1, 2, 3, 4, 5, 6, 7, 8};
  wipe(raw, sizeof raw);
  CHECK(all_zero(raw));
  wipe(nullptr, 0);
  bytes octets = {1, 2, 3};
  wipe(octets);
  CHECK(octets.empty());
  std::string text = "password";
  wipe(text);
  CHECK(text.empty());
}

TEST_CASE("secrets lie in locked pages that are left out of dumps", "[core][secret]") {
  const secret_bytes one(32);
  const auto flags = mapping_flags(one.data());
  REQUIRE_FALSE(flags.empty());
  if (secret_memory_locked()) { // false only where the lock limit of this machine is zero
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) // they make mlock do nothing
    CHECK(flags.find(" lo ") != std::string::npos);
#endif
    CHECK(flags.find(" dd ") != std::string::npos);
  } else {
    WARN("the lock limit of this machine leaves no room: only the fallback was tested");
  }
}

TEST_CASE("neighbouring secrets do not overlap", "[core][secret]") {
  std::vector<secret_bytes> many;
  for (std::size_t at = 0; at < 1000; ++at) {
    many.emplace_back(1 + at * 7 % 3000);
    std::fill(many.back().data(), many.back().data() + many.back().size(),
              static_cast<std::uint8_t>(at));
  }
  for (std::size_t at = 0; at < many.size(); ++at) {
    const auto view = many[at].view();
    CHECK(std::all_of(view.begin(), view.end(),
                      [at](std::uint8_t octet) { return octet == static_cast<std::uint8_t>(at); }));
  }
}

TEST_CASE("threads take and give secrets at the same time", "[core][secret]") {
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (int who = 1; who <= 4; ++who) {
    threads.emplace_back([who, &wrong] {
      for (std::size_t round = 0; round < 2000; ++round) {
        secret_bytes one(1 + round % 700);
        wrong += all_zero(one.view()) ? 0 : 1;
        std::fill(one.data(), one.data() + one.size(), static_cast<std::uint8_t>(who));
        secret_bytes other(std::move(one));
        const auto view = other.view();
        wrong += std::count(view.begin(), view.end(), who) == std::ptrdiff_t(view.size()) ? 0 : 1;
      }
    });
  }
  for (auto& one : threads) {
    one.join();
  }
  CHECK(wrong == 0);
}

// Last, because it uses up the arena and secret_memory_locked() stays false from then on.
TEST_CASE("when the arena is used up, secrets lie in ordinary memory and still work",
          "[core][secret]") {
  std::vector<secret_bytes> many;
  for (int at = 0; at < 80; ++at) {
    many.emplace_back(std::size_t{100'000});
    many.back().data()[99'999] = 7;
  }
  CHECK_FALSE(secret_memory_locked());
  many.emplace_back(std::size_t{64} << 20); // longer than the arena itself
  CHECK(all_zero(many.back().view()));
  many.clear();
  const secret_bytes again(100'000); // what was given back is taken again
  CHECK(all_zero(again.view()));
}
