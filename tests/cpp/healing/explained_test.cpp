// Failures that a dependency explains, and evidence that another try is worth it.
#include <gtest/gtest.h>

#include "healing/rig.hpp"

namespace azora::healing {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

TEST(Explained, ExplainedFailureSpendsNothingAndStartsWithTheDependency) {
  Rig rig;
  rig.bring_up();
  rig.feed(In::deps, false);
  rig.exit();
  EXPECT_TRUE(rig.is(Lifecycle::blocked));
  EXPECT_TRUE(rig.said(Say::blocked));
  EXPECT_TRUE(rig.machine.episode.failing);
  rig.wait(minutes(10));
  rig.feed(In::deps, true);
  EXPECT_TRUE(rig.asked(Do::ask_admission));
  EXPECT_EQ(rig.machine.budget.attempts, 0);
  rig.start();
  EXPECT_EQ(rig.notice(Say::restarted)->attempt, 0);
}

TEST(Explained, ExplainedStartKeepsItsRestartDelay) {
  Rig rig;
  rig.plan.restart.delay = Millis(5'000);
  rig.bring_up();
  rig.feed(In::deps, false);
  rig.exit();
  rig.wait(seconds(1));
  rig.feed(In::deps, true);
  EXPECT_FALSE(rig.asked(Do::ask_admission));
  EXPECT_EQ(*rig.machine.timers.deadline - rig.now, seconds(4));
  rig.pass_deadline();
  EXPECT_TRUE(rig.asked(Do::ask_admission));
  EXPECT_EQ(rig.machine.budget.attempts, 0);
}

TEST(Explained, DependencyLostInBackoffBlocksAndItsReturnStartsAtOnce) {
  Rig rig;
  rig.bring_up();
  rig.exit();
  rig.fail_start();
  ASSERT_TRUE(rig.is(Lifecycle::backoff));
  rig.feed(In::deps, false);
  EXPECT_TRUE(rig.is(Lifecycle::blocked));
  rig.feed(In::deps, true);
  EXPECT_TRUE(rig.asked(Do::ask_admission));
}

TEST(Explained, AStartThatADependencyExplainsIsLeftAloneAndItsClockBeginsAnewWhenTheDependencyIsBack) {
  Rig rig;
  rig.feed(In::deps, true);
  rig.desire(Desired::up);
  rig.feed(In::admitted);
  rig.feed(In::launched);
  rig.feed(In::deps, false);
  for (int i = 0; i < 3; ++i) {
    rig.pass_deadline();
    ASSERT_TRUE(rig.is(Lifecycle::starting));
    ASSERT_TRUE(rig.machine.timers.deadline) << "every state that waits has a deadline";
  }
  rig.wait(seconds(20));
  rig.feed(In::deps, true);
  EXPECT_EQ(*rig.machine.timers.deadline - rig.now, rig.plan.start_timeout);
  EXPECT_EQ(rig.done(Do::send_stop) + rig.done(Do::send_kill), 0);
  rig.pass_deadline();
  EXPECT_TRUE(rig.is(Lifecycle::stopping)) << "nothing explains it any more";
}

TEST(Explained, EvidenceShortensBackoffButNotRestartDelay) {
  Rig rig;
  rig.plan.restart.delay = Millis(4'000);
  rig.bring_up();
  rig.exit();
  rig.pass_deadline();
  rig.fail_start();
  ASSERT_TRUE(rig.is(Lifecycle::backoff));
  EXPECT_GE(*rig.machine.timers.deadline - rig.now, seconds(8));
  rig.feed(In::evidence);
  EXPECT_EQ(*rig.machine.timers.deadline - rig.now, seconds(4));
  rig.wait(seconds(4));
  rig.feed(In::timer);
  EXPECT_TRUE(rig.asked(Do::ask_admission));
}

TEST(Explained, EvidenceLeavesFailedAtOnceThenEveryThirtySeconds) {
  Rig rig;
  rig.plan.restart.max_restarts = 1;
  rig.bring_up();
  rig.exhaust();
  rig.feed(In::evidence);
  EXPECT_TRUE(rig.is(Lifecycle::blocked));
  rig.fail_start();
  ASSERT_TRUE(rig.is(Lifecycle::failed));
  rig.wait(seconds(10));
  rig.feed(In::evidence);
  EXPECT_TRUE(rig.is(Lifecycle::failed));
  EXPECT_EQ(*rig.machine.timers.deadline - rig.now, seconds(20));
  rig.pass_deadline();
  EXPECT_TRUE(rig.is(Lifecycle::blocked));
  EXPECT_EQ(*rig.machine.episode.last_evidence, rig.now);
}

TEST(Explained, DependencyRecoveryIsEvidence) {
  Rig rig;
  rig.plan.restart.max_restarts = 1;
  rig.bring_up();
  rig.exhaust();
  rig.feed(In::deps, false);
  rig.pass_deadline();
  EXPECT_TRUE(rig.is(Lifecycle::failed)) << "no try without its dependency";
  rig.feed(In::deps, true);
  EXPECT_TRUE(rig.asked(Do::ask_admission));
  EXPECT_TRUE(rig.machine.episode.half_open);
}

}  // namespace
}  // namespace azora::healing
