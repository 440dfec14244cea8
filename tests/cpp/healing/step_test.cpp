// The rules of healing what is ours to run, one situation each, on the production step().
#include <gtest/gtest.h>

#include "healing/rig.hpp"

namespace azora::healing {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

TEST(Step, WaitsForDependenciesThenForItsSlotThenForItsFirstAnswer) {
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

TEST(Step, StaleWordsOfFormerIncarnationsChangeNothing) {
  Rig rig;
  rig.bring_up();
  rig.feed({.kind = In::exited, .incarnation = 7});
  EXPECT_TRUE(rig.is(Lifecycle::ready));
}

TEST(Step, GrantsThatCrossAChangeOfMindAreGivenBack) {
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

TEST(Step, FirstCrashHealsAtOnceAndIsToldOnlyWhenVerified) {
  Rig rig;
  rig.bring_up();
  rig.feed(In::exited);
  EXPECT_TRUE(rig.is(Lifecycle::sweep));
  EXPECT_TRUE(rig.asked(Do::send_kill)) << "descendants must not outlive their main process";
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

TEST(Step, RestartNamesTheFirstFailureOfItsEpisode) {
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

TEST(Step, RestartDelayIsCountedFromEachFailure) {
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

TEST(Step, SpentBudgetIsOneServiceFailedAndSilentHalfOpenTries) {
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

TEST(Step, GivenUpOnAgainAfterAnOperatorsWordIsToldAgain) {
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

TEST(Step, UnlimitedRestartsStillBackOff) {
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

TEST(Step, DowntimeBeginsWhereNobodyIsSentAnyMore) {
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

TEST(Step, ADipThatWasMadeGoodIsNoDowntime) {
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

TEST(Step, StabilityGivesTheBudgetBack) {
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

TEST(Step, AlertOnlyFailsOnceAndNeverStartsAgainByItself) {
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

TEST(Step, AlertOnlyLeavesAHungProcessAlone) {
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

TEST(Step, ExitPoliciesDecideWhatACleanAndAFailedExitMean) {
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

TEST(Step, NeverIsNotRetriedAndNotKilledByProbes) {
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

TEST(Step, ExplainedFailureSpendsNothingAndStartsWithTheDependency) {
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

TEST(Step, ExplainedStartKeepsItsRestartDelay) {
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

TEST(Step, DependencyLostInBackoffBlocksAndItsReturnStartsAtOnce) {
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

TEST(Step, EvidenceShortensBackoffButNotRestartDelay) {
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

TEST(Step, EvidenceLeavesFailedAtOnceThenEveryThirtySeconds) {
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

TEST(Step, DependencyRecoveryIsEvidence) {
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

TEST(Step, OperatorStartGivesFailedAFreshBudget) {
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

TEST(Step, NewPlanIsANewBudget) {
  Rig rig;
  rig.plan.restart.max_restarts = 1;
  rig.bring_up();
  rig.exhaust();
  rig.feed(In::plan_changed, true);
  EXPECT_TRUE(rig.asked(Do::ask_admission));
  EXPECT_EQ(rig.machine.budget.attempts, 0);
}

TEST(Step, StopEndsThroughSignalKillAndStuckAndBelievesTheExitAlways) {
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

TEST(Step, DescendantsThatStayAreKilledAgainThenStuck) {
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

TEST(Step, DesiredDownWinsOverEverythingThatWaits) {
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

TEST(Step, StartWhileStoppingStartsAgainAfterTheSweepWithoutSpending) {
  Rig rig;
  rig.bring_up();
  rig.desire(Desired::down);
  rig.desire(Desired::up);
  EXPECT_EQ(rig.done(Do::launch), 1);
  rig.exit();
  EXPECT_TRUE(rig.asked(Do::ask_admission));
  EXPECT_EQ(rig.machine.budget.attempts, 0);
}

TEST(Step, PlannedEndsOfARunningServiceNeverTouchTheBudget) {
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

TEST(Step, OperatorRestartIsToldAsSuch) {
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

TEST(Step, StartTimeoutIsAFailure) {
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

TEST(Step, AStartThatADependencyExplainsIsLeftAloneAndItsClockBeginsAnewWhenTheDependencyIsBack) {
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

TEST(Step, ANewPlanAppliesToTheStartThatIsUnderWay) {
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

TEST(Step, AStartThatIsVerifiedByChecksFromNowOnIsNotStoppedAfterASecond) {
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

TEST(Step, LostShimIsAFailureThatNeedsNoSweep) {
  Rig rig;
  rig.bring_up();
  rig.feed(In::lost);
  EXPECT_TRUE(rig.asked(Do::ask_admission));
  EXPECT_EQ(rig.machine.episode.cause, Cause::lost);
}

TEST(Step, UnprobedServiceIsReadyAfterOneSecondAlive) {
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

TEST(Step, SlotIsFreedOnceByReadinessExitOrTime) {
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

TEST(Step, HoldLeavesWhatRunsAndStartsNothing) {
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

TEST(Step, UrlOnlyServiceSaysOncePerEpisodeThatNothingCanHealIt) {
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
