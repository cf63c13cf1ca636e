// What status shows of the book of revocation orders: how many stand where, and what needs a hand.
#pragma once

#include "actors/tasks/order_book.hpp"

namespace pfx::actors::tasks {

/// Sets the standing counts of `p.totals` and the sentences of `p.attention` about held orders,
/// reports that fail for an hour, a CA that is not configured any more, and a book without room.
/// Each goes when it is over.
void show_orders(const plant& p, const order_book& book);

} // namespace pfx::actors::tasks
