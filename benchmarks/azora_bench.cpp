// What the core costs where no socket and no process is involved, on Google Benchmark: each case beside its peers,
// which are what somebody writes first or what a known balancer does (peers.hpp).
//   pick/STRATEGY/N[/threads:2]   a pick among N instances, the type looked up by its name
//   pick-loaded/..   while clients hold leases: without them least-connections has nothing to compare
//   pick-handle, pick-answer, pick-lease   without the look-up; the whole answer; with a lease taken and released
//   pool/..   what a change costs the pool, the pick after it included
//   events/..   appending, and handing to 1, 2, 4 readers
//   registry/..   registration in bulk, reads
//   peer/..   the peers of the above
// Use: azora_bench --benchmark_format=json [--benchmark_filter=^pick/]
#include <benchmark/benchmark.h>

#include "cases.hpp"

int main(int argc, char** argv) {
  azora::bench::add_pick_cases();
  azora::bench::add_pool_cases();
  azora::bench::add_event_cases();
  azora::bench::add_registry_cases();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
