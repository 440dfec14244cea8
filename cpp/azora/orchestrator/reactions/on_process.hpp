#pragma once
// What is measured of processes, and what the keeper says beside their runs (on_action.hpp has those).
// Threads: the control thread. Fails: never.
#include <cstdint>
#include <string_view>

#include "azora/base/thread_role.hpp"
#include "azora/keeper/protocol.hpp"
#include "azora/orchestrator/fleet.hpp"
#include "azora/orchestrator/turn.hpp"

namespace azora::orchestrator {

// Its shim dropped so many lines since it began; returns how many of them are new.
std::uint64_t on_output_dropped(Fleet& fleet, Turn& turn, std::uint64_t serial, std::uint64_t lines,
                                const keeper::LogLoss& loss) AZORA_CONTROL;
// What its processes use, as sampled.
void on_usage(Fleet& fleet, Turn& turn, std::string_view id, std::uint64_t incarnation, double cpu_percent,
              std::int64_t rss_bytes) AZORA_CONTROL;

}  // namespace azora::orchestrator
