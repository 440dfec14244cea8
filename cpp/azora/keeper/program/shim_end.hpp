#pragma once
// Whether a shim is to end, and what it takes along: its service ends first, then its own files are removed, and with
// the last of an abandoned fleet the runtime directory. A shim of a durable fleet outlives the orchestrator.
// Threads: the program has one. Fails: never.
#include "azora/keeper/program/main.hpp"

namespace azora::keeper {

class ShimEnd {
 public:
  explicit ShimEnd(bool ephemeral) : ephemeral_(ephemeral) {}

  // Readable when the orchestrator's process ends; -1: it has ended.
  int orchestrator() const { return orchestrator_ended_ ? -1 : kOrchestratorFd; }
  // True: the shim is to end with it, whatever the keeper does or cannot do.
  bool on_orchestrator_ended() {
    orchestrator_ended_ = true;
    return ephemeral_;
  }
  // The service is forgotten: its files are not kept either.
  void forget() { forgotten_ = true; }

  // False: it has begun before.
  bool begin() {
    const bool first = !begun_;
    begun_ = true;
    return first;
  }
  bool has_begun() const { return begun_; }

  // Its socket goes in any case.
  bool removes_files() const { return ephemeral_ || forgotten_; }
  // The runtime directory, when no folder of another service is left in it: without an orchestrator no other would.
  bool removes_fleet() const { return ephemeral_ && orchestrator_ended_; }

 private:
  const bool ephemeral_;
  bool orchestrator_ended_ = false;
  bool forgotten_ = false;
  bool begun_ = false;
};

}  // namespace azora::keeper
