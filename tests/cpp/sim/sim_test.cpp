// Whole-core simulation: a fleet with dependencies and groups, driven through a seeded schedule of faults, the
// invariants checked after every turn; then the faults end and everything must converge. A failing seed is
// printed; AZORA_SIM_SEED=N replays it, AZORA_SIM_SEEDS=N sets how many are run.
#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <map>
#include <random>

#include "support/world.hpp"

namespace azora::orchestrator {
namespace {

using std::chrono::seconds;

class Simulation {
 public:
  explicit Simulation(std::uint64_t seed) : seed_(seed), random_(seed) {
    world_.loop.set_turn_end([this] {
      world_.core.end_turn();
      check();
    });
  }

  void run() {
    build();
    const int faults = 40 + static_cast<int>(random_() % 60);
    for (int i = 0; i < faults && !failed(); ++i) {
      fault();
      world_.advance(Millis(random_() % 8000));
    }
    heal();
    world_.advance(seconds(420));  // past every backoff and one half-open try
    converged();
  }
  bool failed() const { return !problems_.empty(); }
  std::string report() const {
    std::string text = "seed " + std::to_string(seed_) + ":";
    for (const std::string& problem : problems_) text += "\n  " + problem;
    return text;
  }

 private:
  bool chance(unsigned percent) { return random_() % 100 < percent; }
  std::size_t any() { return random_() % ids_.size(); }

  void build() {
    const std::size_t count = 3 + random_() % 12;
    for (std::size_t i = 0; i < count; ++i) {
      const std::string id = "s" + std::to_string(i);
      std::string more = "\"group\":\"g" + std::to_string(i % 3) + "\",\"maxRestarts\":" + std::to_string(1 + random_() % 4);
      if (chance(30)) more += ",\"restartDelay\":" + std::to_string(200 + random_() % 2000);
      if (i > 0 && chance(50)) more += ",\"dependencies\":[\"s" + std::to_string(random_() % i) + "\"]";
      ids_.push_back(id);
      serials_.push_back(world_.add_process(id, more));
    }
  }

  void fault() {
    const std::size_t i = any();
    const std::uint64_t serial = serials_[i];
    switch (random_() % 9) {
      case 0:
      case 1: world_.keeper.crash(serial); break;
      case 2: world_.keeper.crash(serial, static_cast<int>(random_() % 3)); break;
      case 3: world_.keeper.lose(serial); break;
      case 4: world_.prober.set(serial, health::FakeProber::Answer::hang()); break;
      case 5: world_.keeper.set(serial, {.exec_fails = chance(50), .ignores_stop = chance(50)}); break;
      case 6: world_.prober.set(serial, health::FakeProber::Answer::http(chance(50) ? 500 : 404)); break;
      case 7: command(i); break;
      default:
        for (const std::uint64_t each : serials_) {
          if (chance(60)) world_.keeper.crash(each);
        }
        break;
    }
  }

  void command(std::size_t i) {
    const Verb verb = std::array{Verb::start, Verb::stop, Verb::restart}[random_() % 3];
    world_.turn([&] { (void)world_.core.command(verb, ids_[i], chance(30), chance(30), "rest").ok(); });
  }

  // Faults end: executables work, services answer, everybody is wanted.
  void heal() {
    for (std::size_t i = 0; i < ids_.size(); ++i) {
      world_.keeper.set(serials_[i], {});
      const std::uint64_t serial = serials_[i];
      world_.prober.set(serial, health::FakeProber::Answer::http(200));
      world_.turn([&] { (void)world_.core.command(Verb::start, ids_[i], false, false, "rest").ok(); });
    }
  }

  void converged() {
    for (const std::string& id : ids_) {
      const ViewPtr view = world_.view(id);
      if (view->status != HealthStatus::healthy) {
        problems_.push_back(id + " did not come back: " + std::string(wire_name(view->lifecycle)) + " " +
                            std::string(wire_name(view->status)) + " " + view->last_error);
      }
    }
  }

  void check() {
    if (failed()) return;
    for (std::string& text : world_.core.violations()) problems_.push_back(std::move(text));
    for (const std::string& text : world_.keeper.violations()) problems_.push_back(text);
    // Who is in rotation is believed ready: an exit that was told took it out in the same turn.
    for (const std::string& id : ids_) {
      const ViewPtr view = world_.view(id);
      if (!view || view->lifecycle == Lifecycle::ready) continue;
      const auto tier = world_.recorder.tiers.find(view->serial);
      if (tier != world_.recorder.tiers.end() && tier->second != Tier::excluded) {
        problems_.push_back(id + ": in rotation while " + std::string(wire_name(view->lifecycle)));
      }
    }
    for (; seen_ < world_.recorder.events.size(); ++seen_) {
      const Recorder::Seen& event = world_.recorder.events[seen_];
      if (event.seq != seen_ + 1) problems_.push_back("gap in the sequence");
      if (event.type == EventType::service_failed) {
        if (in_failed_[event.id]) problems_.push_back(event.id + ": serviceFailed twice for one stay");
        in_failed_[event.id] = true;
      }
      if (event.type == EventType::service_healthy || event.type == EventType::service_stopped ||
          event.type == EventType::service_degraded) {
        in_failed_[event.id] = false;
      }
      if (event.type == EventType::service_restarted && !ready_since_start_[event.id]) {
        problems_.push_back(event.id + ": serviceRestarted before readiness");
      }
      if (event.type == EventType::service_started) ready_since_start_[event.id] = false;
      if (event.type == EventType::service_healthy || event.type == EventType::service_degraded) {
        ready_since_start_[event.id] = true;
      }
    }
  }

  std::uint64_t seed_;
  std::mt19937_64 random_;
  World world_;
  std::vector<std::string> ids_;
  std::vector<std::uint64_t> serials_;
  std::map<std::string, bool> in_failed_;
  std::map<std::string, bool> ready_since_start_;
  std::size_t seen_ = 0;
  std::vector<std::string> problems_;
};

std::uint64_t number_from(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

// Shards so that ctest can run them side by side.
class SimulationShard : public testing::TestWithParam<std::uint64_t> {};

TEST_P(SimulationShard, FleetSurvivesSeededFaults) {
  const std::uint64_t only = number_from("AZORA_SIM_SEED", 0);
  const std::uint64_t count = number_from("AZORA_SIM_SEEDS", 40);
  if (only != 0 && only % 4 != GetParam()) GTEST_SKIP() << "not this shard's seed";
  for (std::uint64_t seed = only ? only : 4 + GetParam(); seed < (only ? only + 1 : 4 + count); seed += 4) {
    Simulation simulation(seed);
    simulation.run();
    ASSERT_FALSE(simulation.failed()) << simulation.report() << "\nreplay: AZORA_SIM_SEED=" << seed;
  }
}
INSTANTIATE_TEST_SUITE_P(Seeds, SimulationShard, testing::Range<std::uint64_t>(0, 4));

}  // namespace
}  // namespace azora::orchestrator
