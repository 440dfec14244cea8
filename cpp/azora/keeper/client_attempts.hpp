#pragma once
// When to start a keeper again after one failed (the delays grow), and how long a keeper may take for its greeting. The
// caller passes the time.
// Threads: az-keeper. Fails: never.
#include <algorithm>

#include "azora/base/time.hpp"

namespace azora::keeper {

class Attempts {
 public:
  static constexpr Millis kFirstRetry{100};
  static constexpr Millis kLastRetry{5'000};
  static constexpr Millis kGreeting{10'000};  // a keeper that has not sent its greeting by then is given up

  void failed(SteadyTime now) {
    constexpr int kMostDoublings = 10;  // far beyond the longest delay
    try_at_ = now + std::min(kLastRetry, kFirstRetry * (1 << std::min(failures_, kMostDoublings)));
    ++failures_;
  }
  void succeeded() { failures_ = 0; }
  // A keeper that had worked is gone: the next one is started at once.
  void again(SteadyTime now) { try_at_ = now; }
  // A keeper was started and has to greet.
  void started(SteadyTime now) { greeting_until_ = now + kGreeting; }

  bool has_failed() const { return failures_ > 0; }  // since the last keeper that worked
  SteadyTime try_at() const { return try_at_; }
  SteadyTime greeting_until() const { return greeting_until_; }

 private:
  int failures_ = 0;  // in a row
  SteadyTime try_at_{};
  SteadyTime greeting_until_{};
};

}  // namespace azora::keeper
