// A service that somebody else runs and an action heals: the same machine, without anything to stop.
#include <gtest/gtest.h>

#include "healing/rig.hpp"

namespace azora::healing {
namespace {

using std::chrono::seconds;

TEST(NotOwned, FailedChecksCallItAndTheNextAnswerVerifiesIt) {
  Rig rig(kPlainAction);
  rig.feed(In::liveness_failed);
  rig.wait(seconds(2));
  rig.feed(In::permitted);
  EXPECT_TRUE(rig.asked(Do::ask_admission));
  EXPECT_EQ(rig.machine.budget.attempts, 1);
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

TEST(NotOwned, RefusalIsAFailedAttemptAndBacksOff) {
  Rig rig(kPlainAction);
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
  EXPECT_FALSE(rig.machine.timers.deadline);
  rig.feed(In::passed, true);
  EXPECT_TRUE(rig.is(Lifecycle::ready));
  EXPECT_EQ(rig.told(Say::restarted), 0) << "it came back by itself";
}

TEST(NotOwned, WhatComesBackByItselfHasItsBudgetOnceItIsStable) {
  Rig rig(kPlainAction);
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
  EXPECT_EQ(rig.machine.budget.attempts, 0);
}

TEST(NotOwned, IsNotCalledAgainBeforeItReturned) {
  Rig rig(kPlainAction);
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
  EXPECT_FALSE(rig.asked(Do::ask_admission)) << "nor at once then: the delay of this attempt counts from here";
  EXPECT_EQ(*rig.machine.timers.deadline - rig.now, rig.machine.budget.last_delay);
  rig.pass_deadline();
  EXPECT_TRUE(rig.asked(Do::ask_admission));
}

// Given up on after startTimeout, it comes to its end only now.
class LateResult : public testing::TestWithParam<Lifecycle> {
 protected:
  LateResult() {
    rig.plan.restart.delay = Millis(20'000);
    rig.plan.restart.factor = 1;
    if (GetParam() == Lifecycle::failed) rig.plan.restart.max_restarts = 1;
    rig.feed(In::liveness_failed);
    rig.feed(In::permitted);
    rig.pass_deadline();
    rig.feed(In::admitted);
    rig.pass_deadline();
    if (GetParam() == Lifecycle::blocked) rig.pass_deadline();
    rig.wait(seconds(15));
  }
  // The moment at which the next one may begin, with evidence that hurries it.
  SteadyTime next_start() {
    rig.feed(In::evidence);
    while (!rig.machine.holds.admission_request) rig.pass_deadline();
    return rig.now;
  }
  Rig rig{kPlainAction};
};

TEST_P(LateResult, AFailureKeepsRestartDelayFromItsEnd) {
  ASSERT_TRUE(rig.is(GetParam()));
  rig.feed(In::launch_failed);
  const SteadyTime ended = rig.now;
  EXPECT_GE(next_start() - ended, seconds(20));
}

TEST_P(LateResult, AfterASuccessItsChecksHaveTheTimeOfAStart) {
  rig.feed(In::launched);
  const SteadyTime ended = rig.now;
  Rig helped = rig;
  helped.wait(seconds(40));
  helped.feed(In::passed, true);
  EXPECT_TRUE(helped.is(Lifecycle::ready));
  EXPECT_GE(next_start() - ended, rig.plan.start_timeout);
}

TEST_P(LateResult, AnOperatorWaitsForNothingButItsEnd) {
  rig.feed(In::restart);
  ASSERT_TRUE(rig.is(Lifecycle::blocked));
  EXPECT_FALSE(rig.asked(Do::ask_admission));
  rig.feed(In::launch_failed);
  EXPECT_TRUE(rig.asked(Do::ask_admission));
}

INSTANTIATE_TEST_SUITE_P(NotOwned, LateResult, testing::Values(Lifecycle::backoff, Lifecycle::blocked, Lifecycle::failed),
                         [](const auto& one) { return std::string(wire_name(one.param)); });

TEST(NotOwned, AnExitThatIsToldIsAFailureAtOnceAndNothingIsSwept) {
  Rig rig(kToldAction);
  rig.feed(In::exited);
  EXPECT_TRUE(rig.is(Lifecycle::blocked)) << "the first attempt is at once";
  EXPECT_EQ(rig.machine.budget.attempts, 1);
  rig.feed(In::admitted);
  EXPECT_EQ(rig.feed(In::launched).notices.front().kind, Say::started);
  rig.feed(In::ready, true);
  EXPECT_EQ(rig.notice(Say::restarted)->cause, Cause::crash);
  EXPECT_EQ(rig.done(Do::send_stop) + rig.done(Do::send_kill), 0);
}

TEST(NotOwned, WhatExitedWithZeroIsDoneUntilItAnswersAgain) {
  Rig rig(kToldAction);
  rig.feed(In::exited, true);
  EXPECT_TRUE(rig.is(Lifecycle::done));
  rig.feed(In::passed, true);
  EXPECT_TRUE(rig.is(Lifecycle::ready));
  EXPECT_EQ(rig.told(Say::restarted), 0);
}

TEST(NotOwned, ALateResultOfAnActionThatWasGivenUpOnStartsNothing) {
  Rig rig(kPlainAction);
  rig.feed(In::liveness_failed);
  rig.feed(In::permitted);
  rig.feed(In::admitted);
  rig.pass_deadline();
  rig.feed(In::passed, true);
  ASSERT_TRUE(rig.is(Lifecycle::ready)) << "it came back by itself while the action still runs";
  rig.feed(In::launched);
  EXPECT_TRUE(rig.is(Lifecycle::ready));
  EXPECT_FALSE(rig.machine.timers.started) << "nothing is to be verified";
  EXPECT_FALSE(rig.machine.action_running);
}

TEST(NotOwned, TheStartThatADependencyExplainsIsLeftAlone) {
  Rig rig(kPlainAction);
  rig.feed(In::liveness_failed);
  rig.feed(In::permitted);
  rig.feed(In::admitted);
  rig.feed(In::launched);
  rig.feed(In::deps, false);
  rig.pass_deadline();
  EXPECT_TRUE(rig.is(Lifecycle::starting));
  rig.feed(In::deps, true);
  EXPECT_EQ(*rig.machine.timers.deadline - rig.now, rig.plan.start_timeout);
}

TEST(NotOwned, OperatorRestartRunsIt) {
  Rig rig(kPlainAction);
  rig.feed(In::restart);
  EXPECT_TRUE(rig.asked(Do::ask_admission));
  rig.feed(In::admitted);
  rig.feed(In::launched);
  rig.feed(In::ready, true);
  EXPECT_EQ(rig.notice(Say::restarted)->cause, Cause::op);
}

TEST(NotOwned, StopAndStartOnlyChangeWhatIsWanted) {
  Rig rig(kPlainAction);
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
