#pragma once
// Judges whose answers are believed (R52): a process service with a local endpoint is told well, or restarted, when the
// kernel said that it listens there itself, in this run and since the last failed check. It does not stay healthy while
// another program has its address, though its checks pass. Given up on, it is tried again when that program leaves.
// Threads: the test's. Ownership: borrows world and findings, which outlive it.
#include <map>
#include <optional>
#include <string>

#include "sim/findings.hpp"
#include "support/world.hpp"

namespace azora::orchestrator {

class WhoseWatcher {
 public:
  WhoseWatcher(World& world, Findings& findings);

  void started(const std::string& id) { known_[id] = {}; }
  // A check of the present run failed: who listens then may be another.
  void check_failed(const std::string& id) {
    known_[id].kernel.reset();
    known_[id].doubted = true;
  }
  // It is told well, or restarted.
  void told_well(const std::string& id, const ViewPtr& view);
  // After each turn.
  void check_turn();
  void removed(const std::string& id) { known_.erase(id); }
  // We were late: answers may have been dropped.
  void stalled();
  // The next orchestrator tells first what is stored, and asks anew.
  void life_ended();
  void life_began() { restoring_ = false; }
  // Since then a check of it failed, or another program had its address, or answers may have been dropped.
  bool was_doubted(const std::string& id) { return known_[id].doubted; }

 private:
  struct Known {
    std::optional<listeners::Answer::Kind> kernel;  // what it said last
    bool excused = false;                           // until its next run
    bool doubted = false;                           // in this life
    OptionalTime masked_since;  // healthy, and another program has its address
    OptionalTime freed_since;   // failed, and another program had its address since then
    OptionalTime held_since;    // by another program, while it waits in FAILED
  };
  void check_masked(Known& known, const ServiceView& view, bool held);
  void check_freed(Known& known, const ServiceView& view, bool held);
  void on_kernel(const listeners::Question& question, const listeners::Answer& answer);

  World& world_;
  Findings& findings_;
  std::map<std::string, Known> known_;
  bool restoring_ = false;
};

}  // namespace azora::orchestrator
