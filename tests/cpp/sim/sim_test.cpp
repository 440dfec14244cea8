// The production core through seeded faults. A failing seed is printed; AZORA_SIM_SEED=N replays it,
// AZORA_SIM_SEEDS=N sets how many are run. `make sim` runs many more (sim_main.cpp).
#include <gtest/gtest.h>

#include "sim/simulation.hpp"

namespace azora::orchestrator {
namespace {

using Kind = Simulation::Kind;

constexpr std::uint64_t kShards = 4;

// Shards so that ctest can run them side by side.
class SimulationShard : public testing::TestWithParam<std::uint64_t> {
 protected:
  static void run(Kind kind, std::uint64_t otherwise) {
    const std::uint64_t only = number_from("AZORA_SIM_SEED", 0);
    const std::uint64_t count = number_from("AZORA_SIM_SEEDS", otherwise);
    if (only != 0 && only % kShards != GetParam()) GTEST_SKIP() << "not this shard's seed";
    const std::uint64_t first = only ? only : kShards + GetParam();
    const std::uint64_t end = only ? only + 1 : kShards + count;
    for (std::uint64_t seed = first; seed < end; seed += kShards) {
      Simulation simulation(seed, kind);
      if (only) simulation.tell_story();
      simulation.run();
      ASSERT_FALSE(simulation.failed()) << (only ? simulation.story() : "") << simulation.report() << "\nreplay: AZORA_SIM_SEED=" << seed;
    }
  }
};

TEST_P(SimulationShard, FleetSurvivesSeededFaults) { run(Kind::all, 128 / kSeedsDividedBy); }
TEST_P(SimulationShard, FleetSurvivesTheEndsOfOrchestratorsAndKeepers) { run(Kind::lives, 128 / kSeedsDividedBy); }
INSTANTIATE_TEST_SUITE_P(Seeds, SimulationShard, testing::Range<std::uint64_t>(0, kShards));

TEST(Simulation, TheSameSeedIsTheSameRunByteByByte) {
  for (const Kind kind : {Kind::ours, Kind::all, Kind::lives}) {
    for (const std::uint64_t seed : {11U, 12U, 13U}) {
      Simulation first(seed, kind);
      first.run();
      Simulation second(seed, kind);
      second.run();
      EXPECT_EQ(first.trace(), second.trace()) << "seed " << seed;
      Simulation other(seed + 100, kind);
      other.run();
      EXPECT_NE(first.trace(), other.trace()) << "seed " << seed;
    }
  }
}

TEST(Simulation, SeedsThatFoundAFaultFindNoneAnyMore) {
  struct Kept {
    Kind kind;
    std::uint64_t seed;
    const char* found;
  };
  constexpr Kept kKept[] = {
#include "sim/kept_seeds.inc"
  };
  for (const Kept& kept : kKept) {
    Simulation simulation(kept.seed, kept.kind);
    simulation.run();
    EXPECT_FALSE(simulation.failed()) << simulation.report() << "\nit found once: " << kept.found;
  }
}

}  // namespace
}  // namespace azora::orchestrator
