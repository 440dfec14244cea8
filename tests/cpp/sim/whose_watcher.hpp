#pragma once
// Judges whose answers are believed (R52): a process service with a local endpoint is told well, or restarted, when the
// kernel said that it listens there itself, in this run and since the last failed check.
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
  void check_failed(const std::string& id) { known_[id].kernel.reset(); }
  // It is told well, or restarted.
  void told_well(const std::string& id, const ViewPtr& view);
  void removed(const std::string& id) { known_.erase(id); }
  // We were late: answers may have been dropped.
  void stalled();

 private:
  struct Known {
    std::optional<listeners::Answer::Kind> kernel;  // what it said last
    bool excused = false;                           // until its next run
  };
  void on_kernel(const listeners::Question& question, const listeners::Answer& answer);

  World& world_;
  Findings& findings_;
  std::map<std::string, Known> known_;
};

}  // namespace azora::orchestrator
