#pragma once
// Start and stop of all. Checks end at once; what we run stops one after the other, dependents first.
// Threads: the control thread. Fails: never.
#include "azora/base/thread_role.hpp"
#include "azora/orchestrator/drive.hpp"
#include "azora/orchestrator/verbs.hpp"

namespace azora::orchestrator {

// Checks begin, what is wanted up comes up. A stop that is under way ends here.
void start_all(Fleet& fleet, Turn& turn, Shutdown& shutdown, Drive& drive) AZORA_CONTROL;
void stop_all(Fleet& fleet, Turn& turn, Probing& probing, Verbs& verbs, Shutdown& shutdown, Drive& drive,
              SteadyTime deadline, Shutdown::Done done) AZORA_CONTROL;
// When a stop of all that begins now is over at the latest, if each service keeps its stopTimeout: the longest chain of
// those that wait for each other, and five seconds for what is killed then (R32b).
SteadyTime stop_limit(const Fleet& fleet, SteadyTime now) AZORA_CONTROL;
// While stopping: a service without living dependent stops. When none runs any more, those who asked are answered.
void stop_next(Fleet& fleet, Turn& turn, Shutdown& shutdown, Drive& drive) AZORA_CONTROL;
// The deadline passed: what still lives is killed, and named to those who asked.
void stop_overdue(Fleet& fleet, Turn& turn, Shutdown& shutdown, Drive& drive) AZORA_CONTROL;
// Answers those who asked with what is left now.
void end_stop(Turn& turn, Shutdown& shutdown, const std::vector<std::string>& left) AZORA_CONTROL;

}  // namespace azora::orchestrator
