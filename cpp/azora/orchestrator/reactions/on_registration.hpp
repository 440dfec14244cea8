#pragma once
// register, overwrite, unregister: each is done completely or refused completely.
// Threads: the control thread. Fails: on_register() if the batch is refused.
#include <string_view>
#include <vector>

#include "azora/base/result.hpp"
#include "azora/base/thread_role.hpp"
#include "azora/orchestrator/drive.hpp"
#include "azora/orchestrator/request.hpp"
#include "azora/orchestrator/waiters.hpp"

namespace azora::orchestrator {

// The parts that a change of the registered services needs.
struct Registration {
  Fleet& fleet;
  Turn& turn;
  Probing& probing;
  Admission& admission;
  Waiters& waiters;
  Drive& drive;
};

// What these requests ask for, by what is registered now.
Result<std::vector<SpecPtr>> specs_of(const Fleet& fleet, std::vector<Request> requests) AZORA_CONTROL;
Result<void> on_register(const Registration& rooms, std::vector<SpecPtr> specs, Apply apply) AZORA_CONTROL;
// Unregisters all services of the entry with that name, or the one with that id; false: there was none.
bool on_unregister(const Registration& rooms, std::string_view name) AZORA_CONTROL;
// Updates pools, permits and checks of the service after its configuration; `place`: on the grid of checks.
void configure(const Registration& rooms, ServiceState& service,
               std::optional<health::Ordinal> place = std::nullopt) AZORA_CONTROL;

}  // namespace azora::orchestrator
