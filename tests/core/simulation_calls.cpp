// What a simulated engine asks of the other side, and how it hears of requests.
#include <algorithm>
#include <memory>
#include <utility>

#include "core/limits.hpp"
#include "tests/core/simulation_engine.hpp"

namespace pfx::simulation {

using lifecycle::action;
using lifecycle::event;
using lifecycle::event_kind;

namespace {

constexpr std::int64_t second = 1'000;
constexpr std::int64_t call_timeout_ms = 10 * second;
constexpr std::int64_t poll_ms = 10 * second;

} // namespace

// -- hand-outs ------

void engine::poll() {
  world_.ask<std::vector<hand_out>>(
    world::line::poll, [this] { return world_.download(number_, lease_ms); },
    [this, life = life_, sent = world_.now](const std::vector<hand_out>& list) {
      in_this_life(life, [this, list, sent] {
        for (const auto& one : list) {
          take(one, sent + boot_skew_ + lease_ms - lease_margin_ms);
        }
      });
    });
  soon(world_.roll.between(poll_ms - second, poll_ms + second), [this] { poll(); });
}

void engine::take(const hand_out& one, boot_ms lease_until) {
  if (held_) {
    return;
  }
  if (open_.count(one.context) != 0) {
    if (open_[one.context].value.state == record_state::settled) {
      return;
    }
    handle(one.context, event{.kind = one.other_body ? event_kind::offered_other
                                                     : event_kind::offered_same,
                              .lease_number = one.lease_number,
                              .lease_until = lease_until,
                              .blobs = {{blob_kind::request, to_bytes("request")}}});
    return;
  }
  if (disk_.requests[one.context].settled) {
    reacknowledge(one);
    return;
  }
  open_[one.context];
  write(one.context, lifecycle::receive({.key = key_of(one.context),
                                         .kind = one.imported ? request_kind::pfx_import
                                                              : request_kind::pfx_create,
                                         .fingerprint = fingerprint_of(one.context),
                                         .lease_number = one.lease_number,
                                         .lease_until = lease_until,
                                         .arrival = 1,
                                         .expires_at = one.expires,
                                         .authority = one.imported ? "" : authority,
                                         .sealed_request = to_bytes("request")},
                                        moment()));
}

void engine::reacknowledge(const hand_out& one) {
  world_.ask<event>(world::line::service,
                    [this, one] {
                      return world_.upload(number_, one.context, one.lease_number, {});
                    },
                    [this, one](const event& said) {
                      if (said.kind == event_kind::upload_missing) {
                        world_.report(violation::not_recorded, one.context);
                      }
                    });
}

// -- actions ------

void engine::answer(int life, const std::string& context, std::uint64_t ticket, event what) {
  in_this_life(life, [this, context, ticket, what = std::move(what)] {
    const auto found = open_.find(context);
    if (found == open_.end()) {
      return;
    }
    auto& live = found->second.value.live;
    if (live.ticket != ticket) {
      const bool again = what.kind == event_kind::upload_accepted
                         || what.kind == event_kind::upload_recorded
                         || what.kind == event_kind::query_recorded
                         || what.kind == event_kind::upload_lease_lost;
      if (again) {
        handle(context, what);
      }
      return;
    }
    live.ticket = 0;
    handle(context, what);
  });
}

void engine::call(world::line over, const std::string& context, std::uint64_t ticket,
                  std::function<event()> there, event unanswered) {
  world_.ask<event>(over, std::move(there),
                    [this, life = life_, context, ticket](const event& said) {
                      answer(life, context, ticket, said);
                    });
  soon(call_timeout_ms, [this, life = life_, context, ticket, unanswered = std::move(unanswered)] {
    const auto found = open_.find(context);
    if (found != open_.end() && found->second.value.live.ticket == ticket) {
      answer(life, context, ticket, unanswered);
    }
  });
}

bool engine::durable_intent(const record& of) const {
  const auto found = disk_.requests.find(of.key.context);
  return found != disk_.requests.end() && found->second.open && found->second.open->has_intent
         && found->second.open->generation == of.generation
         && found->second.blobs.count(blob_kind::intent) != 0;
}

void engine::dispatch(const std::string& context, open_record& of, action what) {
  if (what == action::claim || what == action::claim_slowly) {
    handle(context, event{.kind = event_kind::claimed});
    return;
  }
  const auto ticket = of.value.live.ticket = ++tickets_;
  of.doing = what;
  switch (what) {
    case action::work:
    case action::work_slowly: work(context, ticket); break;
    case action::submit: submit_or_find(context, ticket, true); break;
    case action::find: submit_or_find(context, ticket, false); break;
    case action::build: build(context, ticket); break;
    case action::upload: upload(context, of); break;
    case action::query:
      call(world::line::service, context, ticket,
           [this, context] { return world_.query(context); },
           event{.kind = event_kind::query_unanswered});
      break;
    case action::walk:
      walk(context, ticket, {.found = {.kind = event_kind::walked}, .started = world_.now});
      break;
    default: break;
  }
}

void engine::work(const std::string& context, std::uint64_t ticket) {
  soon(world_.effort(400), [this, life = life_, context, ticket] {
    const auto found = open_.find(context);
    if (found == open_.end() || found->second.value.live.ticket != ticket) {
      return;
    }
    if (world_.orders.at(context).poison) {
      crash();
      return;
    }
    event done{.kind = event_kind::worked};
    if (world_.faulty() && world_.roll.chance(world_.by.work_fails)) {
      done.kind = world_.roll.chance(80) ? event_kind::work_failed : event_kind::work_refused;
      done.code = service_code::parameter_invalid;
      done.text = "work failed";
    } else if (found->second.value.kind == request_kind::pfx_import) {
      done = import(found->second.doing);
    } else {
      const bool reused = world_.by.broken == mutation::one_key;
      const auto key = "k" + std::to_string(number_) + "." + std::to_string(reused ? 0 : ++keys_);
      done.blobs = {{blob_kind::intent, to_bytes(key)}};
    }
    answer(life, context, ticket, std::move(done));
  });
}

/// All that an import needs is done at once; some find out on the way that they take long.
event engine::import(action doing) {
  if (doing == action::work && world_.roll.chance(20)) {
    return event{.kind = event_kind::work_slow};
  }
  event done{.kind = event_kind::built, .result_digest = world_.new_digest(), .succeeded = true};
  world_.documents[done.result_digest] = {true, {}};
  done.blobs = {{blob_kind::result, to_bytes(done.result_digest.octets)}};
  return done;
}

void engine::build(const std::string& context, std::uint64_t ticket) {
  soon(world_.effort(400), [this, life = life_, context, ticket] {
    const auto found = open_.find(context);
    if (found == open_.end() || found->second.value.live.ticket != ticket) {
      return;
    }
    const auto& r = found->second.value;
    event done{.kind = event_kind::built, .result_digest = world_.new_digest(),
               .succeeded = !r.failing};
    if (world_.faulty() && world_.roll.chance(world_.by.work_fails)) {
      answer(life, context, ticket,
             event{.kind = event_kind::build_failed, .text = "build failed"});
      return;
    }
    world_.documents[done.result_digest] = {done.succeeded, r.failing ? digest{} : r.thumbprint};
    done.blobs = {{blob_kind::result, to_bytes(done.result_digest.octets)}};
    answer(life, context, ticket, std::move(done));
  });
}

void engine::submit_or_find(const std::string& context, std::uint64_t ticket, bool submit) {
  auto& mine = open_.at(context);
  const auto& r = mine.value;
  const auto& blobs = disk_.requests[context].blobs;
  std::string key;
  if (const auto kept = blobs.find(blob_kind::intent); kept != blobs.end()) {
    key = to_text(kept->second);
  }
  for (const auto& waiting : batch_) { // only an engine that is broken on purpose gets here
    for (const auto& [kind, sealed] : waiting.put_blobs) {
      key = waiting.context == context && kind == blob_kind::intent ? to_text(sealed) : key;
    }
  }
  const int g = r.generation;
  if (!submit) {
    call(world::line::ca, context, ticket,
         [this, context, g, key] { return world_.find(context, g, key); },
         event{.kind = event_kind::ca_unavailable, .generation = r.generation});
    return;
  }
  tell("submits " + context + " g" + std::to_string(g) + " " + key);
  world_.note_submit(number_, context, g, key, durable_intent(r));
  call(world::line::ca, context, ticket,
       [this, context, g, key] { return world_.submit(context, g, key); },
       event{.kind = event_kind::submit_unanswered, .generation = r.generation, .text = "timeout"});
}

void engine::upload(const std::string& context, open_record& of) {
  auto result = of.value.result_digest;
  const auto& place = disk_.requests[context];
  if (world_.by.broken == mutation::rebuild_on_retry && of.uploaded) {
    const auto old = world_.documents.at(result);
    result = world_.new_digest();
    world_.documents[result] = old;
  }
  of.uploaded = true;
  const bool durable = place.open && place.open->state == record_state::prepared
                       && place.open->result_digest == of.value.result_digest
                       && place.blobs.count(blob_kind::result) != 0;
  world_.note_upload(number_, context, result, durable);
  call(world::line::service, context, of.value.live.ticket,
       [this, context, result, number = of.value.lease_number] {
         return world_.upload(number_, context, number, result);
       },
       event{.kind = event_kind::upload_unanswered, .text = "timeout"});
}

void engine::walk(const std::string& context, std::uint64_t ticket, walk_state so_far) {
  const auto g = so_far.generation;
  const auto own = open_.at(context).value.generation;
  const auto next = [this, life = life_, context, ticket, so_far, own](const event& said) {
    const auto found = open_.find(context);
    if (found == open_.end() || found->second.value.live.ticket != ticket) {
      return;
    }
    auto state = so_far;
    const bool unseen = said.kind == event_kind::ca_never_seen;
    if (said.kind == event_kind::ca_foreign) {
      state.found.found.push_back({state.generation, "CN=CA", said.serial_number, said.thumbprint});
    }
    state.pending = state.pending || said.kind == event_kind::ca_pending_foreign;
    ++state.generation;
    const bool last = state.generation >= limits::generations_max;
    if ((unseen && so_far.generation >= own) || last) {
      state.found.walk_ended = !state.pending;
      state.found.duration_ms = world_.now - state.started;
      answer(life, context, ticket, state.found);
    } else {
      walk(context, ticket, state);
    }
  };
  // The walk has no key: whatever it finds is foreign. A doubled answer goes on only once.
  auto heard = std::make_shared<bool>(false);
  world_.ask<event>(world::line::ca, [this, context, g] { return world_.find(context, g, ""); },
                    [this, life = life_, heard, next](const event& said) {
                      in_this_life(life, [heard, next, said] {
                        if (!std::exchange(*heard, true)) {
                          next(said);
                        }
                      });
                    });
  soon(call_timeout_ms, [this, life = life_, context, ticket, heard] {
    if (!std::exchange(*heard, true)) {
      answer(life, context, ticket, event{.kind = event_kind::ca_unavailable, .text = "timeout"});
    }
  });
}

void engine::renew(const std::string& context) {
  const auto found = open_.find(context);
  if (found == open_.end() || !found->second.value.live.lease_asked) {
    return;
  }
  const auto number = found->second.value.lease_number;
  const auto serial = ++found->second.renewals;
  world_.ask<event>(
    world::line::service,
    [this, context, number] { return world_.renew(context, number, lease_ms); },
    [this, life = life_, context, sent = world_.now](event said) {
      in_this_life(life, [this, context, sent, said]() mutable {
        if (open_.count(context) != 0) {
          said.lease_until = sent + boot_skew_ + lease_ms - lease_margin_ms;
          handle(context, said);
        }
      });
    });
  soon(call_timeout_ms, [this, context, serial] {
    const auto still = open_.find(context);
    if (still != open_.end() && still->second.renewals == serial) {
      renew(context);
    }
  });
}

void engine::revoke() {
  for (auto& [thumbprint, one] : disk_.surplus) {
    if (one.done) {
      continue;
    }
    world_.ask<bool>(
      world::line::ca, [this, context = one.request.context, thumbprint = thumbprint] {
        return world_.revoke(context, thumbprint);
      },
      [this, life = life_, thumbprint = thumbprint](bool done) {
        in_this_life(life, [this, thumbprint, done] {
          if (const auto found = disk_.surplus.find(thumbprint); found != disk_.surplus.end()) {
            found->second.done = done;
          }
        });
      });
  }
  soon(5 * second, [this] { revoke(); });
}

} // namespace pfx::simulation
