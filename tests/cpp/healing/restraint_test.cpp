// What holds healing back: permits for kills, dependencies that explain a failure, the flap detector.
#include <gtest/gtest.h>

#include <string_view>

#include "healing/rig.hpp"

namespace azora::healing {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

TEST(Restraint, LivenessKillWaitsForItsPermitAndAPassCallsItOff) {
  Rig rig;
  rig.bring_up();
  rig.feed(In::liveness_failed);
  EXPECT_TRUE(rig.asked(Do::ask_permit));
  rig.feed(In::liveness_failed);
  EXPECT_FALSE(rig.asked(Do::ask_permit));
  rig.feed(In::passed, true);
  EXPECT_TRUE(rig.asked(Do::drop_permit));
  rig.feed(In::liveness_failed);
  rig.feed(In::permitted);
  EXPECT_TRUE(rig.is(Lifecycle::stopping));
  EXPECT_TRUE(rig.machine.holds.permit);
  rig.exit(true);
  EXPECT_EQ(rig.machine.budget.attempts, 1) << "exit 0 after our own kill is no clean end";
  EXPECT_TRUE(rig.machine.holds.permit) << "it is down by our doing until it is back";
  rig.start();
  EXPECT_EQ(rig.notice(Say::restarted)->cause, Cause::liveness);
  EXPECT_EQ(rig.done(Do::drop_permit), 2);
}

TEST(Restraint, AKillPermitIsGivenBackAtTheNextEndOfItsOwn) {
  struct Row {
    const char* what;
    void (*end)(Rig&);
  };
  const Row rows[] = {{"crash", [](Rig& rig) { rig.feed(In::exited); }},
                      {"exit 0", [](Rig& rig) { rig.feed(In::exited, true); }},
                      {"lost", [](Rig& rig) { rig.feed(In::lost); }},
                      {"not executed", [](Rig& rig) { rig.feed(In::launch_failed); }},
                      {"an operator's stop", [](Rig& rig) { rig.desire(Desired::down); }},
                      {"an operator's restart", [](Rig& rig) { rig.feed(In::restart); }},
                      {"explained by a dependency",
                       [](Rig& rig) {
                         rig.pass_deadline();
                         rig.feed(In::deps, false);
                         rig.exit();
                         ASSERT_TRUE(rig.is(Lifecycle::blocked));
                       }}};
  for (const Row& row : rows) {
    Rig rig;
    rig.plan.restart.max_restarts = -1;
    rig.bring_up();
    rig.feed(In::liveness_failed);
    rig.feed(In::permitted);
    rig.exit(true);
    ASSERT_TRUE(rig.machine.holds.permit) << row.what;
    rig.feed(In::admitted);
    if (std::string_view(row.what) != "not executed") rig.feed(In::launched);
    row.end(rig);
    EXPECT_FALSE(rig.machine.holds.permit) << row.what;
    EXPECT_EQ(rig.done(Do::drop_permit), 1) << row.what;
  }
}

TEST(Restraint, AKillPermitIsKeptWhereTheRestartDidNotHelp) {
  Rig rig;
  rig.plan.restart.max_restarts = -1;
  rig.bring_up();
  rig.feed(In::liveness_failed);
  rig.feed(In::permitted);
  rig.exit();
  for (int i = 0; i < 3; ++i) {
    rig.feed(In::admitted);
    rig.feed(In::launched);
    rig.pass_deadline();
    ASSERT_TRUE(rig.is(Lifecycle::stopping));
    rig.exit();
    ASSERT_TRUE(rig.machine.holds.permit);
    if (rig.is(Lifecycle::backoff)) rig.pass_deadline();
  }
}

// The permit that checks of the former configuration asked for kills nothing.
TEST(Restraint, ChecksThatBeginAnewCallOffTheKillThatTheFormerOnesAskedFor) {
  Rig rig;
  rig.bring_up();
  rig.feed(In::liveness_failed);
  ASSERT_TRUE(rig.asked(Do::ask_permit));
  rig.feed(In::checks_anew);
  EXPECT_TRUE(rig.asked(Do::drop_permit));
  rig.feed(In::permitted);
  EXPECT_TRUE(rig.is(Lifecycle::ready));
}

TEST(Restraint, WhatADependencyExplainsIsNotKilled) {
  Rig rig;
  rig.bring_up();
  rig.feed(In::liveness_failed);
  rig.feed(In::deps, false);
  EXPECT_TRUE(rig.asked(Do::drop_permit));
  rig.feed(In::liveness_failed);
  EXPECT_FALSE(rig.asked(Do::ask_permit));
}

TEST(Restraint, FlappingIsToldOnceAndHoldsTheDelayAtItsMaximum) {
  Rig rig;
  rig.plan.restart.flap_limit = 3;
  rig.plan.restart.stable_after = Millis(1'000);
  rig.bring_up();
  for (int i = 0; i < 6; ++i) {
    rig.exit();
    if (rig.is(Lifecycle::backoff)) rig.pass_deadline();
    rig.start();
    rig.pass_deadline();  // stable: the budget alone would never stop this
    EXPECT_EQ(rig.machine.budget.attempts, 0);
  }
  EXPECT_EQ(rig.told(Say::flapping), 1);
  rig.exit();
  ASSERT_TRUE(rig.is(Lifecycle::backoff));
  EXPECT_GE(*rig.machine.timers.deadline - rig.now, seconds(60));
  rig.feed(In::evidence);
  EXPECT_GE(*rig.machine.timers.deadline - rig.now, seconds(60));
  rig.pass_deadline();
  rig.start();
  rig.pass_deadline();
  rig.wait(minutes(61));
  rig.exit();
  EXPECT_FALSE(rig.machine.budget.flapping);
  EXPECT_TRUE(rig.asked(Do::ask_admission)) << "after an hour with fewer the first delay is back";
}

TEST(Restraint, DependentThatTakesItsDependencyDownIsBoundedByTheFlapDetector) {
  Rig rig;
  rig.bring_up();
  for (int i = 0; i < 12; ++i) {
    rig.feed(In::deps, false);
    rig.exit();
    rig.feed(In::deps, true);
    if (rig.machine.timers.deadline) rig.pass_deadline();
    rig.start();
  }
  EXPECT_EQ(rig.told(Say::flapping), 1);
  rig.feed(In::deps, false);
  rig.exit();
  rig.feed(In::deps, true);
  EXPECT_FALSE(rig.asked(Do::ask_admission));
  EXPECT_GE(*rig.machine.timers.deadline - rig.now, seconds(60));
}

}  // namespace
}  // namespace azora::healing
