// What a user is promised of healing, one situation each: root outages, spent budgets, hangs, the kill brake.
#include <algorithm>

#include "support/commands.hpp"

namespace azora::orchestrator {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using health::FakeProber;
using Kind = keeper::FakeKeeper::Command::Kind;

TEST(Promises, ALongOutageOfTheRootCostsItsDependentsNoRestart) {
  World world;
  const auto root = world.add_process("root", R"("maxRestarts":1,"failedRetryInterval":600000)");
  for (int i = 0; i < 20; ++i) world.add_process("d" + std::to_string(i), R"("dependencies":["root"],"maxRestarts":1)");
  world.advance(seconds(10));
  world.keeper.set(root, {.exec_fails = true});
  for (const std::uint64_t serial : world.processes) world.keeper.crash(serial);
  world.advance(minutes(60));
  EXPECT_EQ(world.recorder.count(EventType::service_failed), 1);
  EXPECT_EQ(world.recorder.count(EventType::service_failed, "root"), 1);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(wire_name(world.lifecycle("d" + std::to_string(i))), "BLOCKED");
  world.keeper.set(root, {});
  while (world.status("root") != HealthStatus::healthy) ASSERT_TRUE(world.loop.run_next());
  const SteadyTime back = world.loop.now().steady;
  const auto healthy = [&] { return world.recorder.board->healthy; };
  while (healthy() < 21) ASSERT_TRUE(world.loop.run_next());
  // One probe interval (1 s) and the time to start, 20 of them through 4 slots.
  EXPECT_LE(world.loop.now().steady - back, seconds(1));
  for (int i = 0; i < 20; ++i) EXPECT_EQ(world.view("d" + std::to_string(i))->restart_count, 1);
}

// Those that live through it may take a moment to find the root again.
TEST(Promises, WhoFailsForItsRootIsNotKilledWhenItIsBackBeforeItAnswers) {
  World world;
  const auto root = world.add_process("root", R"("maxRestarts":0)");
  const auto leaf = world.add(R"({"id":"leaf","type":"core","endpoint":"http://127.0.0.1:7002","healthCheckInterval":10000,)"
                              R"("dependencies":["root"],"process":{"argv":["true"]}})");
  world.advance(seconds(15));
  world.prober.set(leaf, FakeProber::Answer::http(503));
  world.keeper.crash(root);
  world.advance(minutes(10));
  ASSERT_EQ(world.status("leaf"), HealthStatus::unhealthy);
  command(world, Verb::start, "root");
  while (world.status("root") != HealthStatus::healthy) ASSERT_TRUE(world.loop.run_next());
  const SteadyTime back = world.loop.now().steady;
  world.advance(seconds(3));
  world.prober.unset(leaf);
  while (world.status("leaf") != HealthStatus::healthy) ASSERT_TRUE(world.loop.run_next());
  EXPECT_LE(world.loop.now().steady - back, seconds(10));
  EXPECT_EQ(world.keeper.launches(leaf), 1);
  // And one that does not find it is.
  world.prober.set(leaf, FakeProber::Answer::http(503));
  world.advance(minutes(1));
  EXPECT_GE(world.keeper.launches(leaf), 2);
}

TEST(Promises, MoreKillsThanItsBudgetEndInOneFailedAndItComesBackByItself) {
  World world;
  const auto a = world.add_process("a", R"("maxRestarts":3)");
  world.advance(seconds(1));
  for (int kills = 0; kills < 4; ++kills) {
    ASSERT_TRUE(world.keeper.alive(a)) << kills;
    world.keeper.crash(a);
    world.advance(seconds(20));
  }
  EXPECT_EQ(wire_name(world.lifecycle("a")), "FAILED");
  EXPECT_EQ(world.recorder.count(EventType::service_failed, "a"), 1);
  EXPECT_EQ(world.keeper.launches(a), 4);
  world.advance(minutes(8));
  EXPECT_EQ(world.status("a"), HealthStatus::healthy);
  EXPECT_EQ(world.recorder.count(EventType::service_failed, "a"), 1);
}

TEST(Promises, AChangedExecutableBringsAFailedServiceBackWithinSeconds) {
  World world;
  std::uint64_t stamp = 1;
  world.core.set_file_stamp([&](const LaunchSpec&, const Stamped& answer) { answer({stamp}); });
  const auto a = world.add_process("a", R"("maxRestarts":1)");
  world.advance(seconds(1));
  world.keeper.set(a, {.exec_fails = true});
  world.keeper.crash(a);
  world.advance(seconds(60));
  ASSERT_EQ(wire_name(world.lifecycle("a")), "FAILED");
  world.keeper.set(a, {});
  stamp = 2;
  world.advance(seconds(3));
  EXPECT_EQ(world.status("a"), HealthStatus::healthy);
}

TEST(Promises, ARecoveredDependencyBringsAFailedServiceBack) {
  World world;
  world.add_process("root");
  const auto leaf = world.add_process("leaf", R"("dependencies":["root"],"maxRestarts":1)");
  world.advance(seconds(2));
  world.keeper.set(leaf, {.exec_fails = true});
  world.keeper.crash(leaf);
  world.advance(seconds(60));
  ASSERT_EQ(wire_name(world.lifecycle("leaf")), "FAILED");
  world.keeper.set(leaf, {});
  command(world, Verb::restart, "root");
  world.advance(seconds(3));
  EXPECT_EQ(world.status("leaf"), HealthStatus::healthy);
}

TEST(Promises, AHungServiceLeavesRotationThenIsStoppedThenKilledThenSweptThenStarted) {
  World world;
  const auto a = world.add_process("a");
  world.keeper.set(a, {.ignores_stop = true, .sweeps_in = seconds(2)});
  world.advance(seconds(1));
  world.keeper.crash(a);
  world.advance(seconds(5));
  ASSERT_EQ(world.status("a"), HealthStatus::healthy);
  const std::size_t from = world.keeper.commands.size();
  std::vector<std::string> steps;
  std::vector<SteadyTime> times;
  const auto step = [&](const std::string& name) {
    steps.push_back(name);
    times.push_back(world.loop.now().steady);
  };
  world.recorder.on_publish = [&] {
    if (steps.empty() && world.recorder.tiers[a] == Tier::excluded) step("excluded");
  };
  world.recorder.on_append = [&](const Recorder::Seen& event) {
    if (event.type == EventType::service_exited) step("exited");
  };
  world.keeper.on_command = [&](const keeper::FakeKeeper::Command& command) {
    if (command.kind == Kind::stop) step("stop");
    if (command.kind == Kind::kill && steps.back() == "stop") step("kill");
    if (command.kind == Kind::launch) {
      EXPECT_TRUE(world.keeper.swept(a));
      step("launch");
    }
  };
  world.prober.set(a, FakeProber::Answer::hang());
  world.advance(seconds(30));
  ASSERT_EQ(steps, (std::vector<std::string>{"excluded", "stop", "kill", "exited", "launch"})) << from;
  EXPECT_EQ(times[2] - times[1], seconds(10));  // stopTimeout
  EXPECT_GE(times[4] - times[3], seconds(2));   // its descendants were still there
}

TEST(Promises, AnExitIsToldAfterTheServiceLeftRotation) {
  World world;
  const auto a = world.add_process("a");
  world.advance(seconds(1));
  ASSERT_EQ(world.recorder.tiers[a], Tier::healthy);
  int told = 0;
  world.recorder.on_append = [&](const Recorder::Seen& event) {
    if (event.type != EventType::service_exited) return;
    ++told;
    EXPECT_EQ(world.recorder.tiers[a], Tier::excluded);
  };
  world.keeper.crash(a);
  world.advance(seconds(1));
  EXPECT_EQ(told, 1);
}

TEST(Promises, WhenMostOfTheFleetHangsNobodyIsKilledAnyMore) {
  World world;
  for (int i = 0; i < 10; ++i) world.add_process("s" + std::to_string(i), R"("group":"g)" + std::to_string(i % 5) + "\"");
  world.advance(seconds(5));
  const auto stops = [&] {
    return std::count_if(world.keeper.commands.begin(), world.keeper.commands.end(),
                         [](const keeper::FakeKeeper::Command& command) { return command.kind == Kind::stop; });
  };
  for (const std::uint64_t serial : world.processes) world.prober.set(serial, FakeProber::Answer::http(503));
  while (world.recorder.count(EventType::mass_unhealthy) == 0) ASSERT_TRUE(world.loop.run_next());
  const auto before = stops();
  EXPECT_LE(before, 5);  // half of each group, before it could be known that all hang
  world.advance(seconds(2));
  EXPECT_EQ(world.recorder.board->unhealthy + static_cast<std::size_t>(before), 10U);
  for (const std::uint64_t serial : world.processes) world.prober.unset(serial);
  world.advance(seconds(1));
  EXPECT_EQ(stops(), before);
  world.advance(seconds(10));
  EXPECT_EQ(world.recorder.board->healthy, 10U);
  EXPECT_EQ(stops(), before);
}

// Told when it happens, also where nothing waits for a permit; and not again when a later one does.
TEST(Promises, AMassOfExitsIsToldOnceAndHealed) {
  World world;
  for (int i = 0; i < 6; ++i) world.add_process("s" + std::to_string(i));
  world.advance(seconds(5));
  for (const std::uint64_t serial : world.processes) world.keeper.crash(serial);
  world.advance(seconds(3));
  EXPECT_EQ(world.recorder.count(EventType::mass_unhealthy), 1);
  EXPECT_EQ(world.recorder.board->healthy, 6U);
  world.advance(minutes(10));
  world.prober.set(world.processes[0], FakeProber::Answer::http(503));
  world.advance(seconds(10));
  world.prober.unset(world.processes[0]);
  world.advance(seconds(20));
  EXPECT_EQ(world.keeper.launches(world.processes[0]), 3);
  EXPECT_EQ(world.recorder.count(EventType::mass_unhealthy), 1);
}

TEST(Promises, TheBrakeIsReleasedByTimeAndThenHalfOfEachGroupAtATime) {
  World world;
  for (int i = 0; i < 8; ++i) world.add_process("s" + std::to_string(i), R"("group":"g)" + std::to_string(i % 2) + "\"");
  world.advance(seconds(5));
  for (const std::uint64_t serial : world.processes) world.prober.set(serial, FakeProber::Answer::http(503));
  std::size_t most = 0;
  for (int i = 0; i < 60; ++i) {
    world.advance(seconds(1));
    std::size_t down = 0;
    for (int k = 0; k < 8; k += 2) down += world.lifecycle("s" + std::to_string(k)) == Lifecycle::ready ? 0U : 1U;
    most = std::max(most, down);
  }
  EXPECT_GE(world.recorder.count(EventType::mass_unhealthy), 1);
  EXPECT_EQ(most, 2U);
  EXPECT_GT(world.keeper.launches_total(), 8);
}

TEST(Promises, WhoBearsTheNameOfAGroupIsKilledAsOneOfIt) {
  for (const bool bearer_first : {true, false}) {
    SCOPED_TRACE(bearer_first);
    World world;
    for (int i = 0; i < 6; ++i) world.add_process("other" + std::to_string(i));
    std::uint64_t bearer = bearer_first ? world.add_process("shop") : 0;
    const std::uint64_t member = world.add_process("member", R"("group":"shop")");
    if (!bearer_first) bearer = world.add_process("shop");
    world.advance(seconds(5));
    for (const std::uint64_t serial : {bearer, member}) world.prober.set(serial, FakeProber::Answer::http(503));
    world.advance(seconds(20));
    EXPECT_EQ(world.keeper.launches(bearer) + world.keeper.launches(member), 3);
  }
}

TEST(Promises, ManyDeadAtOnceStartThroughOneBucket) {
  World world({.max_concurrent_starts = 3, .starts_per_second = 10});
  for (int i = 0; i < 40; ++i) world.add_process("s" + std::to_string(i));
  world.advance(minutes(1));
  ASSERT_EQ(world.recorder.board->healthy, 40U);
  std::vector<SteadyTime> starts;
  world.keeper.on_command = [&](const keeper::FakeKeeper::Command& command) {
    if (command.kind == Kind::launch) starts.push_back(command.at);
  };
  for (const std::uint64_t serial : world.processes) world.keeper.crash(serial);
  world.advance(seconds(10));
  EXPECT_EQ(world.recorder.board->healthy, 40U);
  ASSERT_EQ(starts.size(), 40U);
  // A full bucket of 10, then 10 a second.
  EXPECT_GE(starts.back() - starts.front(), Millis(2'900));
  for (const auto serial : world.processes) EXPECT_EQ(world.keeper.launches(serial), 2);
}

}  // namespace
}  // namespace azora::orchestrator
