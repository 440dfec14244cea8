// ADOPT: an incarnation that was found running after our own restart.
#include <gtest/gtest.h>

#include "healing/rig.hpp"

namespace azora::healing {
namespace {

using std::chrono::seconds;

// Restored with what its owner wanted, then found as incarnation 7.
Rig found(bool well, Desired desired = Desired::up) {
  Rig rig;
  rig.feed(In::deps, true);
  rig.machine.desired = desired;
  rig.feed({.kind = In::adopted, .flag = well, .incarnation = 7});
  return rig;
}

TEST(Adopt, IsNeverStartedASecondTimeAndItsFirstPassMakesItReadyWithoutARestart) {
  Rig rig = found(true);
  ASSERT_TRUE(rig.is(Lifecycle::adopt));
  EXPECT_EQ(rig.machine.incarnation, 7U);
  EXPECT_EQ(*rig.machine.timers.deadline - rig.now, rig.plan.start_timeout);
  rig.desire(Desired::up, Cause::none);
  EXPECT_TRUE(rig.is(Lifecycle::adopt));
  rig.feed(In::passed, true);
  EXPECT_TRUE(rig.is(Lifecycle::ready));
  EXPECT_TRUE(rig.said(Say::readiness));
  EXPECT_EQ(rig.told(Say::restarted) + rig.told(Say::started), 0);
  EXPECT_EQ(rig.done(Do::launch) + rig.done(Do::send_stop), 0);
  EXPECT_EQ(rig.machine.restart_count, 0);
}

TEST(Adopt, TakesAWaitingStartOutOfTheQueue) {
  Rig rig;
  rig.feed(In::deps, true);
  rig.desire(Desired::up);
  ASSERT_TRUE(rig.asked(Do::ask_admission));
  rig.feed({.kind = In::adopted, .flag = true, .incarnation = 3});
  EXPECT_TRUE(rig.asked(Do::drop_admission));
  rig.feed(In::admitted);
  EXPECT_TRUE(rig.is(Lifecycle::adopt));
  EXPECT_EQ(rig.done(Do::launch), 0);
}

TEST(Adopt, WhatTheOwnerWantsDownIsStopped) {
  Rig rig = found(true, Desired::down);
  EXPECT_TRUE(rig.is(Lifecycle::stopping));
  rig.exit();
  EXPECT_TRUE(rig.is(Lifecycle::idle));
}

TEST(Adopt, AnOlderIncarnationThanTheKnownOneIsNotAdopted) {
  Rig rig;
  rig.machine.incarnation = 8;
  rig.feed({.kind = In::adopted, .flag = true, .incarnation = 7});
  EXPECT_TRUE(rig.is(Lifecycle::idle));
}

TEST(Adopt, FailuresUpToTheThresholdTakeThePathOfLiveness) {
  Rig rig = found(true);
  rig.feed(In::liveness_failed);
  EXPECT_TRUE(rig.asked(Do::ask_permit));
  EXPECT_TRUE(rig.machine.timers.deadline) << "a permit may never come";
  rig.feed(In::permitted);
  EXPECT_TRUE(rig.is(Lifecycle::stopping));
  rig.exit();
  rig.start();
  EXPECT_EQ(rig.notice(Say::restarted)->cause, Cause::liveness);
}

TEST(Adopt, ItsExitIsSweptAndCountsAsAnyOther) {
  Rig rig = found(true);
  rig.feed(In::exited);
  EXPECT_TRUE(rig.is(Lifecycle::sweep));
  rig.feed(In::swept);
  EXPECT_TRUE(rig.is(Lifecycle::blocked));
  EXPECT_EQ(rig.machine.budget.attempts, 1);
  rig.feed(In::admitted);
  EXPECT_EQ(rig.machine.incarnation, 8U);
}

TEST(Adopt, ItsTimeEndsInReadyWhereItWasReadyBeforeElseAsAStartThatTookTooLong) {
  Rig well = found(true);
  well.pass_deadline();
  EXPECT_TRUE(well.is(Lifecycle::ready));
  EXPECT_EQ(well.done(Do::send_stop), 0);
  Rig starting = found(false);
  starting.feed(In::deps, false);
  starting.pass_deadline();
  EXPECT_TRUE(starting.is(Lifecycle::adopt)) << "a dependency explains it";
  starting.wait(seconds(10));
  starting.feed(In::deps, true);
  EXPECT_EQ(*starting.machine.timers.deadline - starting.now, starting.plan.start_timeout);
  starting.pass_deadline();
  EXPECT_TRUE(starting.is(Lifecycle::stopping));
  EXPECT_EQ(starting.machine.episode.cause, Cause::start_timeout);
}

TEST(Adopt, WithoutChecksItIsReadyAfterASecond) {
  Rig rig;
  rig.plan.action.probes_verify = false;
  rig.machine.desired = Desired::up;
  rig.feed({.kind = In::adopted, .incarnation = 1});
  EXPECT_EQ(*rig.machine.timers.deadline - rig.now, seconds(1));
  rig.pass_deadline();
  EXPECT_TRUE(rig.is(Lifecycle::ready));
}

}  // namespace
}  // namespace azora::healing
