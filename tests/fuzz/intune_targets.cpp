// Answers of the public services, and addresses in them: JSON from whoever stands in for Microsoft.
#include "connect/http/address.hpp"
#include "connect/intune/authorized.hpp"
#include "connect/intune/codec.hpp"
#include "connect/intune/text.hpp"
#include "tests/fuzz/target.hpp"

#include <algorithm>

using namespace pfx;
namespace intune = pfx::connect::intune;

namespace {

void judge_token(std::string body) {
  auto grant = intune::decode_token(body);
  fuzz::promise(body.empty(), "an answer with a token is wiped");
  if (!grant)
    return;
  const auto text = grant->token.text();
  fuzz::promise(!text.empty() && text.size() <= intune::token_bytes_max, "a token is bounded");
  fuzz::promise(std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; }),
                "a token fits into a header");
  fuzz::promise(grant->life_ms > 0 && grant->life_ms <= intune::token_life_s_max * 1'000,
                "a life is bounded");
}

void judge_refusal(const std::string& body) {
  const auto said = intune::decode_token_refusal(body);
  fuzz::promise(said.error.size() <= 512, "an OAuth2 word is short");
  fuzz::promise(said.aadsts.empty()
                  || (said.aadsts.starts_with("AADSTS") && said.aadsts.size() <= 32),
                "an AADSTS code is one");
}

void judge_services(const std::string& body) {
  const auto page = intune::decode_services(body);
  if (!page)
    return;
  fuzz::promise(page->services.size() <= intune::services_max, "the services are counted");
  for (const auto& [name, uri] : page->services) {
    fuzz::promise(!name.empty(), "a service has a name");
    const auto read = connect::http::parse_address(uri, "uri");
    if (!read)
      continue;
    const auto again = connect::http::parse_address(read->text(), "uri");
    fuzz::promise(again && again->text() == read->text(), "an address is written as it was read");
    fuzz::promise(read->text().find_first_of(" \\\"#@\r\n") >= read->origin().size(),
                  "nothing but a host stands where the host stands");
  }
}

void judge_revocations(const std::string& body) {
  const auto batch = intune::decode_revocations(body);
  if (!batch)
    return;
  fuzz::promise(batch->requests.size() + batch->unreadable <= std::size_t{intune::revocations_max},
                "a batch is bounded");
  std::vector<intune::revocation_result> results;
  for (const auto& one : batch->requests) {
    fuzz::promise(!one.request_context.empty() && !one.serial_number.empty(),
                  "an entry has context and serial");
    fuzz::promise(intune::utf16_units(one.request_context).has_value(), "what came in is UTF-8");
    results.push_back({one.request_context, true, service_code::none, {}});
  }
  fuzz::promise(!results.empty() == (intune::encode_upload(results).size() > 14),
                "a result is written for each");
}

void judge_verdict(const std::string& body) {
  const auto verdict = intune::decode_verdict(body);
  if (verdict)
    fuzz::promise(verdict->accepted() == (verdict->code_text == "Success"),
                  "Success alone is accepted");
}

void judge_text(const std::string& text) {
  const auto units = intune::utf16_units(text);
  const auto cut = intune::shortened(text, 20);
  const auto left = intune::utf16_units(cut);
  fuzz::promise(left && *left <= 20, "what is shortened is short and UTF-8");
  fuzz::promise(!units || *units > 20 || cut == text, "what fits stays as it is");
}

void judge_wait(const std::string& text) {
  connect::http::response got;
  got.headers["x-ms-retry-after-ms"] = text;
  const auto wait = intune::asked_wait_ms(got);
  fuzz::promise(wait >= 0 && wait <= 86'400'000, "a wait is between 0 and a day");
}

} // namespace

PFX_FUZZ_TARGET(intune) {
  const auto [which, rest] = fuzz::choose(input, 9);
  const auto text = to_text(rest);
  switch (which) {
    case 0:
      return judge_token(text);
    case 1:
      return judge_refusal(text);
    case 2:
      return judge_services(text);
    case 3:
      return judge_revocations(text);
    case 4:
      return judge_verdict(text);
    case 5:
      return static_cast<void>(intune::decode_recorded(text));
    case 6:
      return static_cast<void>(intune::decode_fault(text));
    case 7:
      return judge_wait(text);
    default:
      return judge_text(text);
  }
}
