// What is asked, one question at a time, in each mode.
#include <gtest/gtest.h>

#include "health/scheduler_rig.hpp"

namespace azora::health {
namespace {

TEST(Scheduler, NeverHasTwoProbesOfOneServiceInFlight) {
  NamedScheduler scheduler;
  scheduler.add(1, plan(Millis(100)), kStart);
  EXPECT_EQ(scheduler.due(kStart).size(), 1u);
  scheduler.hurry(1, kStart);
  scheduler.set_mode(1, Mode::confirm, kStart);
  scheduler.set_mode(1, Mode::starting, kStart);
  scheduler.update(1, plan(Millis(200)), kStart);
  EXPECT_TRUE(scheduler.due(kStart + std::chrono::hours(1)).empty());
  EXPECT_EQ(scheduler.in_flight(), 1u);
  scheduler.done(1, kStart + std::chrono::hours(1));
  EXPECT_EQ(scheduler.in_flight(), 0u);
  EXPECT_EQ(scheduler.due(kStart + std::chrono::hours(1)).size(), 1u);
}

TEST(Scheduler, ASlotThatWentToAnotherCheckDoesNotServeItsFormerOne) {
  Scheduler scheduler;
  const CheckKey old = scheduler.add(1, plan(Millis(1000)), kStart);
  scheduler.remove(old);
  const CheckKey fresh = scheduler.add(2, plan(Millis(1000)), kStart);
  ASSERT_EQ(fresh.slot, old.slot);
  std::vector<CheckKey> due;
  scheduler.due(kStart, due);
  ASSERT_EQ(due, std::vector<CheckKey>{fresh});
  scheduler.done(old, kStart);
  scheduler.remove(old);
  EXPECT_EQ(scheduler.in_flight(), 1u);
  EXPECT_EQ(scheduler.size(), 1u);
  scheduler.done(fresh, kStart);
  EXPECT_EQ(scheduler.in_flight(), 0u);
}

TEST(Scheduler, WhatWaitedForRoomIsNoLatenessOfOursWhenItsSettingsChange) {
  NamedScheduler scheduler({.max_in_flight = 1, .fd_limit = 4});
  scheduler.add(1, plan(Millis(1000)), kStart);
  scheduler.add(2, plan(Millis(1000)), kStart);
  EXPECT_EQ(scheduler.due(kStart).size(), 1u);
  const SteadyTime later = kStart + std::chrono::seconds(20);
  scheduler.update(2, plan(Millis(2000)), later);
  EXPECT_EQ(scheduler.next_tick(), later);
}

TEST(Scheduler, AProbeAsLongAsTheIntervalWaitsForTheNextGridPoint) {
  NamedScheduler scheduler;
  scheduler.add(1, plan(Millis(1000)), kStart);
  scheduler.due(kStart);
  scheduler.done(1, kStart + Millis(2500));
  const auto due = scheduler.due_at(1);
  ASSERT_TRUE(due);
  EXPECT_GT(*due, kStart + Millis(2500));
  EXPECT_LE(*due, kStart + Millis(3510));
}

TEST(Scheduler, ConfirmProbesFollowTheEndOfTheLastAtAFifthOfTheIntervalAtMostTwoSeconds) {
  for (const auto& [interval, gap] : std::map<int, int>{{100, 20}, {1000, 200}, {5000, 1000}, {60'000, 2000}}) {
    NamedScheduler scheduler;
    scheduler.add(1, plan(Millis(interval)), kStart);
    scheduler.due(kStart);
    const SteadyTime ended = kStart + Millis(70);
    scheduler.done(1, ended);
    scheduler.set_mode(1, Mode::confirm, ended);
    EXPECT_EQ(scheduler.next(), ended + Millis(gap));
    EXPECT_EQ(scheduler.due(ended + Millis(gap)).size(), 1u);
    scheduler.done(1, ended + Millis(gap));
    EXPECT_EQ(scheduler.next(), ended + Millis(2 * gap));
    scheduler.set_mode(1, Mode::grid, ended + Millis(gap));
    EXPECT_LE(*scheduler.next(), ended + Millis(gap + interval + 10));
  }
}

TEST(Scheduler, Rule16StartingProbesBackOffFromNothingToStartInterval) {
  NamedScheduler scheduler;
  ProbePlan slow = plan(Millis(30'000));
  slow.start_interval = Millis(100);
  scheduler.add(1, slow, kStart, Mode::starting);
  SteadyTime at = kStart;
  for (const int gap : {0, 10, 20, 40, 80, 100, 100, 100}) {
    ASSERT_EQ(scheduler.next(), at + Millis(gap));
    at += Millis(gap);
    ASSERT_EQ(scheduler.due(at).size(), 1u);
    scheduler.done(1, at);
  }
  // A new incarnation begins anew, also while a probe is in flight.
  at = *scheduler.next();
  scheduler.due(at);
  scheduler.set_mode(1, Mode::starting, at);
  scheduler.done(1, at);
  EXPECT_EQ(scheduler.next(), at);
  scheduler.due(at);
  scheduler.done(1, at);
  EXPECT_EQ(scheduler.next(), at + Millis(10));
}

TEST(Scheduler, PausedServicesAreNotProbedAndHurriedOnesAreAtOnce) {
  NamedScheduler scheduler;
  scheduler.add(1, plan(Millis(1000)), kStart, Mode::paused);
  EXPECT_EQ(scheduler.next(), std::nullopt);
  scheduler.hurry(1, kStart);
  EXPECT_EQ(scheduler.next(), std::nullopt);
  scheduler.set_mode(1, Mode::grid, kStart);
  EXPECT_GT(*scheduler.next(), kStart);
  scheduler.hurry(1, kStart);
  EXPECT_EQ(scheduler.next(), kStart);
  scheduler.set_mode(1, Mode::paused, kStart);
  EXPECT_EQ(scheduler.next(), std::nullopt);
  EXPECT_TRUE(scheduler.due(kStart + std::chrono::hours(1)).empty());
}

}  // namespace
}  // namespace azora::health
