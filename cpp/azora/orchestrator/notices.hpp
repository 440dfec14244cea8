#pragma once
// From what a machine or a permit says to the events that users read.
// Threads: the control thread. Fails: never.
#include "azora/base/thread_role.hpp"
#include "azora/healing/machine.hpp"
#include "azora/healing/permit.hpp"
#include "azora/orchestrator/service_state.hpp"
#include "azora/orchestrator/turn.hpp"

namespace azora::orchestrator {

// Why a machine acted, as the word of an event.
inline EventCause event_cause(healing::Cause cause) {
  return EventCause::from_wire(wire_name(cause)).value_or(EventCause());
}
// One event, but for readiness, which has none of its own. A verified restart of a service without process of ours is
// its start from then on.
void emit_notice(Turn& turn, ServiceState& service, const healing::Notice& notice) AZORA_CONTROL;
// The status that the service has now is a new one.
void emit_status(Turn& turn, const ServiceState& service) AZORA_CONTROL;
void emit_brake(Turn& turn, const healing::KillPermits::Brake& brake) AZORA_CONTROL;

}  // namespace azora::orchestrator
