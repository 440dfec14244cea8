#pragma once
// Drives a Scheduler from a Loop: one timer, armed only while the scheduler has a next time, and each batch of
// checks handed to `ask`. Reports its own lateness to the guard.
// Threads: the loop's. Ownership: borrows loop, scheduler and guard, which outlive it.
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "azora/base/loop.hpp"
#include "azora/health/lateness_guard.hpp"
#include "azora/health/scheduler.hpp"

namespace azora::health {

class ProbeTimer {
 public:
  using Ask = std::function<void(const std::vector<CheckKey>&)>;

  ProbeTimer(Loop& loop, Scheduler& scheduler, LatenessGuard& guard, Ask ask)
      : loop_(loop), scheduler_(scheduler), guard_(guard), ask_(std::move(ask)) {}
  ~ProbeTimer() { disarm(); }
  ProbeTimer(const ProbeTimer&) = delete;
  ProbeTimer& operator=(const ProbeTimer&) = delete;

  // Call after changing the scheduler (once per turn is enough).
  void rearm() {
    const std::optional<SteadyTime> next = scheduler_.next();
    if (next == armed_for_) return;
    disarm();
    if (!next) return;
    armed_for_ = next;
    timer_ = loop_.at(*next, [this] { fire(); });
  }

 private:
  void fire() {
    armed_for_.reset();
    timer_ = 0;
    const SteadyTime now = loop_.now().steady;
    const std::optional<SteadyTime> expected = scheduler_.next_tick();
    if (expected && *expected < now) guard_.observe(*expected, now);
    scheduler_.due(now, due_);
    if (!due_.empty()) ask_(due_);
    rearm();
  }
  void disarm() {
    if (timer_ != 0) loop_.cancel(timer_);
    timer_ = 0;
    armed_for_.reset();
  }

  Loop& loop_;
  Scheduler& scheduler_;
  LatenessGuard& guard_;
  Ask ask_;
  TimerId timer_ = 0;
  std::optional<SteadyTime> armed_for_;
  std::vector<CheckKey> due_;  // kept for its capacity
};

}  // namespace azora::health
