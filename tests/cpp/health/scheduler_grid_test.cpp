// When services are asked: the even grid, and what moves on it.
#include <gtest/gtest.h>

#include <algorithm>

#include "health/scheduler_rig.hpp"

namespace azora::health {
namespace {

TEST(Scheduler, ProbesANewServiceAtOnceThenOnItsGrid) {
  NamedScheduler scheduler;
  scheduler.add(1, plan(Millis(10'000)), kStart);
  EXPECT_EQ(scheduler.next(), kStart);
  EXPECT_EQ(scheduler.due(kStart), std::vector<Serial>{1});
  EXPECT_EQ(scheduler.next(), std::nullopt);
  scheduler.done(1, kStart + Millis(3));
  const auto sent = drive(scheduler, kStart + std::chrono::seconds(60));
  ASSERT_EQ(sent.size(), 6u);
  for (std::size_t i = 1; i < sent.size(); ++i) EXPECT_EQ(sent[i] - sent[i - 1], Nanos(Millis(10'000)));
}

TEST(Scheduler, HasNothingToWaitForWithoutServices) {
  NamedScheduler scheduler;
  EXPECT_EQ(scheduler.next(), std::nullopt);
  EXPECT_TRUE(scheduler.due(kStart).empty());
  scheduler.add(1, plan(Millis(1000)), kStart);
  scheduler.remove(1);
  EXPECT_EQ(scheduler.next(), std::nullopt);
  EXPECT_TRUE(scheduler.due(kStart).empty());
}

TEST(Scheduler, HandsOutWhatIsDueInOneTickAsOneBatch) {
  NamedScheduler scheduler;
  for (Serial serial = 1; serial <= 1000; ++serial) scheduler.add(serial, plan(Millis(1000)), kStart);
  drive(scheduler, kStart);
  const auto sent = drive(scheduler, kStart + std::chrono::seconds(1));
  EXPECT_EQ(sent.size(), 1000u);
  const std::size_t wake_ups = static_cast<std::size_t>(
      std::count_if(sent.begin() + 1, sent.end(), [&](const SteadyTime& at) { return at != *(&at - 1); }) + 1);
  EXPECT_LE(wake_ups, 101u);
  for (const SteadyTime at : sent) EXPECT_EQ(at.time_since_epoch() % Millis(10), Nanos(0));
}

TEST(Scheduler, SpreadsAnyNumberOfServicesEvenly) {
  for (const std::size_t count : {1u, 2u, 10u, 100u, 997u, 1000u, 5000u, 20'000u, 100'000u}) {
    NamedScheduler scheduler({.fd_limit = 4'000'000});
    const Millis interval(10'000);
    for (Serial serial = 1; serial <= count; ++serial) scheduler.add(serial, plan(interval), kStart);
    drive(scheduler, kStart);
    const auto sent = drive(scheduler, kStart + 3 * interval);
    EXPECT_NEAR(static_cast<double>(sent.size()), 3.0 * static_cast<double>(count), 1.0);
    const double mean = static_cast<double>(count) / 100.0;
    EXPECT_LE(static_cast<double>(densest(sent, Millis(100))), std::max(2.0 * mean, 2.0)) << count;
  }
}

TEST(Scheduler, StaysEvenAfterRemovals) {
  std::mt19937 random(7);
  for (const bool worst_case : {false, true}) {
    NamedScheduler scheduler({.fd_limit = 1'000'000});
    const Millis interval(10'000);
    std::vector<Serial> serials;
    for (Serial serial = 1; serial <= 10'000; ++serial) {
      scheduler.add(serial, plan(interval), kStart);
      serials.push_back(serial);
    }
    drive(scheduler, kStart + interval);
    std::shuffle(serials.begin(), serials.end(), random);
    if (worst_case) {  // those that are left all lie in the same tenth of the interval
      std::sort(serials.begin(), serials.end(), [&](Serial a, Serial b) {
        return *scheduler.due_at(a) > *scheduler.due_at(b);
      });
    }
    serials.resize(9'000);
    for (const Serial serial : serials) scheduler.remove(serial);
    EXPECT_EQ(scheduler.size(), 1000u);
    drive(scheduler, kStart + 2 * interval);  // each one's set probe first
    const auto sent = drive(scheduler, kStart + 5 * interval);
    EXPECT_NEAR(static_cast<double>(sent.size()), 3000.0, 3.0);
    EXPECT_LE(densest(sent, Millis(100)), 20u);
  }
}

TEST(Scheduler, ARemovalMovesNobodyWhileTheFleetIsDense) {
  NamedScheduler scheduler;
  for (Serial serial = 1; serial <= 100; ++serial) scheduler.add(serial, plan(Millis(1000)), kStart);
  std::map<Serial, Ordinal> before;
  for (Serial serial = 1; serial <= 100; ++serial) before[serial] = *scheduler.ordinal(serial);
  for (Serial serial = 10; serial < 30; ++serial) scheduler.remove(serial);
  for (Serial serial = 30; serial <= 100; ++serial) EXPECT_EQ(scheduler.ordinal(serial), before[serial]);
  // The next ones take the empty places.
  scheduler.add(200, plan(Millis(1000)), kStart);
  EXPECT_EQ(scheduler.ordinal(200), before[10]);
}

TEST(Scheduler, AMovedServiceNeverWaitsLongerThanAnInterval) {
  NamedScheduler scheduler;
  const Millis interval(1000);
  for (Serial serial = 1; serial <= 40; ++serial) scheduler.add(serial, plan(interval), kStart);
  drive(scheduler, kStart + interval);
  for (Serial serial = 1; serial <= 39; ++serial) scheduler.remove(serial);
  EXPECT_EQ(scheduler.ordinal(40), 0u);
  SteadyTime last = kStart + interval;
  for (const SteadyTime at : drive(scheduler, kStart + 10 * interval)) {
    EXPECT_LE(at - last, Nanos(interval + Millis(10)));
    last = at;
  }
}

TEST(Scheduler, KeepsItsGridOverARestartInAnyOrder) {
  const Millis interval(7'000);
  std::map<Serial, Ordinal> ordinals;
  std::map<Serial, SteadyTime> first_run;
  {
    NamedScheduler scheduler({.fd_limit = 100'000});
    for (Serial serial = 1; serial <= 500; ++serial) scheduler.add(serial, plan(interval), kStart);
    for (Serial serial = 1; serial <= 500; serial += 9) scheduler.remove(serial);
    drive(scheduler, kStart);
    for (Serial serial = 1; serial <= 500; ++serial) {
      if (const auto ordinal = scheduler.ordinal(serial)) {
        ordinals[serial] = *ordinal;
        first_run[serial] = *scheduler.due_at(serial);
      }
    }
  }
  NamedScheduler scheduler({.fd_limit = 100'000});
  for (auto it = ordinals.rbegin(); it != ordinals.rend(); ++it) {
    scheduler.add(it->first, plan(interval), kStart, Mode::grid, it->second);
  }
  drive(scheduler, kStart);
  for (const auto& [serial, ordinal] : ordinals) {
    EXPECT_EQ(scheduler.ordinal(serial), ordinal);
    EXPECT_EQ(scheduler.due_at(serial), first_run[serial]);
  }
}

TEST(Scheduler, AnAbsurdOrTakenOrdinalIsReplacedByAFreeOne) {
  NamedScheduler scheduler;
  scheduler.add(1, plan(Millis(1000)), kStart, Mode::grid, 4'000'000'000u);
  scheduler.add(2, plan(Millis(1000)), kStart, Mode::grid, 0u);
  EXPECT_EQ(scheduler.ordinal(1), 0u);
  EXPECT_EQ(scheduler.ordinal(2), 1u);
}

}  // namespace
}  // namespace azora::health
