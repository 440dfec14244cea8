#pragma once
// The metrics text (Prometheus). One table gives name, kind, help and source of each value; a new metric is one row of
// it. Each count lies in the part that counts it (base/counter.hpp) and is read on the caller's thread.
// Threads: any. Ownership: none. Fails: never.
#include <cstdint>
#include <string>

#include "azora/balancer/balancer.hpp"
#include "azora/health/prober_counters.hpp"
#include "azora/orchestrator/board.hpp"
#include "azora/orchestrator/self.hpp"

namespace azora::orchestrator {

// Counts of the control thread.
struct CoreCounts {
  std::uint64_t turns = 0;
  std::uint64_t views_built = 0;
  std::uint64_t turn_views = 0;       // by the last turn that built any
  std::uint64_t probes_asked = 0;
  std::uint64_t results_stale = 0;
  std::uint64_t results_void = 0;
  std::uint64_t in_flight = 0;        // probes, as of the last turn
  std::uint64_t loop_stalls = 0;
  std::uint64_t log_dropped = 0;
  std::uint64_t figures_written = 0;
};

// Counts of the stored history.
struct HistoryCounts {
  std::uint64_t stored = 0;   // events
  std::uint64_t dropped = 0;  // events
  std::uint64_t commits = 0;
  bool failing = false;
};

// The sources of the text, gathered by the caller.
struct MetricSources {
  const Board& board;
  const Self& self;
  CoreCounts core;
  std::uint64_t events_head = 0;
  std::uint64_t turn_members_touched = 0;  // by the last turn that touched any
  balancer::BalancerMetrics pools;
  health::ProberCounts net;
  std::uint64_t list_bytes = 0;
  std::uint64_t graph_bytes = 0;
  std::uint64_t event_turns_handed_over = 0;
  std::uint64_t events_evicted = 0;
  HistoryCounts history = {};
};

std::string metrics_text(const MetricSources& sources);

}  // namespace azora::orchestrator
