// Calls of the bench's service. Decoding is done outside of the lock.
#include "bench/desk.hpp"

#include <algorithm>
#include <cmath>

#include "connect/service/codec.hpp"
#include "core/program_version.hpp"
#include "crypto/digest.hpp"
#include "sandbox/replies.hpp"

namespace pfx::bench {

namespace service = connect::service;
using sandbox::refuse;
using sandbox::reply;

namespace {

constexpr std::chrono::seconds hold_max{8}; ///< of a download; below what clients call stalled
constexpr std::size_t refill_share = 8;     ///< a waiting download is answered when 1/8 is free
constexpr std::string_view service_prefix = "/service/";
constexpr std::string_view ca_prefix = "/ca/";

double milliseconds(steady::duration value) {
  return std::chrono::duration<double, std::milli>(value).count();
}

double percentile(std::vector<double>& sorted, double share) {
  if (sorted.empty()) {
    return 0;
  }
  const auto rank = std::ceil(share * static_cast<double>(sorted.size()));
  return sorted[std::min(sorted.size(), std::max<std::size_t>(1, static_cast<std::size_t>(rank)))
                - 1];
}

} // namespace

desk::response desk::handle(const connect::http::server_request& in) {
  const auto path = in.target.substr(0, in.target.find('?'));
  if (path == "/service/Connectors/register") {
    const auto order = service::decode_register(in.body);
    const auto answer = order ? world_.registrar->enrol(*order, system_clock().wall())
                              : result<service::register_answer>(failure(order.error()));
    return answer ? reply(200, service::encode_register_answer(*answer)) : refuse(answer.error());
  }
  if (!world_.registrar->who(in.from.certificate_der)) {
    return refuse(401, "Unauthorized", "a client certificate of this service is needed");
  }
  if (path.starts_with(ca_prefix)) {
    return ca_(in);
  }
  return path.starts_with(service_prefix) ? call(path.substr(service_prefix.size()), in.body)
                                          : refuse(404, "NotFound", "no such path");
}

desk::response desk::call(const std::string& name, const std::string& body) {
  if (name == "PfxRequests/upload") {
    return upload(body);
  }
  if (name == "PfxRequests/download") {
    return download(body);
  }
  if (name == "PfxRequests/renewLeases") {
    return renew_leases(body);
  }
  if (name == "PfxRequests/query") {
    return query(body);
  }
  if (name == "Connectors/checkIn") {
    return check_in(body);
  }
  return name == "Connectors/importKeys" ? import_keys(body)
                                         : refuse(404, "NotFound", "no such call");
}

desk::response desk::check_in(const std::string& body) {
  if (const auto order = service::decode_check_in(body); !order) {
    return refuse(order.error());
  }
  service::check_in_answer answer;
  answer.latest_version = program_version();
  answer.lifecycle = "supported";
  return reply(200, service::encode_check_in_answer(answer));
}

desk::response desk::import_keys(const std::string& body) {
  const auto keys = service::decode_import_keys(body);
  const auto known = keys ? world_.imports->announce(*keys)
                          : result<std::vector<service::import_key>>(failure(keys.error()));
  return known ? reply(200, service::encode_import_keys_answer()) : refuse(known.error());
}

// -- handing out ------

/// How many may be handed out at this moment.
std::size_t desk::available(steady::time_point now) const {
  if (now_.count == 0) {
    return 0;
  }
  const auto elapsed = std::chrono::duration<double>(now - began_).count();
  if (now_.seconds > 0 && elapsed > now_.seconds) {
    return 0;
  }
  auto released = now_.count;
  if (now_.per_second > 0) {
    released = std::min(released, static_cast<std::size_t>(elapsed * now_.per_second) + 1);
  }
  const auto handed = next_ - first_;
  const auto in_flight = handed - ended_;
  const auto room = now_.in_flight_max - std::min(now_.in_flight_max, in_flight);
  const auto waiting = std::min(released - std::min(released, handed), room);
  const bool worth_it = now_.per_second > 0 || waiting + handed == now_.count
    || waiting >= std::max<std::size_t>(1, now_.in_flight_max / refill_share);
  return worth_it ? waiting : 0;
}

desk::response desk::download(const std::string& body) {
  const auto order = service::decode_download(body);
  if (!order) {
    return refuse(order.error());
  }
  const auto until = steady::now() + hold_max;
  std::vector<std::string> texts;
  {
    std::unique_lock lock(mutex_);
    connector_waits_ = true;
    changed_.notify_all();
    auto count = available(steady::now());
    while (count == 0 && steady::now() < until) {
      const auto pause
        = now_.per_second > 0 ? std::chrono::milliseconds(1) : std::chrono::milliseconds(100);
      changed_.wait_for(lock, pause);
      count = available(steady::now());
    }
    count = std::min({count, order->requests_max, parcels_.size() - next_});
    const auto now = steady::now();
    for (; count > 0; --count) {
      auto& one = parcels_[next_++];
      one.handed_out = now;
      texts.push_back(std::move(one.text));
    }
    ++downloads_;
  }
  return reply(200, service::encode_download_answer(texts, true));
}

desk::response desk::renew_leases(const std::string& body) {
  std::int64_t wanted_ms = 0;
  const auto claims = service::decode_renew_leases(body, wanted_ms);
  if (!claims) {
    return refuse(claims.error());
  }
  std::vector<service::lease_answer> answers;
  for (const auto& one : *claims) {
    answers.push_back({one.context, true});
  }
  return reply(200, service::encode_renew_leases_answer(answers));
}

desk::response desk::query(const std::string& body) {
  const auto order = service::decode_query(body);
  if (!order) {
    return refuse(order.error());
  }
  service::query_page page;
  const std::scoped_lock lock(mutex_);
  for (const auto& context : order->contexts) {
    service::query_answer answer;
    answer.context = context;
    if (const auto at = by_context_.find(context); at != by_context_.end()) {
      const auto& one = parcels_[at->second];
      answer.state = one.stands.result_digest.present() ? service::query_state::recorded
                                                        : service::query_state::leased;
      answer.lease_number = one.lease_number;
      answer.stands = one.stands;
    }
    page.answers.push_back(std::move(answer));
  }
  return reply(200, service::encode_query_answer(page));
}

// -- results ------

desk::response desk::upload(const std::string& body) {
  const auto now = steady::now();
  auto entries = service::decode_upload(body);
  if (!entries) {
    return refuse(entries.error());
  }
  struct seen {
    bool succeeded = true;
    digest thumbprint;
  };
  std::vector<seen> read(entries->size());
  for (std::size_t at = 0; at < entries->size(); ++at) {
    if ((*entries)[at].result_document.empty()) {
      continue;
    }
    const auto document = service::decode_result_document((*entries)[at].result_document);
    if (!document) {
      return refuse(document.error());
    }
    read[at].succeeded = document->succeeded;
    if (document->certificate) {
      read[at].thumbprint = document->certificate->thumbprint;
    }
  }
  std::vector<service::upload_answer> answers;
  {
    const std::scoped_lock lock(mutex_);
    for (std::size_t at = 0; at < entries->size(); ++at) {
      answers.push_back(accept((*entries)[at], read[at].thumbprint, read[at].succeeded, now));
      if (const auto known = by_context_.find((*entries)[at].context);
          known != by_context_.end() && !(*entries)[at].result_document.empty()) {
        parcels_[known->second].document = std::move((*entries)[at].result_document);
      }
    }
    ++uploads_;
    last_end_ = now;
    changed_.notify_all();
  }
  return reply(200, service::encode_upload_answer(answers));
}

service::upload_answer desk::accept(const service::upload_entry& entry, const digest& thumbprint,
                                    bool succeeded, steady::time_point now) {
  service::upload_answer out;
  out.context = entry.context;
  const auto at = by_context_.find(entry.context);
  if (at == by_context_.end()) {
    out.status = service::upload_status::unknown_request;
    return out;
  }
  auto& one = parcels_[at->second];
  if (one.ended == steady::time_point{}) {
    one.ended = now;
    one.recorded_at = system_clock().wall();
    ++ended_;
  }
  out.status = one.stands.result_digest.present() ? service::upload_status::already_recorded
                                                  : service::upload_status::accepted;
  if (out.status == service::upload_status::accepted) {
    one.stands = {entry.result_digest, succeeded, thumbprint, "bench"};
  }
  out.stands = one.stands;
  return out;
}

// -- the driver's side ------

bool desk::await_connector(std::chrono::seconds patience) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, patience, [this] { return connector_waits_; });
}

void desk::load(std::vector<parcel> prepared) {
  const std::scoped_lock lock(mutex_);
  parcels_ = std::move(prepared);
  by_context_.reserve(parcels_.size());
  for (std::size_t at = 0; at < parcels_.size(); ++at) {
    by_context_[parcels_[at].context] = at;
  }
}

phase_report desk::run(const phase& what, std::chrono::seconds patience) {
  std::unique_lock lock(mutex_);
  now_ = what;
  now_.count = std::min(now_.count, parcels_.size() - next_);
  first_ = next_;
  ended_ = downloads_ = uploads_ = 0;
  began_ = last_end_ = steady::now();
  changed_.notify_all();
  const auto over = [this] {
    const auto elapsed = std::chrono::duration<double>(steady::now() - began_).count();
    const bool closed = now_.seconds > 0 && elapsed > now_.seconds;
    return (closed || next_ - first_ >= now_.count) && ended_ >= next_ - first_;
  };
  while (!over() && steady::now() - last_end_ < patience) {
    changed_.wait_for(lock, std::chrono::milliseconds(20));
  }
  auto out = report();
  out.complete = over();
  now_.count = 0;
  return out;
}

phase_report desk::report() const {
  phase_report out;
  std::vector<double> waits;
  for (auto at = first_; at < next_; ++at) {
    if (parcels_[at].ended != steady::time_point{}) {
      waits.push_back(milliseconds(parcels_[at].ended - parcels_[at].handed_out));
    }
  }
  std::sort(waits.begin(), waits.end());
  out.ended = waits.size();
  out.seconds = milliseconds(last_end_ - began_) / 1000;
  out.p50_ms = percentile(waits, 0.50);
  out.p99_ms = percentile(waits, 0.99);
  out.downloads = downloads_;
  out.uploads = uploads_;
  return out;
}

} // namespace pfx::bench
