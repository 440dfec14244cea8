#include "azora/health/tracker.hpp"

#include <gtest/gtest.h>

#include <string>

namespace azora::health {
namespace {

Verdict verdict_of(char letter) {
  switch (letter) {
    case 'p': return Verdict::pass;
    case 'w': return Verdict::warn;
    case 'f': return Verdict::fail;
    default: return Verdict::none;
  }
}

// One letter per step: the status after it (h d u ?), upper case when that step changed it.
// Then '!' when a restart is due and '+' when the next probe is a confirm probe.
std::string run(Tracker& tracker, const std::string& verdicts, const ProbeSpec& spec = {}) {
  std::string out;
  for (const char letter : verdicts) {
    const TrackerStep step = tracker.apply(verdict_of(letter), spec);
    char status = "?hdu"[static_cast<std::size_t>(tracker.status())];
    if (step.change) {
      EXPECT_EQ(*step.change, tracker.status());
      status = static_cast<char>(std::toupper(status));
    }
    if (!out.empty()) out += ' ';
    out += status;
    if (step.restart_due) out += '!';
    if (step.confirm_soon) out += '+';
  }
  return out;
}

std::string fresh(const std::string& verdicts, const ProbeSpec& spec = {}) {
  Tracker tracker;
  return run(tracker, verdicts, spec);
}

ProbeSpec thresholds(int unhealthy, int restart, int healthy) {
  ProbeSpec spec;
  spec.unhealthy_threshold = unhealthy;
  spec.restart_threshold = restart;
  spec.healthy_threshold = healthy;
  return spec;
}

TEST(Tracker, Rule15TheFirstResultDecidesAlone) {
  EXPECT_EQ(fresh("p"), "H");
  EXPECT_EQ(fresh("w"), "D");
  EXPECT_EQ(fresh("f"), "U+");
}

TEST(Tracker, Rule15OneFailureRunFeedsBothThresholdsAndConfirmsGoOnToTheSecond) {
  EXPECT_EQ(fresh("pffff"), "H h+ U+ u! u!");
  EXPECT_EQ(fresh("pffff", thresholds(1, 1, 1)), "H U! u! u! u!");
  EXPECT_EQ(fresh("pfffff", thresholds(2, 5, 2)), "H h+ U+ u+ u+ u!");
  EXPECT_EQ(fresh("fff"), "U+ u+ u!");
}

TEST(Tracker, Rule15ANonFailureEndsTheConfirmProbes) {
  EXPECT_EQ(fresh("pfp"), "H h+ h");
  EXPECT_EQ(fresh("pfpf"), "H h+ h h+");
}

TEST(Tracker, Rule15ConsecutivePassesMakeItHealthyAgainAtConfirmSpacing) {
  EXPECT_EQ(fresh("fpp"), "U+ u+ H");
  EXPECT_EQ(fresh("fpfpp"), "U+ u+ u+ u+ H");
  EXPECT_EQ(fresh("fp", thresholds(2, 3, 1)), "U+ H");
  EXPECT_EQ(fresh("wpppp", thresholds(2, 3, 4)), "D d+ d+ d+ H");
}

TEST(Tracker, Rule15ADegradedAnswerEndsTheFailureRun) {
  EXPECT_EQ(fresh("pffwff"), "H h+ U+ D U+ u+");
  EXPECT_EQ(fresh("pffwfff"), "H h+ U+ D U+ u+ u!");
}

TEST(Tracker, Rule15TheLastOfTheTroublesNamesTheStatus) {
  EXPECT_EQ(fresh("pww"), "H h D");
  EXPECT_EQ(fresh("pwf"), "H h U+");
  EXPECT_EQ(fresh("pfw"), "H h+ D");
  EXPECT_EQ(fresh("pwpw"), "H h h h");
  EXPECT_EQ(fresh("pwww", thresholds(3, 3, 2)), "H h h D");
}

TEST(Tracker, Rule16DegradedNeverCountsTowardsARestart) {
  EXPECT_EQ(fresh("wwwwwwww"), "D d d d d d d d");
}

TEST(Tracker, Rule16FailuresWhileStartingAreNeitherCountedNorPublished) {
  Tracker tracker;
  tracker.reset_starting();
  const TrackerStep step = tracker.apply(Verdict::fail, ProbeSpec{});
  EXPECT_FALSE(step.counted);
  EXPECT_EQ(run(tracker, "fffff"), "? ? ? ? ?");
  EXPECT_EQ(tracker.error_count(), 0u);
  EXPECT_TRUE(tracker.starting());
}

TEST(Tracker, Rule16AnyAnswerBelow500EndsTheStart) {
  Tracker ready;
  ready.reset_starting();
  EXPECT_EQ(run(ready, "ffpff"), "? ? H h+ U+");
  EXPECT_FALSE(ready.starting());
  Tracker degraded;
  degraded.reset_starting();
  EXPECT_EQ(run(degraded, "ffw"), "? ? D");
  EXPECT_FALSE(degraded.starting());
}

TEST(Tracker, ANewIncarnationStartsFromNothing) {
  Tracker tracker;
  EXPECT_EQ(run(tracker, "pfff"), "H h+ U+ u!");
  tracker.reset();
  EXPECT_EQ(tracker.status(), HealthStatus::unknown);
  EXPECT_EQ(tracker.error_count(), 0u);
  EXPECT_EQ(run(tracker, "p"), "H");
}

TEST(Tracker, Rule22AnExitEndsTheFailureRunAndIsUnhealthyAtOnce) {
  Tracker tracker;
  EXPECT_EQ(run(tracker, "pf"), "H h+");
  tracker.exited();
  EXPECT_EQ(tracker.status(), HealthStatus::unhealthy);
  EXPECT_EQ(tracker.failure_run(), 0);
  EXPECT_EQ(tracker.error_count(), 1u);
  EXPECT_EQ(run(tracker, "p"), "H");
}

TEST(Tracker, Rule17AnAdoptedServiceKeepsItsStatusUntilTheFirstProbe) {
  Tracker tracker;
  tracker.reset_adopted(HealthStatus::degraded);
  EXPECT_EQ(tracker.status(), HealthStatus::degraded);
  EXPECT_EQ(run(tracker, "p"), "H");
}

TEST(Tracker, NoneChangesNothing) {
  EXPECT_EQ(fresh("npnfnfnf"), "? H h h+ h+ U+ u+ u!");
  Tracker tracker;
  EXPECT_FALSE(tracker.apply(Verdict::none, ProbeSpec{}).counted);
}

TEST(Tracker, WhatIsForgivenNeverFeedsRestartThreshold) {
  Tracker tracker;
  const ProbeSpec spec;  // 2, 3, 2
  for (int i = 0; i < 9; ++i) tracker.apply(Verdict::fail, spec);
  tracker.forgive();
  EXPECT_EQ(tracker.status(), HealthStatus::unhealthy);
  EXPECT_TRUE(tracker.confirming(spec));
  EXPECT_FALSE(tracker.apply(Verdict::fail, spec).restart_due);
  EXPECT_FALSE(tracker.apply(Verdict::fail, spec).restart_due);
  EXPECT_TRUE(tracker.apply(Verdict::fail, spec).restart_due);
  tracker.apply(Verdict::pass, spec);
  EXPECT_FALSE(tracker.apply(Verdict::fail, spec).restart_due);
  tracker.apply(Verdict::fail, spec);
  EXPECT_TRUE(tracker.apply(Verdict::fail, spec).restart_due);
}

TEST(Tracker, CountsFailedChecks) {
  Tracker tracker;
  run(tracker, "pfwffpf");
  EXPECT_EQ(tracker.error_count(), 4u);
}

}  // namespace
}  // namespace azora::health
