// The state of the model: one request, the service, the CA, the network and up to three connectors,
// as plain octets. Two states that differ only in names (of keys, numbers, digests) become one.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace pfx::model {

inline constexpr std::size_t connectors_max = 3;
inline constexpr std::size_t slots = 8;    ///< generations at the CA: limits::generations_max
inline constexpr std::size_t late_max = 2; ///< messages of one connector that may be overdue

/// What a lease deadline is to its holder; the time itself does not matter.
enum lease_word : std::uint64_t { lease_none = 0, lease_past = 1, lease_held = 2 };

/// A pfx::record without times, texts and octets: all that the flow's decisions rest on. Times that
/// are only waited for are left out, since any step may come arbitrarily late.
struct facts {
  std::uint64_t state : 4; ///< record_state; 0 = never received
  std::uint64_t lease_number : 4;
  std::uint64_t attempts : 2;
  std::uint64_t attempt_open : 1;
  std::uint64_t ask_first : 1;
  std::uint64_t has_intent : 1;
  std::uint64_t generation : 3;
  std::uint64_t unanswered : 1;
  std::uint64_t ask_ca : 1;
  std::uint64_t may_skip_walk : 1;
  std::uint64_t thumbprint : 4; ///< 1 + slot
  std::uint64_t failing : 1;
  std::uint64_t result : 8; ///< a document, see below
  std::uint64_t result_succeeded : 1;
  std::uint64_t rejected_before : 1;
  std::uint64_t disowned : 1;
  std::uint64_t outcome : 2;
  std::uint64_t recorded_thumbprint : 4;
  std::uint64_t key : 3; ///< of the intent
  // live facts
  std::uint64_t lease : 2; ///< lease_word
  std::uint64_t sent_lately : 1;
  std::uint64_t lease_asked : 1;
  std::uint64_t ask_service : 1;
  std::uint64_t ticket : 1;
  std::uint64_t slow : 1;
  std::uint64_t unused : 12;
};
static_assert(sizeof(facts) == 8);

/// A result document: 0 = none, else 1 + 8 * content + version. Content: a slot of the CA, a
/// failure or an imported file; the version tells apart files that were built twice.
namespace document {
inline constexpr std::uint8_t versions = 8, failure = 8, import = 9;
constexpr std::uint8_t make(std::uint8_t content, std::uint8_t version) {
  return static_cast<std::uint8_t>(1 + content * versions + version);
}
constexpr std::uint8_t content(std::uint8_t of) {
  return static_cast<std::uint8_t>((of - 1) / versions);
}
constexpr std::uint8_t version(std::uint8_t of) {
  return static_cast<std::uint8_t>((of - 1) % versions);
}
constexpr bool succeeded(std::uint8_t of) { return of != 0 && content(of) != failure; }
/// 1 + slot of the certificate in it, 0 for none.
constexpr std::uint8_t thumbprint(std::uint8_t of) {
  return of != 0 && content(of) < failure ? static_cast<std::uint8_t>(content(of) + 1)
                                          : std::uint8_t{0};
}
} // namespace document

/// A slot of the CA: 0 = never seen, else 1 + key and flags.
namespace slot {
inline constexpr std::uint8_t key_mask = 0x0f, revoked = 0x10, pending = 0x20, refused = 0x40;
constexpr bool holds(std::uint8_t of, std::uint64_t key) { return (of & key_mask) == key + 1; }
constexpr bool issued(std::uint8_t of) { return of != 0 && (of & (pending | refused)) == 0; }
} // namespace slot

/// A submission on its way: 0 = none, else 1 + 8 * key + generation.
namespace submission {
constexpr std::uint8_t make(std::uint64_t key, std::uint64_t generation) {
  return static_cast<std::uint8_t>(1 + key * slots + generation);
}
constexpr std::uint8_t key(std::uint8_t of) { return static_cast<std::uint8_t>((of - 1) / slots); }
constexpr std::uint8_t generation(std::uint8_t of) {
  return static_cast<std::uint8_t>((of - 1) % slots);
}
} // namespace submission

struct upload_message {
  std::uint8_t document;
  std::uint8_t number;
};

enum class awaited : std::uint8_t { nothing, submit, upload, walk };
enum class upload_word : std::uint8_t { none, accepted, recorded, lease_lost, rejected };

struct connector {
  facts record;
  std::uint8_t exists;
  std::uint8_t forgot; ///< amnesia was noticed: nothing is sent before everything was asked about
  std::uint8_t was_handed;
  awaited awaits;
  std::uint8_t submit; ///< the awaited one, if it is still on its way
  std::array<std::uint8_t, late_max> late_submits;
  upload_message upload; ///< the awaited one
  std::array<upload_message, late_max> late_uploads;
  upload_word answer; ///< of the upload, on its way back
  std::uint8_t answer_number;
  std::uint8_t offer;   ///< leaseNumber of a download's answer on its way
  std::uint8_t lost;    ///< leaseNumber of a "held: false" on its way
  std::uint8_t surplus; ///< the revoker's durable list: a bit for each slot
  std::uint8_t walk_at, walk_found, walk_early;
  std::uint8_t uploaded; ///< the document that it sent before
};

struct copy {
  facts record;
  std::uint8_t surplus;
  std::uint8_t taken;
  std::array<std::uint8_t, 6> unused;
};

struct state {
  std::array<std::uint8_t, slots> ca;
  std::uint8_t highest; ///< leaseNumber given out last
  std::uint8_t leased;
  std::uint8_t recorded; ///< document
  std::uint8_t restores_left;
  std::uint8_t gone;   ///< the service does not know the request at the moment
  std::uint8_t faults; ///< that happened; counted only where they have a limit
  std::array<std::uint8_t, 2> unused;
  std::array<copy, 2> copies; ///< backups
  std::array<connector, connectors_max> at;
};
static_assert(std::is_trivially_copyable_v<state>);

/// Octets of a state that matter when `connectors` take part: they lie in front.
constexpr std::size_t size_of(std::size_t connectors) {
  return offsetof(state, at) + connectors * sizeof(connector);
}

/// Brings a state into its canonical form. `versions` = documents built twice are told apart;
/// `keep_spent` = no late message is without effect: a CA without transaction ids makes another
/// certificate, or somebody hears the answer.
void make_canonical(state& s, std::size_t connectors, bool versions, bool keep_spent);

/// The same for connectors that may change places: of all their orders the least.
void make_symmetric(state& s, std::size_t connectors, bool versions, bool keep_spent);

/// Names that nothing refers to.
[[nodiscard]] std::uint8_t free_key(const state& s, std::size_t connectors);
[[nodiscard]] std::uint8_t free_document(const state& s, std::size_t connectors,
                                         std::uint8_t content);

} // namespace pfx::model
