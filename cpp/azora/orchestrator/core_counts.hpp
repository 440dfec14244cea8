#pragma once
// The counts of the control thread's rooms, gathered for readers. Threads: any. Ownership: values. Fails: never.
#include <cstdint>

#include "azora/orchestrator/probing.hpp"
#include "azora/orchestrator/reads/metrics.hpp"
#include "azora/orchestrator/turn.hpp"

namespace azora::orchestrator {

inline CoreCounts counts_of(const Turn::Counts& turns, const Probing::Counts& probes, std::uint64_t log_dropped,
                            std::uint64_t figures_written) {
  return {.turns = turns.turns.value(),
          .views_built = turns.views_built.value(),
          .turn_views = turns.turn_views.value(),
          .probes_asked = probes.asked.value(),
          .results_stale = probes.stale.value(),
          .results_void = probes.dropped_late.value(),
          .in_flight = probes.in_flight.value(),
          .loop_stalls = probes.stalls.value(),
          .log_dropped = log_dropped,
          .figures_written = figures_written};
}

}  // namespace azora::orchestrator
