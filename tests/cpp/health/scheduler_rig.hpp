#pragma once
// What the tests of the scheduler share: plans, a scheduler by serials, and runs of it.
// Threads: the test's.
#include <algorithm>
#include <map>
#include <optional>
#include <vector>

#include "azora/health/scheduler.hpp"

namespace azora::health {

inline constexpr SteadyTime kStart{std::chrono::seconds(5000)};

inline ProbePlan plan(Millis interval, int priority = 5, std::uint64_t target = 0) {
  static std::uint64_t next_target = 1'000'000;
  return {.target_key = target != 0 ? target : ++next_target,
          .interval = interval,
          .start_interval = Millis(1000),
          .priority = priority};
}

// A scheduler whose checks are named by their serials alone.
class NamedScheduler : private Scheduler {
 public:
  using Scheduler::in_flight;
  using Scheduler::late;
  using Scheduler::max_in_flight;
  using Scheduler::next;
  using Scheduler::next_tick;
  using Scheduler::Scheduler;
  using Scheduler::size;

  void add(Serial serial, const ProbePlan& plan, SteadyTime now, Mode mode = Mode::grid,
           std::optional<Ordinal> ordinal = std::nullopt) {
    keys_[serial] = Scheduler::add(serial, plan, now, mode, ordinal);
  }
  void remove(Serial serial) { Scheduler::remove(key(serial)); }
  void update(Serial serial, const ProbePlan& plan, SteadyTime now) { Scheduler::update(key(serial), plan, now); }
  void set_mode(Serial serial, Mode mode, SteadyTime now) { Scheduler::set_mode(key(serial), mode, now); }
  void hurry(Serial serial, SteadyTime now) { Scheduler::hurry(key(serial), now); }
  void done(Serial serial, SteadyTime ended) { Scheduler::done(key(serial), ended); }
  std::optional<Ordinal> ordinal(Serial serial) const { return Scheduler::ordinal(key(serial)); }
  std::optional<SteadyTime> due_at(Serial serial) const { return Scheduler::due_at(key(serial)); }
  std::vector<Serial> due(SteadyTime now) {
    std::vector<CheckKey> keys;
    Scheduler::due(now, keys);
    std::vector<Serial> serials;
    for (const CheckKey& one : keys) serials.push_back(one.serial);
    return serials;
  }

 private:
  CheckKey key(Serial serial) const {
    const auto found = keys_.find(serial);
    return found == keys_.end() ? CheckKey{serial, 0} : found->second;
  }
  std::map<Serial, CheckKey> keys_;
};

// Runs the scheduler until `end` with probes that end at once; returns when each probe went.
inline std::vector<SteadyTime> drive(NamedScheduler& scheduler, SteadyTime end) {
  std::vector<SteadyTime> sent;
  while (true) {
    const auto next = scheduler.next();
    if (!next || *next > end) return sent;
    for (const Serial serial : scheduler.due(*next)) {
      sent.push_back(*next);
      scheduler.done(serial, *next);
    }
  }
}

// The largest number of probes in any window of `width`.
inline std::size_t densest(const std::vector<SteadyTime>& sorted, Nanos width) {
  std::size_t best = 0;
  std::size_t low = 0;
  for (std::size_t high = 0; high < sorted.size(); ++high) {
    while (sorted[high] - sorted[low] >= width) ++low;
    best = std::max(best, high - low + 1);
  }
  return best;
}

}  // namespace azora::health
