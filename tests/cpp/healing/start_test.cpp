// From the gate to readiness: dependencies, slots, the time a start may take.
#include <gtest/gtest.h>

#include "healing/rig.hpp"

namespace azora::healing {
namespace {

using std::chrono::seconds;

TEST(Start, WaitsForDependenciesThenForItsSlotThenForItsFirstAnswer) {
  Rig rig;
  rig.desire(Desired::up);
  EXPECT_TRUE(rig.is(Lifecycle::blocked));
  EXPECT_TRUE(rig.said(Say::blocked));
  rig.feed(In::deps, true);
  EXPECT_TRUE(rig.asked(Do::ask_admission));
  EXPECT_FALSE(rig.said(Say::blocked));
  rig.feed(In::deps, false);
  EXPECT_TRUE(rig.asked(Do::drop_admission));
  EXPECT_FALSE(rig.said(Say::blocked)) << "told once per stay in BLOCKED";
  rig.feed(In::deps, true);
  rig.feed(In::admitted);
  EXPECT_TRUE(rig.is(Lifecycle::starting));
  EXPECT_TRUE(rig.asked(Do::launch));
  EXPECT_EQ(rig.machine.incarnation, 1U);
  EXPECT_TRUE(rig.feed(In::ready, true).notices.empty()) << "nothing can answer before its exec";
  EXPECT_EQ(rig.feed(In::launched).notices.front().kind, Say::started);
  rig.feed(In::ready, true);
  EXPECT_TRUE(rig.is(Lifecycle::ready));
  EXPECT_TRUE(rig.asked(Do::release_slot));
  EXPECT_TRUE(rig.said(Say::readiness));
  EXPECT_FALSE(rig.said(Say::restarted));
  EXPECT_EQ(rig.machine.restart_count, 0);
}

TEST(Start, StaleWordsOfFormerIncarnationsChangeNothing) {
  Rig rig;
  rig.bring_up();
  rig.feed({.kind = In::exited, .incarnation = 7});
  EXPECT_TRUE(rig.is(Lifecycle::ready));
}

TEST(Start, GrantsThatCrossAChangeOfMindAreGivenBack) {
  Rig rig;
  rig.feed(In::deps, true);
  rig.desire(Desired::up);
  rig.desire(Desired::down);
  EXPECT_TRUE(rig.asked(Do::drop_admission));
  rig.feed(In::admitted);
  EXPECT_TRUE(rig.is(Lifecycle::idle));
  EXPECT_TRUE(rig.asked(Do::release_slot));
  rig.feed(In::permitted);
  EXPECT_TRUE(rig.asked(Do::drop_permit));
}

TEST(Start, StartTimeoutIsAFailure) {
  Rig rig;
  rig.bring_up();
  rig.exit();
  rig.feed(In::admitted);
  rig.feed(In::launched);
  EXPECT_EQ(*rig.machine.timers.deadline - rig.now, rig.plan.start_timeout);
  rig.pass_deadline();
  EXPECT_TRUE(rig.is(Lifecycle::stopping));
  EXPECT_TRUE(rig.asked(Do::release_slot));
  rig.exit();
  EXPECT_TRUE(rig.is(Lifecycle::backoff));
  EXPECT_EQ(rig.machine.episode.cause, Cause::start_timeout);
}

TEST(Start, ANewPlanAppliesToTheStartThatIsUnderWay) {
  Rig rig;
  rig.feed(In::deps, true);
  rig.desire(Desired::up);
  rig.feed(In::admitted);
  rig.feed(In::launched);
  rig.machine.budget.attempts = 1;
  rig.wait(seconds(2));
  rig.plan.start_timeout = Millis(90'000);
  rig.feed(In::plan_changed);
  EXPECT_EQ(*rig.machine.timers.deadline - rig.now, seconds(88)) << "a longer startTimeout";
  rig.plan.action.probes_verify = false;
  rig.feed(In::plan_changed);
  EXPECT_EQ(rig.machine.budget.attempts, 1) << "what its checks are is no reason for a new budget";
  rig.pass_deadline();
  EXPECT_TRUE(rig.is(Lifecycle::ready)) << "it has been alive for more than a second";
}

TEST(Start, AStartThatIsVerifiedByChecksFromNowOnIsNotStoppedAfterASecond) {
  Rig rig;
  rig.plan.action.probes_verify = false;
  rig.feed(In::deps, true);
  rig.desire(Desired::up);
  rig.feed(In::admitted);
  rig.feed(In::launched);
  rig.wait(Millis(500));
  rig.plan.action.probes_verify = true;
  rig.feed(In::plan_changed);
  EXPECT_EQ(*rig.machine.timers.deadline - rig.now, rig.plan.start_timeout - Millis(500));
  rig.wait(seconds(1));
  rig.feed(In::timer);
  EXPECT_TRUE(rig.is(Lifecycle::starting));
}

TEST(Start, UnprobedServiceIsReadyAfterOneSecondAlive) {
  Rig rig;
  rig.plan.action.probes_verify = false;
  rig.feed(In::deps, true);
  rig.desire(Desired::up);
  rig.feed(In::admitted);
  rig.feed(In::launched);
  EXPECT_EQ(*rig.machine.timers.deadline - rig.now, seconds(1));
  rig.pass_deadline();
  EXPECT_TRUE(rig.is(Lifecycle::ready));
}

TEST(Start, SlotIsFreedOnceByReadinessExitOrTime) {
  Rig rig;
  rig.feed(In::deps, true);
  rig.desire(Desired::up);
  rig.feed(In::admitted);
  rig.feed(In::launched);
  rig.feed(In::slot_expired);
  EXPECT_TRUE(rig.asked(Do::release_slot));
  rig.feed(In::ready, true);
  EXPECT_EQ(rig.done(Do::release_slot), 1);
}

}  // namespace
}  // namespace azora::healing
