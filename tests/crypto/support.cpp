// See support.hpp.
#include "tests/crypto/support.hpp"

#include "tests/catch.hpp"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>

namespace pfx::crypto::test {

temporary_folder::temporary_folder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "pfx-crypto-XXXXXX").string();
  REQUIRE(::mkdtemp(pattern.data()) != nullptr);
  path_ = pattern;
}

temporary_folder::~temporary_folder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

void write_file(const std::string& path, byte_view octets) {
  std::ofstream out(path, std::ios::binary);
  out.write(reinterpret_cast<const char*>(octets.data()),
            static_cast<std::streamsize>(octets.size()));
  out.close();
  REQUIRE(out.good());
}

void write_file(const std::string& path, std::string_view text) {
  write_file(path, as_bytes(text));
}

bytes read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  INFO(path);
  REQUIRE(in.good());
  return bytes(std::istreambuf_iterator<char>(in), {});
}

std::string data_file(const std::string& name) { return std::string(PFX_TEST_DATA) + "/" + name; }

cli_answer openssl(const std::vector<std::string>& arguments) {
  std::string command = "openssl";
  for (const std::string& argument : arguments) {
    REQUIRE(argument.find('\'') == std::string::npos);
    command += " '" + argument + "'";
  }
  command += " 2>&1 </dev/null";
  std::FILE* pipe = ::popen(command.c_str(), "r");
  REQUIRE(pipe != nullptr);
  cli_answer out;
  std::array<char, 4096> chunk{};
  while (const std::size_t size = std::fread(chunk.data(), 1, chunk.size(), pipe)) {
    out.output.append(chunk.data(), size);
  }
  const int status = ::pclose(pipe);
  out.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return out;
}

ca_identity make_ca(key_algorithm key, const std::string& subject) {
  constexpr unix_ms from = 1'767'225'600'000; // 2026-01-01
  auto made = make_root({subject, key, from, from + 3650 * day});
  INFO((made ? std::string() : to_string(made.error())));
  REQUIRE(made);
  return std::move(*made);
}

const private_key& shared_key(key_algorithm algorithm) {
  static std::map<key_algorithm, private_key> keys;
  auto found = keys.find(algorithm);
  if (found == keys.end()) {
    auto made = private_key::generate(algorithm);
    REQUIRE(made);
    found = keys.emplace(algorithm, std::move(*made)).first;
  }
  return found->second;
}

certificate make_leaf(const ca_identity& ca, const private_key& key, const leaf_shape& shape) {
  leaf_options options;
  options.names.subject = shape.subject;
  options.names.alternative_names = shape.names;
  options.names.usages = shape.usages;
  options.not_before = shape.not_before;
  options.not_after = shape.not_after;
  auto made = issue_leaf(ca, key, options);
  INFO((made ? std::string() : to_string(made.error())));
  REQUIRE(made);
  return std::move(*made);
}

bytes unhex(std::string_view text) {
  auto out = from_hex(text);
  REQUIRE(out);
  return std::move(*out);
}

} // namespace pfx::crypto::test
