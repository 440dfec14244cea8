#pragma once
// Exact times of many things, each named by a small index: O(1) to set and to drop, O(1) amortised to hand out. Memory
// grows with the highest index. Times are grouped by tick into a hierarchy of wheels: the first wheel has 256 places,
// one per tick; each further wheel has 64 places, and each of its places covers one whole turn of the wheel before it.
// An index is handed out only when its exact time has come; the tick only decides in which place it waits.
// Threads: one at a time. Fails: never.
#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <optional>
#include <vector>

#include "azora/base/time.hpp"

namespace azora::health {

class DueWheel {
 public:
  using Index = std::uint32_t;

  explicit DueWheel(Nanos tick) : tick_(tick) { heads_.fill(kNone); }

  // Replaces the time of `index`; `at` is not before the last advance().
  void set(Index index, SteadyTime at, SteadyTime now) {
    if (index >= links_.size()) links_.resize(index + 1);
    drop(index);
    if (count_ == 0) cursor_ = tick_of(now);
    links_[index].at = at;
    insert(index);
    ++count_;
    if (known_ && (!first_ || at < *first_)) first_ = at;
  }
  void drop(Index index) {
    if (!has(index)) return;
    if (known_ && first_ && links_[index].at == *first_) known_ = false;
    take_out(index);
    --count_;
  }
  bool has(Index index) const { return index < links_.size() && links_[index].place != kNone; }
  std::size_t size() const { return count_; }

  // The earliest of all.
  std::optional<SteadyTime> next() const {
    if (!known_) {
      first_ = find_first();
      known_ = true;
    }
    return first_;
  }

  // Appends every index whose time has come, and drops it.
  void advance(SteadyTime now, std::vector<Index>& out) {
    const std::int64_t target = tick_of(now);
    const std::size_t before = out.size();
    while (count_ > 0) {
      collect(static_cast<Place>(cursor_ & (kFirst - 1)), now, out);
      if (cursor_ >= target) break;
      const std::int64_t block_end = cursor_ | (kFirst - 1);
      const int following = first_used(static_cast<Place>((cursor_ & (kFirst - 1)) + 1), kFirst);
      if (following >= 0) {
        cursor_ = std::min((cursor_ & ~(kFirst - 1)) + following, target);
      } else if (target <= block_end) {
        cursor_ = target;
      } else {
        cursor_ = block_end + 1;
        cascade();
      }
    }
    if (out.size() != before) known_ = false;
  }

 private:
  using Place = std::uint32_t;
  static constexpr Index kNone = UINT32_MAX;
  static constexpr int kFirstBits = 8;
  static constexpr int kBits = 6;
  static constexpr int kLevels = 6;  // 2^38 ticks
  static constexpr std::int64_t kFirst = std::int64_t{1} << kFirstBits;
  static constexpr std::int64_t kNext = std::int64_t{1} << kBits;
  static constexpr Place kPlaces = static_cast<Place>(kFirst + (kLevels - 1) * kNext);

  struct Link {
    SteadyTime at{};
    Index previous = kNone;
    Index following = kNone;
    Place place = kNone;
  };

  std::int64_t tick_of(SteadyTime at) const { return at.time_since_epoch() / tick_; }
  static int shift_of(int level) { return level == 0 ? 0 : kFirstBits + (level - 1) * kBits; }

  // Finds the lowest level whose current turn contains the tick. Times of a level come before those of the next one.
  Place place_of(std::int64_t tick) const {
    tick = std::max(tick, cursor_);
    if (tick >> kFirstBits == cursor_ >> kFirstBits) return static_cast<Place>(tick & (kFirst - 1));
    for (int level = 1; level < kLevels; ++level) {
      const int turn = shift_of(level) + kBits;
      if (tick >> turn == cursor_ >> turn || level == kLevels - 1) {
        const auto base = static_cast<Place>(kFirst + (level - 1) * kNext);
        return base + static_cast<Place>((tick >> shift_of(level)) & (kNext - 1));
      }
    }
    return 0;
  }

  void insert(Index index) {
    Link& link = links_[index];
    link.place = place_of(tick_of(link.at));
    link.previous = kNone;
    link.following = heads_[link.place];
    if (link.following != kNone) links_[link.following].previous = index;
    heads_[link.place] = index;
    used_[link.place / 64] |= std::uint64_t{1} << (link.place % 64);
  }
  void take_out(Index index) {
    Link& link = links_[index];
    if (link.following != kNone) links_[link.following].previous = link.previous;
    if (link.previous != kNone) {
      links_[link.previous].following = link.following;
    } else {
      heads_[link.place] = link.following;
      if (link.following == kNone) used_[link.place / 64] &= ~(std::uint64_t{1} << (link.place % 64));
    }
    link.place = kNone;
  }

  void collect(Place place, SteadyTime now, std::vector<Index>& out) {
    for (Index index = heads_[place]; index != kNone;) {
      const Index following = links_[index].following;
      if (links_[index].at <= now) {
        take_out(index);
        --count_;
        out.push_back(index);
      }
      index = following;
    }
  }

  // The cursor has entered a new turn of the first wheel: the times of that turn move down into it.
  void cascade() {
    for (int level = 1; level < kLevels; ++level) {
      const std::int64_t part = (cursor_ >> shift_of(level)) & (kNext - 1);
      const auto place = static_cast<Place>(kFirst + (level - 1) * kNext + part);
      Index index = heads_[place];
      heads_[place] = kNone;
      used_[place / 64] &= ~(std::uint64_t{1} << (place % 64));
      while (index != kNone) {
        const Index following = links_[index].following;
        insert(index);
        index = following;
      }
      if (part != 0) return;  // the turn of the next level goes on
    }
  }

  // The first used place in [from, to); -1: none.
  int first_used(Place from, Place to) const {
    while (from < to) {
      const std::uint64_t rest = used_[from / 64] >> (from % 64);
      if (rest != 0) {
        const Place found = from + static_cast<Place>(std::countr_zero(rest));
        return found < to ? static_cast<int>(found) : -1;
      }
      from = (from / 64 + 1) * 64;
    }
    return -1;
  }

  std::optional<SteadyTime> find_first() const {
    if (count_ == 0) return std::nullopt;
    int place = first_used(static_cast<Place>(cursor_ & (kFirst - 1)), kFirst);
    for (int level = 1; place < 0 && level < kLevels; ++level) {
      const auto base = static_cast<Place>(kFirst + (level - 1) * kNext);
      place = first_used(base, base + static_cast<Place>(kNext));
    }
    if (place < 0) return std::nullopt;
    SteadyTime first = SteadyTime::max();
    for (Index index = heads_[static_cast<Place>(place)]; index != kNone; index = links_[index].following) {
      first = std::min(first, links_[index].at);
    }
    return first;
  }

  Nanos tick_;
  std::int64_t cursor_ = 0;  // the tick that is looked at; all before it is handed out
  std::array<Index, kPlaces> heads_;
  std::array<std::uint64_t, (kPlaces + 63) / 64> used_{};
  std::vector<Link> links_;
  std::size_t count_ = 0;
  mutable std::optional<SteadyTime> first_;
  mutable bool known_ = false;  // first_ is right
};

}  // namespace azora::health
