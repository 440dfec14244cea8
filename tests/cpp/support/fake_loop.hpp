#pragma once
// Loop on virtual time, wholly deterministic: tasks in order of posting, timers in order of (time, id). A turn
// is one batch of tasks or the timers due at one moment, as in AsioLoop, with the same turn-end hook.
// Threads: post() any thread; all else the test's, which has the role of the control thread while the loop exists.
#include <map>
#include <unordered_map>
#include <utility>
#include <vector>

#include "azora/base/loop.hpp"
#include "azora/base/mutex.hpp"
#include "azora/base/thread_role.hpp"

namespace azora {

class FakeLoop : public Loop {
 public:
  FakeLoop() = default;
  FakeLoop(const FakeLoop&) = delete;
  FakeLoop& operator=(const FakeLoop&) = delete;

  Now now() override { return now_; }
  void post(Task task) override {
    MutexLock lock(mutex_);
    posted_.push_back(std::move(task));
  }
  TimerId at(SteadyTime at, Task task) override { return at_of(0, at, std::move(task)); }
  void cancel(TimerId id) override {
    const auto found = timer_times_.find(id);
    if (found == timer_times_.end()) return;
    timers_.erase(TimerKey{found->second, id});
    timer_times_.erase(found);
  }

  // Timers of one owner, of whom drop_timers() leaves none. 0: of those that are never dropped.
  int new_owner() { return ++last_owner_; }
  TimerId at_of(int owner, SteadyTime at, Task task) {
    const TimerId id = ++last_timer_;
    timers_.emplace(TimerKey{at, id}, Timer{std::move(task), owner});
    timer_times_.emplace(id, at);
    return id;
  }
  void drop_timers(int owner) {
    std::erase_if(timers_, [&](const auto& one) {
      if (one.second.owner != owner) return false;
      timer_times_.erase(one.first.second);
      return true;
    });
  }

  void set_turn_end(Task hook) { turn_end_ = std::move(hook); }

  // Runs all that is due now, and what that causes now. Time stands still.
  void run_until_idle() {
    while (turn_now()) {
    }
  }
  // One turn: the batch of tasks, else the timers of the next moment, moving time there. False: nothing left.
  bool run_next() {
    if (turn_now()) return true;
    if (timers_.empty()) return false;
    move_to(timers_.begin()->first.first);
    return turn_now();
  }
  // Moves time forward by `span`, running everything on the way at its own moment.
  void advance(Nanos span) {
    const SteadyTime end = now_.steady + span;
    run_until_idle();
    while (!timers_.empty() && timers_.begin()->first.first <= end) {
      move_to(timers_.begin()->first.first);
      run_until_idle();
    }
    move_to(end);
  }
  // Moves time forward and runs nothing: the loop was held up (a suspended machine, a stopped process).
  void stall(Nanos span) { move_to(now_.steady + span); }
  // Moves the wall clock alone, either way.
  void jump_wall(Millis span) {
    wall_base_ms_ += span.count();
    move_to(now_.steady);
  }

  // Nothing posted and nothing due now.
  bool idle() {
    MutexLock lock(mutex_);
    return posted_.empty() && (timers_.empty() || timers_.begin()->first.first > now_.steady);
  }
  std::size_t timer_count() const { return timers_.size(); }
  std::uint64_t turns() const { return turns_; }

 private:
  using TimerKey = std::pair<SteadyTime, TimerId>;
  struct Timer {
    Task task;
    int owner = 0;
  };

  bool turn_now() {
    std::vector<Task> batch;
    {
      MutexLock lock(mutex_);
      batch.swap(posted_);
    }
    if (!batch.empty()) {
      for (Task& task : batch) task();
      end_turn();
      return true;
    }
    std::vector<TimerKey> due;
    for (auto it = timers_.begin(); it != timers_.end() && it->first.first <= now_.steady; ++it) {
      due.push_back(it->first);
    }
    if (due.empty()) return false;
    for (const TimerKey& key : due) {
      auto node = timers_.extract(key);
      if (node.empty()) continue;  // cancelled by an earlier one
      timer_times_.erase(key.second);
      node.mapped().task();
    }
    end_turn();
    return true;
  }
  void end_turn() {
    ++turns_;
    if (turn_end_) turn_end_();
  }
  void move_to(SteadyTime at) {
    if (at > now_.steady) now_.steady = at;
    now_.wall.ms = wall_base_ms_ + to_millis(now_.steady.time_since_epoch()).count();
  }

  ThreadRole::Scope role_{control_thread};
  // Steady time starts away from zero so that "never" and "at the start" differ.
  std::int64_t wall_base_ms_ = 1'700'000'000'000;
  Now now_{SteadyTime(std::chrono::seconds(1000)), WallTime{1'700'000'000'000 + 1'000'000}};
  std::map<TimerKey, Timer> timers_;
  std::unordered_map<TimerId, SteadyTime> timer_times_;
  TimerId last_timer_ = 0;
  int last_owner_ = 0;
  Task turn_end_;
  std::uint64_t turns_ = 0;
  Mutex mutex_;
  std::vector<Task> posted_ AZORA_GUARDED_BY(mutex_);
};

}  // namespace azora
