// The PFX request service of the sandbox: bodies in, bodies out, over the ledger. Every answer
// waits for the journal's sync first. Decides who calls; never how good a result is.
#pragma once

#include <deque>
#include <functional>
#include <mutex>

#include "connect/http/server.hpp"
#include "sandbox/fault_injector.hpp"
#include "sandbox/import_desk.hpp"
#include "sandbox/judge_line.hpp"
#include "sandbox/ledger.hpp"
#include "sandbox/registrar.hpp"

namespace pfx::sandbox {

struct service_options {
  ledger_options books;
  double judge_share = 1.0;
  std::function<order(std::uint64_t)> order_of;
  std::function<std::string(const order&, const hand_out&)> text_of;
  /// Told the thumbprint of every recorded certificate.
  std::function<void(const digest&)> certified;
  connect::http::handler ca;                ///< serves what starts with "/ca/"; may be empty
  std::size_t answer_bytes_max = 24u << 20; ///< a download is cut here; below body_bytes_max
  fault_injector* faults = nullptr;         ///< what the desk gets wrong on purpose
};

/// Thread-safe. Owned by the sandbox, which outlives the server that calls it.
class request_service {
public:
  request_service(service_options options, registrar& desk, import_desk& imports, journal& log,
                  judge_line& judges)
      : options_(std::move(options)), desk_(desk), imports_(imports), log_(log), judges_(judges),
        books_(options_.books) {}

  [[nodiscard]] connect::http::server_response handle(const connect::http::server_request& request);

  /// false if the context is there already.
  bool enqueue(const order& what, const std::string& authority);
  [[nodiscard]] ledger_counts counts() const;

private:
  using response = connect::http::server_response;
  response enrol(const std::string& body);
  response call(const std::string& name, const std::string& body, const std::string& connector);
  response check_in(const service::caller& who, const std::string& body);
  response download(const service::caller& who, const std::string& body);
  response renew_leases(const service::caller& who, const std::string& body);
  response upload(const service::caller& who, const std::string& body);
  response query(const service::caller& who, const std::string& body);
  response renew(const service::caller& who, const std::string& body);
  response import_keys(const service::caller& who, const std::string& body);
  response serve(const std::string& name, const std::string& body, const service::caller& who);
  /// What happens to leases on purpose before a call is served (service_faults.cpp).
  void meddle(const drawn_fault& fault, const std::string& body);
  response spoiled(drawn_fault fault, response answer);
  response stale(const service::caller& who, const std::string& name, std::uint64_t highest_epoch);
  /// The answer, once the journal is synced; 503 if it can't be.
  response after_sync(std::string body);
  std::optional<std::string> next_spoiled_answer();
  std::vector<std::string> texts_within_limit(const std::vector<hand_out>& given) const;

  service_options options_;
  registrar& desk_;
  import_desk& imports_;
  journal& log_;
  judge_line& judges_;
  mutable std::mutex mutex_; ///< guards books_ and spoiled_answers_, and the order of journal lines
  ledger books_;
  std::deque<std::string> spoiled_answers_;
};

} // namespace pfx::sandbox
