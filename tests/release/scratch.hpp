// A feed, a maker and a machine in one folder that is gone at the test's end.
#pragma once

#include "release/maker.hpp"
#include "release/staging.hpp"
#include "release/trust_store.hpp"
#include "tests/crypto/release_samples.hpp"
#include "tests/engine/scratch.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>

namespace pfx::test {

struct tar_entry {
  std::string name;
  std::string content;
  char type = '0';
  int mode = 0755;
};

/// One header of ustar, with a right sum.
inline std::string tar_header(const tar_entry& one) {
  std::string head(512, '\0');
  const auto put
    = [&head](std::size_t at, const std::string& text) { head.replace(at, text.size(), text); };
  const auto octal = [](std::uint64_t value, int digits) {
    std::string out(static_cast<std::size_t>(digits), '0');
    for (auto at = out.size(); at-- > 0; value /= 8)
      out[at] = static_cast<char>('0' + value % 8);
    return out;
  };
  put(0, one.name.substr(0, 100));
  put(100, octal(static_cast<std::uint64_t>(one.mode), 7));
  put(108, octal(0, 7));
  put(116, octal(0, 7));
  put(124, octal(one.content.size(), 11));
  put(136, octal(0, 11));
  put(148, "        ");
  put(156, std::string(1, one.type));
  put(257, std::string("ustar\0", 6) + "00");
  std::uint64_t sum = 0;
  for (const char c : head)
    sum += static_cast<unsigned char>(c);
  put(148, octal(sum, 6) + std::string("\0 ", 2));
  return head;
}

inline std::string tar_of(const std::vector<tar_entry>& all) {
  std::string out;
  for (const auto& one : all) {
    out += tar_header(one) + one.content;
    out.resize((out.size() + 511) / 512 * 512, '\0');
  }
  return out + std::string(1024, '\0');
}

inline std::string text_at(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// A maker with root keys 1, 2, 3 and release keys 11, 12, and the feed he fills.
class maker_room {
public:
  maker_room() {
    put("feed/1.root", signed_by(release::encode(sample_root()), {1, 2}));
    put("first.root", text_at(path("feed/1.root")));
  }
  [[nodiscard]] std::string path(std::string_view name) const { return folder_.path(name); }
  std::string put(std::string_view name, std::string_view text) const {
    return folder_.write(name, text, 0644);
  }
  /// A release in the feed; `package` is what lies there, whatever the manifest says.
  release::manifest offer(release::manifest what, std::string_view package,
                          const std::vector<std::uint8_t>& by = {11}) const {
    put("feed/" + release::package_file_name(what), package);
    put("feed/" + release::manifest_file_name(what.product, what.platform),
        signed_by(release::encode(what), by));
    return what;
  }
  [[nodiscard]] std::string manifest_text() const {
    return text_at(path("feed/pfxengine_linux-x86-64.manifest"));
  }
  [[nodiscard]] result<release::trust_store> trust(std::string_view name = "trust") const {
    return release::trust_store::open(path(name), path("first.root"), release_now);
  }
  [[nodiscard]] std::unique_ptr<release::feed> feed() const {
    return release::open_folder_feed(path("feed"));
  }
  [[nodiscard]] static release::expectation machine(const release::version& installed) {
    return {"pfxengine", "linux-x86-64", installed, release_now};
  }

private:
  scratch_folder folder_;
};

} // namespace pfx::test
