// Twice, reordered, with another body, with an entry that is none.
#include "sandbox/hostile_desk.hpp"

#include <algorithm>
#include <functional>

#include "connect/http/json.hpp"

namespace pfx::sandbox {

using json = nlohmann::json;

namespace {

/// An entry that no request can be made of, and that nobody could answer.
json junk(dice& choice) {
  switch (choice.below(5)) {
    case 0:
      return nullptr;
    case 1:
      return 4711;
    case 2:
      return json::array({json::object()});
    case 3:
      return json::object({{"requestContext", ""}, {"kind", "pfxCreate"}});
    default:
      return json::object({{"requestContext", json::object()}, {"leaseNumber", -1}});
  }
}

/// Another request under the same context: who compares only contexts takes it for a repetition.
json other_body(json entry, dice& choice) {
  if (entry.contains("serialNumber")) { // a revocation order
    entry["serialNumber"] = "5a" + std::to_string(choice.next());
    return entry;
  }
  entry["deviceId"] = choice.uuid();
  entry["userPrincipalName"] = "mallory@example.test";
  return entry;
}

} // namespace

std::optional<std::string> spoil_download(drawn_fault& fault, const std::string& body,
                                          std::string& contexts) {
  auto read = connect::http::parse_json(body);
  if (!read || !read->duplicates.empty() || !read->value.is_object()) {
    return std::nullopt;
  }
  auto& list = read->value["value"];
  if (!list.is_array() || list.empty()) {
    return std::nullopt;
  }
  auto& choice = fault.choice;
  const auto repeat = [&](const std::function<json(json)>& change) {
    for (std::uint64_t n = 0; n < fault.rule->count; ++n) {
      auto copy = list[choice.below(list.size())];
      if (copy.is_object() && copy.contains("requestContext")
          && copy["requestContext"].is_string()) {
        contexts += (contexts.empty() ? "" : " ") + copy["requestContext"].get<std::string>();
        list.push_back(change(std::move(copy)));
      }
    }
  };
  switch (fault.rule->kind) {
    case fault_kind::twice:
      repeat([](json entry) { return entry; });
      break;
    case fault_kind::other_body:
      repeat([&](json entry) { return other_body(std::move(entry), choice); });
      break;
    case fault_kind::reordered:
      for (auto n = list.size(); n > 1; --n) {
        std::swap(list[n - 1], list[choice.below(n)]);
      }
      break;
    case fault_kind::junk:
      list.insert(list.begin() + static_cast<std::ptrdiff_t>(choice.below(list.size() + 1)),
                  junk(choice));
      break;
    default:
      return std::nullopt;
  }
  return read->value.dump();
}

} // namespace pfx::sandbox
