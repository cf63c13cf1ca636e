// Three parts, a header, a signature, claims.
#include "sandbox/intune/assertion.hpp"

#include <cmath>

#include "connect/http/json.hpp"
#include "crypto/digest.hpp"
#include "crypto/rsa_signature.hpp"

namespace pfx::sandbox {

using json = nlohmann::json;

namespace {

tl::unexpected<error> no_jwt(const char* what) {
  return failure(errc::bad_input, "client_assertion", what);
}

/// RFC 4648 5 without padding.
result<bytes> from_base64url(std::string_view text) {
  std::string plain(text);
  for (char& c : plain) {
    if (c == '+' || c == '/' || c == '=') {
      return no_jwt("has a character that is not of base64url");
    }
    c = c == '-' ? '+' : c == '_' ? '/' : c;
  }
  plain.append((4 - plain.size() % 4) % 4, '=');
  return crypto::from_base64(plain);
}

result<json> object_of(std::string_view part) {
  const auto octets = from_base64url(part);
  auto parsed = octets ? connect::http::parse_json_strict(to_text(*octets))
                       : result<json>(failure(octets.error()));
  if (!parsed || !parsed->is_object()) {
    return no_jwt("has a part that is no JSON object");
  }
  return parsed;
}

std::string text(const json& from, const char* name) {
  const auto at = from.find(name);
  return at != from.end() && at->is_string() ? at->get<std::string>() : std::string();
}

/// RFC 7519 2, NumericDate: may have a fraction, and has one from MSAL for Python. 0 if it is none,
/// or further away than such a number can tell apart seconds.
std::int64_t seconds(const json& from, const char* name) {
  constexpr double exact_max = 9'007'199'254'740'992.0; // 2^53
  const auto at = from.find(name);
  const auto given = at != from.end() && at->is_number() ? at->get<double>() : 0.0;
  return std::abs(given) <= exact_max ? static_cast<std::int64_t>(given) : 0;
}

std::vector<std::string> audiences_of(const json& claims) {
  const auto at = claims.find("aud");
  std::vector<std::string> out;
  if (at != claims.end() && at->is_string()) {
    out.push_back(at->get<std::string>());
  } else if (at != claims.end() && at->is_array()) {
    for (const auto& one : *at) {
      out.push_back(one.is_string() ? one.get<std::string>() : std::string());
    }
  }
  return out;
}

/// Each thumbprint that is there must be right, and one must be there. MSAL for Python writes the
/// padding that RFC 7515 leaves out, and Entra takes it.
result<void> check_thumbprints(const json& header, const crypto::certificate& by) {
  const auto named = [&](const char* name, byte_view octets) {
    auto given = text(header, name);
    given.erase(given.find_last_not_of('=') + 1);
    return !header.contains(name) || given == crypto::to_base64url(octets);
  };
  if (!named("x5t#S256", crypto::sha256(by.der()).octets)) {
    return failure(errc::unauthorized, "x5t#S256", "is of no certificate of this application");
  }
  if (!named("x5t", crypto::sha1(by.der()))) {
    return failure(errc::unauthorized, "x5t", "is of no certificate of this application");
  }
  if (!header.contains("x5t#S256") && !header.contains("x5t")) {
    return failure(errc::unauthorized, "x5t#S256", "is missing, and x5t too");
  }
  return {};
}

result<void> check_header(const json& header, const crypto::certificate& by) {
  const auto algorithm = text(header, "alg");
  if (algorithm != "PS256" && algorithm != "RS256") {
    return failure(errc::unauthorized, "alg", "is neither PS256 nor RS256");
  }
  if (header.contains("crit")) {
    return failure(errc::unauthorized, "crit", "names an extension that nobody knows");
  }
  const auto type = text(header, "typ");
  if (header.contains("typ") && type != "JWT") {
    return failure(errc::unauthorized, "typ", "is not JWT");
  }
  return check_thumbprints(header, by);
}

} // namespace

result<assertion_claims> verify_assertion(std::string_view text_given,
                                          const crypto::certificate& by) {
  const auto first = text_given.find('.');
  const auto last = text_given.rfind('.');
  if (text_given.size() > assertion_bytes_max || first == last
      || text_given.find('.', first + 1) != last) {
    return no_jwt("has not three parts");
  }
  const auto header = object_of(text_given.substr(0, first));
  const auto claims = object_of(text_given.substr(first + 1, last - first - 1));
  const auto signature = from_base64url(text_given.substr(last + 1));
  if (!header || !claims || !signature) {
    return no_jwt("has a part that is none");
  }
  if (auto right = check_header(*header, by); !right) {
    return failure(right.error());
  }
  const auto verified
    = text(*header, "alg") == "PS256" ? crypto::verify_pss_sha256 : crypto::verify_pkcs1_sha256;
  if (!verified(by, as_bytes(text_given.substr(0, last)), *signature)) {
    return failure(errc::unauthorized, "signature", "is wrong");
  }
  return assertion_claims{audiences_of(*claims),  text(*claims, "iss"),    text(*claims, "sub"),
                          text(*claims, "jti"),   seconds(*claims, "nbf"), seconds(*claims, "iat"),
                          seconds(*claims, "exp")};
}

} // namespace pfx::sandbox
