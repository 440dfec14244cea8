#pragma once
// Turns notices of a machine or of a permit into the events that users read.
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
// Emits one event; readiness has no event of its own. If a service runs without a process of ours, a verified restart
// counts as its start.
void emit_notice(Turn& turn, ServiceState& service, const healing::Notice& notice) AZORA_CONTROL;
// The status of the service has changed.
void emit_status(Turn& turn, const ServiceState& service) AZORA_CONTROL;
void emit_brake(Turn& turn, const healing::KillPermits::Brake& brake) AZORA_CONTROL;

}  // namespace azora::orchestrator
