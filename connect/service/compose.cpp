// Pieces that several bodies are made of.
#include "connect/service/compose.hpp"

#include <array>

#include "connect/service/codec.hpp"

namespace pfx::connect::service {

std::string_view name_of(upload_status value) noexcept {
  constexpr std::array<std::string_view, 7> words
    = {"unknown",       "accepted", "alreadyRecorded", "leaseLost",
       "resultMissing", "rejected", "unknownRequest"};
  auto at = static_cast<std::size_t>(value);
  return words[at < words.size() ? at : 0];
}

std::string_view name_of(query_state value) noexcept {
  constexpr std::array<std::string_view, 5> words
    = {"unknown", "open", "leased", "recorded", "unknown"};
  auto at = static_cast<std::size_t>(value);
  return words[at < words.size() ? at : 0];
}

std::string dump(const ordered& value) {
  return value.dump(-1, ' ', false, ordered::error_handler_t::replace);
}

ordered hash_or_null(const digest& value) {
  return value.present() ? ordered(to_hex(value)) : ordered(nullptr);
}

ordered text_or_null(const std::string& value) {
  return value.empty() ? ordered(nullptr) : ordered(value);
}

ordered moment_or_null(const std::optional<unix_ms>& value) {
  return value ? ordered(to_rfc3339(*value)) : ordered(nullptr);
}

ordered begin_call(const caller& who) {
  return {{"connectorId", who.connector_id}, {"epoch", who.epoch}, {"runId", who.run_id}};
}

std::string dump_answer(ordered value) {
  ordered out;
  out["value"] = std::move(value);
  return dump(out);
}

std::string encode_error(std::string_view code, std::string_view message,
                         std::uint64_t highest_epoch) {
  ordered inner = {{"code", code}, {"message", message}};
  if (highest_epoch != 0)
    inner["highestEpoch"] = highest_epoch;
  ordered out;
  out["error"] = std::move(inner);
  return dump(out);
}

} // namespace pfx::connect::service
