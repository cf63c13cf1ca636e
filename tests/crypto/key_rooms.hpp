// What the tests of connector keys share: stores in a temporary folder, keys in them.
#pragma once

#include "tests/catch.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include "crypto/file_key_store.hpp"
#include "tests/crypto/support.hpp"

namespace pfx::crypto::test_keys {

namespace fs = std::filesystem;
using test::shared_key;
using test::temporary_folder;

inline const bytes master(32, 0x5a);
inline const bytes other_master(32, 0xa5);
inline const bytes third(32, 0x33);
inline const bytes fourth(32, 0x44);

inline std::unique_ptr<file_key_store> open_store(const temporary_folder& folder,
                                                  const bytes& key = master) {
  auto out = file_key_store::open(folder.file("keys"), secret_bytes(key));
  REQUIRE(out);
  return std::move(*out);
}

inline new_key named(std::string name, std::string provider = "pfxengine") {
  new_key out;
  out.provider = std::move(provider);
  out.name = std::move(name);
  return out;
}

inline connector_key add(file_key_store& store, const new_key& what,
                         key_algorithm algorithm = key_algorithm::rsa2048) {
  auto out = store.import(what, shared_key(algorithm));
  INFO((out ? "" : to_string(out.error())));
  REQUIRE(out);
  return std::move(*out);
}

inline fs::path only_file(const temporary_folder& folder) {
  std::vector<fs::path> all;
  for (const auto& each : fs::directory_iterator(folder.file("keys")))
    all.push_back(each.path());
  REQUIRE(all.size() == 1);
  return all[0];
}

inline bytes closed_to(const connector_key& key, rsa_padding padding, std::string_view plain) {
  auto out = rsa_encrypt(key.public_key, padding, as_bytes(plain));
  REQUIRE(out);
  return std::move(*out);
}

inline int mode_of(const fs::path& path) {
  struct stat about {};
  REQUIRE(::lstat(path.c_str(), &about) == 0);
  return static_cast<int>(about.st_mode & 07777);
}

template <class T>
errc code_of(const result<T>& what) {
  return what ? errc::none : what.error().code;
}

/// The first that is wrong with a list, be it one key of it.
inline errc fault_of(const result<key_listing>& what) {
  return !what ? what.error().code : what->faults.empty() ? errc::none : what->faults[0].code;
}

} // namespace pfx::crypto::test_keys
