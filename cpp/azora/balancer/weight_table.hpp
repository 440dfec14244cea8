#pragma once
// Chooses members by exact shares: each owns an interval of [0, total) as long as its weight, in whole numbers. A
// fixed stride that has no factor in common with the total visits every number of that range once per period. So
// shares are exact over a period for any weights, fractional and extreme ones too, without failed draws and without
// clamps. The golden ratio in the stride spreads each member's turns evenly within the period. A member of weight 0
// owns nothing and is never chosen.
// Threads: immutable but for the position of the sequence, which is atomic; any thread.
// Ownership: holds its instances; made by the pool, replaced when members or weights changed.
// Fails: never; a table whose weights are all 0 has total 0. Cost: find() is O(1) on average.
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "azora/balancer/instance.hpp"
#include "azora/balancer/random.hpp"
#include "azora/balancer/turns.hpp"

namespace azora::balancer {

// Whole numbers in the ratio of the weights, as small as possible: decimal fractions exactly,
// others to 1 in 2^52. 0 stays 0, anything above stays above.
std::vector<std::uint64_t> whole_shares(std::span<const double> weights);
// The number nearest total / golden ratio that has no factor in common with it.
std::uint64_t stride_for(std::uint64_t total);

class WeightTable {
 public:
  struct Entry {
    std::shared_ptr<Instance> instance;
    double weight;
  };
  // `version`: of members and weights it was made from. `before`: the table it replaces, whose
  // sequence goes on at the same share of the range.
  WeightTable(const std::vector<Entry>& entries, std::uint64_t version, const WeightTable* before);

  std::uint64_t version() const { return version_; }
  std::uint64_t total() const { return total_; }
  std::size_t size() const { return members_.size(); }

  // The member whose interval contains `point`, which is below total().
  Instance* at(std::uint64_t point) const { return members_[find(point)].get(); }

  // Takes the next point of the sequence and returns the member that owns it.
  Instance* next() const { return is_scheduled() ? schedule_[take_turn(position_, total_)] : at(draw()); }
  // The same where there is a schedule and only one thread at a time draws.
  Instance* next_alone() const { return schedule_[take_turn_alone(position_, total_)]; }
  // Whether next() is a single look into a list.
  bool is_scheduled() const { return !schedule_.empty(); }
  // peek(): the next point, which is not taken; after(): the point that follows a given one.
  std::uint64_t peek() const {
    const std::uint64_t position = position_.load(std::memory_order_relaxed);
    return is_scheduled() ? scheduled(position % total_) : position;
  }
  std::uint64_t after(std::uint64_t point) const {
    const std::uint64_t next = point + stride_;
    return next >= total_ ? next - total_ : next;
  }

 private:
  std::size_t find(std::uint64_t point) const {
    const std::size_t member = guide_[point >> shift_];
    return point < ends_[member] ? member : find_after(member + 1, point);
  }
  std::size_t find_after(std::size_t member, std::uint64_t point) const;
  std::uint64_t draw() const {
    std::uint64_t point = position_.load(std::memory_order_relaxed);
    while (!position_.compare_exchange_weak(point, after(point), std::memory_order_relaxed)) {
    }
    return point;
  }
  // The point of a turn of the schedule.
  std::uint64_t scheduled(std::uint64_t turn) const {
    return (first_ + multiply_modulo(turn, stride_, total_)) % total_;
  }

  std::uint64_t version_;
  std::uint64_t total_ = 0;
  std::uint64_t stride_ = 0;
  unsigned shift_ = 0;
  std::vector<std::shared_ptr<Instance>> members_;
  std::vector<std::uint64_t> ends_;   // where the interval of each member ends
  std::vector<std::uint32_t> guide_;  // by point >> shift_: the first member it may belong to
  // Small totals: the owners of the points in the order of the sequence, which begins at first_.
  std::vector<Instance*> schedule_;
  std::uint64_t first_ = 0;
  // The next turn of the schedule, or without one the next point.
  alignas(64) mutable std::atomic<std::uint64_t> position_{0};
};

}  // namespace azora::balancer
