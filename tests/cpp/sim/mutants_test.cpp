// The simulation must find each of the mutants (R47), and nothing while none is planted. Prints by which
// promise and at which seed each was found. Those that only the end of an orchestrator shows must not be found without one.
// AZORA_SIM_SEEDS sets how many seeds of each kind may be tried; AZORA_SIM_SEED=N tries only that one.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include "sim/planted.hpp"
#include "sim/simulation.hpp"

namespace azora::orchestrator {
namespace {

struct Mutant {
  const char* name;
  const char* what;
};
constexpr Mutant kMutants[] = {
#include "mutants.inc"
};

class Planted : public testing::TestWithParam<Mutant> {
 protected:
  void TearDown() override { sim::planted_mutant = {}; }
};

// The seed that found each mutant last, tried before all others: a search over hundreds of seeds takes minutes under
// sanitizers. A seed that does not find its mutant any more costs time and nothing else; the test prints the new one.
struct Known {
  std::string_view mutant;
  std::uint64_t seed;
};
// Found only where orchestrators end.
constexpr Known kOfLives[] = {
    {"numbers_begin_again", 1},
    {"exit_of_the_absence_forgotten", 1},
    {"stop_before_the_end_forgotten", 207},
    {"not_taken_over", 1},
    {"backoff_hastened_by_us", 2},
    {"failed_not_watched_again", 1},
    {"permit_lost_by_us", 92},
    {"unstored_run_forgotten", 11},
};
constexpr Known kKnown[] = {
    {"unmasked_unchecked", 281},
    {"stale_result_accepted", 12},
    {"explained_failure_spends", 22},
    {"restart_delay_ignored", 3},
    {"budget_back_at_once", 5},
    {"one_instance_is_enough", 5},
    {"brake_ignored", 9},
    {"called_twice", 11},
    {"late_result_blinds", 15},
    {"dependents_stop_last", 5},
    {"new_owner_does_not_wait", 3},
    {"never_killed", 4},
    {"stop_forgets_the_next", 5},
    {"restart_along_forgotten", 3},
    {"stale_report_taken", 14},
    {"told_end_ignored", 32},
    {"told_loss_ignored", 35},
    {"only_processes_stop", 56},
    {"stale_generation_accepted", 16},
    {"permit_not_returned", 79},
    {"degraded_is_enough", 4},
    {"dependents_not_waited_for", 33},
    {"taken_along_left_down", 4},
    {"started_while_stopped", 54},
    {"never_means_nothing", 3},
    {"exit_0_restarted", 3},
    {"proof_outlives_a_failure", 12},
};

bool is_found_by(const Mutant& mutant, std::uint64_t seed, Simulation::Kind kind = Simulation::Kind::all) {
  Simulation simulation(seed, kind);
  simulation.run();
  if (!simulation.failed()) return false;
  std::cout << mutant.what << ": found by " << (kind == Simulation::Kind::lives ? "lives, " : "") << simulation.report() << std::endl;
  return true;
}

bool is_found_by_lives(const Mutant& mutant, std::uint64_t seeds, std::uint64_t known) {
  constexpr std::uint64_t kWithout = 10;
  for (std::uint64_t seed = 1; seed <= kWithout; ++seed) {
    if (is_found_by(mutant, seed)) return false;  // it belongs to the others
  }
  for (std::uint64_t i = 0; i <= seeds; ++i) {
    if (is_found_by(mutant, i == 0 ? known : i, Simulation::Kind::lives)) return true;
  }
  return false;
}

bool is_found(const Mutant& mutant, std::uint64_t seeds) {
  if (const std::uint64_t only = number_from("AZORA_SIM_SEED", 0)) {
    return is_found_by(mutant, only) || is_found_by(mutant, only, Simulation::Kind::lives);
  }
  for (const Known& known : kOfLives) {
    if (known.mutant == mutant.name) return is_found_by_lives(mutant, seeds, known.seed);
  }
  for (const Known& known : kKnown) {
    if (known.mutant == mutant.name && is_found_by(mutant, known.seed)) return true;
  }
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    if (is_found_by(mutant, seed)) return true;
  }
  return false;
}

// In a child of its own: a mutant that breaks an invariant which the core asserts itself ends the program, and is found.
TEST_P(Planted, IsFound) {
  sim::planted_mutant = GetParam().name;
  const std::uint64_t seeds = number_from("AZORA_SIM_SEEDS", 300);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) ::_exit(is_found(GetParam(), seeds) ? 0 : 1);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT) {
    std::cout << GetParam().what << ": found by an assertion of the core\n";
    return;
  }
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0)
      << "the simulation did not notice within " << seeds << " seeds that " << GetParam().what;
}

std::string name_of(const testing::TestParamInfo<Mutant>& info) { return info.param.name; }
INSTANTIATE_TEST_SUITE_P(Mutants, Planted, testing::ValuesIn(kMutants), name_of);

// The copies are the core as long as nothing is planted; its own test tries more seeds.
TEST(Unplanted, NothingIsFound) {
  for (std::uint64_t seed = 1; seed <= number_from("AZORA_SIM_SEEDS", 40 / kSeedsDividedBy); ++seed) {
    Simulation simulation(seed);
    simulation.run();
    ASSERT_FALSE(simulation.failed()) << simulation.report();
    Simulation lives(seed, Simulation::Kind::lives);
    lives.run();
    ASSERT_FALSE(lives.failed()) << lives.report();
  }
}

}  // namespace
}  // namespace azora::orchestrator
