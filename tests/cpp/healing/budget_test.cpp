// What failures cost: delays, attempts, what is told of them, and how the budget comes back.
#include <gtest/gtest.h>

#include "healing/rig.hpp"

namespace azora::healing {
namespace {

using std::chrono::seconds;

TEST(Budget, FirstCrashHealsAtOnceAndIsToldOnlyWhenVerified) {
  Rig rig;
  rig.bring_up();
  rig.feed(In::exited);
  EXPECT_TRUE(rig.is(Lifecycle::sweep));
  EXPECT_FALSE(rig.asked(Do::send_kill)) << "what it leaves has its time (R53)";
  rig.wait(Millis(3));
  rig.feed(In::swept);
  EXPECT_TRUE(rig.asked(Do::ask_admission));
  rig.wait(Millis(4));
  rig.feed(In::admitted);
  rig.feed(In::launched);
  EXPECT_EQ(rig.notice(Say::started)->cause, Cause::crash);
  EXPECT_EQ(rig.told(Say::restarted), 0);
  rig.feed(In::ready, true);
  ASSERT_TRUE(rig.said(Say::restarted));
  const Notice told = *rig.notice(Say::restarted);
  EXPECT_EQ(told.cause, Cause::crash);
  EXPECT_EQ(told.attempt, 1);
  EXPECT_EQ(told.downtime_ms, 7);
  EXPECT_EQ(rig.machine.restart_count, 1);
}

TEST(Budget, RestartNamesTheFirstFailureOfItsEpisode) {
  Rig rig;
  rig.bring_up();
  rig.exit();
  rig.feed(In::admitted);
  rig.feed(In::launch_failed);
  rig.feed(In::swept);
  EXPECT_TRUE(rig.is(Lifecycle::backoff));
  EXPECT_EQ(rig.machine.episode.cause, Cause::start_failed);
  rig.pass_deadline();
  rig.start();
  EXPECT_EQ(rig.notice(Say::restarted)->cause, Cause::crash);
  EXPECT_EQ(rig.notice(Say::restarted)->attempt, 2);
}

TEST(Budget, AKillForWantOfMemoryIsTheCauseOfItsRestart) {
  Rig rig;
  rig.bring_up();
  rig.feed({.kind = In::exited, .cause = Cause::oom, .incarnation = rig.machine.incarnation});
  EXPECT_EQ(rig.machine.episode.cause, Cause::oom);
  rig.feed(In::swept);
  rig.start();
  ASSERT_TRUE(rig.said(Say::restarted));
  EXPECT_EQ(rig.notice(Say::restarted)->cause, Cause::oom);
  EXPECT_EQ(rig.notice(Say::restarted)->attempt, 1);
}

TEST(Budget, RestartDelayIsCountedFromEachFailure) {
  Rig rig;
  rig.plan.restart.delay = Millis(5'000);
  rig.plan.restart.factor = 1;
  rig.bring_up();
  for (int attempt = 1; attempt <= 5; ++attempt) {
    rig.exit();
    ASSERT_TRUE(rig.is(Lifecycle::backoff)) << attempt;
    EXPECT_EQ(*rig.machine.timers.deadline, *rig.machine.timers.next_attempt);
    EXPECT_GE(*rig.machine.timers.deadline - rig.now, seconds(5)) << attempt;
    EXPECT_LE(*rig.machine.timers.deadline - rig.now, Millis(6'250)) << attempt;
    rig.pass_deadline();
    EXPECT_EQ(rig.machine.budget.attempts, attempt);
    rig.feed(In::admitted);
    rig.feed(In::launched);
  }
}

TEST(Budget, SpentBudgetIsOneServiceFailedAndSilentHalfOpenTries) {
  Rig rig;
  rig.plan.restart.max_restarts = 2;
  rig.bring_up();
  rig.exhaust();
  EXPECT_EQ(rig.machine.incarnation, 3U);
  EXPECT_EQ(rig.told(Say::failed), 1);
  EXPECT_EQ(rig.notice(Say::failed)->attempt, 2);
  for (int i = 0; i < 3; ++i) {
    const SteadyTime before = rig.now;
    rig.pass_deadline();
    EXPECT_GE(rig.now - before, seconds(225));
    EXPECT_LE(rig.now - before, seconds(375));
    rig.fail_start();
    EXPECT_TRUE(rig.is(Lifecycle::failed));
  }
  EXPECT_EQ(rig.told(Say::failed), 1);
  EXPECT_EQ(rig.machine.budget.attempts, 2);
  rig.pass_deadline();
  rig.start();
  EXPECT_TRUE(rig.said(Say::restarted));
  rig.exit();
  EXPECT_TRUE(rig.is(Lifecycle::failed)) << "the budget comes back only after stableAfter";
  EXPECT_EQ(rig.told(Say::failed), 2);
}

TEST(Budget, GivenUpOnAgainAfterAnOperatorsWordIsToldAgain) {
  Rig rig;
  rig.plan.restart.max_restarts = 1;
  rig.bring_up();
  rig.exhaust();
  ASSERT_EQ(rig.told(Say::failed), 1);
  rig.desire(Desired::up, Cause::op);
  ASSERT_TRUE(rig.is(Lifecycle::blocked));
  rig.fail_start();
  rig.fail_start();
  EXPECT_TRUE(rig.is(Lifecycle::failed));
  EXPECT_EQ(rig.told(Say::failed), 2);
  rig.feed(In::plan_changed, true);
  rig.fail_start();
  rig.fail_start();
  EXPECT_TRUE(rig.is(Lifecycle::failed));
  EXPECT_EQ(rig.told(Say::failed), 3);
}

TEST(Budget, UnlimitedRestartsStillBackOff) {
  Rig rig;
  rig.plan.restart.max_restarts = -1;
  rig.bring_up();
  rig.exit();
  for (int i = 0; i < 40; ++i) {
    rig.fail_start();
    ASSERT_TRUE(rig.is(Lifecycle::backoff));
    rig.pass_deadline();
  }
  EXPECT_GE(rig.machine.budget.last_delay, seconds(60));
  EXPECT_EQ(rig.told(Say::failed), 0);
}

TEST(Budget, DowntimeBeginsWhereItLeavesRotation) {
  Rig rig;
  rig.bring_up();
  rig.feed(In::faltered, true);
  rig.wait(seconds(1));
  rig.feed(In::passed, false);  // one answer is no return into rotation
  rig.wait(seconds(1));
  rig.feed(In::liveness_failed);
  rig.feed(In::permitted);
  rig.wait(seconds(1));
  rig.exit();
  rig.start();
  ASSERT_TRUE(rig.said(Say::restarted));
  EXPECT_EQ(rig.notice(Say::restarted)->downtime_ms, 3000);
}

TEST(Budget, ADipThatWasMadeGoodIsNoDowntime) {
  Rig rig;
  rig.bring_up();
  rig.feed(In::faltered, true);
  rig.wait(seconds(1));
  rig.feed(In::passed, true);
  rig.wait(seconds(1));
  rig.exit();
  rig.start();
  EXPECT_EQ(rig.notice(Say::restarted)->downtime_ms, 0);
}

TEST(Budget, StabilityGivesTheBudgetBack) {
  Rig rig;
  rig.bring_up();
  rig.exit();
  rig.start();
  ASSERT_TRUE(rig.machine.timers.deadline);
  EXPECT_EQ(*rig.machine.timers.deadline - rig.now, seconds(60));
  rig.wait(seconds(30));
  rig.feed(In::faltered);
  EXPECT_FALSE(rig.machine.timers.deadline) << "not while it is unwell";
  rig.wait(seconds(10));
  rig.feed(In::passed, true);
  EXPECT_EQ(*rig.machine.timers.deadline - rig.now, seconds(60));
  rig.pass_deadline();
  EXPECT_EQ(rig.machine.budget.attempts, 0);
  EXPECT_TRUE(rig.is(Lifecycle::ready));
}

TEST(Budget, OperatorStartGivesFailedAFreshBudget) {
  Rig rig;
  rig.plan.restart.max_restarts = 2;
  rig.bring_up();
  rig.exhaust();
  rig.desire(Desired::up, Cause::none);
  EXPECT_TRUE(rig.is(Lifecycle::failed)) << "a registration alone is no operator";
  rig.desire(Desired::up, Cause::op);
  EXPECT_EQ(rig.machine.budget.attempts, 0);
  EXPECT_FALSE(rig.machine.episode.half_open);
  rig.fail_start();
  EXPECT_EQ(rig.machine.budget.attempts, 1);
}

TEST(Budget, NewPlanIsANewBudget) {
  Rig rig;
  rig.plan.restart.max_restarts = 1;
  rig.bring_up();
  rig.exhaust();
  rig.feed(In::plan_changed, true);
  EXPECT_TRUE(rig.asked(Do::ask_admission));
  EXPECT_EQ(rig.machine.budget.attempts, 0);
}

TEST(Budget, LostShimIsAFailureThatNeedsNoSweep) {
  Rig rig;
  rig.bring_up();
  rig.feed(In::lost);
  EXPECT_TRUE(rig.asked(Do::ask_admission));
  EXPECT_EQ(rig.machine.episode.cause, Cause::lost);
}

}  // namespace
}  // namespace azora::healing
