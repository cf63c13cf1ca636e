// What a SCEP responder has to tell the service, told for certain: each notice is durable before it
// is sent, and sent until the service answers. Refuses to let a certificate go before the service
// has confirmed its success; refuses a second, different word about one transaction.
#pragma once

#include <functional>
#include <map>
#include <mutex>

#include "actors/tasks/plant.hpp"
#include "actors/tasks/scep_codes.hpp"

namespace pfx::actors::tasks {

/// Whether the device may have its certificate.
struct release {
  notice_state state = notice_state::waiting; ///< `confirmed` alone lets it go
  std::string code_text;                      ///< the service's word, printable
  std::string why;                            ///< of anything but `confirmed`

  [[nodiscard]] bool may_go() const noexcept { return state == notice_state::confirmed; }
};

/// Whether a request may be certified.
struct admission {
  bool accepted = false;
  fail_info tell_device = fail_info::bad_request;
  std::string why; ///< for the administrator
};

/// Thread-safe; calls block. One per store. `p` and `service` outlive it.
class scep_notices {
public:
  /// One synced write, by the one who writes to the store.
  using writer = std::function<result<void>(storage::batch)>;
  /// Waiting at once; beyond it nothing new is admitted.
  static constexpr std::size_t waiting_max = 10'000;
  /// What the service never answered for so long is given up, and told: its challenge is long over.
  static constexpr std::int64_t deadline_ms = 7LL * 24 * 3600 * 1000;
  /// Sent again by one call of retry_due().
  static constexpr std::size_t retries_max = 64;

  scep_notices(const plant& p, connect::intune::scep_service& service, writer write)
      : p_(p), service_(service), write_(std::move(write)) {}

  /// What a former run left. Before anything else.
  [[nodiscard]] result<void> load();

  /// Asks the service. An error says nothing about the request: no certificate, and no notice
  /// either.
  [[nodiscard]] result<admission> admit(const connect::intune::scep_request& what);

  /// The certificate was issued: durable, told, and what the service says. With `waiting` the
  /// certificate stays here; the device asks again, and so may the caller: the same words about the
  /// same transaction only look again. With `refused` it is to be revoked. errc::conflict:
  /// something else was told about this transaction.
  [[nodiscard]] result<release> issued(const connect::intune::scep_success& what);
  /// No certificate will come. Durable when it returns; told until the service answers. Not for
  /// errors of admit() and issued().
  [[nodiscard]] result<void> failed(const connect::intune::scep_failure& what);

  /// errc::not_found if nothing was told about it.
  [[nodiscard]] result<release> state_of(const std::string& transaction_id) const;
  /// Sends again what is due. For a timer.
  void retry_due();
  [[nodiscard]] std::size_t waiting() const;

private:
  struct entry {
    scep_notice value;
    boot_ms retry_at = 0;
    std::uint32_t failures = 0;
    bool in_flight = false;
  };

  [[nodiscard]] result<scep_notice> keep(scep_notice what, byte_view certificate_request);
  release send(const request_key& key);
  [[nodiscard]] connect::intune::answer<connect::intune::scep_verdict> call(
    const scep_notice& what) const;
  release conclude(const request_key& key,
                   const connect::intune::answer<connect::intune::scep_verdict>& said);
  void put_off(const request_key& key, std::int64_t retry_after_ms);

  const plant& p_;
  connect::intune::scep_service& service_;
  writer write_;
  mutable std::mutex mutex_;
  std::map<request_key, entry> waiting_;
};

/// Writes on the plant's disk thread, and waits for it. Not to be used on that thread.
[[nodiscard]] scep_notices::writer through_disk(const plant& p);

} // namespace pfx::actors::tasks
