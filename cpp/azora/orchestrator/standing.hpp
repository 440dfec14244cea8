#pragma once
// How a service stands in its pools, computed from its state alone. Pure.
// Threads: the control thread. Fails: never.
#include "azora/orchestrator/fleet.hpp"
#include "azora/orchestrator/publisher.hpp"
#include "azora/orchestrator/service_state.hpp"

namespace azora::orchestrator {

Standing standing_of(const ServiceState& service, Watched watched);
// The status that is published for the service.
HealthStatus status_of(const ServiceState& service, Watched watched);

}  // namespace azora::orchestrator
