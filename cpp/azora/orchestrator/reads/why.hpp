#pragma once
// Why a service, or an entry with replicas, is as it is, in words: made of the published state on the caller's thread.
// Threads: any; pure. Ownership: none. Fails: unknown_service.
#include <string>
#include <string_view>

#include "azora/base/result.hpp"
#include "azora/orchestrator/board.hpp"

namespace azora::orchestrator {

// {"serviceId","summary","lifecycle","status","cause","attempt","maxRestarts","nextAttemptAt","blockedBy","unblockedBy",
// "lastError"[,"instances","ready"]}
Result<std::string> why_json(const Board& board, std::string_view name, Now now);

}  // namespace azora::orchestrator
