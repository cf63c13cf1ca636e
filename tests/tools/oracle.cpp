// Measures how long the engine takes to find out that an imported PFX does not open, for every kind
// of reason, in a random order. Prints one line per measurement: series, kind, CPU and wall time in
// nanoseconds. Judges nothing: tests/campaign oracle does. `--plant` slows or shortens what must
// have one duration, so that the judge can be shown to see it.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <random>
#include <string>

#include "actors/tasks/import_work.hpp"
#include "crypto/file_key_store.hpp"
#include "tests/tools/oracle_cases.hpp"

using namespace pfx;

namespace {

constexpr std::size_t warm_up = 50;

struct settings {
  std::size_t runs = 1'000; ///< of each kind
  int iterations = 2'048;
  std::uint64_t seed = 1;
  std::string series; ///< empty: all
  std::string plant;  ///< "early-return", "microseconds" or empty
};

using oracle::read_clock;

/// A store whose decryption leaks whether the padding was right.
class leaking_store final : public crypto::key_store {
public:
  leaking_store(const crypto::key_store& behind, bool a_little)
      : behind_(behind), a_little_(a_little) {}
  result<crypto::key_listing> list() const override { return behind_.list(); }
  result<crypto::connector_key> find(std::string_view provider,
                                     std::string_view name) const override {
    return behind_.find(provider, name);
  }
  result<crypto::rsa_plaintext> decrypt(std::string_view provider, std::string_view name,
                                        crypto::rsa_padding padding,
                                        byte_view ciphertext) const override {
    auto out = behind_.decrypt(provider, name, padding, ciphertext);
    if (!out || out->opened)
      return out;
    if (!a_little_)
      return failure(errc::crypto, "encryptedPfxPassword", "does not open the PFX");
    const auto until = read_clock(CLOCK_THREAD_CPUTIME_ID) + 5'000;
    while (read_clock(CLOCK_THREAD_CPUTIME_ID) < until) {}
    return out;
  }

private:
  const crypto::key_store& behind_;
  bool a_little_;
};

class measurement {
public:
  explicit measurement(settings how) : how_(std::move(how)), cases_(how_.iterations) {
    folder_ = (std::filesystem::temp_directory_path() / "pfx-oracle-XXXXXX").string();
    if (::mkdtemp(folder_.data()) == nullptr)
      std::exit(2);
    auto opened = crypto::file_key_store::open(folder_ + "/keys", secret_bytes(32));
    using padding = crypto::rsa_padding;
    if (!opened
        || !(*opened)->import({"oracle", "key", {padding::oaep_sha256, padding::pkcs1}, false},
                              cases_.key()))
      std::exit(2);
    store_ = std::move(*opened);
    leak_ = std::make_unique<leaking_store>(*store_, how_.plant == "microseconds");
  }
  measurement(const measurement&) = delete;
  measurement& operator=(const measurement&) = delete;
  ~measurement() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  void run() {
    std::mt19937_64 dice(how_.seed);
    for (std::size_t at = 0; at < warm_up; ++at) { // what the differences are compared with
      const auto ns = oracle::time_of_derivation(how_.iterations);
      std::printf("derivation pbkdf2 %lld %lld\n", static_cast<long long>(ns),
                  static_cast<long long>(ns));
    }
    for (const auto& one : cases_.all()) {
      if (!how_.series.empty() && how_.series != one.name)
        continue;
      // All made before the first is measured: what was done just before shows in the caches.
      std::vector<input> inputs;
      for (const auto& what : one.kinds) {
        for (std::size_t at = 0; at < how_.runs; ++at)
          inputs.push_back({&what, cases_.ciphertext(one, what)});
      }
      std::shuffle(inputs.begin(), inputs.end(), dice);
      for (std::size_t at = 0; at < std::min(warm_up, inputs.size()); ++at)
        measure(one, inputs[at], false);
      for (const auto& each : inputs)
        measure(one, each, true);
    }
  }

private:
  struct input {
    const oracle::kind* what;
    bytes ciphertext;
  };

  void measure(const oracle::series& of, const input& from, bool print) {
    const auto& what = *from.what;
    import_order order;
    order.provider_name = "oracle";
    order.key_name = "key";
    order.padding_scheme = std::string(name_of(of.padding));
    order.thumbprint = cases_.thumbprint();
    order.encrypted_password = from.ciphertext;
    const auto file = crypto::pfx_file::parse(cases_.file(of, what));
    if (!file) {
      std::fprintf(stderr, "oracle: a file is refused: %s\n", to_string(file.error().what).c_str());
      std::exit(2);
    }
    const auto& keys = how_.plant.empty() ? static_cast<const crypto::key_store&>(*store_) : *leak_;
    const auto wall = read_clock(CLOCK_MONOTONIC);
    const auto cpu = read_clock(CLOCK_THREAD_CPUTIME_ID);
    auto opened
      = actors::tasks::open_imported(keys, order, *file, crypto::pfx_limits::fast_iterations_max);
    const auto cpu_ns = read_clock(CLOCK_THREAD_CPUTIME_ID) - cpu;
    const auto wall_ns = read_clock(CLOCK_MONOTONIC) - wall;
    if (how_.plant.empty())
      check(what, opened);
    if (print)
      std::printf("%s %s %lld %lld\n", of.name.c_str(), what.name.c_str(),
                  static_cast<long long>(cpu_ns), static_cast<long long>(wall_ns));
  }

  /// One answer for everything that is wrong: the same words, and no identity.
  void check(const oracle::kind& what, const actors::tasks::import_opening& got) {
    using end = actors::tasks::import_opening::end;
    const bool right = what.opens ? got.how == end::opened
                                  : got.how == end::refused
        && to_string(got.why) == "crypto: encryptedPfxPassword: does not open the PFX";
    if (!right) {
      std::fprintf(stderr, "oracle: %s was answered: %d %s (%s)\n", what.name.c_str(),
                   static_cast<int>(got.how), to_string(got.why).c_str(), got.detail.c_str());
      std::exit(3);
    }
  }

  settings how_;
  oracle::cases cases_;
  std::string folder_;
  std::unique_ptr<crypto::file_key_store> store_;
  std::unique_ptr<leaking_store> leak_;
};

} // namespace

int main(int argc, char** argv) {
  settings how;
  const std::map<std::string, std::string*> texts{{"--series", &how.series},
                                                  {"--plant", &how.plant}};
  for (int at = 1; at + 1 < argc; at += 2) {
    const std::string name = argv[at];
    const std::string value = argv[at + 1];
    if (const auto text = texts.find(name); text != texts.end())
      *text->second = value;
    else if (name == "--runs")
      how.runs = std::stoul(value);
    else if (name == "--iterations")
      how.iterations = std::stoi(value);
    else if (name == "--seed")
      how.seed = std::stoull(value);
    else
      return 1;
  }
  measurement(how).run();
  return 0;
}
