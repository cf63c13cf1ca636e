"""The deliberate faults: for each promise of docs/lifecycle.md at least one way to break it.

Each replaces a piece of one .cpp file (found exactly once), and names who must notice: the model
(`model PLAN`), a test program with a filter, or the campaign that switches its faults on itself.
"""

CORE_TURN = "core/lifecycle_turn.cpp"
CORE_ENDS = "core/lifecycle_ends.cpp"
CORE_WORK = "core/lifecycle_work.cpp"
CORE_DELIVERY = "core/lifecycle_delivery.cpp"
CORE_NEXT = "core/lifecycle.cpp"
LEDGER = "actors/tasks/ledger.cpp"
DISPATCH = "actors/tasks/ledger_dispatch.cpp"


def change(name, invariant, what, file, old, new, *caught_by, also=()):
    """`also`: further places, as file, old and new."""
    return {"name": name, "invariant": invariant, "what": what,
            "places": [(file, old, new), *also], "caught_by": caught_by}


MUTATIONS = [
    # 1. Never twice.
    change("new-key-after-restart", 1, "a restart forgets the intent and makes another key",
           CORE_ENDS, "void restart_clean(turn& t) {\n  auto& r = t.next();\n",
           "void restart_clean(turn& t) {\n  auto& r = t.next();\n"
           "  if (r.state == record_state::submitting) {\n"
           "    r.state = record_state::received;\n    r.has_intent = false;\n  }\n",
           "model one"),
    change("ours-by-digest", 1, "what stands is ours only if our very bytes stand",
           CORE_TURN,
           "  const bool ours = stands.present() && stands == held;",
           "  const bool ours = stands.present() && recorded.result_digest == r.result_digest\n"
           "    && held.present();",
           "test_core [lifecycle]"),
    change("walk-revokes-what-stands", 1, "a walk spares the recorded certificate only if it is ours",
           CORE_ENDS, "if (r.outcome != settled_as::failed && found.thumbprint",
           "if (r.outcome == settled_as::delivered && found.thumbprint",
           "model one-restored"),
    change("no-settle-wait", 1, "never seen ends the walk though a submission may still arrive",
           CORE_ENDS, "} else if (r.unanswered && asked_at < quiet_at) {",
           "} else if (r.unanswered && asked_at < quiet_at - t.by.ca_settle_ms) {",
           "model one-gives-up"),
    change("failure-without-walk", 1, "the walk is left out for whatever was accepted",
           CORE_TURN, "return r.may_skip_walk && r.outcome == settled_as::delivered && r.lease_number == 1",
           "return r.may_skip_walk && r.lease_number == 1",
           "model one-gives-up"),
    change("loss-drops-intent", 1, "the loss of a lease drops what was submitted",
           "core/lifecycle_table.cpp",
           "/* lease_lost */    {{ aba,  aba,  par,", "/* lease_lost */    {{ aba,  aba,  aba,",
           "model one"),
    change("reconcile-at-once", 1, "after a loss of memory nothing is waited for before asking",
           "actors/reconciler.cpp", "if (settled || p->authorities.empty()) {", "if (true) {",
           "test_actors [reconcile]"),
    # 2. Never lost.
    change("abandoned-for-ever", 2, "a new hand-out does not begin again what was abandoned",
           CORE_DELIVERY, "return; // the very hand-out that was lost\n  }\n",
           "return; // the very hand-out that was lost\n  }\n  if (r.attempts == 0) {\n    return;\n  }\n",
           "model one"),
    change("parked-and-silent", 2, "a record without a lease asks nobody any more",
           CORE_NEXT, "return r.has_intent || r.state == record_state::prepared ? action::query : action::none;",
           "return action::none;",
           "model one-handed-out-once"),
    change("put-aside-for-ever", 2, "the end of a quarantine changes nothing",
           CORE_ENDS, "void end_quarantine(turn& t) {\n  auto& r = t.next();\n",
           "void end_quarantine(turn& t) {\n  auto& r = t.next();\n  if (!r.disowned) {\n    return;\n  }\n",
           "test_core [lifecycle]"),
    # 3. Old never starves new.
    change("poison-for-ever", 3, "attempts at work have no limit",
           CORE_WORK, "  if (r.attempts >= t.by.attempts_max) {\n    quarantine(t, \"gave up after \" + std::to_string(r.attempts) + \" attempts without",
           "  if (r.attempts >= t.by.attempts_max + 1000) {\n    quarantine(t, \"gave up after \" + std::to_string(r.attempts) + \" attempts without",
           "test_core [lifecycle]"),
    change("settled-is-new", 3, "a settled request that comes again is worked on like a new one",
           LEDGER, "if (const auto before = settled.find(one.key); before != settled.end()) {",
           "if (const auto before = settled.find(one.key); before != settled.end() && one.stands) {",
           "test_actors a settled request that comes again*"),
    # 4. Durable before visible.
    change("act-before-sync", 4, "what follows from a fact does not wait for its write",
           LEDGER, "  ++in.undurable;\n  enqueue(std::move(c));\n",
           "  ++in.undurable;\n  enqueue(std::move(c));\n  examine(in);\n",
           "test_actors on a slow disk nothing is said before it is written",
           also=[(DISPATCH, "const bool settled_first = in.undurable != 0;",
                  "const bool settled_first = false;"),
                 (DISPATCH, "  if (in.undurable != 0) {\n"
                  "    return; // examined again when its write is synced\n  }\n", "")]),
    change("writes-without-sync", 4, "a commit is not synced",
           "storage/store.cpp", "how.sync = true;", "how.sync = false;",
           "test_storage [storage]"),
    # 5. Same key, other fingerprint.
    change("other-body-taken", 5, "another body under the same name is processed",
           CORE_DELIVERY, "  if (t.next().state == record_state::received) {\n    set_failing(t, service_code::conflict,",
           "  if (t.next().state == record_state::closing) {\n    set_failing(t, service_code::conflict,",
           "test_core [lifecycle]"),
    # 6. No plaintext secret.
    change("secrets-stay-in-memory", 6, "what a secret lay in is given back as it is",
           "core/secret.cpp", "    pfx::wipe(data_, size_);\n", "    pfx::wipe(data_, 0);\n",
           "test_core [secret]"),
    # 7. Every queue, body, retry, loop and wait has a named limit.
    change("generations-without-end", 7, "transaction ids beyond the last one are taken",
           CORE_WORK, "if (r.generation + 1 >= limits::generations_max) {", "if (r.generation == 255) {",
           "test_core [lifecycle]"),
    # 8. Stop is clean.
    change("stop-drops-work", 8, "a stop waits for nothing",
           "actors/keeper.cpp", "if (stopping && stop_promise && (poisoned || book->quiet())) {",
           "if (stopping && stop_promise) {",
           "test_actors a stop*"),
    # 9. The disk fails loudly.
    change("write-after-fault", 9, "a store whose write failed takes the next one",
           "storage/store.cpp", "    poisoned = true;\n", "    poisoned = false;\n",
           "test_storage [faults]"),
    change("no-floor", 9, "the last free octets are written too",
           "storage/store.cpp", "if (const auto free = free_bytes(); free < floor) {",
           "if (const auto free = free_bytes(); free < floor / 1000000) {",
           "test_storage [faults]"),
    # 10. Clocks jump.
    change("lease-for-ever", 10, "a lease that was had is held",
           CORE_NEXT, "return r.live.lease_until > now.boot; }", "return r.live.lease_until != 0 && now.boot >= 0; }",
           "model one"),
    change("lease-over-restart", 10, "a restart does not ask whether the lease is still held",
           CORE_ENDS,
           "r.live.lease_asked = r.state != record_state::quarantined && r.state != record_state::closing;",
           "r.live.lease_until = t.now.boot + 60'000;",
           "model one"),
    # 11. One owner.
    change("two-owners", 11, "the lock of a data directory is shared",
           "storage/directory.cpp", "::flock(lock_, LOCK_EX | LOCK_NB)", "::flock(lock_, LOCK_SH | LOCK_NB)",
           "test_storage a second process is refused*"),
    # 12. Amnesia is noticed.
    change("amnesia-unnoticed", 12, "the service's last known audit head is not looked for",
           "actors/tasks/downloads.cpp", "out.reconcile = !*ours;",
           "out.reconcile = false;",
           "test_actors [reconcile]"),
    # 13. Frozen bytes.
    change("bytes-made-again", 13, "a restart builds the result again",
           CORE_ENDS, "void restart_clean(turn& t) {\n  auto& r = t.next();\n",
           "void restart_clean(turn& t) {\n  auto& r = t.next();\n"
           "  if (r.state == record_state::prepared && r.thumbprint.present()) {\n"
           "    r.state = record_state::issued;\n  }\n",
           "model one"),
    change("newer-record-read", 13, "a record of a newer program is read as if it were ours",
           "core/record.cpp", "constexpr std::uint8_t format_version = 1;",
           "constexpr std::uint8_t format_version = 2;",
           "test_core [record]"),
    # 14. An attempt without an outcome is unknown.
    change("attempt-forgotten", 14, "an attempt that ended with the process does not count",
           CORE_ENDS, "  if (r.attempt_open) {\n    r.attempt_open = false;\n",
           "  if (r.attempt_open) {\n    r.attempt_open = false;\n    r.attempts = 0;\n",
           "test_core [lifecycle]"),
    change("send-forgotten", 14, "a submission whose answer died with the process is taken for unsent",
           CORE_ENDS, "    r.unanswered = true; // a send may have happened whose answer died with us\n", "",
           "model one-gives-up"),
    # 15. One key, one request.
    change("one-key-for-all", 15, "every request gets the first one's key",
           "actors/tasks/create_work.cpp", "  auto key = crypto::private_key::generate(order.key);\n",
           "  static const auto first = crypto::private_key::generate(order.key)->to_pkcs8();\n"
           "  auto key = crypto::private_key::from_pkcs8(first->view());\n",
           "test_actors no two requests have one key"),
]

# These are switched on by PFXENGINE_MUTATE in a program that was built with PFX_FAULT_POINTS; the
# campaign's judge, who reads nothing but the journals, must report each.
SWITCHES = [
    {"name": "late-intent", "invariant": 4, "what": "the intent is written after the submission"},
    {"name": "rebuild-result", "invariant": 13, "what": "the bytes of an upload are built again for a retry"},
    {"name": "skip-settled", "invariant": 3, "what": "the settled record is left out"},
]
