// The production core through seeded faults. A failing seed is printed; AZORA_SIM_SEED=N replays it,
// AZORA_SIM_SEEDS=N sets how many are run.
#include <gtest/gtest.h>

#include "sim/simulation.hpp"

namespace azora::orchestrator {
namespace {

constexpr std::uint64_t kShards = 4;

// Shards so that ctest can run them side by side.
class SimulationShard : public testing::TestWithParam<std::uint64_t> {};

TEST_P(SimulationShard, FleetSurvivesSeededFaults) {
  const std::uint64_t only = number_from("AZORA_SIM_SEED", 0);
  const std::uint64_t count = number_from("AZORA_SIM_SEEDS", 128);
  if (only != 0 && only % kShards != GetParam()) GTEST_SKIP() << "not this shard's seed";
  const std::uint64_t first = only ? only : kShards + GetParam();
  const std::uint64_t end = only ? only + 1 : kShards + count;
  for (std::uint64_t seed = first; seed < end; seed += kShards) {
    Simulation simulation(seed);
    simulation.run();
    ASSERT_FALSE(simulation.failed()) << (only ? simulation.story() : "") << simulation.report() << "\nreplay: AZORA_SIM_SEED=" << seed;
  }
}
INSTANTIATE_TEST_SUITE_P(Seeds, SimulationShard, testing::Range<std::uint64_t>(0, kShards));

// Each found a fault that is fixed: in the core, or in what the watchers took for one.
TEST(Simulation, SeedsThatFoundAFaultFindNoneAnyMore) {
  for (const std::uint64_t seed : {157U, 458U, 557U, 592U, 686U, 821U, 933U, 1079U, 1081U, 1228U, 1315U, 1490U, 4173U}) {
    Simulation simulation(seed, Simulation::Actions::ours);
    simulation.run();
    EXPECT_FALSE(simulation.failed()) << simulation.report() << "\nreplay: AZORA_SIM_SEED=" << seed;
  }
}

}  // namespace
}  // namespace azora::orchestrator
