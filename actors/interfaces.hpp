// Every actor's interface on one page: who may say what to whom. Reading this page is reading the
// architecture. Payloads travel as shared pointers to const, so nothing is copied between actors.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <caf/all.hpp>

#include "actors/tasks/ledger.hpp"
#include "actors/tasks/order_service.hpp"
#include "actors/tasks/plant.hpp"
#include "actors/tasks/service_calls.hpp"
#include "actors/tasks/update_work.hpp"

namespace pfx::actors {

// -- messages ------

using task_list = std::vector<tasks::task>;
using outcome_list = std::vector<tasks::outcome>;

/// What the disk thread says of a write.
struct write_result {
  errc code = errc::none;
  std::string why;
};

/// The settled ones among the keys of a download.
struct look_up {
  tasks::arrivals download;
  std::map<request_key, settled_record> settled;
  error fault;
};

/// How the queue keeper stands.
struct keeper_status {
  std::map<record_state, std::uint64_t> by_state;
  bool paused = false; ///< below the free-space floor
  bool poisoned = false;
  std::string why;
};

/// A wish of an operator.
struct operator_wish {
  request_key key;
  lifecycle::event_kind word = lifecycle::event_kind::operator_retry;
};

struct list_wish {
  std::optional<record_state> state;
  std::size_t count_max = 0;
};

/// An operator's word on a revocation order that is held: approved or rejected.
struct order_wish {
  request_key key;
  revocation::event_kind word = revocation::event_kind::approved;
};

struct order_list_wish {
  std::size_t count_max = 0;
  std::optional<order_state> state; ///< only these
};

/// What the supervisor tells the engine's face.
struct supervision {
  enum class phase : std::uint8_t { starting, running, halted, stopping, stopped };
  phase now = phase::starting;
  errc halted_by = errc::none;
  std::string why;
  std::string lifecycle;
};

template <class T>
using parcel = std::shared_ptr<const T>;

/// The stages that the keeper hands work to (actors/stages.hpp).
struct peers;

} // namespace pfx::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(pfx::actors::parcel<pfx::actors::task_list>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(pfx::actors::parcel<pfx::actors::outcome_list>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(pfx::actors::parcel<pfx::actors::write_result>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(pfx::actors::parcel<pfx::actors::look_up>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(pfx::actors::parcel<pfx::actors::keeper_status>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(pfx::actors::parcel<pfx::actors::operator_wish>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(pfx::actors::parcel<pfx::actors::list_wish>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(pfx::actors::parcel<pfx::actors::order_wish>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(pfx::actors::parcel<pfx::actors::order_list_wish>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(pfx::actors::parcel<pfx::actors::tasks::order_batch>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(pfx::actors::parcel<pfx::actors::tasks::order_download>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(pfx::actors::parcel<pfx::actors::tasks::order_answers>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(pfx::actors::parcel<std::vector<pfx::revocation_order>>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(pfx::actors::parcel<pfx::actors::tasks::update_step>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(pfx::actors::parcel<pfx::actors::tasks::audit_note>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(pfx::actors::parcel<pfx::actors::supervision>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(pfx::actors::parcel<pfx::actors::peers>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(pfx::actors::parcel<pfx::error>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(pfx::actors::parcel<pfx::surplus_certificate>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(pfx::actors::parcel<std::vector<pfx::surplus_certificate>>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(pfx::actors::parcel<std::vector<pfx::record>>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(pfx::actors::parcel<pfx::actors::tasks::arrivals>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(pfx::actors::parcel<pfx::actors::tasks::outcome>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(pfx::actors::parcel<pfx::actors::tasks::task>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(pfx::actors::parcel<pfx::actors::tasks::service_outcomes>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(pfx::actors::parcel<pfx::actors::tasks::check_in_outcome>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(pfx::actors::parcel<pfx::actors::tasks::handed_page>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(pfx::actors::parcel<std::vector<pfx::actors::tasks::lease_wish>>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(pfx::actors::parcel<std::vector<pfx::actors::tasks::settled_again>>)

// The block starts far behind CAF's first custom id, so that a host with a block of its own does
// not meet ours (both are template specialisations counted from a number).
CAF_BEGIN_TYPE_ID_BLOCK(pfxengine, caf::first_custom_type_id + 4096)
  CAF_ADD_ATOM(pfxengine, pfx::actors, go_atom, "go")
  CAF_ADD_ATOM(pfxengine, pfx::actors, stop_atom, "stop")
  CAF_ADD_ATOM(pfxengine, pfx::actors, tick_atom, "tick")
  CAF_ADD_ATOM(pfxengine, pfx::actors, room_atom, "room")
  CAF_ADD_ATOM(pfxengine, pfx::actors, status_atom, "status")
  CAF_ADD_ATOM(pfxengine, pfx::actors, credit_atom, "credit")
  CAF_ADD_ATOM(pfxengine, pfx::actors, lost_atom, "lost")
  CAF_ADD_ATOM(pfxengine, pfx::actors, halt_atom, "halt")
  CAF_ADD_ATOM(pfxengine, pfx::actors, ask_atom, "ask")
CAF_END_TYPE_ID_BLOCK(pfxengine)

namespace pfx::actors {

// -- actors ------

/// Owns the book of open requests and every write to the store; stands between every two stages.
using queue_keeper = caf::typed_actor<
  // Whom to hand work to; again when a stage was restarted.
  caf::reacts_to<parcel<peers>>,
  // How many requests may still come in? 0 while paused.
  caf::replies_to<room_atom>::with<std::uint64_t, bool>,
  // A download came back. Answered when every request in it is durable.
  caf::replies_to<parcel<tasks::arrivals>>::with<bool>,
  // The settled ones among a download were looked up (disk thread).
  caf::reacts_to<parcel<look_up>>,
  // What became of tasks.
  caf::reacts_to<parcel<outcome_list>>,
  // A stage (index) can take n more tasks.
  caf::reacts_to<credit_atom, std::uint8_t, std::uint64_t>,
  // A stage (index) died; what it held is unknown.
  caf::reacts_to<lost_atom, std::uint8_t>,
  // The write in flight ended (disk thread).
  caf::reacts_to<parcel<write_result>>,
  // A renewal call ended: what was asked for.
  caf::reacts_to<parcel<std::vector<tasks::lease_wish>>>,
  // The revoker's word on a surplus certificate.
  caf::reacts_to<parcel<surplus_certificate>>,
  // Timers. Carries the run of the ticker: stale ticks end.
  caf::reacts_to<tick_atom>,
  // Begin: the first check-in was accepted.
  caf::reacts_to<go_atom>,
  // The store may have forgotten: every open request is asked about before it goes on. Before `go`.
  caf::reacts_to<ask_atom>,
  // Everything was asked about; a random value for the audit. Answered when durable.
  caf::replies_to<ask_atom, std::string>::with<parcel<error>>,
  // No new work; answered when nothing is in flight and all is written.
  caf::replies_to<stop_atom>::with<bool>, caf::replies_to<status_atom>::with<parcel<keeper_status>>,
  // An operator's word. Answered when durable; an error says why not.
  caf::replies_to<parcel<operator_wish>>::with<parcel<error>>,
  // A line for the audit. Answered when durable.
  caf::replies_to<parcel<tasks::audit_note>>::with<parcel<error>>,
  // A write of the order desk. Answered when durable.
  caf::replies_to<parcel<tasks::order_batch>>::with<parcel<error>>,
  caf::replies_to<parcel<list_wish>>::with<parcel<std::vector<record>>>>;

/// Polls for revocation orders, has them carried out and reports them.
using order_desk = caf::typed_actor<
  caf::reacts_to<tick_atom>,
  // A download, a call or a report ended (io thread).
  caf::reacts_to<parcel<tasks::order_download>>, caf::reacts_to<parcel<tasks::order_answers>>,
  // An operator's word; an error says why it does not fit.
  caf::replies_to<parcel<order_wish>>::with<parcel<error>>,
  caf::replies_to<parcel<order_list_wish>>::with<parcel<std::vector<revocation_order>>>,
  // No new work; answered when nothing is in flight and all is written.
  caf::replies_to<stop_atom>::with<bool>>;

/// Looks after our own certificates and secrets.
using reporter = caf::typed_actor<caf::reacts_to<tick_atom>,
                                  // A look ended (io thread).
                                  caf::reacts_to<room_atom>>;

/// Looks for newer versions, downloads and stages them. Switches nothing.
using updater = caf::typed_actor<caf::reacts_to<tick_atom>,
                                 // A step ended (io thread).
                                 caf::reacts_to<parcel<tasks::update_step>>>;

/// Hands work that needs the CPU to crypto workers, one task each.
using processor = caf::typed_actor<caf::reacts_to<parcel<task_list>>,
                                   // Make the workers and grant the keeper credit.
                                   caf::reacts_to<go_atom>>;

/// Runs one task at a time on the CPU executor.
using crypto_worker
  = caf::typed_actor<caf::replies_to<parcel<tasks::task>>::with<parcel<tasks::outcome>>,
                     // The work ended (CPU thread).
                     caf::reacts_to<parcel<tasks::outcome>>>;

/// Speaks with certification authorities: submit, find, walk.
using issuer = caf::typed_actor<caf::reacts_to<parcel<task_list>>,
                                caf::reacts_to<parcel<tasks::outcome>>, caf::reacts_to<go_atom>>;

/// Sends results, asks about them, renews leases, re-acknowledges; many requests a call.
using uploader = caf::typed_actor<caf::reacts_to<parcel<task_list>>,
                                  caf::reacts_to<parcel<std::vector<tasks::lease_wish>>>,
                                  caf::reacts_to<parcel<std::vector<tasks::settled_again>>>,
                                  // A call ended (io thread).
                                  caf::reacts_to<parcel<tasks::service_outcomes>>,
                                  // Few results have waited long enough for others to go with them.
                                  caf::reacts_to<tick_atom>, caf::reacts_to<go_atom>>;

/// Revokes what closing found and nobody asked for.
using revoker = caf::typed_actor<
  caf::reacts_to<parcel<std::vector<surplus_certificate>>>,
  // A call ended: the certificate with its answer, and when to try again (ms, 0 = never).
  caf::reacts_to<parcel<surplus_certificate>, std::int64_t>, caf::reacts_to<tick_atom>>;

/// Asks the service for requests: every poll interval, at once when more waits.
using poller = caf::typed_actor<caf::reacts_to<go_atom>, caf::reacts_to<tick_atom, std::uint64_t>,
                                // The download ended (io thread).
                                caf::reacts_to<parcel<tasks::arrivals>>, caf::reacts_to<stop_atom>>;

/// After a loss of memory: asks about everything that was ever handed to us.
using reconciler = caf::typed_actor<caf::reacts_to<go_atom>, caf::reacts_to<tick_atom>,
                                    // A page came (io thread).
                                    caf::reacts_to<parcel<tasks::handed_page>>>;

/// Owns all of them: first check-in, restarts with back-off, stop in order.
using supervisor = caf::typed_actor<
  caf::reacts_to<go_atom>,
  // The check-in ended (io thread).
  caf::reacts_to<parcel<tasks::check_in_outcome>>,
  // The reconciler: everything was asked about, and is durable.
  caf::reacts_to<ask_atom>, caf::reacts_to<tick_atom, std::uint64_t>,
  // Something concerns all of us: another process under our name, a store that
  // failed.
  caf::reacts_to<halt_atom, std::uint8_t, std::string>,
  // Answered when everybody has stopped; true if nothing was left in flight.
  caf::replies_to<stop_atom>::with<bool>,
  // Passed on to the queue keeper.
  caf::replies_to<status_atom>::with<parcel<keeper_status>>,
  caf::replies_to<parcel<operator_wish>>::with<parcel<error>>,
  // A line for the audit. Answered when durable.
  caf::replies_to<parcel<tasks::audit_note>>::with<parcel<error>>,
  caf::replies_to<parcel<order_wish>>::with<parcel<error>>,
  caf::replies_to<parcel<order_list_wish>>::with<parcel<std::vector<revocation_order>>>,
  caf::replies_to<parcel<list_wish>>::with<parcel<std::vector<record>>>>;

} // namespace pfx::actors
