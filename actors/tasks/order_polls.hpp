// When the next download of revocation orders is due, and how many are wished for. Plain C++; the
// order desk tells it what came.
#pragma once

#include <cstddef>
#include <set>

#include "core/bytes.hpp"

namespace pfx::actors::tasks {

struct order_download;

class order_polls {
public:
  /// `orders_max`: most of one download; `open_max`: most that the book takes.
  order_polls(std::size_t orders_max, std::size_t open_max);

  /// How many to ask for, if there is room for `room`.
  [[nodiscard]] std::size_t wish(std::size_t room) const;
  /// True if the next download may follow at once: it was a full batch with something in it that
  /// was not handed out since the last wait. A service keeps back what it handed out, so what waits
  /// behind it comes now or never. One that keeps nothing back, or always has something new, ends
  /// at polls_max.
  [[nodiscard]] bool at_once(const order_download& what);
  /// A batch that cannot be taken because of its size is asked for by halves.
  void too_large();

  [[nodiscard]] std::size_t polls_max() const { return polls_max_; }

private:
  std::size_t orders_max_;
  std::size_t wish_max_;
  std::size_t polls_max_; ///< of one series: twice what the book takes, and one more
  std::size_t polls_ = 0;
  std::set<digest> seen_; ///< contexts of this series; polls_max_ bounds them
};

} // namespace pfx::actors::tasks
