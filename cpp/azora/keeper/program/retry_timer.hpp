#pragma once
// When to try again what could not be done: soon, and then after delays that double up to a second, until nothing is
// left to be done. The caller passes the time, in nanoseconds.
// Threads: the program has one. Fails: never.
#include <cstdint>

namespace azora::keeper {

class RetryTimer {
 public:
  static constexpr int kFirstMs = 10;
  static constexpr int kLastMs = 1000;

  bool is_set() const { return distance_ms_ > 0; }
  // There is something to try again.
  void soon(std::int64_t now_ns) {
    if (!is_set()) set(now_ns, kFirstMs);
  }
  bool is_due(std::int64_t now_ns) const { return is_set() && now_ns >= at_ns_; }
  // After a try. `more`: something is left to be done.
  void tried(std::int64_t now_ns, bool more) {
    const int next_ms = distance_ms_ * 2 < kLastMs ? distance_ms_ * 2 : kLastMs;
    set(now_ns, more ? next_ms : 0);
  }
  // How long to wait for the next try; call it only when one is set.
  int wait_ms(std::int64_t now_ns) const {
    const std::int64_t left = at_ns_ - now_ns;
    return left > 0 ? static_cast<int>(left / 1'000'000) + 1 : 0;
  }

 private:
  void set(std::int64_t now_ns, int distance_ms) {
    distance_ms_ = distance_ms;
    at_ns_ = now_ns + std::int64_t{distance_ms} * 1'000'000;
  }

  int distance_ms_ = 0;  // 0: nothing to try again
  std::int64_t at_ns_ = 0;
};

}  // namespace azora::keeper
