// start, stop and restart while things happen (R27).
#include <algorithm>

#include "support/commands.hpp"

namespace azora::orchestrator {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using Kind = keeper::FakeKeeper::Command::Kind;

keeper::FakeKeeper::Behaviour leaf_stops_slowly(const keeper::Launch& launch) {
  return {.stops_in = launch.id == "leaf" ? Nanos(seconds(5)) : Nanos(milliseconds(5))};
}

TEST(Verbs, StopLeavesDependentsRunningAndNamesThem) {
  World world;
  world.add_process("root");
  const auto leaf = world.add_process("leaf", R"("dependencies":["root"])");
  world.advance(seconds(2));
  const VerbAnswer answer = command(world, Verb::stop, "root");
  EXPECT_EQ(answer.affected, std::vector<std::string>{"leaf"});
  world.advance(seconds(1));
  EXPECT_EQ(world.lifecycle("root"), Lifecycle::idle);
  EXPECT_TRUE(world.keeper.alive(leaf));
}

TEST(Verbs, StopWithDependentsEndsEachBeforeWhatItNeeds) {
  World world;
  world.keeper.set_default([](const keeper::Launch&) { return keeper::FakeKeeper::Behaviour{.stops_in = seconds(2)}; });
  const auto root = world.add_process("root");
  const auto middle = world.add_process("middle", R"("dependencies":["root"])");
  const auto leaf = world.add_process("leaf", R"("dependencies":["middle"])");
  world.advance(seconds(2));
  ASSERT_EQ(world.status("leaf"), HealthStatus::healthy);
  const std::size_t from = world.keeper.commands.size();
  command(world, Verb::stop, "root", true);
  EXPECT_EQ(world.view("root")->desired, Desired::down);
  EXPECT_EQ(world.view("middle")->desired, Desired::down);
  world.advance(seconds(1));
  EXPECT_TRUE(world.keeper.alive(middle));
  EXPECT_FALSE(place(world, Kind::stop, middle, from));
  world.advance(seconds(2));
  EXPECT_FALSE(world.keeper.alive(leaf));
  EXPECT_TRUE(world.keeper.alive(root));
  EXPECT_FALSE(place(world, Kind::stop, root, from));
  world.advance(seconds(4));
  for (const char* id : {"root", "middle", "leaf"}) EXPECT_EQ(wire_name(world.lifecycle(id)), "IDLE") << id;
  world.advance(minutes(10));
  EXPECT_EQ(world.keeper.alive_count(), 0U);
}

TEST(Verbs, WaitingForItsDependentsACrashedServiceStaysDown) {
  World world;
  const auto root = world.add_process("root");
  const auto leaf = world.add_process("leaf", R"("dependencies":["root"])");
  restart_as(world, leaf, {.ignores_stop = true});
  ASSERT_TRUE(world.keeper.alive(leaf));
  command(world, Verb::stop, "root", true);
  world.keeper.crash(root);
  world.advance(seconds(5));
  EXPECT_FALSE(world.keeper.alive(root));
  world.advance(minutes(5));
  EXPECT_EQ(world.keeper.alive_count(), 0U);
  EXPECT_EQ(world.lifecycle("root"), Lifecycle::idle);
}

TEST(Verbs, RestartWithDependentsTakesThemFirstAndBringsThemBackLast) {
  World world;
  world.keeper.set_default([](const keeper::Launch&) { return keeper::FakeKeeper::Behaviour{.stops_in = seconds(1)}; });
  const auto root = world.add_process("root");
  const auto leaf = world.add_process("leaf", R"("dependencies":["root"])");
  world.advance(seconds(2));
  const std::size_t from = world.keeper.commands.size();
  command(world, Verb::restart, "root", true);
  world.advance(Millis(500));
  EXPECT_FALSE(place(world, Kind::stop, root, from));
  world.advance(seconds(5));
  const auto leaf_stop = place(world, Kind::stop, leaf, from);
  const auto root_stop = place(world, Kind::stop, root, from);
  const auto root_start = place(world, Kind::launch, root, from);
  const auto leaf_start = place(world, Kind::launch, leaf, from);
  ASSERT_TRUE(leaf_stop && root_stop && root_start && leaf_start);
  EXPECT_LT(*leaf_stop, *root_stop);
  EXPECT_LT(*root_stop, *root_start);
  EXPECT_LT(*root_start, *leaf_start);
  EXPECT_EQ(world.status("leaf"), HealthStatus::healthy);
  EXPECT_EQ(world.recorder.count(EventType::service_restarted, "leaf"), 1);
  EXPECT_EQ(world.recorder.count(EventType::service_restarted, "root"), 1);
  EXPECT_EQ(world.recorder.count(EventType::service_unhealthy), 0);
}

TEST(Verbs, RestartWithDependentsReachesThoseBehindOneThatIsDown) {
  World world;
  world.keeper.set_default([](const keeper::Launch&) { return keeper::FakeKeeper::Behaviour{.stops_in = seconds(1)}; });
  world.add_process("root");
  world.add_process("middle", R"("dependencies":["root"])");
  world.add_process("leaf", R"("dependencies":["middle"])");
  world.add_process("tip", R"("dependencies":["leaf"])");
  world.advance(seconds(2));
  command(world, Verb::stop, "middle");
  world.advance(seconds(2));
  command(world, Verb::restart, "root", true);
  world.advance(seconds(10));
  EXPECT_EQ(world.status("root"), HealthStatus::healthy);
  for (const char* id : {"leaf", "tip"}) EXPECT_EQ(wire_name(world.lifecycle(id)), "BLOCKED") << id;
  command(world, Verb::start, "middle");
  world.advance(seconds(5));
  for (const char* id : {"middle", "leaf", "tip"}) EXPECT_EQ(world.status(id), HealthStatus::healthy) << id;
}

TEST(Verbs, ANewerVerbTakesTheWaitingOnesPlace) {
  World world;
  const auto root = world.add_process("root");
  const auto leaf = world.add_process("leaf", R"("dependencies":["root"])");
  restart_as(world, leaf, {.stops_in = seconds(3)});
  command(world, Verb::stop, "root", true);
  world.advance(seconds(1));
  command(world, Verb::start, "root");
  world.advance(seconds(10));
  EXPECT_TRUE(world.keeper.alive(root));
  EXPECT_EQ(world.view("root")->incarnation, 1U);
  EXPECT_EQ(world.lifecycle("leaf"), Lifecycle::idle);
}

TEST(Verbs, StartWithDependenciesRaisesThem) {
  World world;
  const auto root = world.add_process("root");
  const auto leaf = world.add_process("leaf", R"("dependencies":["root"])");
  world.advance(seconds(1));
  command(world, Verb::stop, "root", true);
  world.advance(seconds(1));
  ASSERT_EQ(world.keeper.alive_count(), 0U);
  command(world, Verb::start, "leaf");
  world.advance(seconds(1));
  EXPECT_FALSE(world.keeper.alive(leaf));
  EXPECT_EQ(world.lifecycle("leaf"), Lifecycle::blocked);
  command(world, Verb::start, "leaf", false, true);
  world.advance(seconds(1));
  EXPECT_TRUE(world.keeper.alive(root));
  EXPECT_TRUE(world.keeper.alive(leaf));
}

TEST(Verbs, StartOfARunningServiceDoesNothing) {
  World world;
  world.add_process("a");
  world.advance(seconds(1));
  command(world, Verb::start, "a");
  world.advance(seconds(1));
  EXPECT_EQ(world.view("a")->incarnation, 1U);
}

TEST(Verbs, RestartIsNoFailure) {
  World world;
  world.add_process("a", R"("maxRestarts":1)");
  world.advance(seconds(1));
  for (int i = 0; i < 5; ++i) {
    command(world, Verb::restart, "a");
    world.advance(seconds(1));
  }
  EXPECT_EQ(world.status("a"), HealthStatus::healthy);
  EXPECT_EQ(world.view("a")->restart_count, 5);
  EXPECT_EQ(world.recorder.count(EventType::service_unhealthy), 0);
  EXPECT_EQ(world.recorder.count(EventType::service_failed), 0);
}

TEST(Verbs, StopDuringBackoffCancelsTheAttempt) {
  World world;
  const auto a = world.add_process("a", R"("restartDelay":5000)");
  world.advance(seconds(1));
  world.keeper.crash(a);
  world.advance(seconds(1));
  ASSERT_EQ(world.lifecycle("a"), Lifecycle::backoff);
  command(world, Verb::stop, "a");
  EXPECT_EQ(world.lifecycle("a"), Lifecycle::idle);
  world.advance(minutes(10));
  EXPECT_EQ(world.keeper.launches(a), 1);
}

TEST(Verbs, CrashDuringStopStaysDownAndDuringRestartComesUp) {
  World world;
  const auto a = world.add_process("a");
  restart_as(world, a, {.ignores_stop = true});
  command(world, Verb::stop, "a");
  world.keeper.crash(a);
  world.advance(seconds(30));
  EXPECT_EQ(world.lifecycle("a"), Lifecycle::idle);
  command(world, Verb::start, "a");
  world.advance(seconds(1));
  const auto restarts = world.view("a")->restart_count;
  command(world, Verb::restart, "a");
  world.keeper.crash(a);
  world.advance(seconds(1));
  EXPECT_EQ(world.status("a"), HealthStatus::healthy);
  EXPECT_EQ(world.view("a")->restart_count, restarts + 1);
}

TEST(Verbs, StartWaitsForTheFormerBearerOfTheId) {
  World world;
  const auto old = world.add_process("a");
  restart_as(world, old, {.ignores_stop = true});
  ASSERT_TRUE(world.keeper.alive(old));
  world.turn([&] { EXPECT_TRUE(world.core.unregister("a", "rest").value()); });
  const auto successor = world.add_process("a");
  for (const Verb verb : {Verb::start, Verb::restart}) {
    command(world, verb, "a");
    world.advance(seconds(1));
    EXPECT_TRUE(world.keeper.alive(old));
    EXPECT_FALSE(world.keeper.alive(successor));
  }
  world.advance(seconds(15));
  EXPECT_FALSE(world.keeper.alive(old));
  EXPECT_TRUE(world.keeper.alive(successor));
}

TEST(Verbs, AResultThatComesAfterItsRegistrationIsNotTheNextOnes) {
  World world;
  const std::string text = R"({"id":"u","type":"core","endpoint":"http://127.0.0.1:1","healthCheckInterval":1000})";
  const auto fail = [&] {
    const auto serial = world.add(text, &kCallableAction);
    world.advance(seconds(1));
    world.prober.set(serial, health::FakeProber::Answer::http(503));
    world.advance(seconds(5));
    return serial;
  };
  const auto first = fail();
  world.turn([&] { ASSERT_TRUE(world.core.unregister("u", "rest").ok()); });
  const auto second = fail();
  const std::vector<actions::ActionRequest> calls = world.callable.starts();
  ASSERT_EQ(calls.size(), 2U);
  ASSERT_EQ(calls[0].run.incarnation, calls[1].run.incarnation);
  EXPECT_EQ(calls[0].run.serial, first);
  EXPECT_EQ(calls[1].run.serial, second);
  world.turn([&] { world.callable.answer(calls[0].run, {}); });
  EXPECT_EQ(world.lifecycle("u"), Lifecycle::starting);
  world.prober.unset(second);
  world.advance(seconds(3));
  EXPECT_EQ(world.recorder.count(EventType::service_restarted), 0) << "its own callable has not returned";
  world.turn([&] { world.callable.answer(calls[1].run, {}); });
  world.advance(seconds(3));
  EXPECT_EQ(world.recorder.count(EventType::service_restarted), 1);
}

// A start of what depends on them takes the place of the stops that wait for those dependencies.
TEST(Verbs, AStartWithDependenciesDropsTheirStagedStops) {
  World world;
  world.keeper.set_default(leaf_stops_slowly);
  const auto root = world.add_process("root");
  const auto mid = world.add_process("mid", R"("dependencies":["root"])");
  const auto leaf = world.add_process("leaf", R"("dependencies":["mid"])");
  world.advance(seconds(5));
  command(world, Verb::stop, "root", true);
  world.advance(seconds(1));
  command(world, Verb::start, "leaf", false, true);
  world.advance(seconds(30));
  EXPECT_TRUE(world.keeper.alive(root));
  EXPECT_TRUE(world.keeper.alive(mid));
  EXPECT_TRUE(world.keeper.alive(leaf));
  EXPECT_EQ(world.status("leaf"), HealthStatus::healthy);
}

// A stop that takes dependents along takes the place of what waits for them.
TEST(Verbs, AStopWithDependentsDropsTheirStagedRestarts) {
  World world;
  world.keeper.set_default(leaf_stops_slowly);
  const auto root = world.add_process("root");
  const auto mid = world.add_process("mid", R"("dependencies":["root"])");
  const auto leaf = world.add_process("leaf", R"("dependencies":["mid"])");
  world.advance(seconds(5));
  command(world, Verb::restart, "mid", true);
  world.advance(seconds(1));
  command(world, Verb::stop, "root", true);
  world.advance(seconds(30));
  for (const char* id : {"root", "mid", "leaf"}) EXPECT_EQ(world.view(id)->desired, Desired::down) << id;
  EXPECT_FALSE(world.keeper.alive(root) || world.keeper.alive(mid) || world.keeper.alive(leaf));
}

// Overwriting a service that waits for its turn to stop does not start it again before that turn.
TEST(Verbs, OverwritingOneThatWaitsToStopDoesNotStartItAgain) {
  World world;
  world.keeper.set_default(leaf_stops_slowly);
  world.add_process("root");
  const auto mid = world.add_process("mid", R"("dependencies":["root"])");
  const auto leaf = world.add_process("leaf", R"("dependencies":["mid"])");
  world.advance(seconds(5));
  const int launches = world.keeper.launches(mid);
  command(world, Verb::restart, "root", true);
  world.add_process("mid", R"("dependencies":["root"],"priority":7)");
  world.keeper.crash(mid);
  world.advance(seconds(3));
  EXPECT_EQ(world.keeper.launches(mid), launches);
  world.advance(seconds(30));
  EXPECT_EQ(world.keeper.launches(mid), launches + 1);
  EXPECT_TRUE(world.keeper.alive(leaf));
}

TEST(Verbs, OneThatWasStuckInItsStopEndsAsStopped) {
  World world;
  world.keeper.set_default(
      [](const keeper::Launch&) { return keeper::FakeKeeper::Behaviour{.ignores_stop = true, .ignores_kill = true}; });
  const auto serial = world.add_process("a");
  world.advance(seconds(2));
  command(world, Verb::restart, "a");
  world.advance(minutes(5));
  ASSERT_EQ(world.lifecycle("a"), Lifecycle::stuck);
  world.keeper.crash(serial);
  world.advance(milliseconds(1));
  const auto exited = std::find_if(world.recorder.events.begin(), world.recorder.events.end(),
                                   [](const Recorder::Seen& one) { return one.type == EventType::service_exited; });
  ASSERT_NE(exited, world.recorder.events.end());
  EXPECT_EQ(exited->cause, "operator");
}

}  // namespace
}  // namespace azora::orchestrator
