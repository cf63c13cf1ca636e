// The engine's actors on CAF's deterministic scheduler: one thread, a clock moved by hand, a
// service and a CA in memory that can lose answers. The store is real, on a scratch folder.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "actors/tasks/audit.hpp"
#include "actors/tasks/plant.hpp"
#include "connect/ca/authority.hpp"
#include "crypto/file_key_store.hpp"
#include "crypto/issue.hpp"

namespace pfx::test {

class fake_clock final : public clock {
public:
  [[nodiscard]] unix_ms wall() const override { return now + 1'790'000'000'000; }
  [[nodiscard]] boot_ms boot() const override { return now + 1'000'000; }
  std::int64_t now = 0;
};

/// The management service in memory: leases, recorded results, faults on order.
class fake_service final : public connect::service::pfx_request_service {
public:
  template <class T>
  using answer = connect::service::answer<T>;

  struct kept {
    pfx_request request;
    std::uint64_t lease_number = 0;
    std::int64_t lease_until = 0; ///< fake_clock::now
    std::optional<connect::service::recorded> stands;
    std::vector<digest> digests_seen;
    bytes document;
  };

  explicit fake_service(const fake_clock& time) : time_(time) {}

  void offer(const pfx_request& request) { requests[request.context].request = request; }
  [[nodiscard]] bool all_recorded() const;

  answer<connect::service::check_in_answer> check_in(
    const connect::service::caller&, const connect::service::check_in_order&) override;
  answer<connect::service::download_answer> download(
    const connect::service::caller&, const connect::service::download_order&) override;
  answer<std::vector<connect::service::lease_answer>> renew_leases(
    const connect::service::caller&, std::int64_t,
    const std::vector<connect::service::lease_claim>&) override;
  answer<std::vector<connect::service::upload_answer>> upload(
    const connect::service::caller&, const std::vector<connect::service::upload_entry>&) override;
  answer<std::vector<connect::service::query_answer>> query(
    const connect::service::caller&, const std::vector<std::string>&) override;
  answer<connect::service::query_page> query_handed_to_me(const connect::service::caller&,
                                                          const std::string&) override;
  answer<bool> import_keys(const connect::service::caller&,
                           const std::vector<connect::service::import_key>& keys) override;
  answer<bytes> renew_certificate(const connect::service::caller&, byte_view) override;
  void cancel() noexcept override {}

  std::map<std::string, kept> requests;
  std::vector<std::vector<connect::service::import_key>> announced;
  std::set<std::string> foreign_keys;              ///< names that stand for another key there
  std::vector<connect::service::offer> raw_offers; ///< handed out once, as they are
  std::set<std::string> hand_out_again;            ///< although recorded
  std::uint64_t epoch_seen = 0;
  std::optional<connect::service::anchor> anchor;
  std::vector<std::string> calls; ///< in order, by name
  std::function<void(const connect::service::upload_entry&)> on_upload;
  std::size_t lose_upload_answers = 0; ///< recorded, but nobody hears of it
  std::size_t reject = 0;
  bool stale = false; ///< every call from now on
  std::uint64_t reacknowledged = 0;
  std::size_t fail_pages = 0;      ///< of handedToMe
  std::size_t page_size = 2;       ///< of handedToMe
  std::vector<bool> reconciled;    ///< of each check-in
  std::vector<std::string> health; ///< of each check-in

private:
  connect::service::upload_answer take(const connect::service::upload_entry& entry);
  const fake_clock& time_;
};

/// A CA in memory with an index by transaction id.
class fake_authority final : public connect::ca::authority {
public:
  fake_authority(crypto::ca_identity identity, const fake_clock& time)
      : identity_(std::move(identity)), time_(time) {}

  connect::ca::ca_answer submit(const connect::ca::submission& what) override;
  connect::ca::ca_answer find(const digest& transaction_id) override;
  connect::ca::revoke_answer revoke(const connect::ca::revoke_order& what) override;

  struct slot {
    bytes csr;
    bytes certificate;
    std::string serial;
    bool revoked = false;
  };
  std::map<digest, slot> slots;
  std::size_t lose_submit_answers = 0; ///< issued, but nobody hears of it
  std::size_t pending_answers = 0;
  std::string refuse; ///< reason; empty = issue
  std::uint64_t submits = 0, finds = 0, revocations = 0;
  std::function<void(const connect::ca::submission&)> on_submit;
  std::function<void(connect::ca::ca_answer&)> on_find; ///< may change what is said
  /// May say something else, and then nothing is revoked
  std::function<std::optional<connect::ca::revoke_answer>(const connect::ca::revoke_order&)>
    on_revoke;

  [[nodiscard]] const crypto::certificate& root() const { return identity_.cert; }

private:
  connect::ca::ca_answer issue(const connect::ca::submission& what);
  crypto::ca_identity identity_;
  const fake_clock& time_;
};

/// A device that can open what it gets.
struct fake_device {
  crypto::private_key key;
  crypto::certificate certificate;
};

class bench {
public:
  bench();
  ~bench();
  bench(const bench&) = delete;

  /// Makes and starts the actors on what the scratch folder holds, and runs until nobody has
  /// anything to do, or only so many turns of actors (for a crash in the middle).
  void start(std::size_t messages_max = 1'000'000);
  /// Runs until nobody has anything to do.
  void run();
  /// Moves the clock in small steps, running everything between.
  void advance(std::int64_t ms);
  /// Advances until `done` or the limit passed; true if done.
  template <class Done>
  bool advance_until(Done done, std::int64_t limit_ms = 60'000) {
    for (std::int64_t gone = 0; gone < limit_ms && !done(); gone += step_ms) {
      advance(step_ms);
    }
    return done();
  }
  /// Ends everything at once, as a crash does; the store keeps its mark.
  void crash();
  /// Between two lives: keeps a copy of the store; puts it in the place of the present one.
  void back_up() const;
  void restore() const;
  /// A clean stop; true if quiet. `meanwhile` happens when it was asked for and waits.
  bool stop(const std::function<void()>& meanwhile = {});
  /// An operator's word on a revocation order of `plant.order_tenant()`.
  errc order_word(const std::string& context, revocation::event_kind word);
  [[nodiscard]] bool halted() const;
  [[nodiscard]] errc halted_by() const;

  [[nodiscard]] pfx_request request(const std::string& context) const;
  /// A pfxImport of `file`, its password encrypted to the connector's key with OAEP-SHA-256.
  [[nodiscard]] pfx_request import(const std::string& context, byte_view file,
                                   std::string_view password, const std::string& thumbprint) const;
  [[nodiscard]] bytes encrypted(std::string_view password) const;
  [[nodiscard]] crypto::file_key_store& keys() { return *keys_; }
  [[nodiscard]] std::filesystem::path keys_path() const { return folder_ / "keys"; }
  /// Lines of the audit, oldest first.
  [[nodiscard]] std::vector<actors::tasks::audit_line> audit() const;
  [[nodiscard]] std::vector<std::uint16_t> admin_events() const { return admin_events_; }
  [[nodiscard]] std::optional<settled_record> settled(const std::string& context) const;
  [[nodiscard]] std::string anchor_path() const { return (folder_ / "anchor").string(); }
  [[nodiscard]] std::optional<record> open_record(const std::string& context) const;
  /// Revocation orders in the store, open and reported.
  [[nodiscard]] std::vector<revocation_order> orders() const;
  [[nodiscard]] bool has_blob(const std::string& context, blob_kind kind) const;

  static constexpr std::int64_t step_ms = 50;
  fake_clock time;
  fake_service service;
  actors::tasks::plant plant;
  fake_authority* ca = nullptr; ///< owned by the plant
  fake_device device;
  std::function<result<void>()> disk_fault;
  std::uint64_t free_bytes = 1ull << 40;

private:
  struct system_parts;
  void open_store();

  std::filesystem::path folder_;
  std::unique_ptr<storage::store> store_;
  std::unique_ptr<crypto::sealer> sealer_;
  std::unique_ptr<crypto::recipient_gate> gate_;
  std::unique_ptr<crypto::file_key_store> keys_;
  std::unique_ptr<actors::tasks::executor> inline_;
  std::unique_ptr<system_parts> system_;
  std::vector<std::uint16_t> admin_events_;
  std::uint64_t random_ = 1;
  std::uint64_t epoch_ = 0;
};

} // namespace pfx::test
