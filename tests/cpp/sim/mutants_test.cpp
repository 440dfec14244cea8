// The simulation must find each of the mutants (R47), and nothing while none is planted. Prints by which
// promise and at which seed each was found. AZORA_SIM_SEEDS sets how many seeds may be tried.
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
constexpr Known kKnown[] = {
    {"unmasked_unchecked", 177},
};

bool is_found_by(const Mutant& mutant, std::uint64_t seed) {
  Simulation simulation(seed);
  simulation.run();
  if (!simulation.failed()) return false;
  std::cout << mutant.what << ": found by " << simulation.report() << std::endl;
  return true;
}

bool is_found(const Mutant& mutant, std::uint64_t seeds) {
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
  for (std::uint64_t seed = 1; seed <= number_from("AZORA_SIM_SEEDS", 40); ++seed) {
    Simulation simulation(seed);
    simulation.run();
    ASSERT_FALSE(simulation.failed()) << simulation.report();
  }
}

}  // namespace
}  // namespace azora::orchestrator
