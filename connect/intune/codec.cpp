// Sign-in answers, addresses of services, and words about failures.
#include "connect/intune/codec.hpp"

#include <algorithm>
#include <charconv>

#include "connect/http/header_text.hpp"
#include "connect/http/json.hpp"

namespace pfx::connect::intune {

namespace {

using json = nlohmann::json;

/// The text of a member, or null if it is not there or no string.
const std::string* text_of(const json& value, const char* key) {
  auto found = value.find(key);
  return found == value.end() ? nullptr : found->get_ptr<const std::string*>();
}

/// Whole seconds, as a number or (as older services write it) as digits in a string.
std::optional<std::int64_t> seconds_of(const json& value) {
  if (value.is_number_unsigned())
    return static_cast<std::int64_t>(
      std::min<std::uint64_t>(value.get<std::uint64_t>(), token_life_s_max));
  if (value.is_number_float() && value.get<double>() > 0)
    return static_cast<std::int64_t>(std::min(value.get<double>(), double(token_life_s_max)));
  const auto* text = value.get_ptr<const std::string*>();
  if (text == nullptr || text->empty()
      || text->find_first_not_of("0123456789") != std::string::npos)
    return std::nullopt;
  std::int64_t seconds = 0;
  const auto [end, fault] = std::from_chars(text->data(), text->data() + text->size(), seconds);
  return fault == std::errc{} ? seconds : token_life_s_max;
}

bool is_token(std::string_view text) {
  return !text.empty() && text.size() <= token_bytes_max
    && std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

auto not_a_grant(const char* field, const char* sentence) {
  return failure(errc::bad_input, field, sentence);
}

result<token_grant> grant_of(json& value) {
  if (!value.is_object())
    return not_a_grant("", "the answer is no object");
  const auto* type = text_of(value, "token_type");
  if (type == nullptr || http::lower(*type) != "bearer")
    return not_a_grant("token_type", "is not Bearer");
  auto token = value.find("access_token");
  auto* text = token == value.end() ? nullptr : token->get_ptr<std::string*>();
  if (text == nullptr || !is_token(*text))
    return not_a_grant("access_token", "is no token");
  token_grant out{secret_bytes(as_bytes(*text)), 0};
  auto life = value.find("expires_in");
  std::optional<std::int64_t> seconds = token_life_s_else;
  if (life != value.end() && !life->is_null())
    seconds = seconds_of(*life);
  if (!seconds || *seconds <= 0)
    return not_a_grant("expires_in", "is no number of seconds to come");
  out.life_ms = std::min(*seconds, token_life_s_max) * 1'000;
  return out;
}

/// "AADSTS" and the digits behind it.
std::string aadsts_of(const json& value, const std::string& description) {
  if (const auto at = description.find("AADSTS"); at != std::string::npos) {
    const auto end = description.find_first_not_of("0123456789", at + 6);
    auto code = description.substr(at, end == std::string::npos ? end : end - at);
    if (code.size() > 6 && code.size() <= 20)
      return code;
  }
  auto codes = value.find("error_codes");
  if (codes != value.end() && codes->is_array() && !codes->empty()
      && codes->front().is_number_unsigned())
    return "AADSTS" + std::to_string(codes->front().get<std::uint64_t>());
  return {};
}

/// Errors come as {"error":{"code","message"}}, and as the same without its frame.
const json& unframed(const json& value) {
  auto framed = value.find("error");
  return framed != value.end() && framed->is_object() ? *framed : value;
}

} // namespace

result<token_grant> decode_token(std::string& body) {
  auto parsed = http::parse_json_strict(body);
  wipe(body);
  if (!parsed)
    return failure(parsed.error());
  auto out = grant_of(*parsed);
  if (parsed->is_object())
    for (auto& [key, value] : parsed->items())
      if (auto* text = value.get_ptr<std::string*>(); text != nullptr)
        wipe(*text);
  return out;
}

token_refusal decode_token_refusal(std::string_view body) {
  token_refusal out;
  auto parsed = http::parse_json(body);
  if (!parsed || !parsed->value.is_object())
    return out;
  const json& value = parsed->value;
  if (const auto* text = text_of(value, "error"); text != nullptr)
    out.error = printable(*text, 64);
  if (const auto* text = text_of(value, "error_description"); text != nullptr)
    out.description = *text;
  out.aadsts = aadsts_of(value, out.description);
  return out;
}

result<service_page> decode_services(std::string_view body) {
  auto parsed = http::parse_json_strict(body);
  if (!parsed)
    return failure(parsed.error());
  auto list = parsed->is_object() ? parsed->find("value") : parsed->end();
  if (!parsed->is_object() || list == parsed->end() || !list->is_array())
    return failure(errc::bad_input, "value", "is no list of services");
  if (list->size() > services_max)
    return failure(errc::too_large, "value", "is over 1000 services");
  service_page out;
  for (const json& entry : *list) {
    if (!entry.is_object())
      continue;
    const auto* name = text_of(entry, "providerName");
    const auto* uri = text_of(entry, "uri");
    if (name != nullptr && uri != nullptr && !name->empty())
      out.services.try_emplace(http::lower(*name), *uri);
  }
  if (const auto* next = text_of(*parsed, "@odata.nextLink"); next != nullptr)
    out.next = *next;
  return out;
}

service_fault decode_fault(std::string_view body) {
  service_fault out;
  auto parsed = http::parse_json(body);
  if (!parsed || !parsed->value.is_object())
    return out;
  const json& value = unframed(parsed->value);
  if (const auto* text = text_of(value, "code"); text != nullptr)
    out.code = printable(*text, 64);
  const auto* message = text_of(value, "message");
  if (message == nullptr)
    message = text_of(value, "Message");
  if (message == nullptr)
    return out;
  // {"_version":…,"Message":"…","CustomApiErrorPhrase":"…"} as a string
  if (auto inner = http::parse_json(*message); inner && inner->value.is_object()) {
    const auto* said = text_of(inner->value, "Message");
    const auto* phrase = text_of(inner->value, "CustomApiErrorPhrase");
    out.message = printable(said != nullptr ? *said : *message, 300);
    if (phrase != nullptr && !phrase->empty())
      out.message += " (" + printable(*phrase, 100) + ")";
    return out;
  }
  out.message = printable(*message, 300);
  return out;
}

} // namespace pfx::connect::intune
