// Takes down what the ledger writes. Keys, certificates and files are random octets of the sizes
// that a P-256 request leaves.
#include "actors/tasks/ledger.hpp"

#include <algorithm>

#include "bench/queue.hpp"
#include "crypto/random.hpp"

namespace pfx::bench {

namespace {

using actors::tasks::arrival;
using actors::tasks::ledger;
using actors::tasks::outcome;
using actors::tasks::stage;
using actors::tasks::task;
using lifecycle::action;
using lifecycle::event_kind;

constexpr std::size_t request_octets = 1'700;
constexpr std::size_t intent_octets = 1'300;
constexpr std::size_t certificate_octets = 1'500;
constexpr std::size_t result_octets = 6'500;
constexpr std::size_t steps_max = 50; ///< of one wave; more would mean that it goes in circles
constexpr std::int64_t lease_ms = 3'600'000;

digest random_digest() {
  digest out;
  const auto octets = crypto::random_bytes(out.octets.size());
  std::copy(octets.begin(), octets.end(), out.octets.begin());
  return out;
}

class player {
public:
  explicit player(const queue_options& options) : options_(options) {
    plant_.settings.tenant = "bench";
    plant_.settings.lease_ms = lease_ms;
    plant_.settings.open_requests_max = options.in_flight;
    plant_.time = &system_clock();
    plant_.tell = [](const actors::tasks::report&) {};
    plant_.random = [] { return std::uint64_t{1}; };
    book_.emplace(plant_);
    for (const auto who : {stage::processor, stage::issuer, stage::uploader}) {
      book_->grant(who, options.in_flight);
    }
  }

  result<queue_script> play() {
    while (script_.requests < options_.requests) {
      receive(std::min(options_.in_flight, options_.requests - script_.requests));
      script_.waves.emplace_back();
      for (std::size_t step = 0; !book_->quiet(); ++step) {
        if (step > steps_max) {
          return failure(errc::internal, "", "the ledger does not come to an end");
        }
        write();
        work();
      }
      script_.batches += script_.waves.back().size();
    }
    if (plant_.totals.delivered != script_.requests) {
      return failure(errc::internal, "", "not every request was delivered");
    }
    return std::move(script_);
  }

private:
  bytes sealed(std::size_t size) {
    script_.octets += size;
    return crypto::random_bytes(size);
  }

  void receive(std::size_t count) {
    std::vector<arrival> list(count);
    for (auto& one : list) {
      one.key = {"bench", flow::pfx, "rq-" + std::to_string(script_.requests++) + "-0123456789"};
      one.kind = request_kind::pfx_create;
      one.fingerprint = random_digest();
      one.lease_number = 1;
      one.lease_until = system_clock().boot() + lease_ms;
      one.expires_at = system_clock().wall() + lease_ms;
      one.authority = "Bench-CA";
      one.sealed_request = sealed(request_octets);
    }
    static_cast<void>(book_->unknown_of(list));
    static_cast<void>(book_->receive(std::move(list), {}));
  }

  void write() {
    while (auto batch = book_->take_batch()) {
      script_.waves.back().push_back(std::move(batch->operations));
      book_->committed();
    }
  }

  void work() {
    for (const auto who : {stage::processor, stage::issuer, stage::uploader}) {
      for (const auto& one : book_->take_tasks(who)) {
        book_->apply(answer(one));
      }
    }
  }

  outcome answer(const task& what) {
    outcome out;
    out.key = what.of->key;
    out.ticket = what.ticket;
    out.what = what.what;
    auto& event = out.event;
    event.duration_ms = 1;
    event.lease_number = what.of->lease_number;
    switch (what.what) {
      case action::work:
        event.kind = event_kind::worked;
        event.blobs.emplace_back(blob_kind::intent, sealed(intent_octets));
        break;
      case action::submit:
        event.kind = event_kind::ca_issued;
        event.call_id = "00000000-0000-4000-8000-000000000000";
        event.thumbprint = random_digest();
        event.serial_number = "0123456789abcdef0123456789abcdef01234567";
        event.blobs.emplace_back(blob_kind::certificate, sealed(certificate_octets));
        break;
      case action::build:
        event.kind = event_kind::built;
        event.succeeded = true;
        event.result_digest = random_digest();
        event.blobs.emplace_back(blob_kind::result, sealed(result_octets));
        break;
      default:
        event.kind = event_kind::upload_accepted;
        event.call_id = "00000000-0000-4000-8000-000000000000";
        event.succeeded = true;
        event.thumbprint = what.of->thumbprint;
        event.result_digest = what.of->result_digest;
        break;
    }
    return out;
  }

  queue_options options_;
  actors::tasks::plant plant_;
  std::optional<ledger> book_;
  queue_script script_;
};

} // namespace

result<queue_script> take_down(const queue_options& options) { return player(options).play(); }

} // namespace pfx::bench
