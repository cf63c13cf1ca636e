// Notices kept, sent and sent again.
#include "actors/tasks/scep_notices.hpp"

#include <algorithm>
#include <chrono>
#include <future>

#include "actors/tasks/vault.hpp"
#include "core/fault_point.hpp"
#include "crypto/digest.hpp"

namespace pfx::actors::tasks {

namespace {

using connect::intune::answer;
using connect::intune::scep_failure;
using connect::intune::scep_request;
using connect::intune::scep_success;
using connect::intune::scep_verdict;

constexpr auto write_patience = std::chrono::milliseconds(60'000);
constexpr std::int64_t backoff_max_ms = 600'000;

namespace event {
constexpr std::uint16_t told = 4000, told_failure = 4001, not_told = 4002;
constexpr std::uint16_t admitted = 4004, refused = 4005, attempt_failed = 4009;
} // namespace event

void tell(const plant& p, report::channel on, report::level level, std::uint16_t id,
          const std::string& context, std::string text) {
  p.tell({on, level, id, p.time->wall(), printable(context), "", 0, std::move(text)});
}

release release_of(const scep_notice& from) {
  release out{from.state, from.code_text, {}};
  if (from.state == notice_state::waiting) {
    out.why = "the service has not answered yet";
  } else if (from.state == notice_state::refused) {
    out.why = "the service refused it: " + from.code_text;
  }
  return out;
}

/// Two that tell the service the same.
bool same_words(const scep_notice& left, const scep_notice& right) {
  auto plain = [](scep_notice one) {
    one.state = notice_state::waiting;
    one.code_text.clear();
    one.attempts = 0;
    one.made_at = one.ended_at = 0;
    return one;
  };
  return plain(left) == plain(right);
}

} // namespace

result<void> scep_notices::load() {
  const std::lock_guard lock(mutex_);
  return p_.store->each_notice([this](scep_notice one) {
    if (one.state == notice_state::waiting) {
      const auto key = one.key;
      waiting_[key].value = std::move(one);
    }
    return true;
  });
}

result<admission> scep_notices::admit(const scep_request& what) {
  if (waiting() >= waiting_max) {
    return failure(errc::unavailable, "scep", "too many notices wait for the service");
  }
  const auto said = service_.validate(what);
  if (!said) {
    return failure(said.error().what);
  }
  const auto& meaning = meaning_of(said->code);
  admission out{said->accepted(), meaning.tell_device, {}};
  if (!out.accepted) {
    out.why = said->code_text + ": " + std::string(meaning.sentence);
    if (!said->description.empty()) {
      out.why += " (" + said->description + ")";
    }
  }
  tell(p_, report::channel::operational,
       out.accepted ? report::level::info : report::level::warning,
       out.accepted ? event::admitted : event::refused, what.transaction_id,
       out.accepted ? "the service accepts the request" : out.why);
  return out;
}

/// Durable when it returns; the notice as it stands, which may be an earlier one with the same
/// words.
result<scep_notice> scep_notices::keep(scep_notice what, byte_view certificate_request) {
  what.csr_hash = crypto::sha256(certificate_request);
  what.made_at = p_.time->wall();
  const auto twice
    = failure(errc::conflict, "transactionId", "something else was told about this transaction");
  {
    const std::lock_guard lock(mutex_);
    if (const auto there = waiting_.find(what.key); there != waiting_.end()) {
      return same_words(there->second.value, what) ? result<scep_notice>(there->second.value)
                                                   : result<scep_notice>(twice);
    }
    if (waiting_.size() >= waiting_max) {
      return failure(errc::unavailable, "scep", "too many notices wait for the service");
    }
    auto& slot = waiting_[what.key]; // nobody else makes one until this is written
    slot.value = what;
    slot.in_flight = true;
  }
  const auto found = p_.store->find_notice(what.key);
  if (!found || *found) {
    const std::lock_guard lock(mutex_);
    waiting_.erase(what.key);
    return !found                 ? result<scep_notice>(failure(found.error()))
      : same_words(**found, what) ? result<scep_notice>(**found)
                                  : result<scep_notice>(twice);
  }
  auto sealed = seal_blob(p_, what.key, blob_kind::request, certificate_request);
  auto written = sealed
    ? write_({storage::put_blob{what.key, blob_kind::request, std::move(*sealed)},
              storage::put_notice{what}})
    : result<void>(failure(sealed.error()));
  const std::lock_guard lock(mutex_);
  if (!written) {
    waiting_.erase(what.key);
    return failure(written.error());
  }
  waiting_[what.key].in_flight = false;
  return what;
}

result<release> scep_notices::issued(const scep_success& what) {
  scep_notice notice;
  notice.key = {p_.order_tenant(), flow::scep, what.request.transaction_id};
  notice.succeeded = true;
  notice.thumbprint = what.thumbprint;
  notice.serial_number = what.serial_number;
  notice.expires = what.expires;
  notice.issuing_authority = what.issuing_authority;
  notice.ca_configuration = what.ca_configuration;
  notice.certificate_authority = what.certificate_authority;
  const auto kept = keep(std::move(notice), what.request.certificate_request);
  if (!kept) {
    return failure(kept.error());
  }
  fault_point("scep", "notice_kept");
  return kept->state == notice_state::waiting ? send(kept->key) : release_of(*kept);
}

result<void> scep_notices::failed(const scep_failure& what) {
  scep_notice notice;
  notice.key = {p_.order_tenant(), flow::scep, what.request.transaction_id};
  notice.hresult = what.hresult;
  notice.description = what.description;
  const auto kept = keep(std::move(notice), what.request.certificate_request);
  if (!kept) {
    return failure(kept.error());
  }
  if (kept->state == notice_state::waiting) {
    (void)send(kept->key); // what becomes of it is no news for the caller
  }
  return {};
}

result<release> scep_notices::state_of(const std::string& transaction_id) const {
  const auto found = p_.store->find_notice({p_.order_tenant(), flow::scep, transaction_id});
  if (!found) {
    return failure(found.error());
  }
  if (!*found) {
    return failure(errc::not_found, "transactionId", "nothing was told about this transaction");
  }
  return release_of(**found);
}

std::size_t scep_notices::waiting() const {
  const std::lock_guard lock(mutex_);
  return waiting_.size();
}

void scep_notices::retry_due() {
  std::vector<request_key> due;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [key, one] : waiting_) {
      if (due.size() < retries_max && !one.in_flight && one.retry_at <= p_.time->boot()) {
        due.push_back(key);
      }
    }
  }
  for (const auto& key : due) {
    if (p_.halted) {
      return;
    }
    (void)send(key);
  }
}

answer<scep_verdict> scep_notices::call(const scep_notice& what) const {
  const auto request = open_blob(p_, what.key, blob_kind::request);
  if (!request) {
    return connect::intune::refusal(request.error());
  }
  const scep_request about{what.key.context, to_bytes(request->view())};
  if (what.succeeded) {
    return service_.notify_success({about, what.thumbprint, what.serial_number, what.expires,
                                    what.issuing_authority, what.ca_configuration,
                                    what.certificate_authority});
  }
  return service_.notify_failure({about, what.hresult, what.description});
}

release scep_notices::send(const request_key& key) {
  scep_notice notice;
  {
    const std::lock_guard lock(mutex_);
    const auto found = waiting_.find(key);
    if (found == waiting_.end()) {
      return {notice_state::waiting, {}, "it was answered just now: look again"};
    }
    if (found->second.in_flight) {
      return release_of(found->second.value);
    }
    found->second.in_flight = true;
    notice = found->second.value;
  }
  const auto said = call(notice);
  fault_point("scep", "notice_answered");
  return conclude(key, said);
}

/// The service's word is durable before anybody acts on it. Without a word it is asked again.
release scep_notices::conclude(const request_key& key, const answer<scep_verdict>& said) {
  scep_notice next;
  {
    const std::lock_guard lock(mutex_);
    next = waiting_[key].value;
  }
  ++next.attempts;
  const bool given_up = !said && p_.time->wall() - next.made_at >= deadline_ms;
  if (!said && !given_up) {
    tell(p_, report::channel::operational, report::level::warning, event::attempt_failed,
         key.context, "the service was not told, will try again: " + to_string(said.error().what));
    put_off(key, said.error().retry_after_ms);
    return {notice_state::waiting, {}, to_string(said.error().what)};
  }
  next.state = said && said->accepted() ? notice_state::confirmed : notice_state::refused;
  next.code_text = said ? said->code_text : "no answer for seven days";
  next.ended_at = p_.time->wall();
  if (const auto written = write_({storage::put_notice{next}}); !written) {
    put_off(key, 0); // as if there had been no answer: it is given once more
    return {notice_state::waiting, {}, to_string(written.error())};
  }
  {
    const std::lock_guard lock(mutex_);
    waiting_.erase(key);
  }
  const bool good = next.state == notice_state::confirmed;
  tell(p_, report::channel::admin, good ? report::level::info : report::level::error,
       !good              ? event::not_told
         : next.succeeded ? event::told
                          : event::told_failure,
       key.context, good ? "the service was told" : "the service refused it: " + next.code_text);
  return release_of(next);
}

void scep_notices::put_off(const request_key& key, std::int64_t retry_after_ms) {
  const std::lock_guard lock(mutex_);
  auto& one = waiting_[key];
  const lifecycle::rules waits{.backoff_base_ms = p_.settings.revocation_retry_ms,
                               .backoff_max_ms = backoff_max_ms};
  const auto own = lifecycle::backoff_ms(waits, one.failures++, p_.random());
  one.retry_at = p_.time->boot() + std::max(own, std::min(retry_after_ms, backoff_max_ms));
  one.in_flight = false;
}

scep_notices::writer through_disk(const plant& p) {
  return [&p](storage::batch what) -> result<void> {
    const auto done = std::make_shared<std::promise<result<void>>>();
    auto answer = done->get_future();
    const bool posted = p.disk->post(
      [&p, done, batch = std::move(what)] { done->set_value(p.store->commit(batch)); });
    if (!posted) {
      return failure(errc::stopping, "", "the disk thread takes no work");
    }
    if (answer.wait_for(write_patience) != std::future_status::ready) {
      return failure(errc::unavailable, "", "the disk did not answer in time");
    }
    try {
      return answer.get();
    } catch (const std::future_error&) {
      return failure(errc::stopping, "", "the disk thread stopped");
    }
  };
}

} // namespace pfx::actors::tasks
