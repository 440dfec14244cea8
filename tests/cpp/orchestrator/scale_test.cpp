// A turn costs what changed, whatever the fleet (R13), counted and never timed: views
// built and memory blocks taken for the same act in a fleet of 1,000 and of 100,000.
#include <gtest/gtest.h>

#include "support/allocations.hpp"
#include "support/world.hpp"

namespace azora::orchestrator {
namespace {

constexpr int kHardlyEver = 2'000'000'000;  // ms: nothing but the act under test happens

SpecPtr endpoint(std::size_t number, int interval = kHardlyEver) {
  const std::string text = R"({"id":"s)" + std::to_string(number) + R"(","type":"t)" + std::to_string(number % 50) +
                           R"(","endpoint":"http://127.0.0.1:)" + std::to_string(1 + number % 60'000) +
                           R"(","healthCheckInterval":)" + std::to_string(interval) + "}";
  return parse_service(text, {}).value().front();
}

class Fleet {
 public:
  explicit Fleet(std::size_t size, int interval = kHardlyEver) : world({.fd_limit = 1'000'000}) {
    std::vector<SpecPtr> specs;
    specs.reserve(size);
    for (std::size_t i = 0; i < size; ++i) specs.push_back(endpoint(i, interval));
    world.turn([&] { EXPECT_TRUE(world.core.register_many(std::move(specs), "rest").ok()); });
    world.advance(std::chrono::seconds(30));
  }
  std::size_t views_built() const { return world.core.counts().views_built; }

  World world;
};

struct Cost {
  std::size_t views = 0;
  std::size_t blocks = 0;
};

template <typename Act>
Cost cost_of(Fleet& fleet, Act act) {
  const std::size_t views = fleet.views_built();
  const std::size_t blocks = allocations_of([&] { fleet.world.turn(act); });
  return {fleet.views_built() - views, blocks};
}

struct Costs {
  Cost flap, add, replace, remove, idle;
  std::size_t healthy = 0;
};

Costs costs_in_a_fleet_of(std::size_t size) {
  Fleet fleet(size);
  World& world = fleet.world;
  Costs costs;
  costs.healthy = world.recorder.board->healthy;
  const std::size_t middle = size / 2;
  const std::uint64_t serial = world.view("s" + std::to_string(middle))->serial;
  const SpecPtr fresh = endpoint(size);
  const SpecPtr again = endpoint(middle);
  costs.idle = cost_of(fleet, [] {});
  costs.add = cost_of(fleet, [&] { EXPECT_TRUE(world.core.register_many({fresh}, "rest").ok()); });
  world.prober.set(serial, health::FakeProber::Answer::http(404));
  // Overwriting asks it at once: its answer turns it degraded.
  costs.replace = cost_of(fleet, [&] { EXPECT_TRUE(world.core.register_many({again}, "rest").ok()); });
  const std::size_t views = fleet.views_built();
  costs.flap.blocks = allocations_of([&] { world.advance(std::chrono::seconds(1)); });
  costs.flap.views = fleet.views_built() - views;
  EXPECT_EQ(world.status("s" + std::to_string(middle)), HealthStatus::degraded);
  costs.remove = cost_of(fleet, [&] { EXPECT_TRUE(world.core.unregister("s7", "rest").value()); });
  return costs;
}

// Trees of 32 are one or two levels deeper in the larger fleet, and its paths that much longer.
void expect_no_more(const Cost& large, const Cost& small, const char* what) {
  EXPECT_LE(large.views, small.views) << what;
  EXPECT_LE(large.blocks, small.blocks + 40) << what;
}

TEST(Scale, ATurnCostsWhatChanged) {
  const Costs small = costs_in_a_fleet_of(1'000);
  const Costs large = costs_in_a_fleet_of(100'000);
  EXPECT_EQ(small.healthy, 1'000U);
  EXPECT_EQ(large.healthy, 100'000U);
  EXPECT_EQ(large.idle.views, 0U);
  EXPECT_LE(large.flap.views, 3U);
  EXPECT_LE(large.add.views, 2U);
  expect_no_more(large.idle, small.idle, "an idle turn");
  expect_no_more(large.add, small.add, "a registration");
  expect_no_more(large.replace, small.replace, "an overwriting");
  expect_no_more(large.flap, small.flap, "a change of status");
  expect_no_more(large.remove, small.remove, "a removal");
}

TEST(Scale, ChecksThatChangeNothingReplaceNoView) {
  constexpr std::size_t kServices = 100;
  Fleet fleet(kServices, 1'000);
  World& world = fleet.world;
  EXPECT_EQ(world.recorder.board->healthy, kServices);
  const std::shared_ptr<const Board> board = world.recorder.board;
  const CoreCounts before = world.core.counts();
  const auto events = world.recorder.events.size();
  const WallTime checked = world.view("s7")->figures().last_check;
  world.advance(std::chrono::seconds(100));
  const CoreCounts after = world.core.counts();
  const std::size_t checks = world.recorder.events.size() - events;
  EXPECT_GE(checks, 10'000U);
  EXPECT_EQ(after.figures_written - before.figures_written, checks);
  EXPECT_EQ(after.views_built, before.views_built);
  EXPECT_EQ(world.recorder.board, board);  // so no path of a tree was copied, no text became stale
  EXPECT_GE(world.view("s7")->figures().last_check.ms, checked.ms + 98'000);
}

// Also failing checks, once their service is known to fail.
TEST(Scale, ChecksOfWhatIsDownReplaceNoView) {
  Fleet fleet(100, 1'000);
  World& world = fleet.world;
  world.prober.set_default([](const health::ProbeRequest&) { return health::FakeProber::Answer::refused(); });
  world.advance(std::chrono::seconds(60));
  EXPECT_EQ(world.recorder.board->unhealthy, 100U);
  const CoreCounts before = world.core.counts();
  world.advance(std::chrono::seconds(20));
  EXPECT_EQ(world.core.counts().views_built, before.views_built);
  EXPECT_GE(world.core.counts().figures_written, before.figures_written + 1'900);
  EXPECT_EQ(world.view("s7")->figures().error_count, world.view("s8")->figures().error_count);
  EXPECT_GT(world.view("s7")->figures().error_count, 20);
}

TEST(Scale, OneByOneTheLastCostsWhatTheFirstCost) {
  World world({.fd_limit = 1'000'000});
  const auto add = [&](std::size_t first, std::size_t count) {
    std::vector<SpecPtr> specs;
    for (std::size_t i = 0; i < count; ++i) specs.push_back(endpoint(first + i));
    return allocations_of([&] {
      for (const SpecPtr& spec : specs) world.turn([&] { EXPECT_TRUE(world.core.register_many({spec}, "rest").ok()); });
    });
  };
  add(0, 1'000);
  const std::size_t early = add(1'000, 500);
  add(1'500, 18'000);
  const std::size_t late = add(19'500, 500);
  EXPECT_LE(late, early + early / 4);
}

TEST(Scale, AMassFailureCostsEachItsShare) {
  const auto fail_all = [](std::size_t size) {
    Fleet fleet(size, 3'600'000);
    fleet.world.prober.set_default([](const health::ProbeRequest&) { return health::FakeProber::Answer::refused(); });
    const std::size_t before = fleet.views_built();
    const std::size_t blocks = allocations_of([&] { fleet.world.advance(std::chrono::hours(2)); });
    EXPECT_EQ(fleet.world.recorder.board->unhealthy, size);
    EXPECT_LE(fleet.views_built() - before, 30 * size);
    return blocks / size;
  };
  const std::size_t small = fail_all(200);
  const std::size_t large = fail_all(4'000);
  EXPECT_LE(large, small + small / 4);
}

}  // namespace
}  // namespace azora::orchestrator
