// Calls of the service. The order in each is: decode, lock, decide and append to the journal,
// unlock, sync, answer.
#include "sandbox/service.hpp"

#include <algorithm>

#include "connect/service/codec.hpp"
#include "core/limits.hpp"
#include "crypto/digest.hpp"
#include "sandbox/dice.hpp"
#include "sandbox/replies.hpp"

namespace pfx::sandbox {

namespace {

constexpr std::size_t query_page_max = 500;
constexpr std::string_view service_prefix = "/service/";
constexpr std::string_view ca_prefix = "/ca/";

/// What an entry's octets are, found out before the lock is taken.
struct read_entry {
  std::optional<ledger::document> says; ///< none without a document
  request_result delivered;
};

read_entry read_document(const service::upload_entry& entry) {
  read_entry out;
  if (entry.result_document.empty()) {
    return out;
  }
  out.says.emplace();
  if (crypto::sha256(entry.result_document) != entry.result_digest) {
    out.says->wrong = error{errc::bad_input, "resultDigest", "is not the digest of the result"};
    return out;
  }
  auto decoded = service::decode_result_document(entry.result_document);
  if (!decoded) {
    out.says->wrong = decoded.error();
    return out;
  }
  out.delivered = std::move(*decoded);
  out.says->succeeded = out.delivered.succeeded;
  out.says->code = out.delivered.code;
  if (out.delivered.succeeded && out.delivered.certificate) {
    out.says->thumbprint = crypto::sha256(out.delivered.certificate->certificate);
  }
  return out;
}

} // namespace

connect::http::server_response request_service::handle(
  const connect::http::server_request& request) {
  const auto path = request.target.substr(0, request.target.find('?'));
  const bool for_ca = path.starts_with(ca_prefix);
  if (!for_ca && !path.starts_with(service_prefix)) {
    return refuse(404, "NotFound", "no such path");
  }
  if (request.method != "POST") {
    return refuse(405, "MethodNotAllowed", "calls are POST");
  }
  const auto name = for_ca ? std::string() : path.substr(service_prefix.size());
  if (name == "Connectors/register") {
    return enrol(request.body);
  }
  const auto connector = desk_.who(request.from.certificate_der);
  if (!connector) {
    return refuse(401, "Unauthorized", "a client certificate of this service is needed");
  }
  if (for_ca) {
    return options_.ca ? options_.ca(request) : refuse(404, "NotFound", "no CA here");
  }
  return call(name, request.body, *connector);
}

connect::http::server_response request_service::enrol(const std::string& body) {
  const auto order = service::decode_register(body);
  if (!order) {
    return refuse(order.error());
  }
  const auto answer = desk_.enrol(*order, system_clock().wall());
  if (!answer) {
    return refuse(answer.error());
  }
  log_.append(line("registered").text("connector", answer->connector_id));
  return after_sync(service::encode_register_answer(*answer));
}

connect::http::server_response request_service::call(const std::string& name,
                                                     const std::string& body,
                                                     const std::string& connector) {
  const auto who = service::decode_caller(body);
  if (!who) {
    return refuse(who.error());
  }
  if (who->connector_id != connector) {
    return refuse(403, "Forbidden", "connectorId is not the certificate's");
  }
  const auto fault
    = options_.faults == nullptr ? drawn_fault() : options_.faults->draw(fault_layer::desk, name);
  if (fault.is(fault_kind::stale_epoch)) {
    options_.faults->note(fault, "connector", connector);
    return stale(*who, name, who->epoch);
  }
  ledger::verdict verdict;
  {
    const std::scoped_lock lock(mutex_);
    verdict = books_.admit(*who);
    if (!verdict.stale && verdict.first_of_run && name != "Connectors/checkIn") {
      log_.append(
        line("fault")
          .text("context", "")
          .text("text",
                "run " + printable(who->run_id) + " called " + name + " before its checkIn"));
    }
  }
  if (verdict.stale) {
    return stale(*who, name, verdict.highest_epoch);
  }
  if (fault) {
    meddle(fault, body);
    return spoiled(fault, serve(name, body, *who));
  }
  return serve(name, body, *who);
}

connect::http::server_response request_service::stale(const service::caller& who,
                                                      const std::string& name,
                                                      std::uint64_t highest_epoch) {
  log_.append(line("stale_epoch")
                .text("connector", who.connector_id)
                .text("run", who.run_id)
                .number("epoch", static_cast<std::int64_t>(who.epoch))
                .text("call", name));
  if (const auto synced = log_.sync(); !synced) {
    return refuse(503, "ServiceUnavailable", to_string(synced.error()));
  }
  return reply(
    409,
    service::encode_error("staleEpoch", "a later run of this connector is known", highest_epoch));
}

connect::http::server_response request_service::serve(const std::string& name,
                                                      const std::string& body,
                                                      const service::caller& who) {
  using method = response (request_service::*)(const service::caller&, const std::string&);
  static const std::map<std::string, method> calls = {
    {"Connectors/checkIn", &request_service::check_in},
    {"Connectors/importKeys", &request_service::import_keys},
    {"Connectors/renew", &request_service::renew},
    {"PfxRequests/download", &request_service::download},
    {"PfxRequests/renewLeases", &request_service::renew_leases},
    {"PfxRequests/upload", &request_service::upload},
    {"PfxRequests/query", &request_service::query},
  };
  const auto at = calls.find(name);
  return at == calls.end() ? refuse(404, "NotFound", "no such call")
                           : (this->*at->second)(who, body);
}

connect::http::server_response request_service::check_in(const service::caller& who,
                                                         const std::string& body) {
  const auto order = service::decode_check_in(body);
  if (!order) {
    return refuse(order.error());
  }
  service::check_in_answer answer;
  {
    const std::scoped_lock lock(mutex_);
    answer = books_.check_in(who, *order);
    log_.append(line("checked_in")
                  .text("connector", who.connector_id)
                  .text("run", who.run_id)
                  .number("epoch", static_cast<std::int64_t>(who.epoch))
                  .number("sequence", static_cast<std::int64_t>(order->at.sequence))
                  .text("head", to_hex(order->at.audit_head))
                  .flag("reconciled", order->reconciled));
  }
  return after_sync(service::encode_check_in_answer(answer));
}

std::optional<std::string> request_service::next_spoiled_answer() {
  const std::scoped_lock lock(mutex_);
  if (spoiled_answers_.empty()) {
    return std::nullopt;
  }
  auto name = std::move(spoiled_answers_.front());
  spoiled_answers_.pop_front();
  log_.append(line("spoiled_answer").text("name", name));
  return name;
}

std::vector<std::string> request_service::texts_within_limit(
  const std::vector<hand_out>& given) const {
  std::vector<std::string> texts;
  std::size_t size = 0;
  for (const auto& one : given) {
    auto text = options_.text_of(options_.order_of(one.index), one);
    if (!texts.empty() && size + text.size() > options_.answer_bytes_max) {
      break; // leased and not sent: comes again when the lease is over
    }
    size += text.size();
    texts.push_back(std::move(text));
  }
  return texts;
}

connect::http::server_response request_service::download(const service::caller& who,
                                                         const std::string& body) {
  auto order = service::decode_download(body);
  if (!order) {
    return refuse(order.error());
  }
  if (const auto spoiled = next_spoiled_answer()) {
    return after_sync(spoiled_answer(*spoiled));
  }
  order->requests_max = std::min(order->requests_max, limits::batch_requests_max);
  std::vector<hand_out> given;
  bool more = false;
  {
    const std::scoped_lock lock(mutex_);
    const auto now = system_clock().boot();
    std::vector<line> lines;
    given = books_.download(who, *order, now, lines);
    more = books_.more(order->kinds, now);
    for (const auto& one : lines) {
      log_.append(one);
    }
  }
  return after_sync(service::encode_download_answer(texts_within_limit(given), more));
}

connect::http::server_response request_service::renew_leases(const service::caller& who,
                                                             const std::string& body) {
  std::int64_t lease_ms = 0;
  const auto claims = service::decode_renew_leases(body, lease_ms);
  if (!claims) {
    return refuse(claims.error());
  }
  std::vector<service::lease_answer> answers;
  {
    const std::scoped_lock lock(mutex_);
    std::vector<line> lines;
    answers = books_.renew(who, lease_ms, *claims, system_clock().boot(), lines);
    for (const auto& one : lines) {
      log_.append(one);
    }
  }
  return after_sync(service::encode_renew_leases_answer(answers));
}

connect::http::server_response request_service::upload(const service::caller& who,
                                                       const std::string& body) {
  const auto entries = service::decode_upload(body);
  if (!entries) {
    return refuse(entries.error());
  }
  std::vector<read_entry> read;
  for (const auto& entry : *entries) {
    read.push_back(read_document(entry));
  }
  std::vector<service::upload_answer> answers;
  std::vector<judge_job> jobs;
  {
    const std::scoped_lock lock(mutex_);
    const auto now = system_clock().boot();
    std::vector<line> lines;
    for (std::size_t at = 0; at < entries->size(); ++at) {
      const auto& entry = (*entries)[at];
      const auto* says = read[at].says ? &*read[at].says : nullptr;
      answers.push_back(books_.upload(who, entry, says, now, lines));
      if (answers.back().status == service::upload_status::accepted) {
        if (says->thumbprint.present()) {
          options_.certified(says->thumbprint);
        }
        jobs.push_back({books_.find(entry.context)->index, std::move(read[at].delivered),
                        system_clock().wall()});
      }
    }
    for (const auto& one : lines) {
      log_.append(one);
    }
  }
  auto answer = after_sync(service::encode_upload_answer(answers));
  for (auto& job : jobs) {
    if (dice(options_.books.seed ^ 0x10d6e, job.index).share() < options_.judge_share) {
      judges_.push(std::move(job));
    }
  }
  return answer;
}

connect::http::server_response request_service::query(const service::caller& who,
                                                      const std::string& body) {
  const auto order = service::decode_query(body);
  if (!order) {
    return refuse(order.error());
  }
  service::query_page page;
  {
    const std::scoped_lock lock(mutex_);
    const auto now = system_clock().boot();
    if (order->handed_to_me) {
      page = books_.handed_to(who.connector_id, order->after, query_page_max, now);
      for (auto& one : page.answers) {
        // Empty for an import: no CA takes part.
        one.authority = options_.order_of(books_.find(one.context)->index).request.create.authority;
      }
    }
    for (const auto& context : order->contexts) {
      page.answers.push_back(books_.query(context, now));
    }
    log_.append(line("queried")
                  .text("connector", who.connector_id)
                  .text("run", who.run_id)
                  .flag("handed_to_me", order->handed_to_me)
                  .number("contexts", static_cast<std::int64_t>(page.answers.size())));
  }
  return after_sync(
    service::encode_query_answer(page)); // "recorded" may be told: it must be synced
}

connect::http::server_response request_service::after_sync(std::string body) {
  if (const auto synced = log_.sync(); !synced) {
    return refuse(503, "ServiceUnavailable", to_string(synced.error()));
  }
  return reply(200, std::move(body));
}

bool request_service::enqueue(const order& what, const std::string& authority) {
  const std::scoped_lock lock(mutex_);
  const bool must_end = what.expected.end != expected_end::anything;
  const bool import = what.request.kind == request_kind::pfx_import;
  if (!books_.enqueue({what.context, what.index, copies_of(what), must_end, import,
                       import && !imports_.has_key()})) {
    return false;
  }
  if (what.how == spoiling::whole_answer) {
    spoiled_answers_.push_back(what.bad_name);
  }
  log_.append(line("ordered")
                .text("context", what.context)
                .text("kind", what.kind)
                .flag("import", import)
                .text("expected", name_of(what.expected.end))
                .text("alike", what.expected.alike)
                .text("authority", import ? "" : authority)); // nothing is to be asked of a CA
  return true;
}

ledger_counts request_service::counts() const {
  const std::scoped_lock lock(mutex_);
  return books_.counts();
}

} // namespace pfx::sandbox
