// Stop, hold and restart asked for by an operator, and how an end that does not come is forced.
#include <gtest/gtest.h>

#include "healing/rig.hpp"

namespace azora::healing {
namespace {

using std::chrono::minutes;

TEST(Stop, StopEndsThroughSignalKillAndStuckAndBelievesTheExitAlways) {
  Rig rig;
  rig.bring_up();
  rig.desire(Desired::down);
  EXPECT_TRUE(rig.is(Lifecycle::stopping));
  EXPECT_TRUE(rig.asked(Do::send_stop));
  rig.pass_deadline();
  EXPECT_TRUE(rig.is(Lifecycle::killing));
  EXPECT_TRUE(rig.asked(Do::send_kill));
  rig.pass_deadline();
  EXPECT_TRUE(rig.is(Lifecycle::stuck));
  EXPECT_TRUE(rig.said(Say::stuck));
  rig.exit();
  EXPECT_TRUE(rig.is(Lifecycle::idle));
  EXPECT_EQ(rig.notice(Say::stopped)->cause, Cause::op);
}

TEST(Stop, ANewPlanChangesTheTimeOfTheStopThatIsUnderWay) {
  Rig rig;
  rig.plan.stop_timeout = Millis(10'000);
  rig.bring_up();
  rig.desire(Desired::down);
  const SteadyTime signalled = rig.now;
  rig.wait(Millis(2'000));
  rig.plan.stop_timeout = Millis(5'000);
  rig.feed(In::plan_changed);
  EXPECT_EQ(*rig.machine.timers.deadline - signalled, Millis(5'000));
  EXPECT_FALSE(rig.asked(Do::send_stop)) << "it ends by our kill";
  rig.plan.stop_timeout = Millis(60'000);
  rig.feed(In::plan_changed);
  EXPECT_EQ(*rig.machine.timers.deadline - signalled, Millis(60'000));
  EXPECT_TRUE(rig.asked(Do::send_stop)) << "its shim was told another time";
  rig.feed(In::plan_changed);
  EXPECT_FALSE(rig.asked(Do::send_stop));
  rig.feed(In::exited);
  ASSERT_TRUE(rig.is(Lifecycle::sweep));
  rig.plan.stop_timeout = Millis(90'000);
  rig.feed(In::plan_changed);
  EXPECT_EQ(*rig.machine.timers.deadline - signalled, Millis(90'000)) << "what is left has the rest of it";
  EXPECT_TRUE(rig.asked(Do::send_stop));
  rig.pass_deadline();
  ASSERT_TRUE(rig.is(Lifecycle::killing));
  rig.plan.stop_timeout = Millis(900'000);
  rig.feed(In::plan_changed);
  EXPECT_TRUE(rig.is(Lifecycle::killing));
  EXPECT_FALSE(rig.asked(Do::send_stop));
}

TEST(Stop, DescendantsThatStayAreKilledAgainThenStuck) {
  Rig rig;
  rig.bring_up();
  rig.feed(In::exited);
  rig.pass_deadline();
  EXPECT_TRUE(rig.is(Lifecycle::killing));
  rig.pass_deadline();
  EXPECT_TRUE(rig.is(Lifecycle::stuck));
  EXPECT_EQ(rig.done(Do::launch), 1);
  rig.feed(In::swept);
  EXPECT_TRUE(rig.asked(Do::ask_admission));
}

TEST(Stop, DesiredDownWinsOverEverythingThatWaits) {
  for (const Lifecycle state : {Lifecycle::blocked, Lifecycle::backoff, Lifecycle::failed}) {
    Rig rig;
    rig.plan.restart.max_restarts = 1;
    rig.plan.restart.delay = Millis(100);
    rig.bring_up();
    if (state == Lifecycle::blocked) rig.feed(In::deps, false);
    if (state == Lifecycle::failed) {
      rig.exhaust();
    } else {
      rig.exit();
    }
    ASSERT_TRUE(rig.is(state));
    rig.desire(Desired::down);
    EXPECT_TRUE(rig.is(Lifecycle::idle));
    EXPECT_FALSE(rig.machine.timers.deadline);
    rig.wait(minutes(20));
    rig.feed(In::timer);
    rig.feed(In::deps, true);
    EXPECT_TRUE(rig.is(Lifecycle::idle));
  }
}

TEST(Stop, Rule53WhatACrashLeavesHasOrphanTimeoutThenIsKilledAndNothingStartsBefore) {
  Rig rig;
  rig.plan.orphan_timeout = Millis(700);
  rig.bring_up();
  rig.feed(In::exited);
  EXPECT_EQ(*rig.machine.timers.deadline - rig.now, Millis(700));
  rig.pass_deadline();
  EXPECT_TRUE(rig.is(Lifecycle::killing));
  EXPECT_TRUE(rig.asked(Do::send_kill));
  EXPECT_EQ(rig.done(Do::launch), 1);
  rig.feed(In::swept);
  EXPECT_TRUE(rig.asked(Do::ask_admission));
}

TEST(Stop, Rule53WhatAStoppedMainLeavesHasTheRestOfStopTimeout) {
  Rig rig;
  rig.bring_up();
  rig.desire(Desired::down);
  const SteadyTime until = rig.now + rig.plan.stop_timeout;
  rig.wait(Millis(400));
  rig.feed(In::exited);
  EXPECT_TRUE(rig.is(Lifecycle::sweep));
  EXPECT_EQ(rig.done(Do::send_kill), 0);
  EXPECT_EQ(rig.machine.timers.deadline, until);
  rig.pass_deadline();
  EXPECT_TRUE(rig.is(Lifecycle::killing));
  EXPECT_TRUE(rig.asked(Do::send_kill));
  rig.feed(In::swept);
  EXPECT_TRUE(rig.is(Lifecycle::idle));
}

TEST(Stop, Rule53WhatAKilledMainLeavesIsKilled) {
  Rig rig;
  rig.bring_up();
  rig.desire(Desired::down);
  rig.pass_deadline();
  rig.feed(In::exited);
  EXPECT_TRUE(rig.is(Lifecycle::sweep));
  EXPECT_TRUE(rig.asked(Do::send_kill));
}

TEST(Stop, StartWhileStoppingStartsAgainAfterTheSweepWithoutSpending) {
  Rig rig;
  rig.bring_up();
  rig.desire(Desired::down);
  rig.desire(Desired::up);
  EXPECT_EQ(rig.done(Do::launch), 1);
  rig.exit();
  EXPECT_TRUE(rig.asked(Do::ask_admission));
  EXPECT_EQ(rig.machine.budget.attempts, 0);
}

TEST(Stop, PlannedEndsOfARunningServiceNeverTouchTheBudget) {
  Rig rig;
  rig.bring_up();
  rig.exit();
  rig.start();
  ASSERT_EQ(rig.machine.budget.attempts, 1);
  rig.feed(In::restart);
  rig.exit();
  rig.start();
  EXPECT_EQ(rig.notice(Say::restarted)->attempt, 0);
  EXPECT_EQ(rig.machine.budget.attempts, 1);
  rig.desire(Desired::down);
  rig.exit();
  ASSERT_TRUE(rig.is(Lifecycle::idle));
  rig.desire(Desired::up);
  rig.start();
  EXPECT_EQ(rig.machine.budget.attempts, 1);
  rig.exit();
  EXPECT_TRUE(rig.is(Lifecycle::backoff)) << "the second failure in a row";
  rig.desire(Desired::down);
  rig.desire(Desired::up);
  EXPECT_EQ(rig.machine.budget.attempts, 0) << "taken in hand out of BACKOFF";
}

TEST(Stop, OperatorRestartIsToldAsSuch) {
  Rig rig;
  rig.plan.restart.delay = Millis(5'000);
  rig.bring_up();
  rig.feed(In::restart);
  EXPECT_TRUE(rig.is(Lifecycle::stopping));
  EXPECT_FALSE(rig.machine.episode.failing);
  rig.exit();
  EXPECT_TRUE(rig.asked(Do::ask_admission)) << "restartDelay is for failures";
  rig.start();
  EXPECT_EQ(rig.notice(Say::restarted)->cause, Cause::op);
  EXPECT_EQ(rig.machine.budget.attempts, 0);
  rig.feed(In::restart);
  rig.desire(Desired::down);
  rig.exit();
  EXPECT_TRUE(rig.is(Lifecycle::idle)) << "a later stop wins";
}

TEST(Stop, R66ARestartAlongWithADependencyIsPlannedAndSpendsNothing) {
  Rig rig;
  rig.plan.restart.max_restarts = 1;
  rig.bring_up();
  rig.exit();  // the whole budget
  rig.start();
  ASSERT_EQ(rig.machine.budget.attempts, 1);
  rig.feed({.kind = In::restart, .cause = Cause::dependency});
  EXPECT_TRUE(rig.is(Lifecycle::stopping));
  EXPECT_TRUE(rig.asked(Do::send_stop));
  rig.exit(true);
  EXPECT_TRUE(rig.is(Lifecycle::blocked));
  rig.start();
  ASSERT_TRUE(rig.said(Say::restarted));
  EXPECT_EQ(rig.notice(Say::restarted)->cause, Cause::dependency);
  EXPECT_EQ(rig.notice(Say::restarted)->attempt, 0);
  EXPECT_EQ(rig.machine.budget.attempts, 1) << "neither spent nor given back";
}

TEST(Stop, R66ASingleTryOutOfFailedThatGoesAlongRemainsOne) {
  Rig rig;
  rig.plan.restart.max_restarts = 1;
  rig.bring_up();
  rig.exhaust();
  ASSERT_EQ(rig.told(Say::failed), 1);
  rig.pass_deadline();
  rig.feed(In::admitted);
  rig.feed(In::launched);
  rig.feed({.kind = In::restart, .cause = Cause::dependency});
  rig.exit(true);
  rig.fail_start();
  EXPECT_TRUE(rig.is(Lifecycle::failed));
  EXPECT_EQ(rig.told(Say::failed), 1);
}

TEST(Stop, R66WhatDoesNotRunOrIsWantedDownDoesNotGoAlong) {
  Rig rig;
  rig.feed({.kind = In::restart, .cause = Cause::dependency});
  EXPECT_TRUE(rig.is(Lifecycle::idle));
  rig.bring_up();
  rig.desire(Desired::hold);
  rig.feed({.kind = In::restart, .cause = Cause::dependency});
  EXPECT_TRUE(rig.is(Lifecycle::ready));
}

TEST(Stop, HoldLeavesWhatRunsAndStartsNothing) {
  Rig rig;
  rig.bring_up();
  rig.desire(Desired::hold);
  EXPECT_TRUE(rig.is(Lifecycle::ready));
  rig.feed(In::liveness_failed);
  EXPECT_EQ(rig.done(Do::ask_permit), 0);
  rig.exit();
  EXPECT_TRUE(rig.is(Lifecycle::idle));
  rig.desire(Desired::up);
  EXPECT_TRUE(rig.asked(Do::ask_admission));
}

// Hands off: a start that takes too long is not ended, and neither is one that was found after our own restart.
TEST(Hold, NoTimeoutEndsWhatRuns) {
  Rig rig;
  rig.feed(In::deps, true);
  rig.desire(Desired::up);
  rig.feed(In::admitted);
  rig.feed(In::launched);
  rig.desire(Desired::hold);
  for (int i = 0; i < 3; ++i) {
    rig.pass_deadline();
    ASSERT_TRUE(rig.is(Lifecycle::starting));
    EXPECT_GT(*rig.machine.timers.deadline, rig.now) << "there is always a deadline";
  }
  EXPECT_EQ(rig.done(Do::send_stop), 0);
  rig.feed(In::ready, true);
  EXPECT_TRUE(rig.is(Lifecycle::ready));

  Rig found;
  found.feed(In::deps, true);
  found.machine.desired = Desired::hold;
  found.feed({.kind = In::adopted, .flag = false, .incarnation = 7});
  found.pass_deadline();
  EXPECT_TRUE(found.is(Lifecycle::adopt));
  EXPECT_EQ(found.done(Do::send_stop), 0);
  found.desire(Desired::up, Cause::none);
  found.pass_deadline();
  EXPECT_TRUE(found.is(Lifecycle::stopping)) << "the hold is over";
}

TEST(Hold, WhatEndsStaysDownUntilItIsOver) {
  for (const bool clean : {false, true}) {
    Rig rig;
    rig.plan.restart.on = RestartOn::always;
    rig.bring_up();
    rig.desire(Desired::hold);
    rig.feed(In::liveness_failed);
    EXPECT_TRUE(rig.is(Lifecycle::ready)) << "its checks are not acted on";
    rig.exit(clean);
    EXPECT_TRUE(rig.is(Lifecycle::idle));
    EXPECT_FALSE(rig.machine.timers.deadline);
    rig.desire(Desired::up, Cause::none);
    EXPECT_TRUE(rig.is(Lifecycle::blocked));
    EXPECT_EQ(rig.machine.budget.attempts, 0);
  }
}

TEST(Hold, AJobThatIsDoneStaysDone) {
  Rig rig;
  rig.plan.restart.on = RestartOn::on_failure;
  rig.bring_up();
  rig.desire(Desired::hold);
  rig.exit(true);
  EXPECT_TRUE(rig.is(Lifecycle::done)) << "it ended as it should";
  rig.desire(Desired::up, Cause::none);
  EXPECT_TRUE(rig.is(Lifecycle::done));
  rig.desire(Desired::hold);
  EXPECT_TRUE(rig.is(Lifecycle::done));
  rig.desire(Desired::up, Cause::none);
  EXPECT_TRUE(rig.is(Lifecycle::done)) << "it is not run again for a maintenance";
}

}  // namespace
}  // namespace azora::healing
