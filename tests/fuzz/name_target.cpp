// Names of certificates as text and DER, alternative names, security identifiers: what services put
// into requests.
#include "crypto/name.hpp"
#include "crypto/request.hpp"
#include "tests/fuzz/target.hpp"

using namespace pfx;

namespace {

void text_of_a_service(byte_view input) {
  const auto der = crypto::name_from_text(to_text(input));
  if (!der)
    return;
  const auto text = crypto::name_to_text(*der);
  fuzz::promise(text.has_value(), "a name that was read can be written");
  const auto again = crypto::name_from_text(*text);
  fuzz::promise(again && *again == *der, "a written name is the same name");
}

void name_of_a_certificate(byte_view input) {
  const auto text = crypto::name_to_text(input);
  if (!text)
    return;
  // Another type of string or a value over its bound may not come back; what does is a fixed point.
  const auto der = crypto::name_from_text(*text);
  if (!der)
    return;
  const auto again = crypto::name_to_text(*der);
  fuzz::promise(again && *again == *text, "text of a name is a fixed point");
}

void alternative_name_of_a_service(byte_view input) {
  const auto [which, rest] = fuzz::choose(input, 8);
  crypto::csr_options options;
  options.subject = "CN=a";
  if (which >= 1 && which <= 6)
    options.alternative_names.push_back({static_cast<name_type>(which), to_text(rest)});
  else if (which == 7)
    options.extended_usages.push_back(to_text(rest));
  else
    options.security_identifier = to_text(rest);
  static_cast<void>(crypto::check_csr_options(options, key_algorithm::ec_p256));
}

} // namespace

PFX_FUZZ_TARGET(name) {
  const auto [which, rest] = fuzz::choose(input, 4);
  switch (which) {
    case 0:
      text_of_a_service(rest);
      break;
    case 1:
      name_of_a_certificate(rest);
      break;
    case 2:
      alternative_name_of_a_service(rest);
      break;
    default:
      static_cast<void>(crypto::encode_security_identifier(to_text(rest)));
      break;
  }
}
