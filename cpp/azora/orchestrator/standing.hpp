#pragma once
// How a service stands in its pools, from its state alone. Pure.
// Threads: the control thread. Fails: never.
#include "azora/orchestrator/fleet.hpp"
#include "azora/orchestrator/publisher.hpp"
#include "azora/orchestrator/service_state.hpp"

namespace azora::orchestrator {

Standing standing_of(const ServiceState& service, Watched watched);
// What status the service is published with.
HealthStatus status_of(const ServiceState& service, Watched watched);

}  // namespace azora::orchestrator
