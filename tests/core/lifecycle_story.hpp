// Tells the life of one record as lines of text, so that a test can hold the whole story.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "core/lifecycle.hpp"

namespace pfx::story {

using lifecycle::action;
using lifecycle::event;
using lifecycle::event_kind;

inline digest digest_of(std::uint8_t first) {
  digest out;
  out.octets.fill(first);
  return out;
}

inline const digest our_certificate = digest_of(0xaa);
inline const digest their_certificate = digest_of(0xbb);
inline const digest our_bytes = digest_of(0x11);
inline const digest our_failure = digest_of(0x22);
inline const digest their_bytes = digest_of(0x33);

inline constexpr boot_ms lease = 60'000;
inline constexpr unix_ms expiry = 10'000'000;

// -- events ------

inline event worked() {
  return {.kind = event_kind::worked, .blobs = {{blob_kind::intent, to_bytes("key and CSR")}}};
}
inline event issued(std::uint8_t generation = 0) {
  return {.kind = event_kind::ca_issued,
          .thumbprint = our_certificate,
          .serial_number = "0a",
          .generation = generation,
          .blobs = {{blob_kind::certificate, to_bytes("certificate")}}};
}
inline event of_ca(event_kind kind) {
  return {.kind = kind, .code = service_code::non_retryable, .text = "said the CA"};
}
inline event foreign(std::uint8_t generation) {
  return {.kind = event_kind::ca_foreign, .generation = generation};
}
inline event built() {
  return {.kind = event_kind::built, .result_digest = our_bytes, .succeeded = true,
          .blobs = {{blob_kind::result, to_bytes("pfx")}}};
}
inline event built_failure() {
  return {.kind = event_kind::built, .result_digest = our_failure,
          .blobs = {{blob_kind::result, to_bytes("failure")}}};
}
/// What the service says stands: our success, another's success, or a failure.
inline event ours(event_kind kind) {
  return {.kind = kind, .thumbprint = our_certificate, .result_digest = our_bytes,
          .succeeded = true};
}
inline event theirs(event_kind kind) {
  return {.kind = kind, .thumbprint = their_certificate, .result_digest = their_bytes,
          .succeeded = true};
}
inline event failed(event_kind kind, digest bytes = our_failure) {
  return {.kind = kind, .result_digest = bytes};
}
inline event numbered(event_kind kind, std::uint64_t number) {
  return {.kind = kind, .lease_number = number};
}
inline event walked(std::vector<lifecycle::found_certificate> found, bool ended = true,
                    std::int64_t duration_ms = 0) {
  return {.kind = event_kind::walked, .found = std::move(found), .walk_ended = ended,
          .duration_ms = duration_ms};
}
inline lifecycle::found_certificate found(std::uint8_t generation, const digest& thumbprint) {
  return {generation, "CN=CA", "0" + std::to_string(generation), thumbprint};
}

// -- the teller ------

class teller {
public:
  /// A fresh request; leaseNumber above 1 means that it was handed out before.
  explicit teller(std::uint64_t lease_number = 1, std::optional<error> fault = std::nullopt) {
    lifecycle::reception first;
    first.key = {"contoso", flow::pfx, "r"};
    first.kind = request_kind::pfx_create;
    first.fingerprint = digest_of(0x44);
    first.lease_number = lease_number;
    first.lease_until = now.boot + lease;
    first.expires_at = expiry;
    first.authority = "Corp-CA";
    first.fault = std::move(fault);
    first.sealed_request = to_bytes("request");
    tell("received", lifecycle::receive(first, now));
  }

  teller& on(event what) {
    const std::string name(lifecycle::name_of(what.kind));
    tell(name, lifecycle::step(at, std::move(what), by, now));
    return *this;
  }
  teller& on(event_kind what) { return on(event{.kind = what}); }
  /// A new hand-out with a fresh lease.
  teller& offered(std::uint64_t number, event_kind kind = event_kind::offered_same) {
    return on({.kind = kind, .lease_number = number, .lease_until = now.boot + lease,
               .blobs = {{blob_kind::request, to_bytes("request")}}});
  }
  /// Time passes; what it brings by itself happens.
  teller& wait(std::int64_t ms) {
    now.wall += ms;
    now.boot += ms;
    while (auto what = lifecycle::due(at, now)) {
      const auto before = at;
      on(std::move(*what));
      if (at == before) {
        break;
      }
    }
    return *this;
  }
  teller& restart(bool clean) {
    at = *decode_record(at.key, encode(at)); // what was live is gone
    on(clean ? event_kind::restarted_clean : event_kind::restarted_unclean);
    return *this;
  }
  /// Up to a certificate in hand, an attempt at the PFX running.
  teller& until_issued() {
    return on(event_kind::claimed).on(worked()).on(issued());
  }
  teller& until_prepared() { return until_issued().on(built()); }

  [[nodiscard]] action next() const { return lifecycle::next_action(at, now); }
  [[nodiscard]] std::string text() const { return "\n" + text_; }
  /// The last line only.
  [[nodiscard]] const std::string& last() const { return last_; }
  teller& quietly() {
    text_.clear();
    return *this;
  }

  record at;
  lifecycle::step_result out; ///< of the last step
  lifecycle::rules by;
  lifecycle::moment now{.wall = 1'000'000, .boot = 5'000, .random = 400};

private:
  void tell(const std::string& name, lifecycle::step_result&& step) {
    out = std::move(step);
    at = out.next;
    last_ = name + ": " + std::string(name_of(at.state)) + flags() + effects() + ", then "
            + std::string(lifecycle::name_of(next()));
    text_ += last_ + "\n";
  }

  [[nodiscard]] std::string flags() const {
    std::string said;
    said += at.lease_number > 1 ? " #" + std::to_string(at.lease_number) : "";
    said += at.generation > 0 ? " g" + std::to_string(at.generation) : "";
    said += at.failing ? " failing" : "";
    said += at.unanswered ? " unanswered" : "";
    said += at.disowned ? " disowned" : "";
    said += at.live.suspect ? " suspect" : "";
    return said;
  }

  [[nodiscard]] std::string effects() const {
    std::string said;
    const auto name = [](blob_kind kind) {
      switch (kind) {
        case blob_kind::request: return " request";
        case blob_kind::intent: return " intent";
        case blob_kind::certificate: return " certificate";
        case blob_kind::result: return " result";
      }
      return " ?";
    };
    if (!out.put_blobs.empty()) {
      said += "; puts";
      for (const auto& [kind, sealed] : out.put_blobs) {
        said += name(kind);
      }
    }
    if (!out.drop_blobs.empty()) {
      said += "; drops";
      for (const auto kind : out.drop_blobs) {
        said += name(kind);
      }
    }
    for (const auto& one : out.surplus) {
      said += "; revokes " + one.serial_number;
    }
    if (out.settled) {
      said += "; ends " + std::string(name_of(out.settled->outcome)) + " "
              + std::to_string(out.admin_event);
    }
    return said + (out.refused ? "; refused" : "");
  }

  std::string text_;
  std::string last_;
};

} // namespace pfx::story
