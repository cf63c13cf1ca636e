// Expiries gathered, health written, renewal begun when two thirds of a certificate's life are
// over.
#include "engine/upkeep.hpp"

#include <nlohmann/json.hpp>

#include "connect/intune/connection.hpp"
#include "connect/service/client.hpp"
#include "engine/identity_files.hpp"

namespace pfx::engine {

namespace {

using actors::tasks::expiry;
using actors::tasks::renewal;

constexpr std::size_t sentences_max = 20; ///< of one check-in

/// The leaf that the clients show.
result<crypto::certificate> own_certificate(const connect::http::identity_box& box) {
  return crypto::certificate::from_pem(box.current().first.certificate_pem);
}

unix_ms due_at(const crypto::certificate& own) {
  return own.not_before() + (own.not_after() - own.not_before()) / 3 * 2;
}

} // namespace

std::vector<expiry> upkeep::expiries() const {
  std::vector<expiry> out;
  if (const auto own = own_certificate(*box_)) {
    out.push_back({"the connector certificate", own->not_after(), true});
  }
  if (plant_.tenant != nullptr) {
    for (const auto& one : plant_.tenant->tokens().credentials()) {
      if (one.expires) {
        out.push_back({"intune.credentials[" + std::to_string(one.index) + "] (" + one.name + ")",
                       *one.expires, false});
      }
    }
  }
  return out;
}

std::string upkeep::health_json() const {
  using nlohmann::ordered_json;
  const auto& totals = plant_.totals;
  ordered_json out{
    {"version", plant_.settings.connector_version}, {"startedAt", to_rfc3339(started_at_)},
    {"delivered", totals.delivered.load()},         {"failed", totals.failed.load()},
    {"superseded", totals.superseded.load()},       {"quarantined", totals.quarantined.load()},
  };
  if (plant_.revocations != nullptr) {
    out["revocations"] = {{"received", totals.orders_received.load()},
                          {"revoked", totals.orders_revoked.load()},
                          {"failed", totals.orders_failed.load()},
                          {"reported", totals.orders_reported.load()}};
  }
  out["expiries"] = ordered_json::array();
  for (const auto& one : expiries()) {
    out["expiries"].push_back({{"name", one.name}, {"endsAt", to_rfc3339(one.ends_at)}});
  }
  out["attention"] = ordered_json::array();
  for (const auto& sentence : plant_.attention.current()) {
    if (out["attention"].size() < sentences_max) {
      out["attention"].push_back(printable(sentence, 300));
    }
  }
  return out.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

renewal upkeep::renew_if_due() {
  const std::lock_guard lock(renewing_);
  const auto own = own_certificate(*box_);
  if (!own) {
    return {.fault = to_string(own.error())};
  }
  if (plant_.time->wall() < due_at(*own)) {
    return {};
  }
  detail::renewal_order order;
  order.ask = [this](byte_view certificate_request) -> result<bytes> {
    auto answer = plant_.service->renew_certificate(plant_.caller.current(), certificate_request);
    if (!answer) {
      return failure(answer.error().what);
    }
    return std::move(*answer);
  };
  auto made = detail::renew_identity(settings_, order);
  if (!made) {
    return {.fault = to_string(made.error())};
  }
  box_->put({made->certificate_pem, {}, std::move(made->key_pem)});
  const auto next = own_certificate(*box_);
  return {.renewed = true, .ends_at = next ? next->not_after() : 0};
}

} // namespace pfx::engine
