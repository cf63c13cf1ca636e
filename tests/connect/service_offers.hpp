// Downloads with one entry, and what became of it.
#pragma once

#include <sstream>

#include <nlohmann/json.hpp>

#include "connect/service/codec.hpp"
#include "tests/catch.hpp"
#include "tests/connect/service_samples.hpp"

namespace pfx::test {

using connect::service::offer;
using nlohmann::json;

inline json create_entry() {
  return json::parse(connect::service::encode_request(sample_create(), 3, 600'000));
}
inline json import_entry() {
  return json::parse(connect::service::encode_request(sample_import(), 3, 600'000));
}

/// The only offer of a body with one entry.
inline offer only(const std::string& entry) {
  auto got = connect::service::decode_download_answer(
    connect::service::encode_download_answer({entry}, false));
  REQUIRE(got.has_value());
  REQUIRE(got->unanswerable.empty());
  REQUIRE(got->offers.size() == 1);
  return std::move(got->offers.front());
}
inline offer only(const json& entry) { return only(entry.dump()); }

inline error wrong(const json& entry) {
  offer got = only(entry);
  CHECK(got.context == "ctx-1");
  CHECK(got.fingerprint.present());
  REQUIRE_FALSE(got.request.has_value());
  return got.request.error();
}

/// "certificate.validity.unit" for "/certificate/validity/unit"; indices in brackets.
inline std::string field_of(const std::string& pointer) {
  std::string out;
  std::istringstream in(pointer.substr(1));
  for (std::string token; std::getline(in, token, '/');)
    out += token.find_first_not_of("0123456789") == std::string::npos
      ? "[" + token + "]"
      : (out.empty() ? "" : ".") + token;
  return out;
}

} // namespace pfx::test
