#include "azora/healing/restored.hpp"

namespace azora::healing {

bool may_run(const Machine& machine) {
  switch (machine.lifecycle) {
    case Lifecycle::starting:
    case Lifecycle::ready:
    case Lifecycle::stopping:
    case Lifecycle::killing:
    case Lifecycle::stuck:
    case Lifecycle::sweep:
    case Lifecycle::adopt:
      return true;
    default:
      return false;
  }
}

bool is_ending(const Machine& machine) {
  switch (machine.lifecycle) {
    case Lifecycle::stopping:
    case Lifecycle::killing:
    case Lifecycle::stuck:
    case Lifecycle::sweep:
      return true;
    default:
      return false;
  }
}

Machine at_rest(Machine machine, bool owned) {
  const bool waits_for_its_time = machine.lifecycle == Lifecycle::backoff || machine.lifecycle == Lifecycle::failed;
  machine.holds = {.permit = machine.holds.permit && waits_for_its_time};
  // A dependency that is satisfied as before has not come back: it hastens nothing.
  machine.deps_ok = machine.deps_ok && waits_for_its_time;
  machine.restart_asked = false;
  machine.action_running = false;
  machine.well_before = false;
  if (waits_for_its_time || machine.lifecycle == Lifecycle::done || machine.lifecycle == Lifecycle::watching) return machine;
  machine.told.blocked = false;
  machine.timers = {};
  machine.episode.half_open = false;
  machine.lifecycle = owned ? Lifecycle::idle : Lifecycle::ready;
  if (owned) machine.desired = Desired::down;
  return machine;
}

}  // namespace azora::healing
