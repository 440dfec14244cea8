// A service that somebody else runs and a restart callable heals: the same machine, without a process to stop.
#include <gtest/gtest.h>

#include "healing/rig.hpp"

namespace azora::healing {
namespace {

using std::chrono::seconds;

TEST(Callback, FailedChecksCallItAndTheNextAnswerVerifiesIt) {
  Rig rig(ActionKind::callback);
  rig.feed(In::liveness_failed);
  rig.wait(seconds(2));
  rig.feed(In::permitted);
  EXPECT_TRUE(rig.asked(Do::ask_admission));
  EXPECT_EQ(rig.machine.attempts, 1);
  rig.feed(In::admitted);
  EXPECT_TRUE(rig.asked(Do::launch));
  rig.feed(In::passed, true);
  EXPECT_TRUE(rig.is(Lifecycle::starting)) << "an answer before it returned proves nothing";
  rig.feed(In::launched);
  rig.feed(In::ready, true);
  ASSERT_TRUE(rig.said(Say::restarted));
  EXPECT_EQ(rig.notice(Say::restarted)->downtime_ms, 2000);
  EXPECT_EQ(rig.notice(Say::restarted)->cause, Cause::liveness);
}

TEST(Callback, RefusalIsAFailedAttemptAndBacksOff) {
  Rig rig(ActionKind::callback);
  rig.plan.restart.max_restarts = 2;
  rig.plan.restart.failed_retry_interval = Millis(0);
  rig.feed(In::liveness_failed);
  rig.feed(In::permitted);
  rig.feed(In::admitted);
  rig.feed(In::launch_failed);
  EXPECT_TRUE(rig.is(Lifecycle::backoff));
  rig.pass_deadline();
  rig.feed(In::admitted);
  rig.feed(In::launched);
  rig.pass_deadline();  // no probe passed within startTimeout
  EXPECT_TRUE(rig.is(Lifecycle::failed));
  EXPECT_EQ(rig.told(Say::failed), 1);
  EXPECT_FALSE(rig.machine.deadline);
  rig.feed(In::passed, true);
  EXPECT_TRUE(rig.is(Lifecycle::ready));
  EXPECT_EQ(rig.told(Say::restarted), 0) << "it came back by itself";
}

TEST(Callback, WhatComesBackByItselfHasItsBudgetOnceItIsStable) {
  Rig rig(ActionKind::callback);
  rig.plan.restart.max_restarts = 1;
  rig.feed(In::liveness_failed);
  rig.feed(In::permitted);
  rig.feed(In::admitted);
  rig.feed(In::launch_failed);
  ASSERT_TRUE(rig.is(Lifecycle::failed));
  rig.feed(In::passed, true);
  ASSERT_TRUE(rig.is(Lifecycle::ready));
  rig.feed(In::liveness_failed);
  rig.feed(In::permitted);
  EXPECT_TRUE(rig.is(Lifecycle::failed));
  EXPECT_EQ(rig.done(Do::launch), 1);
  EXPECT_EQ(rig.told(Say::failed), 2);
  rig.feed(In::passed, true);
  rig.pass_deadline();
  EXPECT_EQ(rig.machine.attempts, 0);
}

TEST(Callback, IsNotCalledAgainBeforeItReturned) {
  Rig rig(ActionKind::callback);
  rig.feed(In::liveness_failed);
  rig.feed(In::permitted);
  rig.feed(In::admitted);
  rig.pass_deadline();
  EXPECT_TRUE(rig.said(Say::stuck));
  ASSERT_TRUE(rig.is(Lifecycle::backoff));
  rig.pass_deadline();
  EXPECT_TRUE(rig.is(Lifecycle::blocked));
  EXPECT_FALSE(rig.asked(Do::ask_admission));
  rig.feed(In::launch_failed);
  EXPECT_TRUE(rig.asked(Do::ask_admission));
}

TEST(Callback, OperatorRestartRunsIt) {
  Rig rig(ActionKind::callback);
  rig.feed(In::restart);
  EXPECT_TRUE(rig.asked(Do::ask_admission));
  rig.feed(In::admitted);
  rig.feed(In::launched);
  rig.feed(In::ready, true);
  EXPECT_EQ(rig.notice(Say::restarted)->cause, Cause::op);
}

TEST(Callback, StopAndStartOnlyChangeWhatIsWanted) {
  Rig rig(ActionKind::callback);
  rig.feed(In::liveness_failed);
  rig.desire(Desired::down);
  EXPECT_TRUE(rig.is(Lifecycle::idle));
  EXPECT_TRUE(rig.asked(Do::drop_permit));
  rig.desire(Desired::up);
  EXPECT_TRUE(rig.is(Lifecycle::ready));
  EXPECT_EQ(rig.done(Do::send_stop) + rig.done(Do::send_kill) + rig.done(Do::launch), 0);
}

}  // namespace
}  // namespace azora::healing
