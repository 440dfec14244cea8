#pragma once
// Turns around a circle of places, taken by any thread: one atomic addition, and once around the circle the number is
// brought back below its end. A number beyond the end means the beginning, so a member that joins at the end is next.
// Fails: never.
#include <atomic>

namespace azora::balancer {

// Takes the turn: returns its place, of `size` > 0 places, and moves on to the next one.
template <typename Number>
Number take_turn(std::atomic<Number>& turns, Number size) {
  const Number turn = turns.fetch_add(1, std::memory_order_relaxed);
  if (turn < size) [[likely]] return turn;
  const Number place = turn % size;
  // Only if no other thread took a turn after ours: that thread would bring the number back instead.
  Number next = turn + 1;
  turns.compare_exchange_strong(next, place + 1, std::memory_order_relaxed);
  return place;
}

// The same where only one thread takes turns at a time, as under the GIL: no locked instruction.
template <typename Number>
Number take_turn_alone(std::atomic<Number>& turns, Number size) {
  const Number turn = turns.load(std::memory_order_relaxed);
  const Number place = turn < size ? turn : turn % size;
  turns.store(place + 1, std::memory_order_relaxed);
  return place;
}

}  // namespace azora::balancer
