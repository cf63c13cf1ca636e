// Canonical names: leaseNumbers keep their order (and 1 stays 1), keys and versions of documents
// are numbered as they are met. Messages that can change nothing any more are dropped.
#include "tests/model/state.hpp"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <utility>

#include "core/record.hpp"

namespace pfx::model {

namespace {

constexpr auto closing = static_cast<std::uint64_t>(record_state::closing);
constexpr auto settled = static_cast<std::uint64_t>(record_state::settled);

bool has_key(const facts& r) { return r.has_intent != 0 && r.state != closing; }

/// Facts that no decision of an ended record rests on.
void forget_what_ended(facts& r) {
  if (r.state == settled) {
    const auto outcome = r.outcome;
    r = {};
    r.state = settled;
    r.outcome = outcome & 3U;
    return;
  }
  if (r.state == closing) {
    r.lease_number = 1;
    r.attempts = r.attempt_open = r.ask_first = r.ask_ca = r.may_skip_walk = 0;
    r.failing = r.result_succeeded = r.rejected_before = r.disowned = 0;
    r.result = 0;
    r.key = 0;
    r.lease = lease_none;
    r.lease_asked = r.ask_service = r.slow = 0;
    r.thumbprint = r.thumbprint != 0 ? 1U : 0U;
  }
  if (r.has_intent == 0) {
    r.key = 0;
  }
}

template <class Visit>
void each_number(state& s, std::size_t connectors, Visit visit) {
  const auto of_facts = [&visit](facts& r) {
    if (r.state != 0 && r.state != closing && r.state != settled) {
      auto number = static_cast<std::uint8_t>(r.lease_number);
      visit(number);
      r.lease_number = number & 0xfU;
    }
  };
  visit(s.highest);
  for (auto& one : s.copies) {
    of_facts(one.record);
  }
  for (std::size_t i = 0; i < connectors; ++i) {
    auto& c = s.at[i];
    of_facts(c.record);
    visit(c.upload.number);
    for (auto& late : c.late_uploads) {
      visit(late.number);
    }
    visit(c.answer_number);
    visit(c.offer);
    visit(c.lost);
  }
}

void rank_numbers(state& s, std::size_t connectors) {
  std::uint32_t used = 0;
  each_number(s, connectors, [&used](std::uint8_t& n) { used |= 1U << n; });
  std::array<std::uint8_t, 32> rank{};
  std::uint8_t next = 2;
  for (std::uint8_t n = 1; n < 32; ++n) {
    if ((used >> n & 1U) != 0) {
      rank[n] = n == 1 ? std::uint8_t{1} : next++;
    }
  }
  each_number(s, connectors, [&rank](std::uint8_t& n) { n = rank[n]; });
}

template <class Visit>
void each_key(state& s, std::size_t connectors, Visit visit) {
  const auto of_facts = [&visit](facts& r) {
    if (has_key(r)) {
      auto key = static_cast<std::uint8_t>(r.key);
      visit(key);
      r.key = key & 7U;
    }
  };
  const auto of_submission = [&visit](std::uint8_t& message) {
    if (message != 0) {
      auto key = submission::key(message);
      visit(key);
      message = submission::make(key, submission::generation(message));
    }
  };
  for (auto& one : s.ca) {
    if (one != 0) {
      auto key = static_cast<std::uint8_t>((one & slot::key_mask) - 1);
      visit(key);
      one = static_cast<std::uint8_t>((one & ~slot::key_mask) | (key + 1));
    }
  }
  for (std::size_t i = 0; i < connectors; ++i) {
    of_facts(s.at[i].record);
    of_submission(s.at[i].submit);
    for (auto& late : s.at[i].late_submits) {
      of_submission(late);
    }
  }
  for (auto& one : s.copies) {
    of_facts(one.record);
  }
}

void name_keys(state& s, std::size_t connectors) {
  std::array<std::uint8_t, 16> name{};
  std::uint8_t next = 1;
  each_key(s, connectors, [&](std::uint8_t& key) {
    if (name[key] == 0) {
      name[key] = next++;
    }
    key = static_cast<std::uint8_t>(name[key] - 1);
  });
}

template <class Visit>
void each_document(state& s, std::size_t connectors, Visit visit) {
  const auto seen = [&visit](std::uint8_t& of) {
    if (of != 0) {
      visit(of);
    }
  };
  const auto of_facts = [&seen](facts& r) {
    auto of = static_cast<std::uint8_t>(r.result);
    seen(of);
    r.result = of;
  };
  seen(s.recorded);
  for (std::size_t i = 0; i < connectors; ++i) {
    auto& c = s.at[i];
    of_facts(c.record);
    seen(c.upload.document);
    for (auto& late : c.late_uploads) {
      seen(late.document);
    }
    seen(c.uploaded);
  }
  for (auto& one : s.copies) {
    of_facts(one.record);
  }
}

void name_documents(state& s, std::size_t connectors, bool versions) {
  std::array<std::uint8_t, 96> name{};
  std::array<std::uint8_t, 10> next{};
  each_document(s, connectors, [&](std::uint8_t& of) {
    const auto content = document::content(of);
    if (name[of] == 0) {
      name[of] = document::make(content, versions ? next[content]++ : std::uint8_t{0});
    }
    of = name[of];
  });
}

/// A submission that finds its transaction id taken changes nothing, nor does an upload under an
/// old number or of a recorded request. Nobody waits for the answers of late ones.
void drop_spent(state& s, connector& c, bool keep_spent) {
  for (auto& late : c.late_submits) {
    if (late != 0 && !keep_spent && s.ca[submission::generation(late)] != 0) {
      late = 0;
    }
  }
  std::sort(c.late_submits.begin(), c.late_submits.end(), std::greater<>());
  if (!keep_spent && c.late_submits[0] == c.late_submits[1]) {
    c.late_submits[1] = 0;
  }
  for (auto& late : c.late_uploads) {
    if (!keep_spent && (s.recorded != 0 || late.number < s.highest)) {
      late = {0, 0};
    }
  }
  const auto order = [](const upload_message& one) { return one.document * 256 + one.number; };
  auto& [first, second] = c.late_uploads;
  if (order(first) < order(second)) {
    std::swap(first, second);
  }
  if (!keep_spent && order(first) == order(second)) {
    second = {0, 0};
  }
}

} // namespace

void make_canonical(state& s, std::size_t connectors, bool versions, bool keep_spent) {
  for (std::size_t i = 0; i < connectors; ++i) {
    auto& c = s.at[i];
    forget_what_ended(c.record);
    drop_spent(s, c, keep_spent);
    if (c.record.state == closing || c.record.state == settled) {
      c.uploaded = 0;
      c.lost = 0; // would be ignored
    }
    if (s.restores_left == 0 && c.forgot == 0) {
      c.was_handed = 0; // only asked for after a loss of memory
    }
  }
  for (auto& one : s.copies) {
    if (s.restores_left == 0) {
      one = {};
    }
    forget_what_ended(one.record);
  }
  rank_numbers(s, connectors);
  name_keys(s, connectors);
  name_documents(s, connectors, versions);
}

void make_symmetric(state& s, std::size_t connectors, bool versions, bool keep_spent) {
  std::array<std::size_t, connectors_max> order{};
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto from = s;
  make_canonical(s, connectors, versions, keep_spent);
  while (
    std::next_permutation(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(connectors))) {
    auto other = from;
    for (std::size_t i = 0; i < connectors; ++i) {
      other.at[i] = from.at[order[i]];
    }
    make_canonical(other, connectors, versions, keep_spent);
    if (std::memcmp(&other, &s, size_of(connectors)) < 0) {
      s = other;
    }
  }
}

std::uint8_t free_key(const state& s, std::size_t connectors) {
  auto scratch = s;
  std::uint32_t used = 0;
  each_key(scratch, connectors, [&used](std::uint8_t& key) { used |= 1U << key; });
  std::uint8_t key = 0;
  while ((used >> key & 1U) != 0) {
    ++key;
  }
  return key; // eight names: keys in records, copies, messages and slots are always fewer
}

std::uint8_t free_document(const state& s, std::size_t connectors, std::uint8_t content) {
  auto scratch = s;
  std::uint32_t used = 0;
  each_document(scratch, connectors, [&used, content](std::uint8_t& of) {
    if (document::content(of) == content) {
      used |= 1U << document::version(of);
    }
  });
  std::uint8_t version = 0;
  while (version + 1 < document::versions && (used >> version & 1U) != 0) {
    ++version;
  }
  return document::make(content, version);
}

} // namespace pfx::model
