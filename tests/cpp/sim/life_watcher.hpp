#pragma once
// Judges each orchestrator that takes back the fleet of its predecessor, which ended at any instant: what was acknowledged
// is there and as its owner wanted it; what is believed healthy was stored as that; every process that runs is taken over
// or ended within a minute; none is started beside one that runs; what waits for its time waits for it.
// Threads: the test's. Ownership: borrows world and watchers, which outlive it.
#include "sim/store_watcher.hpp"
#include "sim/watcher.hpp"
#include "support/world.hpp"

namespace azora::orchestrator {

class LifeWatcher {
 public:
  LifeWatcher(World& world, Watcher& watcher, StoreWatcher& store_watcher);

  // Before the watcher. `behind`: what was done from memory is not in the store, or the system starts again.
  void life_ended(bool behind);
  // It has published for the first time.
  void life_began();
  // After each turn.
  void check_turn();

 private:
  void check_promises();
  void check_believed();
  void note_due();
  void on_launch(const keeper::FakeKeeper::Command& command);

  World& world_;
  Watcher& watcher_;
  StoreWatcher& store_watcher_;
  std::map<std::uint64_t, SteadyTime> due_;  // of services in BACKOFF without dependencies, by serial
  store::FakeStore::Image found_;  // in the store, when the present life began
  bool behind_ = false;
  bool was_behind_ = false;
  SteadyTime began_;
  int refusals_ = 0;
};

}  // namespace azora::orchestrator
