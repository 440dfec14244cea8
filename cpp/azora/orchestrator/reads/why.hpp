#pragma once
// Why a service, or an entry with replicas, is as it is, in words: made of the published state on the caller's thread.
// Threads: any; pure. Ownership: none. Fails: unknown_service.
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "azora/base/result.hpp"
#include "azora/listeners/question.hpp"
#include "azora/orchestrator/board.hpp"

namespace azora::orchestrator {

// What is not of the board.
struct WhySources {
  std::string keeper_trouble;  // what is wrong with the link to the keeper; empty: nothing
  std::function<OptionalTime(std::uint64_t serial)> start_waits_since;  // for the store; empty: none does
  // Asks the kernel, here and now, whose listener is where this service should listen; empty: nobody does.
  std::function<listeners::Answer(const ServiceView& view, const listeners::Question& question)> listener;
};

// {"serviceId","summary","lifecycle","status","cause","attempt","maxRestarts","nextAttemptAt","blockedBy","unblockedBy",
// "lastError"[,"instances","ready"]}
Result<std::string> why_json(const Board& board, std::string_view name, Now now, const WhySources& sources = {});

}  // namespace azora::orchestrator
