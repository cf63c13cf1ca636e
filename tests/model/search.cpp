// The search itself. Steps that are no faults are kept, so that the way back needs no second
// search.
#include "tests/model/search.hpp"

#include "tests/model/moves.hpp"
#include "tests/model/properties.hpp"
#include "tests/model/store.hpp"
#include "tests/model/stories.hpp"

namespace pfx::model {

namespace {

constexpr std::int8_t everybody = -2;

class searcher {
public:
  searcher(const plan& by, coverage* met, const limits_of_search& within)
      : by_(by), within_(within),
        flow_({.import = by.import, .attempts_max = by.attempts_max, .off = by.off}, met),
        mover_(by, flow_), states_(by.seats(), by.restores != 0) {}

  verdict run() {
    auto start = mover_.first();
    states_.insert(start, store::none);
    forward();
    if (out_.broken.empty() && !out_.too_big && by_.liveness) {
      live();
    }
    out_.states = states_.size();
    return out_;
  }

private:
  struct edge {
    std::uint32_t to : 30;
    std::uint32_t who : 2; ///< 3 = nobody in particular
  };
  static_assert(sizeof(edge) == 4);

  void forward() {
    for (std::uint32_t at = 0; at < states_.size(); ++at) {
      begins_.push_back(edges_.size());
      const auto from = states_.at(at);
      for (const auto& next : mover_.expand(from)) {
        ++out_.transitions;
        const auto [number, fresh] = states_.insert(next.next, at);
        const char* broken = next.broken;
        if (broken == nullptr && fresh) {
          broken = broken_in(by_, next.next);
        }
        if (broken != nullptr) {
          out_.broken = broken;
          out_.story = story(at);
          out_.story.push_back(sentence(next));
          out_.story.push_back(describe(by_, next.next));
          return;
        }
        if (by_.liveness && !next.fault && number != at) {
          edges_.push_back({number & 0x3fffffffU, static_cast<std::uint32_t>(next.who) & 3U});
        }
      }
      if (states_.size() > within_.states_max) {
        out_.too_big = true;
        return;
      }
    }
    begins_.push_back(edges_.size());
    for (auto at = states_.size() - 1; at != store::none && at != 0; at = states_.parent(at)) {
      ++out_.depth;
    }
  }

  /// The steps to a state, found again by going the same way once more.
  std::vector<std::string> story(std::uint32_t end) {
    std::vector<std::uint32_t> path;
    for (auto at = end; at != store::none; at = states_.parent(at)) {
      path.push_back(at);
    }
    std::vector<std::string> out;
    for (auto at = path.rbegin(); at + 1 < path.rend(); ++at) {
      const auto next = states_.at(*(at + 1));
      for (const auto& one : mover_.expand(states_.at(*at))) {
        if (std::memcmp(&one.next, &next, size_of(by_.seats())) == 0) {
          out.push_back(sentence(one));
          break;
        }
      }
    }
    return out;
  }

  void live() {
    live_by(everybody, "P3: no quiet end can be reached any more");
    const bool same_name = by_.clone; // one of the two alone is still two of them
    for (std::size_t i = 0; by_.alone && !same_name && i < by_.connectors; ++i) {
      if (out_.broken.empty() && (i == 0 || !by_.heir)) {
        live_by(static_cast<std::int8_t>(i), "P3: one connector alone cannot get it recorded");
      }
    }
  }

  [[nodiscard]] bool good(std::int8_t who, std::uint32_t number) const {
    const auto s = states_.at(number);
    return who == everybody ? quiet(by_, s) : s.recorded != 0;
  }

  /// From every state a good end must be reachable by steps of `who` that are no faults.
  void live_by(std::int8_t who, const char* broken) {
    std::vector<bool> ends_well(states_.size());
    std::uint64_t left = 0;
    for (std::uint32_t at = 0; at < states_.size(); ++at) {
      ends_well[at] = good(who, at);
      left += ends_well[at] ? 0 : 1;
    }
    for (auto before = left + 1; left != 0 && left != before;) {
      before = left;
      for (auto at = states_.size(); at-- > 0;) {
        for (auto e = begins_[at]; !ends_well[at] && e < begins_[at + 1]; ++e) {
          const auto mover = edges_[e].who;
          const bool may
            = who == everybody || mover == 3 || mover == static_cast<std::uint32_t>(who);
          if (may && ends_well[edges_[e].to]) {
            ends_well[at] = true;
            --left;
          }
        }
      }
    }
    for (std::uint32_t at = 0; left != 0 && at < states_.size(); ++at) {
      if (!ends_well[at]) {
        out_.broken = broken;
        out_.story = story(at);
        out_.story.push_back(describe(by_, states_.at(at)));
        return;
      }
    }
  }

  const plan& by_;
  const limits_of_search& within_;
  flow flow_;
  mover mover_;
  store states_;
  verdict out_;
  std::vector<edge> edges_;
  std::vector<std::uint64_t> begins_;
};

} // namespace

verdict search(const plan& by, coverage* met, const limits_of_search& within) {
  return searcher(by, met, within).run();
}

} // namespace pfx::model
