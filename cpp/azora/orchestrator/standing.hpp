#pragma once
// How a service stands in its pools, from its state alone. Pure.
// Threads: the control thread. Fails: never.
#include "azora/orchestrator/publisher.hpp"
#include "azora/orchestrator/service_state.hpp"

namespace azora::orchestrator {

// `running`: the orchestrator is started.
Standing standing_of(const ServiceState& service, bool running);
// What status the service is published with.
HealthStatus status_of(const ServiceState& service, bool running);

}  // namespace azora::orchestrator
