#pragma once
// Turns around a circle of places, taken by any thread: one atomic addition, and once around the circle the number is
// brought back below its end. A number beyond the end means the beginning, so who joins at the end is next.
// Fails: never.
#include <atomic>

namespace azora::balancer {

// The place whose turn it is, of `size` > 0 places; the next one is next.
template <typename Number>
Number take_turn(std::atomic<Number>& turns, Number size) {
  const Number turn = turns.fetch_add(1, std::memory_order_relaxed);
  if (turn < size) [[likely]] return turn;
  const Number place = turn % size;
  // Only while nobody came after us: who does brings it back instead.
  Number next = turn + 1;
  turns.compare_exchange_strong(next, place + 1, std::memory_order_relaxed);
  return place;
}

// The same for callers of whom only one takes turns at a time: without the bus being locked.
template <typename Number>
Number take_turn_alone(std::atomic<Number>& turns, Number size) {
  const Number turn = turns.load(std::memory_order_relaxed);
  const Number place = turn < size ? turn : turn % size;
  turns.store(place + 1, std::memory_order_relaxed);
  return place;
}

}  // namespace azora::balancer
