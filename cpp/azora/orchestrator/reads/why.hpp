#pragma once
// What a service does and waits for, in words and as JSON.
// Threads: the control thread. Fails: unknown_service.
#include <string>
#include <string_view>

#include "azora/base/result.hpp"
#include "azora/orchestrator/fleet.hpp"

namespace azora::orchestrator {

Result<std::string> why_json(const Fleet& fleet, std::string_view id, Now now);

}  // namespace azora::orchestrator
