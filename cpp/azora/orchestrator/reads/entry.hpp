#pragma once
// An entry with replicas, shown as one service. Its values come from its instances:
//   status     healthy: all are; degraded: some answer; unhealthy: none answers and one is unhealthy; else unknown
//   lifecycle  that of the instance that needs the most attention: FAILED before READY
//   desired    up while any instance is wanted up
//   figures    the last check of any, the uptime of the youngest, the response time of the slowest, counts in sum
// Threads: any; pure. Ownership: shares the views. Fails: never.
#include <cstddef>
#include <string_view>
#include <vector>

#include "azora/orchestrator/board.hpp"

namespace azora::orchestrator {

// True if the service answers its checks and, if we run it, its process is up.
bool is_ready(const ServiceView& view);
std::size_t ready_of(const std::vector<ViewPtr>& views);
HealthStatus status_of(const std::vector<ViewPtr>& views);
Lifecycle lifecycle_of(const std::vector<ViewPtr>& views);

// The service with that id, or the entry with that name as one service; null: there is none.
ViewPtr view_of(const Board& board, std::string_view name);

}  // namespace azora::orchestrator
