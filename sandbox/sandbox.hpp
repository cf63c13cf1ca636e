// The other side in one box: a local PFX request service with its own CA, its own devices, a feeder
// and a judge. A test bed: it never refuses a result for its quality, it records what it got and
// says what was wrong with it. Serves loopback unless told otherwise; not a production service.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/result.hpp"
#include "core/support.hpp"
#include "sandbox/fault_plan.hpp"

namespace pfx::sandbox {

/// The tenant beside the service: Intune's public protocols.
struct intune_options {
  double revoke_share = 0; ///< of the recorded certificates, ordered revoked
  std::uint64_t orders_max = 1'000'000;
  std::int64_t cool_down_ms = 60'000; ///< Intune's hour
  bool whole_queue_cools = false;     ///< not only what was handed out
  std::int64_t token_life_ms = 3'599'000;
  bool assertions_again = false; ///< one may be used until it ends, as libraries of others do
  bool odd_directory = false;    ///< the list of services in pages, in odd case, one twice
  std::size_t scep_challenges = 3;
};

/// What a client of that tenant has to be told.
struct intune_address {
  std::string login_url;
  std::string graph_url;
  std::string tenant;
  std::string client_id;
  std::string secret_file;      ///< the secret, without a newline
  std::string certificate_file; ///< PEM, registered for assertions
  std::string key_file;         ///< its key, PEM
  std::string trusted_roots;    ///< PEM
};

struct options {
  std::string directory; ///< must not hold a journal of an earlier run; mode 0700
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;         ///< 0 = any free one
  std::uint16_t public_port = 0;  ///< plain HTTP for what the CA says in public; 0 = any free one
  std::string tenant = "sandbox"; ///< the connectors' configured tenant, for transaction ids
  std::string authority_name = "Sandbox-CA"; ///< certificateAuthority of the requests
  std::uint64_t requests = 300;
  /// Kind and weight; empty = {"create-ec", 1}. Kinds: create-ec, create-ec384, create-ec521,
  /// create-rsa, create-rsa3072, create-rsa4096, import, poison, poison-import, bad (all bad
  /// creates in turn), bad-import (all bad imports in turn), bad:<name> (`bad_names()`,
  /// `bad_import_names()`), import:<file> (one of sandbox/data/pfx). Imports wait until a connector
  /// made a key known.
  std::vector<std::pair<std::string, double>> mix;
  std::vector<std::string> extra;  ///< further requests by kind, handed out after those of the mix
  std::uint64_t seed = 1;          ///< same seed, same requests (keys and certificates aside)
  std::int64_t lease_ms = 600'000; ///< the longest lease that is granted
  std::size_t devices = 50;
  double reject_share = 0;       ///< of the requests, whose first success is answered "rejected"
  double lose_lease_share = 0;   ///< of the requests, whose first lease somebody else takes at once
  double pending_share = 1.0;    ///< of the requests, for ca_pending_answers
  double redeliver_share = 0.05; ///< of the recorded requests, handed out once more
  double judge_share = 1.0;      ///< of the results, opened by the judge
  double feed_per_second = 0;    ///< requests becoming available; 0 = all at once
  std::int64_t time_limit_ms = 0; ///< after it `finished()` is true whatever the state; 0 = none
  support::notice connectors; ///< what connectors hear of their version; without a word: supported
  std::size_t registration_codes = 4; ///< one per connector
  bool keep_deliveries = false;       ///< write delivered/<n>/ for other tools to open
  std::size_t deliveries_max = 2'000;
  std::uint32_t ca_pending_answers = 0; ///< the CA answers "pending" so often before it issues
  fault_plan faults;                    ///< what goes wrong on purpose
  intune_options intune;
};

/// What came of revocation orders.
struct order_summary {
  std::uint64_t made = 0;
  std::uint64_t handed_out = 0; ///< at least once
  std::uint64_t hand_outs = 0;
  std::uint64_t reported = 0;     ///< recorded
  std::uint64_t revoked = 0;      ///< of those, carried out at the CA
  std::uint64_t refused = 0;      ///< of those, failures that had to be
  std::uint64_t repeated = 0;     ///< reports that came again, the same
  std::uint64_t sent_back = 0;    ///< reports that called themselves retryable
  std::uint64_t redelivered = 0;  ///< recorded ones handed out once more
  std::uint64_t acknowledged = 0; ///< of those, reported again, the same
  std::uint64_t lost = 0;         ///< handed out and never recorded
  std::uint64_t waiting = 0;      ///< never handed out
  std::uint64_t wrong = 0;        ///< recorded with another code than was right
  std::uint64_t otherwise = 0;    ///< reported once more, but otherwise
  std::uint64_t not_once = 0;     ///< certificates that the CA revoked never, or twice
};

/// What came of a run. Counts are of requests unless said otherwise.
struct summary {
  std::uint64_t requests = 0;          ///< enqueued
  std::uint64_t handed_out = 0;        ///< at least once
  std::uint64_t delivered = 0;         ///< recorded with a PFX
  std::uint64_t imported = 0;          ///< of those, imported ones
  std::uint64_t failed = 0;            ///< recorded with a failure nobody expected
  std::uint64_t expected_failures = 0; ///< bad ones recorded with the right failure
  std::uint64_t redelivered = 0;       ///< recorded ones handed out once more
  std::uint64_t acknowledged = 0;      ///< of those, answered by the connector
  std::uint64_t lost = 0;              ///< handed out and not recorded
  std::uint64_t waiting = 0;           ///< enqueued and never handed out
  std::uint64_t duplicates = 0;        ///< two accepted results, or two digests of one connector
  std::uint64_t superseded = 0;        ///< another connector's result for a recorded request
  std::uint64_t certificates = 0;      ///< issued by the CA
  std::uint64_t revoked_certificates = 0;
  std::uint64_t surplus_certificates
    = 0; ///< unrevoked and not the recorded one, or recorded and revoked
  std::uint64_t twice_certified
    = 0;                         ///< requests for which the CA issued more than one, revoked or not
  std::uint64_t shared_keys = 0; ///< public keys under two requests
  std::uint64_t judged = 0;      ///< results opened by the judge
  std::uint64_t connectors = 0;
  std::uint64_t takeovers = 0; ///< hand-outs of an unrecorded request after the first
  double p50_ms = 0;           ///< first hand-out to recorded
  double p99_ms = 0;
  double total_p50_ms = 0; ///< enqueued to recorded
  double total_p99_ms = 0;
  double requests_per_second = 0;    ///< recorded, from the first hand-out to the last recorded
  std::uint64_t faults_injected = 0; ///< on purpose
  std::map<std::string, std::uint64_t> injected; ///< the same by name
  std::uint64_t excused = 0; ///< failures that are the CA's, on purpose; among expected_failures
  order_summary orders;
  std::uint64_t faults_total = 0;
  std::vector<std::string> faults; ///< the first `faults_max` of them, printable

  static constexpr std::size_t faults_max = 200;
  /// Nothing lost, doubled, surplus, shared or faulty.
  [[nodiscard]] bool clean() const noexcept;
  /// One line of JSON.
  [[nodiscard]] std::string to_json() const;
};

/// Life: from `start` to `stop` or its end. Thread-safe. Owns its server, CA, devices and journals.
class sandbox {
public:
  [[nodiscard]] static result<std::unique_ptr<sandbox>> start(options how);
  ~sandbox();

  [[nodiscard]] std::string url() const;        ///< the service's endpoint
  [[nodiscard]] std::string ca_url() const;     ///< the CA's
  [[nodiscard]] std::string crl_url() const;    ///< its revocation list, plain HTTP
  [[nodiscard]] std::string ocsp_url() const;   ///< its OCSP responder, plain HTTP
  [[nodiscard]] std::string issuer_url() const; ///< its certificate, plain HTTP
  [[nodiscard]] std::uint16_t port() const;
  [[nodiscard]] std::string registration_code() const; ///< the first of registration_codes()
  [[nodiscard]] std::vector<std::string> registration_codes() const;
  [[nodiscard]] std::string server_roots_path() const; ///< PEM: who the service and the CA must be
  [[nodiscard]] std::string device_roots_path() const; ///< PEM: recipients.trust
  [[nodiscard]] std::string ca_root_path() const;     ///< PEM: what delivered certificates chain to
  [[nodiscard]] std::string description_path() const; ///< sandbox.json: all of the above
  [[nodiscard]] intune_address intune() const;

  /// One more request of a kind of `options::mix`; its requestContext.
  [[nodiscard]] result<std::string> enqueue(const std::string& kind);
  /// Counts so far, without reading the journals.
  [[nodiscard]] summary progress() const;
  /// All requests recorded, re-deliveries acknowledged, results judged and no surplus certificate
  /// left; or the time limit is over.
  [[nodiscard]] bool finished() const;
  /// Waits for the judge, then joins the journals.
  [[nodiscard]] result<summary> verdict();
  void stop();

private:
  struct state;
  explicit sandbox(std::unique_ptr<state> s);
  std::unique_ptr<state> state_;
};

/// Names for `bad:<name>`.
[[nodiscard]] std::vector<std::string> bad_names();
[[nodiscard]] std::vector<std::string> bad_import_names();
/// True if orders of this kind need a key that a connector announced.
[[nodiscard]] bool needs_import_key(const std::string& kind);

/// The offline judge: joins journal.jsonl and ca-journal.jsonl of a directory, nothing else.
[[nodiscard]] result<summary> judge(const std::string& directory);

} // namespace pfx::sandbox
