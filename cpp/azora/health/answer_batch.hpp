#pragma once
// When the net thread looks for answers, and when it hands them over: together, where many are expected. On a loopback
// an answer takes tens of microseconds, and waking up for each costs more than all the rest of a check.
//
// Measured with 500, 5,000 and 25,000 checks a second over kept connections (bench_prober, two virtual processors): a
// wake-up per answer takes 1.0, 0.13 and 0.05 epoll_wait calls a check; looking only kGather after a round was sent
// takes about half as many, and a check by a new connection needs no epoll_ctl.
// Slow answers hold nothing up: there is one pause after a round, and results are held back for kHold at most.
// Threads: the net thread. Fails: never.
#include <cstddef>

#include "azora/base/time.hpp"

namespace azora::health {

class AnswerBatch {
 public:
  static constexpr Nanos kGather = Micros(250);

  // `questions` are about to be asked. Older open ones are slow or hung: no pause is made for them.
  void begin_round(std::size_t questions) {
    gathers_ = questions >= kMany;
    unanswered_ = 0;
  }
  void asked() { ++unanswered_; }
  void answered() {
    if (unanswered_ > 0) --unanswered_;
  }

  // Whether this round is large enough for its answers to be looked for together.
  bool gathers() const { return gathers_; }
  // Whether to pause before looking for answers: after a round was sent, once.
  bool pause_after_round() {
    const bool pause = gathers_ && unanswered_ >= kMany;
    gathers_ = false;
    return pause;
  }
  // Whether to pause because only few answers came while many are expected.
  bool pause_after_events(int events) const { return events > 0 && events <= kFew && unanswered_ >= kMany; }

  // Results are handed over when the round is complete(), or kHold after the first of them ended.
  bool complete() const { return unanswered_ == 0; }
  static SteadyTime hand_over_at(SteadyTime first) { return first + kHold; }

 private:
  static constexpr std::size_t kMany = 4;
  static constexpr int kFew = 4;
  static constexpr Nanos kHold = Millis(2);

  std::size_t unanswered_ = 0;  // of the last round
  bool gathers_ = false;
};

}  // namespace azora::health
