#pragma once
// The rules that must hold after every turn. For the simulation.
// Threads: the control thread. Fails: never.
#include <string>
#include <vector>

#include "azora/base/thread_role.hpp"
#include "azora/orchestrator/fleet.hpp"

namespace azora::orchestrator {

// One line for each broken rule; it begins with the service's id.
std::vector<std::string> violations(const Fleet& fleet) AZORA_CONTROL;

}  // namespace azora::orchestrator
