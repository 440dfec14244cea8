#pragma once
// Deadlines of many small things, named by index: O(1) to set and to drop, nothing allocated per deadline.
// One slot per tick; a deadline further out than one turn of the wheel stays in its slot until its round.
// Never early, at most one tick late.
// Threads: one at a time.
#include <algorithm>
#include <bit>
#include <cstdint>
#include <optional>
#include <vector>

#include "azora/base/time.hpp"

namespace azora::health {

class TimerWheel {
 public:
  using Index = std::uint32_t;

  explicit TimerWheel(Nanos tick = Millis(5)) : tick_(tick), heads_(kSlots, kNone), full_(kSlots / 64, 0) {}

  // Replaces the deadline of `index`.
  void set(Index index, SteadyTime deadline) {
    if (index >= links_.size()) links_.resize(index + 1);
    drop(index);
    Link& link = links_[index];
    // Rounded up: a slot is looked at when its tick has fully come.
    link.at = (deadline.time_since_epoch().count() + tick_.count() - 1) / tick_.count();
    link.at = std::max(link.at, looked_at_ + 1);
    const std::size_t slot = slot_of(link.at);
    link.previous = kNone;
    link.following = heads_[slot];
    link.set = true;
    if (link.following != kNone) links_[link.following].previous = index;
    heads_[slot] = index;
    full_[slot / 64] |= std::uint64_t{1} << (slot % 64);
    ++count_;
  }
  void drop(Index index) {
    if (index >= links_.size() || !links_[index].set) return;
    Link& link = links_[index];
    const std::size_t slot = slot_of(link.at);
    if (link.following != kNone) links_[link.following].previous = link.previous;
    if (link.previous != kNone) {
      links_[link.previous].following = link.following;
    } else {
      heads_[slot] = link.following;
      if (link.following == kNone) full_[slot / 64] &= ~(std::uint64_t{1} << (slot % 64));
    }
    link.set = false;
    --count_;
  }

  // When to look again: never after a deadline's tick; sometimes before it (after one turn of the wheel).
  std::optional<SteadyTime> next() const {
    if (count_ == 0) return std::nullopt;
    const std::size_t from = slot_of(looked_at_ + 1);
    for (std::size_t step = 0; step < kSlots;) {
      const std::size_t slot = (from + step) % kSlots;
      const std::uint64_t rest = full_[slot / 64] >> (slot % 64);
      if (rest != 0) {
        const auto ahead = static_cast<std::size_t>(std::countr_zero(rest));
        return SteadyTime(tick_ * (looked_at_ + 1 + static_cast<std::int64_t>(step + ahead)));
      }
      step += 64 - slot % 64;
    }
    return std::nullopt;
  }

  // Calls on_due(index) for each deadline that has come; it may set and drop deadlines, also its own.
  template <typename OnDue>
  void advance(SteadyTime now, OnDue on_due) {
    const std::int64_t target = now.time_since_epoch().count() / tick_.count();
    if (target <= looked_at_) return;
    if (count_ == 0) {
      looked_at_ = target;
      return;
    }
    due_.clear();
    // After a long pause every slot is looked at once, not every tick.
    const std::int64_t first = std::max(looked_at_ + 1, target - static_cast<std::int64_t>(kSlots) + 1);
    for (std::int64_t tick = first; tick <= target; ++tick) {
      for (Index index = heads_[slot_of(tick)]; index != kNone; index = links_[index].following) {
        if (links_[index].at <= target) due_.push_back(index);
      }
    }
    looked_at_ = target;
    for (const Index index : due_) {
      // An earlier call may have dropped or moved it.
      if (!links_[index].set || links_[index].at > target) continue;
      drop(index);
      on_due(index);
    }
  }

  std::size_t size() const { return count_; }

 private:
  static constexpr std::size_t kSlots = 1024;
  static constexpr Index kNone = UINT32_MAX;

  struct Link {
    std::int64_t at = 0;  // tick
    Index previous = kNone;
    Index following = kNone;
    bool set = false;
  };

  static std::size_t slot_of(std::int64_t tick) { return static_cast<std::size_t>(tick) % kSlots; }

  Nanos tick_;
  std::vector<Index> heads_;
  std::vector<std::uint64_t> full_;  // bit per slot
  std::vector<Link> links_;
  std::vector<Index> due_;
  std::int64_t looked_at_ = 0;  // last tick that was looked at
  std::size_t count_ = 0;
};

}  // namespace azora::health
