// Plays the ledger, and takes down what it writes or lets the store write it. Keys, certificates
// and files are octets of the sizes that a P-256 request leaves, cut from random ones that were
// made before the clock starts.
#include "actors/tasks/ledger.hpp"

#include <algorithm>

#include "bench/queue_clock.hpp"
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
constexpr std::size_t pool_octets = 8u << 20;

using writer = std::function<result<void>(storage::batch)>;

class player {
public:
  player(const queue_options& options, writer write)
      : options_(options), write_(std::move(write)), pool_(crypto::random_bytes(pool_octets)) {
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

  [[nodiscard]] std::size_t waves() const {
    return (options_.requests + options_.in_flight - 1) / options_.in_flight;
  }

  /// Some requests from reception to settlement; how many batches were written.
  result<std::size_t> play_wave() {
    receive(std::min(options_.in_flight, options_.requests - requests_));
    const auto before = batches_;
    for (std::size_t step = 0; !book_->quiet(); ++step) {
      if (step > steps_max) {
        return failure(errc::internal, "", "the ledger does not come to an end");
      }
      if (auto written = write(); !written) {
        return failure(written.error());
      }
      work();
    }
    if (plant_.totals.delivered != requests_) {
      return failure(errc::internal, "", "not every request was delivered");
    }
    return batches_ - before;
  }

  [[nodiscard]] std::size_t octets() const { return octets_; }

private:
  bytes sealed(std::size_t size) {
    octets_ += size;
    return cut(size);
  }

  bytes cut(std::size_t size) {
    // An odd step, so that two requests do not have the same octets at the same place.
    at_ = (at_ + size + 1) % (pool_octets - result_octets);
    const auto from = pool_.begin() + static_cast<std::ptrdiff_t>(at_);
    return {from, from + static_cast<std::ptrdiff_t>(size)};
  }

  digest random_digest() {
    digest out;
    const auto octets = cut(out.octets.size());
    std::copy(octets.begin(), octets.end(), out.octets.begin());
    return out;
  }

  void receive(std::size_t count) {
    std::vector<arrival> list(count);
    for (auto& one : list) {
      one.key = {"bench", flow::pfx, "rq-" + std::to_string(requests_++) + "-0123456789"};
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

  result<void> write() {
    while (auto batch = book_->take_batch()) {
      if (auto written = write_(std::move(batch->operations)); !written) {
        return written;
      }
      ++batches_;
      book_->committed();
    }
    return {};
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
  writer write_;
  bytes pool_;
  actors::tasks::plant plant_;
  std::optional<ledger> book_;
  std::size_t at_ = 0, octets_ = 0, batches_ = 0, requests_ = 0;
};

} // namespace

result<queue_script> take_down(const queue_options& options) {
  queue_script out;
  player plays(options, [&out](storage::batch what) -> result<void> {
    out.waves.back().push_back(std::move(what));
    return {};
  });
  for (std::size_t at = 0; at < plays.waves(); ++at) {
    out.waves.emplace_back();
    const auto written = plays.play_wave();
    if (!written) {
      return failure(written.error());
    }
    out.batches += *written;
  }
  out.requests = options.requests;
  out.octets = plays.octets();
  return out;
}

result<queue_report> run_ledger(const queue_options& options, const std::string& directory) {
  auto opened = storage::store::open({.directory = directory});
  if (!opened) {
    return failure(opened.error());
  }
  auto& store = **opened;
  player plays(options, [&store](storage::batch what) { return store.commit(what); });
  return time_waves(plays.waves(), options.requests,
                    [&plays](std::size_t) { return plays.play_wave(); });
}

} // namespace pfx::bench
