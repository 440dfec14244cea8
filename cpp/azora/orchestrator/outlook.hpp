#pragma once
// Predicts whether a service can still become ready without outside action, so that a caller that waits in vain is told
// at once (R55).
// Threads: the control thread; pure. Fails: never.
#include <string>
#include <vector>

#include "azora/base/thread_role.hpp"
#include "azora/base/time.hpp"
#include "azora/orchestrator/fleet.hpp"
#include "azora/orchestrator/waiters.hpp"

namespace azora::orchestrator {

// Why the service will not be ready by `deadline` unless an operator acts or the cause of its failure is changed: it
// failed or ended for good, its next attempt is later, or the same is true of a service that it needs. Empty: it may be
// ready in time.
std::string why_not_coming(const Fleet& fleet, const ServiceState& service, SteadyTime deadline) AZORA_CONTROL;
// True for a job that ended as it should. It has no endpoint, so there is nothing more to wait for.
bool is_done_job(const ServiceState& service);
// What waiters look at. `pending`: a verb for it waits for its turn.
Waiters::Seen seen_of(const Fleet& fleet, const ServiceState& service, bool pending, SteadyTime horizon) AZORA_CONTROL;
// Those that wait for one of the services that changed, or for what needs it, look again when the turn ends.
void wake(Waiters& waiters, const std::vector<ServiceState*>& changed);

}  // namespace azora::orchestrator
