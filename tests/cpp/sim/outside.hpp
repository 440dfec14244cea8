#pragma once
// Those who carry out the actions of services that run without us, as the seed says: what they do helps, or not, or makes
// it worse; it is done, refused or never answered, soon or late; and what tells its ends ends by itself now and then.
// Threads: the test's. Ownership: borrows all that it is given, which outlives it.
#include <random>

#include "sim/store_watcher.hpp"
#include "sim/watcher.hpp"
#include "support/world.hpp"

namespace azora::orchestrator {

class Outside {
 public:
  // Callables have a random of their own, so that their runs are those they always had.
  Outside(World& world, Watcher& watcher, StoreWatcher& store_watcher, std::mt19937_64& of_callables,
          std::mt19937_64& of_others);

  // Faults have ended: what is asked for from here on helps.
  void begin_healing() { healing_ = true; }
  // What a container's action started ends by itself.
  void end_run(std::uint64_t serial, std::optional<int> code);

 private:
  void call(actions::FakeAction& by, const actions::ActionRequest& request);
  void answer(actions::FakeAction& by, const actions::ActionRequest& request, bool ok, bool helps, bool harms);

  World& world_;
  Watcher& watcher_;
  StoreWatcher& store_watcher_;
  std::mt19937_64& of_callables_;
  std::mt19937_64& of_others_;
  bool healing_ = false;
};

}  // namespace azora::orchestrator
