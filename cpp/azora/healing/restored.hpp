#pragma once
// What the machine of a former orchestrator means to its successor. The former one may have ended at any instant.
// Threads: any; pure functions of values. Fails: never.
#include "azora/healing/machine.hpp"

namespace azora::healing {

// A run of an owned service may still exist. It must be found or proven gone before another one is started.
bool may_run(const Machine& machine);
// Its stop was decided. What was asked for goes on when the run is found.
bool is_ending(const Machine& machine);
// The machine when nothing of the service runs and nothing is asked for on its behalf. It keeps what it remembers:
// budget, delays and the next attempt, with what hastens it and the permit of a kill that it is down by. A
// start that was under way is forgotten and costs nothing.
Machine at_rest(Machine machine, bool owned);

}  // namespace azora::healing
