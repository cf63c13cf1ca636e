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
  /// At once, one after the other; more only if there is room for few at a time.
  static constexpr std::size_t polls_max = 1'000;

  /// `orders_max`: most of one download; `open_max`: most that the book takes.
  order_polls(std::size_t orders_max, std::size_t open_max);

  /// How many to ask for, if there is room for `room`.
  [[nodiscard]] std::size_t wish(std::size_t room) const;
  /// True if the next download may follow at once: it was a full batch with something in it that
  /// was not handed out since the last wait. A service keeps back what it handed out, so what waits
  /// behind it comes now or never. One that keeps nothing back, or always has something new, ends
  /// at series_max or polls_max.
  [[nodiscard]] bool at_once(const order_download& what);
  /// A batch that cannot be taken because of its size is asked for by halves, until full ones come
  /// again.
  void too_large();

  [[nodiscard]] std::size_t series_max() const { return series_max_; }

private:
  std::size_t orders_max_;
  std::size_t wish_max_;
  std::size_t series_max_; ///< orders of one series: twice what the book takes, and a batch
  std::size_t nameless_ = 0;
  std::size_t polls_ = 0;
  std::set<digest> seen_; ///< contexts of this series; series_max_ and a batch bound them
};

} // namespace pfx::actors::tasks
