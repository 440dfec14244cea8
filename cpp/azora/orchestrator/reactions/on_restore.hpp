#pragma once
// Takes back the fleet of a former orchestrator, which may have ended at any instant.
// - A run that may exist is asked of its action: adopted, it goes on without a restart and without a gap in its checks;
//   its end, if it ended meanwhile, is reported as any other; a stop that was decided is finished.
// - Budgets, delays, the owners' wishes and verbs that waited go on where they were.
// - After a reboot nothing is left of any run: everything that is wanted up is started in order, at no cost.
// Threads: the control thread, before anything is registered. Fails: never.
#include "azora/orchestrator/journal.hpp"
#include "azora/orchestrator/reactions/on_registration.hpp"
#include "azora/orchestrator/stored_fleet.hpp"
#include "azora/orchestrator/verbs.hpp"

namespace azora::orchestrator {

void on_restore(const Registration& rooms, Verbs& verbs, Journal& journal, StoredFleet fleet, bool rebooted) AZORA_CONTROL;
// The run of a former orchestrator was found.
void on_action_adopted(Fleet& fleet, Turn& turn, Probing& probing, Run run, const actions::FoundRun& found) AZORA_CONTROL;
// A shim holds a run that is newer than the one we know: the store had failed when it was started. It is ours.
// False: we know nothing of that run.
bool on_newer_run(Fleet& fleet, Turn& turn, Drive& drive, Run run) AZORA_CONTROL;

}  // namespace azora::orchestrator
