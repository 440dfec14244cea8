// The core's reactions, one situation each, on virtual time.
#include "azora/orchestrator/core.hpp"

#include <cerrno>

#include "azora/orchestrator/reads/why.hpp"

#include "support/commands.hpp"

namespace azora::orchestrator {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using testing::Test;

TEST(Core, ProcessServiceIsHealthyOnceItAnswers) {
  World world;
  world.add_process("a");
  world.advance(Millis(100));
  EXPECT_EQ(world.lifecycle("a"), Lifecycle::ready);
  EXPECT_EQ(world.status("a"), HealthStatus::healthy);
  EXPECT_EQ(world.view("a")->restart_count, 0);
  for (const Recorder::Seen& one : world.recorder.events) {
    if (one.type == EventType::service_started) {
      EXPECT_EQ(one.cause, "start");
    }
  }
}

TEST(Core, Rule20AProcessCheckIsAsOfTheLastLookAtTheProcess) {
  World world;
  world.add(R"({"id":"a","type":"core","healthCheck":{"type":"process"},"process":{"argv":["true"]}})");
  world.advance(Millis(1500));
  ASSERT_EQ(world.lifecycle("a"), Lifecycle::ready);
  EXPECT_GE(world.view("a")->figures().uptime_ms, 1000);
  EXPECT_GT(world.view("a")->figures().last_check.ms, world.view("a")->start_time.ms);
  world.advance(seconds(60));
  world.turn([&] { world.core.set_usage("a", world.view("a")->incarnation, 1.5, 4096); });
  EXPECT_GE(world.view("a")->figures().uptime_ms, 60'000);
}

TEST(Core, CrashIsHealedAtOnceAndToldInOrder) {
  World world;
  const auto serial = world.add_process("a");
  world.advance(Millis(100));
  const std::size_t before = world.recorder.story("a").size();
  world.keeper.crash(serial);
  world.advance(Millis(300));
  std::vector<std::string> story = world.recorder.story("a");
  story.erase(story.begin(), story.begin() + static_cast<std::ptrdiff_t>(before));
  EXPECT_EQ(story, (std::vector<std::string>{"serviceExited", "serviceUnhealthy", "serviceStarted", "serviceHealthy",
                                             "serviceRestarted"}));
  EXPECT_EQ(world.view("a")->restart_count, 1);
  EXPECT_EQ(world.view("a")->incarnation, 2U);
}

TEST(Core, AKillForWantOfMemoryIsToldAsSuch) {
  World world;
  const auto serial = world.add_process("a");
  world.advance(Millis(100));
  world.keeper.run_out_of_memory(serial);
  world.advance(Millis(300));
  EXPECT_EQ(world.view("a")->process->last_exit->oom, true);
  std::vector<std::string> causes;
  for (const Recorder::Seen& one : world.recorder.events) {
    const bool of_this_death = one.type == EventType::service_exited || one.type == EventType::service_unhealthy ||
                               one.type == EventType::service_restarted;
    if (of_this_death) causes.push_back(std::string(wire_name(one.type)) + " " + std::string(one.cause));
  }
  EXPECT_EQ(causes, (std::vector<std::string>{"serviceExited oom", "serviceUnhealthy oom", "serviceRestarted oom"}));
  EXPECT_EQ(world.view("a")->restart_count, 1);
}

TEST(Core, AWarningOfTheKeeperStandsInWhyUntilTheProcessEnds) {
  World world;
  world.keeper.set_default([](const keeper::Launch& launch) {
    return keeper::FakeKeeper::Behaviour{.warning = launch.incarnation == 1 ? "only half of it" : ""};
  });
  const auto serial = world.add_process("a");
  world.advance(Millis(100));
  EXPECT_NE(why_json(*world.recorder.board, "a", world.loop.now()).value().find("a is healthy; only half of it"), std::string::npos);
  world.keeper.crash(serial);
  world.advance(Millis(300));
  EXPECT_EQ(why_json(*world.recorder.board, "a", world.loop.now()).value().find("only half"), std::string::npos);
}

TEST(Core, R59WhatIsLostOfItsOutputIsInItsViewAndCountedOnce) {
  World world;
  const auto serial = world.add_process("a");
  world.advance(Millis(100));
  EXPECT_EQ(world.view("a")->process->log_loss, nullptr);
  const auto drop = [&](std::uint64_t lines, const keeper::LogLoss& loss) {
    world.keeper.drop_output(serial, lines, loss);
    world.advance(Millis(10));
  };
  drop(3, {.lines = 3, .bytes = 30, .since_wall_ms = 1000, .error = ENOSPC, .goes_on = true});
  const LogLossView& loss = *world.view("a")->process->log_loss;
  EXPECT_EQ(loss.lines, 3U);
  EXPECT_EQ(loss.reason, "No space left on device");
  EXPECT_TRUE(loss.goes_on);
  drop(3, {.lines = 3, .bytes = 30, .since_wall_ms = 1000, .error = ENOSPC});
  EXPECT_FALSE(world.view("a")->process->log_loss->goes_on);
  drop(5, {.lines = 2, .bytes = 20, .since_wall_ms = 2000});
  EXPECT_EQ(world.view("a")->process->log_loss->reason, "the disk was too slow");
  EXPECT_EQ(world.view("a")->process->log_dropped, 5U);
  EXPECT_EQ(world.core.counts().log_dropped, 5U);
  drop(0, {});  // another shim
  EXPECT_EQ(world.view("a")->process->log_loss, nullptr);
  EXPECT_EQ(world.core.counts().log_dropped, 5U);
}

TEST(Core, EveryEndIsAcknowledgedOnceAndBehindItsPublication) {
  World world;
  const auto serial = world.add_process("a");
  world.advance(Millis(100));
  std::vector<std::uint64_t> acknowledged;
  bool seen_first = true;
  world.keeper.on_command = [&](const keeper::FakeKeeper::Command& command) {
    if (command.kind != keeper::FakeKeeper::Command::Kind::acknowledge) return;
    acknowledged.push_back(command.incarnation);
    seen_first &= std::ranges::any_of(world.recorder.events, [&](const Recorder::Seen& one) {
      return one.type == EventType::service_exited && one.incarnation == command.incarnation;
    });
  };
  world.keeper.crash(serial);
  world.advance(Millis(300));
  world.keeper.lose(serial);
  world.advance(seconds(5));
  EXPECT_EQ(acknowledged, (std::vector<std::uint64_t>{1, 2}));
  EXPECT_TRUE(seen_first);
}

TEST(Core, AShimThatMissedItsForgettingIsForgottenAgain) {
  World world;
  const auto serial = world.add_process("a");
  world.advance(Millis(100));
  world.turn([&] { world.keeper.leave_running(serial + 100, 1, "old", {}); });
  world.advance(Millis(100));
  const auto forgets = std::ranges::count_if(world.keeper.commands, [&](const keeper::FakeKeeper::Command& command) {
    return command.kind == keeper::FakeKeeper::Command::Kind::forget && command.serial == serial + 100;
  });
  EXPECT_EQ(forgets, 1);
}

TEST(Core, CrashTakesItOutOfRotationInTheSameTurn) {
  World world;
  const auto serial = world.add_process("a", "\"restartDelay\":5000");
  world.advance(Millis(100));
  ASSERT_EQ(world.recorder.tiers[serial], Tier::healthy);
  world.keeper.crash(serial);
  world.loop.run_until_idle();
  EXPECT_EQ(world.recorder.tiers[serial], Tier::excluded);
}

TEST(Core, SpentBudgetEndsInOneServiceFailed) {
  World world;
  const auto serial = world.add_process("a", "\"maxRestarts\":2");
  world.advance(Millis(100));
  world.keeper.set(serial, {.exec_fails = true});
  world.keeper.crash(serial);
  world.advance(minutes(1));
  EXPECT_EQ(world.lifecycle("a"), Lifecycle::failed);
  EXPECT_EQ(world.recorder.count(EventType::service_failed, "a"), 1);
  EXPECT_EQ(world.keeper.launches(serial), 3);
}

TEST(Core, FailedComesBackByItsHalfOpenTry) {
  World world;
  const auto serial = world.add_process("a", "\"maxRestarts\":1");
  world.advance(Millis(100));
  world.keeper.set(serial, {.exec_fails = true});
  world.keeper.crash(serial);
  world.advance(minutes(1));
  ASSERT_EQ(world.lifecycle("a"), Lifecycle::failed);
  world.keeper.set(serial, {});
  world.advance(minutes(7));
  EXPECT_EQ(world.lifecycle("a"), Lifecycle::ready);
  EXPECT_EQ(world.recorder.count(EventType::service_failed, "a"), 1);
}

TEST(Core, FailedComesBackWhenItsProgramDiffersFromTheOneThatFailed) {
  World world;
  std::uint64_t file = 1;
  world.core.set_file_stamp([&file](const LaunchSpec&, const Stamped& answer) { answer({file}); });
  const auto serial = world.add_process("a", R"("maxRestarts":0)");
  world.advance(seconds(1));
  file = 2;  // between its start and its end: nobody looked then
  world.keeper.crash(serial);
  world.advance(Millis(10));
  ASSERT_EQ(world.lifecycle("a"), Lifecycle::failed);
  world.advance(minutes(10));
  EXPECT_EQ(world.lifecycle("a"), Lifecycle::failed);  // maxRestarts 0: never by itself
  const auto other = world.add_process("b", R"("maxRestarts":1,"restartDelay":0)");
  for (int i = 0; i < 2; ++i) {
    world.advance(seconds(1));
    if (i == 1) file = 3;
    world.keeper.crash(other);
    world.advance(Millis(10));
  }
  ASSERT_EQ(world.lifecycle("b"), Lifecycle::failed);
  world.advance(seconds(2));
  EXPECT_EQ(world.lifecycle("b"), Lifecycle::ready);
  file = 4;  // what was tried last is 3: the next try waits its 30 s, and is not forgotten
  world.keeper.crash(other);
  world.advance(seconds(2));
  ASSERT_EQ(world.lifecycle("b"), Lifecycle::failed);
  world.advance(seconds(30));
  EXPECT_EQ(world.lifecycle("b"), Lifecycle::ready);
}

TEST(Core, HungProcessLeavesRotationAndIsRestarted) {
  World world;
  const auto serial = world.add_process("a");
  world.advance(Millis(100));
  world.prober.set(serial, health::FakeProber::Answer::hang());
  world.advance(seconds(4));
  EXPECT_EQ(world.recorder.tiers[serial], Tier::excluded);
  world.advance(seconds(6));
  EXPECT_GE(world.keeper.launches(serial), 2);
}

TEST(Core, ServiceThatIgnoresItsStopSignalIsKilledAfterStopTimeout) {
  World world;
  const auto serial = world.add_process("a");
  world.keeper.set(serial, {});
  world.advance(Millis(100));
  world.keeper.crash(serial);
  world.keeper.set(serial, {.ignores_stop = true});
  world.advance(Millis(300));
  ASSERT_TRUE(world.keeper.alive(serial));
  command(world, Verb::stop, "a");
  world.advance(seconds(9));
  EXPECT_TRUE(world.keeper.alive(serial));
  world.advance(seconds(2));
  EXPECT_FALSE(world.keeper.alive(serial));
  EXPECT_EQ(world.lifecycle("a"), Lifecycle::idle);
}

TEST(Core, Rule53WhatACrashLeavesIsWaitedForThenKilledAndTheNextStartsBehindIt) {
  World world;
  const auto serial = world.add_process("a");
  world.keeper.set(serial, {.lingers = true});
  command(world, Verb::restart, "a");
  world.advance(seconds(1));
  const int before = world.keeper.launches(serial);
  world.keeper.crash(serial);
  world.advance(Millis(1'900));
  EXPECT_EQ(world.lifecycle("a"), Lifecycle::sweep);
  EXPECT_NE(world.keeper.commands.back().kind, keeper::FakeKeeper::Command::Kind::kill);
  world.advance(Millis(200));
  EXPECT_EQ(world.keeper.launches(serial), before + 1);
  EXPECT_TRUE(world.keeper.violations().empty());
}

TEST(Core, Rule61AProgramThatGoesIntoTheBackgroundIsToldSo) {
  World world;
  const auto serial = world.add_process("a", R"("restartPolicy":"always","maxRestarts":2)");
  world.keeper.set(serial, {.exits_after = Millis(20), .exit_code = 0, .left_pid = 4711, .lingers = true});
  command(world, Verb::restart, "a");
  world.advance(seconds(60));
  EXPECT_EQ(world.lifecycle("a"), Lifecycle::failed) << "by its budget, as after any end";
  EXPECT_TRUE(world.keeper.violations().empty());
  const std::string expected = "left process 4711 behind: a program that goes into the background can be neither watched "
                               "nor healed; keep it in the foreground";
  EXPECT_NE(world.view("a")->figures().last_error().find(expected), std::string::npos);
  EXPECT_EQ(world.view("a")->process->last_exit->left_pid, 4711);
}

TEST(Core, Rule61AJobThatLeavesAProcessIsDoneAndSaysIt) {
  World world;
  const auto serial = world.add_process("a", R"("restartPolicy":"on-failure")");
  world.keeper.set(serial, {.exits_after = Millis(20), .exit_code = 0, .left_pid = 4711});
  command(world, Verb::restart, "a");
  world.advance(seconds(1));
  EXPECT_EQ(world.lifecycle("a"), Lifecycle::done);
  EXPECT_NE(world.view("a")->figures().last_error().find("keep it in the foreground"), std::string::npos);
}

TEST(Core, DependentsWaitAndSpendNothing) {
  World world;
  const auto root = world.add_process("root", "\"maxRestarts\":1,\"failedRetryInterval\":600000");
  for (int i = 0; i < 50; ++i) world.add_process("dep" + std::to_string(i), "\"dependencies\":[\"root\"]");
  world.advance(seconds(5));
  ASSERT_EQ(world.status("dep49"), HealthStatus::healthy);
  world.keeper.set(root, {.exec_fails = true});
  world.keeper.crash(root);
  const int launches = world.keeper.launches_total();
  // While the root is down its dependents die as well, each once.
  for (const std::uint64_t serial : world.processes) world.keeper.crash(serial);
  world.advance(minutes(9));
  EXPECT_EQ(world.lifecycle("dep0"), Lifecycle::blocked);
  EXPECT_LE(world.keeper.launches_total() - launches, 3);
  world.keeper.set(root, {});
  world.advance(minutes(5));
  EXPECT_EQ(world.status("root"), HealthStatus::healthy);
  for (int i = 0; i < 50; ++i) EXPECT_EQ(world.status("dep" + std::to_string(i)), HealthStatus::healthy) << i;
  EXPECT_EQ(world.view("dep7")->restart_count, 1);
}

TEST(Core, UrlOnlyServiceIsNeverRestarted) {
  World world;
  const auto serial = world.add(R"({"id":"u","type":"core","endpoint":"http://127.0.0.1:1","healthCheckInterval":1000})");
  world.advance(seconds(2));
  EXPECT_EQ(world.lifecycle("u"), Lifecycle::watching);
  EXPECT_EQ(world.status("u"), HealthStatus::healthy);
  world.prober.set(serial, health::FakeProber::Answer::refused());
  world.advance(seconds(20));
  EXPECT_EQ(world.status("u"), HealthStatus::unhealthy);
  EXPECT_EQ(world.recorder.count(EventType::healing_unavailable, "u"), 1);
  EXPECT_EQ(world.keeper.launches_total(), 0);
  EXPECT_EQ(world.recorder.count(EventType::service_restarted), 0);
}

TEST(Core, StopEndsDependentsBeforeWhatTheyNeed) {
  World world;
  const auto root = world.add_process("root");
  const auto leaf = world.add_process("leaf", "\"dependencies\":[\"root\"]");
  world.advance(seconds(2));
  ASSERT_TRUE(world.keeper.alive(leaf));
  const LeftRunning answer = stop_all(world, seconds(30));
  const auto& left = *answer;
  EXPECT_TRUE(world.keeper.alive(root));
  world.advance(seconds(1));
  ASSERT_TRUE(left.has_value());
  EXPECT_TRUE(left->empty());
  EXPECT_EQ(world.keeper.alive_count(), 0U);
  EXPECT_FALSE(world.recorder.board->running);
  EXPECT_EQ(world.view("root")->desired, Desired::up);
  world.turn([&] { EXPECT_TRUE(world.core.start().ok()); });
  world.advance(seconds(2));
  EXPECT_EQ(world.status("leaf"), HealthStatus::healthy);
}

// R32b: ten seconds each for leaf, middle and root, which wait for each other; the other ten are beside them.
TEST(Core, AStopLastsNoLongerThanTheLongestChainAndFiveSeconds) {
  World world;
  world.add_process("root");
  world.add_process("middle", R"("dependencies":["root"])");
  world.add_process("leaf", R"("dependencies":["middle"])");
  world.add_process("other");
  world.add_process("down");
  world.advance(seconds(2));
  command(world, Verb::stop, "down");
  world.advance(seconds(2));
  world.keeper.set_delay([] { return std::chrono::hours(1); });  // it is away: no end of a process is seen
  const LeftRunning answer = stop_all(world, std::chrono::minutes(10));
  const auto& left = *answer;
  world.advance(seconds(34));
  EXPECT_FALSE(left.has_value());
  world.advance(seconds(1));
  ASSERT_TRUE(left.has_value());
  EXPECT_EQ(*left, (std::vector<std::string>{"leaf", "middle", "other", "root"}));
}

TEST(Core, UnregisterStopsTheProcessBehindIt) {
  World world;
  const auto serial = world.add_process("a");
  world.advance(Millis(100));
  world.turn([&] { EXPECT_TRUE(world.core.unregister("a", "rest").value()); });
  EXPECT_EQ(world.view("a"), nullptr);
  const auto second = world.add_process("a");
  EXPECT_FALSE(world.keeper.alive(second));
  world.advance(seconds(1));
  EXPECT_FALSE(world.keeper.alive(serial));
  EXPECT_TRUE(world.keeper.alive(second));
  EXPECT_TRUE(world.keeper.violations().empty());
}

TEST(Core, OneRegistrationBuildsOneView) {
  World world;
  std::vector<SpecPtr> specs;
  for (int i = 0; i < 2000; ++i) {
    auto one = parse_service("{\"id\":\"s" + std::to_string(i) +
                                 R"(","type":"core","endpoint":"http://127.0.0.1:9","healthCheckInterval":600000})",
                             {});
    specs.push_back(one.value().front());
  }
  world.turn([&] { ASSERT_TRUE(world.core.register_many(std::move(specs), "rest").ok()); });
  const auto built = [&] { return world.core.counts().views_built; };
  const auto before = built();
  world.add(R"({"id":"one-more","type":"core","endpoint":"http://127.0.0.1:9","healthCheckInterval":600000})");
  EXPECT_LE(built() - before, 3U);
}

}  // namespace
}  // namespace azora::orchestrator
