// The orchestrator ends at any instant; the next one takes its fleet back.
#include <gtest/gtest.h>

#include "support/lives.hpp"

namespace azora::orchestrator {
namespace {

using std::chrono::seconds;

TEST(Restore, AHealthyServiceGoesOnWithoutARestartAndWithoutAGap) {
  Lives lives;
  const std::uint64_t serial = lives.add_process("a");
  lives.add("{\"id\":\"url\",\"type\":\"core\",\"endpoint\":\"http://127.0.0.1:9001\"}");
  lives.advance(seconds(5));
  ASSERT_EQ(lives.lifecycle("a"), Lifecycle::ready);
  const int pid = *lives.view("a")->process->pid;
  lives.crash();
  lives.advance(seconds(3));
  ASSERT_TRUE(lives.begin().ok());
  // Its last published status was healthy: it may be picked before its first check.
  EXPECT_EQ(lives.lifecycle("a"), Lifecycle::adopt);
  EXPECT_EQ(lives.recorder().tiers[serial], Tier::healthy);
  EXPECT_EQ(lives.view("a")->status, HealthStatus::healthy);
  EXPECT_NE(lives.view("url")->status, HealthStatus::healthy);
  lives.advance(Millis(20));
  EXPECT_EQ(lives.lifecycle("a"), Lifecycle::ready) << "its first check is due at once";
  EXPECT_EQ(lives.serial("a"), serial);
  EXPECT_EQ(lives.view("a")->status, HealthStatus::healthy);
  EXPECT_EQ(lives.view("a")->incarnation, 1U);
  EXPECT_EQ(*lives.view("a")->process->pid, pid);
  EXPECT_EQ(lives.view("a")->restart_count, 0);
  EXPECT_EQ(lives.keeper.launches(serial), 1);
  EXPECT_EQ(lives.recorder().count(EventType::service_restarted) + lives.recorder().count(EventType::service_exited), 0);
  EXPECT_EQ(lives.view("url")->status, HealthStatus::healthy);
}

TEST(Restore, IsNotPickedBeforeItsFirstCheckWhereItWasNotHealthy) {
  Lives lives;
  const std::uint64_t serial = lives.add_process("a", R"("healthCheck":{"restartThreshold":100})");
  lives.advance(seconds(2));
  lives.now().prober.set(serial, health::FakeProber::Answer::http(500));
  lives.advance(seconds(5));
  ASSERT_EQ(lives.view("a")->status, HealthStatus::unhealthy);
  lives.crash_and_begin();
  EXPECT_EQ(lives.recorder().tiers[serial], Tier::excluded);
  lives.advance(Millis(20));
  EXPECT_EQ(lives.recorder().tiers[serial], Tier::healthy);
  EXPECT_EQ(lives.keeper.launches(serial), 1);
}

TEST(Restore, AnExitOfTheMeantimeIsReportedAndHealed) {
  Lives lives;
  const std::uint64_t serial = lives.add_process("a");
  lives.advance(seconds(2));
  lives.crash();
  lives.keeper.crash(serial);
  lives.advance(seconds(1));
  ASSERT_TRUE(lives.begin().ok());
  lives.advance(seconds(2));
  EXPECT_EQ(lives.recorder().count(EventType::service_exited, "a"), 1);
  EXPECT_EQ(lives.lifecycle("a"), Lifecycle::ready);
  EXPECT_EQ(lives.view("a")->incarnation, 2U);
  EXPECT_EQ(lives.view("a")->restart_count, 1);
  EXPECT_EQ(lives.keeper.launches(serial), 2);
  EXPECT_TRUE(lives.keeper.violations().empty());
}

TEST(Restore, WhatItsOwnerStoppedStaysStopped) {
  Lives lives;
  const std::uint64_t serial = lives.add_process("a");
  lives.advance(seconds(2));
  lives.command(Verb::stop, "a");
  lives.advance(seconds(1));
  lives.crash_and_begin();
  lives.advance(seconds(5));
  EXPECT_EQ(lives.lifecycle("a"), Lifecycle::idle);
  EXPECT_EQ(lives.view("a")->desired, Desired::down);
  EXPECT_EQ(lives.keeper.launches(serial), 1);
}

// The intent is on the disk before the signal: without it, exit 0 would read as the end of a job.
TEST(Restore, AnOperatorsRestartThatWasUnderWayIsFinished) {
  Lives lives;
  const std::uint64_t serial = lives.add_process("a", R"("restartPolicy":"on-failure")");
  lives.advance(seconds(2));
  lives.keeper.set_stops_in(serial, seconds(60));
  lives.command(Verb::restart, "a");
  ASSERT_EQ(lives.lifecycle("a"), Lifecycle::stopping);
  lives.crash();
  lives.keeper.crash(serial, 0);  // exits with 0 on the signal
  lives.advance(seconds(1));
  ASSERT_TRUE(lives.begin().ok());
  lives.advance(seconds(2));
  EXPECT_EQ(lives.lifecycle("a"), Lifecycle::ready);
  EXPECT_EQ(lives.view("a")->incarnation, 2U);
  EXPECT_EQ(lives.view("a")->healing_or_default().attempts, 0);
}

TEST(Restore, AStopThatWasUnderWayIsFinished) {
  Lives lives;
  const std::uint64_t serial = lives.add_process("a");
  lives.advance(seconds(2));
  lives.keeper.set_stops_in(serial, seconds(60));
  lives.command(Verb::stop, "a");
  lives.crash_and_begin();
  ASSERT_EQ(lives.lifecycle("a"), Lifecycle::stopping);
  lives.keeper.crash(serial, 0);
  lives.advance(seconds(1));
  EXPECT_EQ(lives.lifecycle("a"), Lifecycle::idle);
  EXPECT_EQ(lives.keeper.launches(serial), 1);
}

// Its start was decided and stored, and the command never left.
TEST(Restore, AStartThatNeverLeftIsMadeAndCostsNothing) {
  Lives lives;
  lives.store.set_mode(store::FakeStore::Mode::hung);
  const std::uint64_t serial = lives.add_process("a", R"("maxRestarts":0)");
  lives.advance(Millis(100));
  ASSERT_EQ(lives.keeper.launches(serial), 0);
  lives.crash(1'000);  // all of it had reached the disk
  lives.store.set_mode(store::FakeStore::Mode::prompt);
  ASSERT_TRUE(lives.begin().ok());
  lives.advance(seconds(2));
  EXPECT_EQ(lives.keeper.launches(serial), 1);
  EXPECT_EQ(lives.lifecycle("a"), Lifecycle::ready);
  EXPECT_EQ(lives.view("a")->healing_or_default().attempts, 0);
  EXPECT_EQ(lives.recorder().count(EventType::service_failed), 0);
}

TEST(Restore, WhatWasNeverStoredIsNotThere) {
  Lives lives;
  lives.add_process("a");
  lives.advance(seconds(1));
  lives.store.set_mode(store::FakeStore::Mode::hung);
  lives.turn([&] {
    const std::string text = R"({"id":"b","type":"core","endpoint":"http://127.0.0.1:9009"})";
    auto specs = parse_service(text, {.origin = Origin::python, .base_dir = {}, .given_action = nullptr});
    (void)lives.core().register_many(std::move(specs).value(), "python");
  });
  lives.crash();
  lives.store.set_mode(store::FakeStore::Mode::prompt);
  ASSERT_TRUE(lives.begin().ok());
  EXPECT_TRUE(lives.view("a"));
  EXPECT_FALSE(lives.view("b"));
}

TEST(Restore, BudgetAndBackoffGoOnWhereTheyWere) {
  Lives lives;
  const std::uint64_t serial = lives.add_process("a", R"("restartDelay":20000,"maxRestarts":3)");
  lives.advance(seconds(2));
  lives.keeper.crash(serial);
  lives.advance(seconds(2));
  ASSERT_EQ(lives.lifecycle("a"), Lifecycle::backoff);
  lives.crash_and_begin();
  ASSERT_EQ(lives.lifecycle("a"), Lifecycle::backoff);
  lives.advance(seconds(10));
  EXPECT_EQ(lives.keeper.launches(serial), 1) << "restartDelay is not over";
  lives.advance(seconds(20));
  EXPECT_EQ(lives.keeper.launches(serial), 2);
  EXPECT_EQ(lives.view("a")->healing_or_default().attempts, 1);
}

// Nothing has come back: the dependencies that it has, none, are satisfied as before.
TEST(Restore, WhatWaitsForItsTimeIsNotHastenedBecauseOfUs) {
  Lives lives;
  const std::uint64_t serial = lives.add_process("a", R"("maxRestarts":10,"restartFactor":10)");
  lives.advance(seconds(2));
  while (lives.lifecycle("a") != Lifecycle::backoff || lives.view("a")->healing_or_default().attempts < 2) {
    lives.keeper.crash(serial);
    lives.advance(Millis(100));
  }
  const int launches = lives.keeper.launches(serial);
  const SteadyTime due = *lives.view("a")->healing_or_default().next_attempt;
  ASSERT_GT(due - lives.loop.now().steady, seconds(5));
  lives.crash_and_begin();
  lives.advance(seconds(4));
  EXPECT_EQ(lives.lifecycle("a"), Lifecycle::backoff);
  EXPECT_EQ(lives.keeper.launches(serial), launches);
  lives.advance(due + seconds(2) - lives.loop.now().steady);
  EXPECT_EQ(lives.keeper.launches(serial), launches + 1);
}

TEST(Restore, WhatWasGivenUpOnKeepsItsTime) {
  Lives lives;
  const std::uint64_t serial = lives.add_process("a", R"("maxRestarts":1)");
  lives.advance(seconds(2));
  while (lives.lifecycle("a") != Lifecycle::failed) {
    lives.keeper.crash(serial);
    lives.advance(Millis(100));
  }
  lives.crash_and_begin();
  lives.advance(seconds(60));
  EXPECT_EQ(lives.lifecycle("a"), Lifecycle::failed);
  EXPECT_EQ(lives.keeper.launches(serial), 2);
  lives.advance(seconds(400));
  EXPECT_EQ(lives.keeper.launches(serial), 3) << "failedRetryInterval is over";
}

// One that we killed for its checks is down: the other one of its group is not killed, also by the next orchestrator.
TEST(Restore, APermitToKillIsHeldByTheNextOrchestrator) {
  Lives lives;
  const std::string group = R"("group":"g","restartDelay":20000,"maxRestarts":9)";
  const std::uint64_t a = lives.add_process("a", group);
  const std::uint64_t b = lives.add_process("b", group);
  lives.advance(seconds(3));
  lives.now().prober.set(a, health::FakeProber::Answer::http(500));
  lives.advance(seconds(10));
  ASSERT_EQ(lives.lifecycle("a"), Lifecycle::backoff);
  lives.crash_and_begin();
  lives.advance(seconds(1));
  lives.now().prober.set(b, health::FakeProber::Answer::http(500));
  lives.advance(seconds(6));
  EXPECT_TRUE(lives.keeper.alive(b)) << "the whole group is down by our own hand";
  lives.advance(seconds(60));
  EXPECT_GT(lives.keeper.launches(b), 1) << "its turn comes when the other one is back";
  EXPECT_EQ(lives.lifecycle("a"), Lifecycle::ready);
}

TEST(Restore, WhatEndedMeanwhileIsNotChecked) {
  Lives lives;
  const std::uint64_t serial = lives.add_process("a", R"("restartDelay":20000)");
  lives.advance(seconds(2));
  lives.crash();
  lives.keeper.crash(serial);
  lives.advance(seconds(1));
  lives.keeper.set_delay([reports = 0]() mutable { return Millis(50 * ++reports); });  // its end comes later than its finding
  ASSERT_TRUE(lives.begin().ok());
  lives.advance(seconds(5));
  EXPECT_EQ(lives.lifecycle("a"), Lifecycle::backoff);
  EXPECT_EQ(lives.now().prober.asked(serial), 0U);
}

TEST(Restore, TheEndOfARunThatTheFailingStoreDidNotLearnOfIsNotTakenForThatOfTheNext) {
  Lives lives;
  const std::uint64_t serial = lives.add_process("a");
  lives.advance(seconds(2));
  lives.store.set_mode(store::FakeStore::Mode::failing);
  lives.keeper.crash(serial);
  lives.advance(seconds(5));
  ASSERT_EQ(lives.view("a")->incarnation, 2U);
  lives.crash();
  lives.keeper.crash(serial);
  lives.advance(seconds(1));
  lives.store.set_mode(store::FakeStore::Mode::prompt);
  ASSERT_TRUE(lives.begin().ok());
  lives.advance(seconds(5));
  EXPECT_EQ(lives.view("a")->incarnation, 3U);
  EXPECT_EQ(lives.lifecycle("a"), Lifecycle::ready);
  EXPECT_EQ(lives.keeper.launches(serial), 3);
  EXPECT_TRUE(lives.keeper.violations().empty());
}

TEST(Restore, WhatHadFailedIsNotTriedAgainBecauseOfUs) {
  Lives lives;
  const std::uint64_t serial = lives.add_process("a", R"("maxRestarts":0)");
  lives.advance(seconds(2));
  lives.keeper.crash(serial);
  lives.advance(seconds(2));
  ASSERT_EQ(lives.lifecycle("a"), Lifecycle::failed);
  lives.crash_and_begin();
  lives.advance(seconds(5));
  EXPECT_EQ(lives.lifecycle("a"), Lifecycle::failed);
  EXPECT_EQ(lives.keeper.launches(serial), 1);
  EXPECT_EQ(lives.recorder().count(EventType::service_failed), 0) << "it was said before";
}

TEST(Restore, AfterARebootAllThatIsWantedIsStartedInOrderAtNoCost) {
  Lives lives;
  const std::uint64_t db = lives.add_process("db");
  const std::uint64_t api = lives.add_process("api", R"("dependencies":["db"],"maxRestarts":0)");
  lives.add_process("off");
  lives.advance(seconds(3));
  lives.command(Verb::stop, "off");
  lives.advance(seconds(1));
  lives.reboot();
  lives.advance(seconds(3));
  EXPECT_EQ(lives.lifecycle("db"), Lifecycle::ready);
  EXPECT_EQ(lives.lifecycle("api"), Lifecycle::ready);
  EXPECT_EQ(lives.lifecycle("off"), Lifecycle::idle);
  EXPECT_EQ(lives.view("api")->incarnation, 2U);
  EXPECT_EQ(lives.view("api")->healing_or_default().attempts, 0);
  std::vector<std::uint64_t> started;
  for (const auto& command : lives.keeper.commands) {
    EXPECT_NE(command.kind, keeper::FakeKeeper::Command::Kind::adopt);
    if (command.kind == keeper::FakeKeeper::Command::Kind::launch && command.incarnation == 2) started.push_back(command.serial);
  }
  EXPECT_EQ(started, (std::vector<std::uint64_t>{db, api}));
}

TEST(Restore, WhatWasLeavingLeavesAndItsIdWaitsForThat) {
  Lives lives;
  const std::uint64_t serial = lives.add_process("a");
  lives.advance(seconds(2));
  lives.keeper.set_stops_in(serial, seconds(8));
  lives.turn([&] { EXPECT_TRUE(lives.core().unregister("a", "python").value()); });
  lives.crash_and_begin();
  EXPECT_FALSE(lives.view("a"));
  const std::uint64_t next = lives.add_process("a");
  EXPECT_GT(next, serial) << "a serial is never used again";
  lives.advance(seconds(1));
  EXPECT_EQ(lives.keeper.launches(next), 0);
  lives.advance(seconds(20));
  EXPECT_EQ(lives.keeper.launches(next), 1);
  EXPECT_TRUE(lives.keeper.swept(serial));
  EXPECT_TRUE(lives.keeper.violations().empty());
  lives.crash_and_begin();
  EXPECT_EQ(lives.serial("a"), next);
}

TEST(Restore, AnInstanceThatWasRemovedStaysRemoved) {
  Lives lives;
  lives.add(R"({"id":"w","type":"core","process":{"argv":["true"],"replicas":3},"healthCheck":{"type":"process"}})");
  lives.advance(seconds(3));
  lives.turn([&] { EXPECT_TRUE(lives.core().unregister("w@1", "python").value()); });
  lives.advance(seconds(20));
  lives.crash_and_begin();
  lives.advance(seconds(3));
  EXPECT_TRUE(lives.view("w@0"));
  EXPECT_FALSE(lives.view("w@1"));
  EXPECT_EQ(lives.lifecycle("w@2"), Lifecycle::ready);
}

TEST(Restore, ARunThatTheFailingStoreDidNotLearnOfIsOurs) {
  Lives lives;
  const std::uint64_t serial = lives.add_process("a");
  lives.advance(seconds(2));
  lives.store.set_mode(store::FakeStore::Mode::failing);
  lives.keeper.crash(serial);
  lives.advance(seconds(5));
  ASSERT_EQ(lives.view("a")->incarnation, 2U);
  lives.crash();
  lives.store.set_mode(store::FakeStore::Mode::prompt);
  ASSERT_TRUE(lives.begin().ok());
  lives.advance(seconds(5));
  EXPECT_EQ(lives.keeper.launches(serial), 2) << "no second copy";
  EXPECT_EQ(lives.view("a")->incarnation, 2U);
  EXPECT_EQ(lives.lifecycle("a"), Lifecycle::ready);
  EXPECT_TRUE(lives.keeper.violations().empty());
}

TEST(Restore, AStateThatMakesNoSenseIsRefusedAndChangesNothing) {
  Lives lives;
  lives.add_process("a");
  lives.advance(seconds(1));
  lives.crash();
  store::EntryRecord odd{.name = "odd", .source = "{\"id\":\"odd\"}"};
  lives.store.put(store::encode(odd));
  const Result<void> refused = lives.begin();
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::storage_failed);
  EXPECT_NE(refused.error().message.find("entry \"odd\""), std::string::npos) << refused.error().message;
}

TEST(Restore, NumbersThatARepairLostAreNotGivenAgain) {
  Lives lives;
  lives.add_process("a");
  const std::uint64_t last = lives.add_process("b");
  lives.advance(seconds(2));
  lives.crash();
  lives.store.put(store::encode(store::HeadsRecord{.boot_id = "boot"}));
  ASSERT_TRUE(lives.begin().ok());
  EXPECT_GT(lives.add_process("c"), last);
  EXPECT_EQ(lives.keeper.launches(last), 1);
}

TEST(Restore, ASecondCrashRightAfterTheFirstChangesNothing) {
  Lives lives;
  const std::uint64_t serial = lives.add_process("a");
  lives.advance(seconds(2));
  for (int i = 0; i < 5; ++i) {
    lives.crash_and_begin();
    lives.crash_and_begin();
    lives.advance(Millis(i));
  }
  lives.advance(seconds(2));
  EXPECT_EQ(lives.keeper.launches(serial), 1);
  EXPECT_EQ(lives.lifecycle("a"), Lifecycle::ready);
}

}  // namespace
}  // namespace azora::orchestrator
