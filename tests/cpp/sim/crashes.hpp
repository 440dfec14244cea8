#pragma once
// Ends orchestrators and keepers: at any turn, and within a turn before and after each of its steps (an event, the
// publication, the commit, the answer of the store, each command, each question of a check). What the orchestrator does
// after that instant has no effect; then it is destroyed, and after a while, in which processes may end and the system
// may have been started again, the next one opens what the store has.
// Threads: the test's. Ownership: borrows world and watchers, which outlive it.
#include <cstdint>
#include <functional>
#include <random>

#include "sim/action_watcher.hpp"
#include "sim/life_watcher.hpp"
#include "sim/store_watcher.hpp"
#include "sim/tally.hpp"
#include "sim/watcher.hpp"
#include "support/world.hpp"

namespace azora::orchestrator {

class Crashes {
 public:
  struct Watchers {
    Watcher& watcher;
    StoreWatcher& store;
    ActionWatcher& actions;
    LifeWatcher& lives;
  };
  Crashes(World& world, const Watchers& watchers, Tally& tally, std::uint64_t seed);
  Crashes(const Crashes&) = delete;
  Crashes& operator=(const Crashes&) = delete;

  // How long no orchestrator lives, at most; half a minute unless something else is said.
  void set_longest_absence(Nanos span) { longest_absence_ = span; }
  // The orchestrator will end soon, somewhere.
  void arm();
  void crash_keeper();
  // The loop's turn is over, and the core's. True: the orchestrator ended in it, and the next one lives.
  bool end_turn();
  // No more.
  void end() { armed_ = false; }

 private:
  enum class Point { turn, event, publication, commit, stored, command, probe };
  static constexpr std::uint64_t kPoints = 7;

  void pass(Point point);
  void replace_life();
  void pass_absence();
  void end_some();
  void tell_commit(const store::Batch& batch, bool written);
  std::uint64_t below(std::uint64_t limit) { return random_() % limit; }

  World& world_;
  Watchers watchers_;
  Tally& tally_;
  std::mt19937_64 random_;
  Nanos longest_absence_ = std::chrono::seconds(30);
  bool armed_ = false;
  Point point_ = Point::turn;
  std::uint64_t passes_ = 0;  // that are left before it
  int boots_ = 1;
};

}  // namespace azora::orchestrator
