#pragma once
// The ordinals of one interval class: which slot has which ordinal, and which ordinals are free (holes). At most a
// quarter are holes, so the phases stay even whichever members leave: beyond that the last member moves into a hole.
// Threads: the control thread. Fails: never.
#include <cstdint>
#include <optional>
#include <set>
#include <vector>

#include "azora/health/phase.hpp"

namespace azora::health {

class Ordinals {
 public:
  using Holder = std::uint32_t;  // slot of the scheduler

  struct Move {
    Holder holder;
    Ordinal to;
  };

  // `wanted` is honoured when it is free and not absurdly far out; else the lowest hole.
  Ordinal take(Holder holder, std::optional<Ordinal> wanted) {
    if (wanted && *wanted < holders_.size() && holes_.erase(*wanted) == 1) return put(*wanted, holder);
    if (wanted && *wanted >= holders_.size() && *wanted <= 2 * holders_.size() + kSlack) {
      while (holders_.size() < *wanted) {
        holes_.insert(static_cast<Ordinal>(holders_.size()));
        holders_.push_back(kNoHolder);
      }
    } else if (!holes_.empty()) {
      const Ordinal lowest = *holes_.begin();
      holes_.erase(holes_.begin());
      return put(lowest, holder);
    }
    holders_.push_back(holder);
    return static_cast<Ordinal>(holders_.size() - 1);
  }

  // Returns the holder that has to move, and where to.
  std::optional<Move> release(Ordinal ordinal) {
    holders_[ordinal] = kNoHolder;
    holes_.insert(ordinal);
    trim();
    if (holes_.size() * 4 <= holders_.size()) return std::nullopt;
    const Ordinal to = *holes_.begin();
    const Holder last = holders_.back();
    holes_.erase(holes_.begin());
    put(to, last);
    holders_.pop_back();
    trim();
    return Move{last, to};
  }

  bool empty() const { return holders_.empty(); }

 private:
  static constexpr Holder kNoHolder = UINT32_MAX;
  static constexpr std::size_t kSlack = 1024;  // ordinals may come back in any order after a restart

  Ordinal put(Ordinal ordinal, Holder holder) {
    holders_[ordinal] = holder;
    return ordinal;
  }
  void trim() {
    while (!holders_.empty() && holders_.back() == kNoHolder) {
      holders_.pop_back();
      holes_.erase(static_cast<Ordinal>(holders_.size()));
    }
  }

  std::vector<Holder> holders_;
  std::set<Ordinal> holes_;
};

}  // namespace azora::health
