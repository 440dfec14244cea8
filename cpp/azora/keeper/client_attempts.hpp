#pragma once
// The way to a keeper that works: when to start one again after it failed, at growing distances, and how long one may
// take to greet. Time is given.
// Threads: az-keeper. Fails: never.
#include <algorithm>

#include "azora/base/time.hpp"

namespace azora::keeper {

class Attempts {
 public:
  static constexpr Millis kFirstRetry{100};
  static constexpr Millis kLastRetry{5'000};
  static constexpr Millis kGreeting{10'000};  // a keeper that has not greeted by then is no use

  void failed(SteadyTime now) {
    constexpr int kMostDoublings = 10;  // far beyond the last distance
    try_at_ = now + std::min(kLastRetry, kFirstRetry * (1 << std::min(failures_, kMostDoublings)));
    ++failures_;
  }
  void succeeded() { failures_ = 0; }
  // One that had worked is gone: the next one at once.
  void again(SteadyTime now) { try_at_ = now; }
  // One was started and has to greet.
  void started(SteadyTime now) { greeting_until_ = now + kGreeting; }

  bool has_failed() const { return failures_ > 0; }  // since the last that worked
  SteadyTime try_at() const { return try_at_; }
  SteadyTime greeting_until() const { return greeting_until_; }

 private:
  int failures_ = 0;  // in a row
  SteadyTime try_at_{};
  SteadyTime greeting_until_{};
};

}  // namespace azora::keeper
