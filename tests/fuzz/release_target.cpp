// What a feed of releases can hold: roots, manifests, and what is remembered; whole, or as bodies
// that the target signs, because a mutated one would end at its signatures.
#include "core/release.hpp"
#include "crypto/ed25519.hpp"
#include "crypto/release.hpp"
#include "tests/fuzz/target.hpp"

using namespace pfx;

namespace {

constexpr unix_ms now = 1'793'534'400'000; // 2026-11-01T12:00:00Z

const crypto::ed25519_pair& pair() {
  static const crypto::ed25519_pair one = [] {
    auto made = crypto::ed25519_from(secret_bytes(bytes(32, 7)));
    fuzz::promise(made.has_value(), "a key can be made of its seed");
    return std::move(*made);
  }();
  return one;
}

release::root trusted() {
  const release::role ours{1, {{{pair().key}, 0}}};
  return {"pfxengine", 1, now + 1000, ours, ours};
}

template <class Value>
void judge(const result<Value>& read, std::string_view text) {
  fuzz::promise(!read || release::encode(*read) == text, "a document has one form");
}

void judge_trust(const std::string& text) { judge(release::decode_trust(text), text); }

std::string signed_here(const std::string& body) {
  const auto made = crypto::sign_ed25519(pair(), as_bytes(body));
  fuzz::promise(made.has_value(), "anything can be signed");
  return release::encode(release::signed_text{body, {{{pair().key}, *made}}});
}

void judge_signed(const std::string& body) {
  const auto text = signed_here(body);
  const auto read = crypto::read_manifest(trusted(), text, now);
  if (read) {
    fuzz::promise(release::encode(*read) == body, "what is believed is what was signed");
    fuzz::promise(read->length <= release::package_bytes_max, "a package is not endless");
    const auto name = release::package_file_name(*read);
    fuzz::promise(name.find('/') == std::string::npos && name[0] != '.', "a name stays in place");
  }
  const auto next = crypto::read_next_root(trusted(), text, now);
  fuzz::promise(!next || next->number == 2, "a root follows its own");
}

} // namespace

PFX_FUZZ_TARGET(release) {
  const auto [which, rest] = fuzz::choose(input, 5);
  const auto text = to_text(rest);
  if (which == 0) {
    judge(release::decode_root(text), text);
  } else if (which == 1) {
    judge(release::decode_manifest(text), text);
  } else if (which == 2) {
    const auto parts = release::split_signatures(text);
    fuzz::promise(!parts || release::encode(*parts) == text, "signatures have one form");
    fuzz::promise(!crypto::read_first_root(text, now) || parts, "a root is signed");
    fuzz::promise(!crypto::read_manifest(trusted(), text, now), "nobody else signs for us");
  } else if (which == 3) {
    judge_trust(text);
  } else {
    judge_signed(text);
  }
}
