#pragma once
// Explains why a service, or an entry with replicas, is in its state; made of the published state by the caller.
// Threads: any; pure. Ownership: none. Fails: unknown_service.
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "azora/base/result.hpp"
#include "azora/listeners/question.hpp"
#include "azora/orchestrator/board.hpp"

namespace azora::orchestrator {

// Facts that the board does not have.
struct WhySources {
  std::string keeper_trouble;  // the trouble of the link to the keeper; empty: none
  std::function<OptionalTime(std::uint64_t serial)> start_waits_since;  // for the store; empty: no start does
  // Asks the kernel, here and now, whose listener is at the address of this service. Empty function: nothing is asked.
  std::function<listeners::Answer(const ServiceView& view, const listeners::Question& question)> listener;
};

// {"serviceId","summary","lifecycle","status","cause","attempt","maxRestarts","nextAttemptAt","blockedBy","unblockedBy",
// "lastError"[,"instances","ready"]}
Result<std::string> why_json(const Board& board, std::string_view name, Now now, const WhySources& sources = {});

}  // namespace azora::orchestrator
