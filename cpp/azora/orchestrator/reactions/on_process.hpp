#pragma once
// Measurements of processes, and reports of the keeper that are not about runs (those are in on_action.hpp).
// Threads: the control thread. Fails: never.
#include <cstdint>
#include <string_view>

#include "azora/base/thread_role.hpp"
#include "azora/keeper/protocol.hpp"
#include "azora/orchestrator/fleet.hpp"
#include "azora/orchestrator/turn.hpp"

namespace azora::orchestrator {

// The shim of the service has dropped `lines` lines since it began; returns how many of them are new.
std::uint64_t on_output_dropped(Fleet& fleet, Turn& turn, std::uint64_t serial, std::uint64_t lines,
                                const keeper::LogLoss& loss) AZORA_CONTROL;
// The sampled usage of its processes.
void on_usage(Fleet& fleet, Turn& turn, std::string_view id, std::uint64_t incarnation, double cpu_percent,
              std::int64_t rss_bytes) AZORA_CONTROL;

}  // namespace azora::orchestrator
