#pragma once
// Start and stop of everything. A stop ends checks at once and stops our services one by one, dependents first.
// Threads: the control thread. Fails: never.
#include "azora/base/thread_role.hpp"
#include "azora/orchestrator/drive.hpp"
#include "azora/orchestrator/verbs.hpp"

namespace azora::orchestrator {

// Checks begin, and services that are wanted up are brought up. This ends a stop that is under way.
void start_all(Fleet& fleet, Turn& turn, Shutdown& shutdown, Drive& drive) AZORA_CONTROL;
void stop_all(Fleet& fleet, Turn& turn, Probing& probing, Verbs& verbs, Shutdown& shutdown, Drive& drive,
              SteadyTime deadline, StopScope scope, Shutdown::Done done) AZORA_CONTROL;
// The latest end of a stop of everything that begins now, if each service keeps its stopTimeout: the longest chain of
// services that wait for each other, plus five seconds for services that are killed then (R32b).
SteadyTime stop_limit(const Fleet& fleet, SteadyTime now) AZORA_CONTROL;
// During a stop: stops each service without living dependents. When none of those that stop runs any more, the callers
// are answered.
void stop_next(Fleet& fleet, Turn& turn, Shutdown& shutdown, Drive& drive) AZORA_CONTROL;
// The deadline has passed: the services that still live are killed, and their ids are given to the callers.
void stop_overdue(Fleet& fleet, Turn& turn, Shutdown& shutdown, Drive& drive) AZORA_CONTROL;
// Answers the callers with the ids that are left now.
void end_stop(Turn& turn, Shutdown& shutdown, const std::vector<std::string>& left) AZORA_CONTROL;

}  // namespace azora::orchestrator
