#include "azora/orchestrator/invariants.hpp"

namespace azora::orchestrator {

std::vector<std::string> violations(const Fleet& fleet) {
  std::vector<std::string> found;
  fleet.for_each([&](std::uint64_t, const ServiceState& service) {
    const std::string& id = *service.id;
    const healing::Machine& machine = service.machine;
    const int limit = service.spec->restart->max_restarts;
    if (limit >= 0 && machine.budget.attempts > limit) found.push_back(id + ": budget exceeded");
    const bool ready = machine.lifecycle == Lifecycle::ready || machine.lifecycle == Lifecycle::watching ||
                       machine.lifecycle == Lifecycle::adopt;
    if (!ready && service.status == HealthStatus::healthy && service.owned()) {
      found.push_back(id + ": healthy while " + std::string(wire_name(machine.lifecycle)));
    }
    const bool timed = machine.lifecycle == Lifecycle::starting || machine.lifecycle == Lifecycle::stopping ||
                       machine.lifecycle == Lifecycle::killing || machine.lifecycle == Lifecycle::backoff;
    if (timed && !machine.timers.deadline) {
      found.push_back(id + ": " + std::string(wire_name(machine.lifecycle)) + " without a deadline");
    }
  });
  return found;
}

}  // namespace azora::orchestrator
