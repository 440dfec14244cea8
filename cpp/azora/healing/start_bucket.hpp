#pragma once
// All starts pass here: at most max_concurrent are under way and at most per_second begin in a second. Those that wait
// are granted in the order of dependency rank, then priority, then due time. A slot is held from the grant until release().
// Pure: time is an argument. Threads: the control thread. Fails: never; unknown serials are ignored.
#include <cstdint>
#include <optional>
#include <set>
#include <tuple>
#include <unordered_map>
#include <unordered_set>

#include "azora/base/time.hpp"

namespace azora::healing {

class StartBucket {
 public:
  // 0 in either: no cap.
  StartBucket(int max_concurrent, int per_second) : max_concurrent_(max_concurrent), per_second_(per_second) {}

  void enter(std::uint64_t serial, int rank, int priority, SteadyTime due);
  void leave(std::uint64_t serial);
  void release(std::uint64_t serial) { held_.erase(serial); }
  // The next one that may start now; it holds a slot from here on.
  std::optional<std::uint64_t> grant(SteadyTime now);
  // When grant() may have something by the passing of time alone; nullopt: only a release helps, or none waits.
  std::optional<SteadyTime> next(SteadyTime now) const;
  std::size_t waiting() const { return queue_.size(); }
  std::size_t held() const { return held_.size(); }

 private:
  using Place = std::tuple<int, int, SteadyTime, std::uint64_t>;  // rank, -priority, due, serial
  bool full() const { return max_concurrent_ > 0 && held_.size() >= static_cast<std::size_t>(max_concurrent_); }

  int max_concurrent_;
  int per_second_;
  std::set<Place> queue_;
  std::unordered_map<std::uint64_t, Place> place_of_;
  std::unordered_set<std::uint64_t> held_;
  // The token bucket as the time at which it was last empty: one token each 1/per_second, at most one second's worth.
  SteadyTime empty_at_{};
};

}  // namespace azora::healing
