// The answer of PfxRequests/download: one bad entry must not take the others with it, so faults are
// kept per entry; only what is wrong with the body itself refuses the whole.
#include <algorithm>
#include <charconv>
#include <map>

#include "connect/http/json.hpp"
#include "connect/service/codec.hpp"
#include "connect/service/compose.hpp"
#include "connect/service/request_codec.hpp"
#include "crypto/digest.hpp"

namespace pfx::connect::service {

namespace {

/// Duplicate keys by entry: readable paths like "recipients[3].certificate".
using duplicates_by_entry = std::map<std::size_t, std::vector<std::string>>;

std::string unescaped(std::string_view token) {
  std::string out;
  for (std::size_t i = 0; i < token.size(); ++i) {
    if (token[i] == '~' && i + 1 < token.size())
      out += token[++i] == '1' ? '/' : '~';
    else
      out += token[i];
  }
  return out;
}

/// A pointer's token as an index, if it is one.
std::optional<std::size_t> index_of(std::string_view token) {
  std::size_t out = 0;
  auto [end, wrong] = std::from_chars(token.data(), token.data() + token.size(), out);
  if (wrong != std::errc{} || end != token.data() + token.size())
    return std::nullopt;
  return out;
}

const json* member(const json& of, const std::string& token) {
  if (of.is_array()) {
    auto index = index_of(token);
    return index && *index < of.size() ? &of[*index] : nullptr;
  }
  auto at = of.is_object() ? of.find(token) : of.end();
  return at == of.end() ? nullptr : &*at;
}

/// "/recipients/3/certificate" as "recipients[3].certificate"; the DOM tells indices from names.
std::string readable_path(const json& from, std::string_view pointer) {
  std::string out;
  const json* at = &from;
  while (!pointer.empty()) {
    pointer.remove_prefix(1);
    auto end = std::min(pointer.find('/'), pointer.size());
    std::string token = unescaped(pointer.substr(0, end));
    pointer.remove_prefix(end);
    bool indexed = at != nullptr && at->is_array();
    out += indexed ? "[" + token + "]" : (out.empty() ? token : "." + token);
    at = at == nullptr ? nullptr : member(*at, token);
  }
  return printable(out, 200);
}

/// Sorts the duplicates to their entries. A duplicate outside of entries refuses the whole.
result<duplicates_by_entry> sort_duplicates(const http::parsed_json& parsed) {
  if (parsed.duplicates.size() >= http::json_duplicates_max)
    return failure(errc::bad_input, "value", "has too many keys that appear twice");
  constexpr std::string_view within = "/value/";
  for (const std::string& pointer : parsed.duplicates)
    if (!pointer.starts_with(within) || pointer.find('/', within.size()) == std::string::npos)
      return failure(errc::bad_input, readable_path(parsed.value, pointer), "appears twice");
  // From here on there is one "value" only, so that the pointers lead into it.
  duplicates_by_entry out;
  const json& list = parsed.value.at("value");
  for (std::string_view pointer : parsed.duplicates) {
    auto end = pointer.find('/', within.size());
    auto index = index_of(pointer.substr(within.size(), end - within.size()));
    if (index && *index < list.size())
      out[*index].push_back(readable_path(list[*index], pointer.substr(end)));
  }
  return out;
}

/// The one member that everything hangs on; empty if it cannot be used.
std::string usable_context(const json& entry, const std::vector<std::string>& duplicates) {
  if (!entry.is_object() || std::count(duplicates.begin(), duplicates.end(), "requestContext") > 0)
    return {};
  fault ignored;
  return fields(entry, "", ignored).text("requestContext", limits::request_context_bytes_max);
}

/// Octets of a value written without white space; an escape counts as what it stands for. Writing
/// it out to know this cost an eighth of a request that is handed out again.
std::size_t octets_of(const json& value) {
  constexpr std::size_t brackets = 2, quotes_and_colon = 3;
  if (value.is_string())
    return brackets + value.get_ref<const json::string_t&>().size();
  if (!value.is_structured())
    return value.dump().size();
  std::size_t out = brackets + std::max<std::size_t>(1, value.size()) - 1; // the commas
  if (value.is_array())
    for (const json& item : value)
      out += octets_of(item);
  else
    for (const auto& [name, item] : value.get_ref<const json::object_t&>())
      out += quotes_and_colon + name.size() + octets_of(item);
  return out;
}

offer read_offer(const json& entry, const std::vector<std::string>& duplicates,
                 std::string context) {
  fault wrong;
  offer out;
  out.context = std::move(context);
  if (octets_of(entry) > limits::request_bytes_max)
    wrong.note(errc::too_large, "request",
               "is over " + std::to_string(limits::request_bytes_max) + " octets");
  for (const std::string& twice : duplicates)
    wrong.note(errc::bad_input, twice, "appears twice");
  fields in(entry, "", wrong);
  out.lease_number = in.number("leaseNumber", 1, UINT64_MAX);
  if (std::count(duplicates.begin(), duplicates.end(), "leaseNumber") > 0)
    out.lease_number = 0; // which of the two is ours cannot be known
  out.lease_ms = static_cast<std::int64_t>(in.number("leaseSeconds", 1, lease_seconds_max)) * 1'000;
  pfx_request request = read_request(in);
  if (wrong.any()) {
    out.fingerprint = fingerprint_of_unreadable(entry);
    out.request = failure(*wrong.first);
  } else {
    out.fingerprint = crypto::sha256(encode(request));
    out.request = std::move(request);
  }
  return out;
}

} // namespace

result<download_answer> decode_download_answer(std::string_view body) {
  auto parsed = http::parse_json(body);
  if (!parsed)
    return failure(parsed.error());
  fault wrong;
  fields in(parsed->value, "", wrong);
  download_answer out;
  const auto& entries = in.items("value");
  out.more = in.optional_flag("more");
  if (entries.size() > limits::batch_requests_max)
    in.note(errc::too_large, "value", "has more requests than any batch may have");
  if (wrong.any())
    return failure(*wrong.first);
  auto duplicates = sort_duplicates(*parsed);
  if (!duplicates)
    return failure(duplicates.error());
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const auto& twice = (*duplicates)[i];
    std::string context = usable_context(entries[i], twice);
    if (context.empty())
      out.unanswerable.push_back({errc::bad_input, in.path("value", i) + ".requestContext",
                                  "is missing, empty, too long, no text or there twice"});
    else
      out.offers.push_back(read_offer(entries[i], twice, std::move(context)));
  }
  return out;
}

std::string encode_download_answer(const std::vector<std::string>& request_texts, bool more) {
  std::string out = "{\"value\":[";
  for (std::size_t i = 0; i < request_texts.size(); ++i)
    out += (i == 0 ? "" : ",") + request_texts[i];
  return out + "],\"more\":" + (more ? "true" : "false") + "}";
}

std::string encode_download(const caller& who, const download_order& order) {
  ordered kinds = ordered::array();
  for (request_kind kind : order.kinds)
    kinds.push_back(name_of(kind));
  ordered out = begin_call(who);
  out["downloadParameters"] = {{"maxRequests", order.requests_max},
                               {"kinds", std::move(kinds)},
                               {"leaseSeconds", order.lease_ms / 1'000}};
  return dump(out);
}

result<download_order> decode_download(std::string_view body) {
  auto value = http::parse_json_strict(body);
  if (!value)
    return failure(value.error());
  fault wrong;
  fields in = fields(*value, "", wrong).object("downloadParameters");
  download_order out;
  out.requests_max = in.number("maxRequests", 1, limits::batch_requests_max);
  out.lease_ms = static_cast<std::int64_t>(in.number("leaseSeconds", 1, lease_seconds_max)) * 1'000;
  const auto& kinds = in.items("kinds");
  for (const std::string& word : in.texts("kinds", kinds))
    if (auto kind = request_kind_of(word)) // one of tomorrow is no kind that we could hand out
      out.kinds.push_back(*kind);
  if (wrong.any())
    return failure(*wrong.first);
  return out;
}

} // namespace pfx::connect::service
