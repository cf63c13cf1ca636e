// The other side, on this machine: a management service with its own CA, devices and judge. The face
// that the program uses; it sees neither actors nor engine and names no third party.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/result.hpp"

namespace pfx::sandbox {

struct options {
  std::string directory;                 ///< journal, keys, deliveries; made if missing
  std::uint16_t port = 0;                ///< 0 = any free port
  std::uint64_t requests = 300;
  std::vector<std::pair<std::string, double>> mix; ///< kinds and weights; empty = create-ec=1,create-rsa=1
  std::uint64_t seed = 1;
  std::size_t devices = 50;
  std::int64_t lease_ms = 60'000;
  double redeliver_share = 0.05;         ///< of the recorded requests, handed out once more
  double reject_share = 0.0;             ///< of the successes, answered "rejected" once
  std::uint32_t pending_answers = 0;     ///< the CA answers "pending" this often first ...
  double pending_share = 0.0;            ///< ... for this share of the requests
  double lose_lease_share = 0.0;         ///< of the hand-outs, whose lease ends at once
  std::uint64_t poison = 0;              ///< requests whose context starts with "poison-"
  bool keep_deliveries = false;
  double requests_per_second_max = 0;    ///< feeding rate; 0 = all at once
};

struct summary {
  std::uint64_t requests = 0, handed_out = 0, recorded = 0;
  std::uint64_t delivered = 0;           ///< verified successes
  std::uint64_t failed = 0;              ///< recorded failures nobody expected
  std::uint64_t expected_failures = 0;   ///< bad requests refused as they must be
  std::uint64_t redelivered = 0, lost = 0, duplicates = 0, second_results = 0;
  std::uint64_t surplus_certificates = 0, certificates_issued = 0, certificates_revoked = 0;
  double p50_ms = 0, p99_ms = 0;         ///< first hand-out to recorded
  double requests_per_second = 0;
  double seconds = 0;
  std::vector<std::string> faults;       ///< what the judge found, at most 100, each with the request
};
/// One JSON object.
[[nodiscard]] std::string to_json(const summary& value);

class sandbox {
public:
  [[nodiscard]] static result<std::unique_ptr<sandbox>> start(options settings);
  ~sandbox();
  [[nodiscard]] std::string service_url() const;
  [[nodiscard]] std::string ca_url() const;
  [[nodiscard]] std::string ca_name() const;             ///< "Sandbox-CA"
  [[nodiscard]] std::string tls_roots_file() const;      ///< PEM, trusts service and CA over TLS
  [[nodiscard]] std::string ca_roots_file() const;       ///< PEM, root of issued certificates
  [[nodiscard]] std::string device_roots_file() const;   ///< PEM, roots of device certificates
  [[nodiscard]] std::string registration_code();         ///< a new one-time code
  [[nodiscard]] summary progress() const;
  /// All requests recorded, re-deliveries answered, surplus certificates gone.
  [[nodiscard]] bool finished() const;
  void stop();

private:
  struct state;
  explicit sandbox(std::unique_ptr<state> s);
  std::unique_ptr<state> state_;
};

/// Joins the journals of a directory and judges by them alone.
[[nodiscard]] result<summary> judge(const std::string& directory);

} // namespace pfx::sandbox
