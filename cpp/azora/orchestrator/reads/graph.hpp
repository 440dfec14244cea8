#pragma once
// Who needs whom, as JSON: of one service, of all.
// Threads: the control thread. Fails: dependencies_json() with unknown_service.
#include <string>
#include <string_view>

#include "azora/base/result.hpp"
#include "azora/orchestrator/fleet.hpp"

namespace azora::orchestrator {

Result<std::string> dependencies_json(const Fleet& fleet, std::string_view id);
std::string graph_json(const Fleet& fleet);

}  // namespace azora::orchestrator
