// Stop and start of the whole (R31).
#include "support/commands.hpp"

namespace azora::orchestrator {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

TEST(WholeStop, StartDuringStopBringsEverybodyBack) {
  World world;
  const auto root = world.add_process("root");
  const auto leaf = world.add_process("leaf", R"("dependencies":["root"])");
  restart_as(world, leaf, {.stops_in = seconds(3)});
  const LeftRunning answer = stop_all(world, seconds(30));
  const auto& left = *answer;
  world.advance(seconds(1));
  EXPECT_FALSE(left.has_value());
  world.turn([&] { EXPECT_TRUE(world.core.start().ok()); });
  ASSERT_TRUE(left.has_value());
  EXPECT_EQ(*left, (std::vector<std::string>{"leaf", "root"}));
  world.advance(seconds(20));
  EXPECT_TRUE(world.keeper.alive(root));
  EXPECT_EQ(world.view("root")->incarnation, 1U);
  EXPECT_EQ(world.status("leaf"), HealthStatus::healthy);
}

// One pass after failures is not health yet, whatever came between.
TEST(WholeStop, ARestartByCallableIsVerifiedAfterItAsWell) {
  World world;
  const auto serial = world.add(R"({"id":"u","type":"core","endpoint":"http://127.0.0.1:1","healthCheckInterval":1000})", &kCallableAction);
  world.advance(seconds(1));
  world.prober.set(serial, health::FakeProber::Answer::http(503));
  world.advance(seconds(5));
  ASSERT_EQ(world.callable.starts().size(), 1U);
  world.turn([&] { world.callable.answer(world.callable.starts()[0].run, {}); });
  stop_all(world, seconds(1));
  world.turn([&] { EXPECT_TRUE(world.core.start().ok()); });
  world.advance(seconds(3));
  EXPECT_EQ(world.recorder.count(EventType::service_restarted), 0);
  world.prober.unset(serial);
  world.advance(seconds(2));
  EXPECT_EQ(world.recorder.count(EventType::service_restarted), 1);
  EXPECT_EQ(world.status("u"), HealthStatus::healthy);
}

TEST(WholeStop, ItsDeadlineKillsWhoeverIsLeftAsAPlannedEnd) {
  World world;
  const auto root = world.add_process("root");
  const auto leaf = world.add_process("leaf", R"("dependencies":["root"])");
  restart_as(world, leaf, {.ignores_stop = true});
  const LeftRunning answer = stop_all(world, seconds(2));
  const auto& left = *answer;
  world.advance(seconds(3));
  ASSERT_TRUE(left.has_value());
  EXPECT_EQ(*left, (std::vector<std::string>{"leaf", "root"}));
  EXPECT_FALSE(world.keeper.alive(root));
  EXPECT_FALSE(world.keeper.alive(leaf));
  for (const char* id : {"root", "leaf"}) EXPECT_EQ(wire_name(world.lifecycle(id)), "IDLE") << id;
  world.turn([&] { EXPECT_TRUE(world.core.start().ok()); });
  world.advance(seconds(3));
  EXPECT_EQ(world.status("leaf"), HealthStatus::healthy);
}

// Whoever needed it is gone from the registry, or needs something else now.
TEST(WholeStop, NobodyWaitsForADependentThatNeedsItNoMore) {
  World world;
  const auto root = world.add_process("root");
  const auto other = world.add_process("other");
  const auto leaf = world.add_process("leaf", R"("dependencies":["root"])");
  const auto twig = world.add_process("twig", R"("dependencies":["other"])");
  for (const auto serial : {leaf, twig}) world.keeper.set(serial, {.ignores_stop = true});
  world.advance(seconds(1));
  for (const auto serial : {leaf, twig}) world.keeper.crash(serial);
  world.advance(seconds(1));
  bool stopped = false;
  world.turn([&] {
    world.core.stop(world.loop.now().steady + minutes(1), [&](const std::vector<std::string>& left) { stopped = left.empty(); });
  });
  world.advance(seconds(1));
  ASSERT_TRUE(world.keeper.alive(root) && world.keeper.alive(other));
  world.turn([&] { EXPECT_TRUE(world.core.unregister("leaf", "rest").value()); });
  world.add_process("twig");
  world.advance(seconds(1));
  EXPECT_FALSE(world.keeper.alive(root));
  EXPECT_FALSE(world.keeper.alive(other));
  EXPECT_FALSE(stopped);
  world.advance(seconds(20));
  EXPECT_TRUE(stopped);
}

// What a callable was about to be called for is void once the whole was stopped.
TEST(WholeStop, ACallableIsNotCalledForAServiceThatIsWell) {
  World world;
  const auto calls = [&] { return world.callable.starts().size(); };
  const auto serial = world.add(R"({"id":"u","type":"core","endpoint":"http://127.0.0.1:1","healthCheckInterval":1000,)"
                                R"("restartDelay":3000})", &kCallableAction);
  world.advance(seconds(1));
  world.prober.set(serial, health::FakeProber::Answer::http(503));
  world.advance(seconds(10));
  ASSERT_EQ(calls(), 1U);
  world.turn([&] { world.callable.answer(world.callable.starts()[0].run, {.ok = false, .reason = "it raised"}); });
  ASSERT_EQ(world.lifecycle("u"), Lifecycle::backoff);
  stop_all(world, seconds(1));
  world.advance(seconds(20));
  world.prober.unset(serial);
  world.turn([&] { EXPECT_TRUE(world.core.start().ok()); });
  world.advance(seconds(10));
  EXPECT_EQ(calls(), 1U);
  EXPECT_EQ(world.status("u"), HealthStatus::healthy);
  // It is healed as before.
  world.prober.set(serial, health::FakeProber::Answer::http(503));
  world.advance(seconds(10));
  EXPECT_EQ(calls(), 2U);
}

// R32b: what is to be kept is not stopped, and does not hold up what is.
TEST(WholeStop, LeavesAloneWhatOutlivesIt) {
  World world;
  const auto db = world.add_process("db");
  const auto kept = world.add_process("kept", R"("dependencies":["db"],"orphanPolicy":"keep")");
  const auto leaf = world.add_process("leaf", R"("dependencies":["kept"])");
  world.advance(seconds(1));
  const LeftRunning answer = stop_all(world, seconds(30), StopScope::not_kept);
  world.advance(seconds(5));
  ASSERT_TRUE(answer->has_value());
  EXPECT_EQ(**answer, std::vector<std::string>{});
  EXPECT_TRUE(world.keeper.alive(kept));
  EXPECT_FALSE(world.keeper.alive(db));
  EXPECT_FALSE(world.keeper.alive(leaf));
  EXPECT_EQ(world.core.processes_alive(), 1U);

  const LeftRunning rest = stop_all(world, seconds(30));
  world.advance(seconds(5));
  ASSERT_TRUE(rest->has_value());
  EXPECT_EQ(**rest, std::vector<std::string>{});
  EXPECT_FALSE(world.keeper.alive(kept));
}

TEST(WholeStop, AWiderStopTakesOverANarrowerOne) {
  World world;
  const auto slow = world.add_process("slow");
  const auto kept = world.add_process("kept", R"("orphanPolicy":"keep")");
  restart_as(world, slow, {.stops_in = seconds(3)});
  const LeftRunning narrow = stop_all(world, seconds(30), StopScope::not_kept);
  world.advance(seconds(1));
  EXPECT_TRUE(world.keeper.alive(kept));
  const LeftRunning wide = stop_all(world, seconds(30));
  world.advance(seconds(5));
  ASSERT_TRUE(narrow->has_value());
  ASSERT_TRUE(wide->has_value());
  EXPECT_FALSE(world.keeper.alive(kept));
}

TEST(WholeStop, ItsDeadlineDoesNotKillWhatOutlivesIt) {
  World world;
  const auto stubborn = world.add_process("stubborn");
  const auto kept = world.add_process("kept", R"("orphanPolicy":"keep")");
  restart_as(world, stubborn, {.stops_in = minutes(10)});
  const LeftRunning answer = stop_all(world, seconds(2), StopScope::not_kept);
  world.advance(seconds(3));
  ASSERT_TRUE(answer->has_value());
  EXPECT_EQ(**answer, std::vector<std::string>{"stubborn"});
  EXPECT_FALSE(world.keeper.alive(stubborn));
  EXPECT_TRUE(world.keeper.alive(kept));
}

}  // namespace
}  // namespace azora::orchestrator
