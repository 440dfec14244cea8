// What restartPolicy and maxRestarts 0 make of an end; what has no action at all.
#include <gtest/gtest.h>

#include "healing/rig.hpp"

namespace azora::healing {
namespace {

TEST(Policy, AlertOnlyFailsOnceAndNeverStartsAgainByItself) {
  Rig rig;
  rig.plan.restart.max_restarts = 0;
  rig.bring_up();
  rig.feed(In::deps, false);
  rig.exit();
  EXPECT_TRUE(rig.is(Lifecycle::failed));
  EXPECT_EQ(rig.told(Say::failed), 1);
  EXPECT_FALSE(rig.machine.timers.deadline);
  rig.feed(In::deps, true);
  rig.feed(In::evidence);
  EXPECT_TRUE(rig.is(Lifecycle::failed));
  rig.desire(Desired::up, Cause::op);
  EXPECT_TRUE(rig.is(Lifecycle::blocked));
}

TEST(Policy, AlertOnlyLeavesAHungProcessAlone) {
  Rig rig;
  rig.plan.restart.max_restarts = 0;
  rig.bring_up();
  for (int i = 0; i < 3; ++i) rig.feed(In::liveness_failed);
  EXPECT_TRUE(rig.is(Lifecycle::ready));
  EXPECT_EQ(rig.told(Say::failed), 1);
  EXPECT_EQ(rig.done(Do::ask_permit), 0);
  rig.feed(In::checks_anew);
  rig.feed(In::liveness_failed);
  EXPECT_EQ(rig.told(Say::failed), 2);
}

TEST(Policy, ExitPoliciesDecideWhatACleanAndAFailedExitMean) {
  struct Row {
    RestartOn on;
    bool ok;
    Lifecycle after;
  };
  const Row rows[] = {{RestartOn::on_failure, true, Lifecycle::done},
                      {RestartOn::on_failure, false, Lifecycle::blocked},
                      {RestartOn::always, true, Lifecycle::blocked},
                      {RestartOn::always, false, Lifecycle::blocked},
                      {RestartOn::never, true, Lifecycle::done},
                      {RestartOn::never, false, Lifecycle::failed}};
  for (const Row& row : rows) {
    Rig rig;
    rig.plan.restart.on = row.on;
    rig.bring_up();
    rig.exit(row.ok);
    EXPECT_TRUE(rig.is(row.after)) << static_cast<int>(row.on) << row.ok << wire_name(rig.machine.lifecycle);
    EXPECT_EQ(rig.machine.budget.attempts, row.after == Lifecycle::blocked ? 1 : 0);
  }
}

TEST(Policy, NeverIsNotRetriedAndNotKilledByProbes) {
  Rig rig;
  rig.plan.restart.on = RestartOn::never;
  rig.bring_up();
  rig.feed(In::liveness_failed);
  EXPECT_FALSE(rig.asked(Do::ask_permit));
  rig.exit();
  EXPECT_EQ(rig.told(Say::failed), 1);
  EXPECT_FALSE(rig.machine.timers.deadline);
  rig.feed(In::evidence);
  EXPECT_TRUE(rig.is(Lifecycle::failed));
}

TEST(Policy, UrlOnlyServiceSaysOncePerEpisodeThatNothingCanHealIt) {
  Rig rig(kWatched);
  rig.feed(In::liveness_failed);
  rig.feed(In::liveness_failed);
  EXPECT_EQ(rig.told(Say::healing_unavailable), 1);
  rig.feed(In::passed, true);
  rig.feed(In::liveness_failed);
  EXPECT_EQ(rig.told(Say::healing_unavailable), 2);
  rig.feed(In::checks_anew);
  rig.feed(In::liveness_failed);
  EXPECT_EQ(rig.told(Say::healing_unavailable), 3) << "registered again, it turned unhealthy again";
  rig.feed(In::restart);
  rig.desire(Desired::down);
  EXPECT_TRUE(rig.is(Lifecycle::watching));
  EXPECT_EQ(rig.machine.desired, Desired::down);
  EXPECT_TRUE(rig.actions.empty());
}

}  // namespace
}  // namespace azora::healing
