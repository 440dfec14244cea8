#include "azora/health/scheduler.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <random>
#include <string>

namespace azora::health {
namespace {

constexpr SteadyTime kStart{std::chrono::seconds(5000)};

ProbePlan plan(Millis interval, int priority = 5, std::uint64_t target = 0) {
  static std::uint64_t next_target = 1'000'000;
  return {.target_key = target != 0 ? target : ++next_target,
          .interval = interval,
          .start_interval = Millis(1000),
          .priority = priority};
}

// A scheduler whose checks are named by their serials alone.
class NamedScheduler : private Scheduler {
 public:
  using Scheduler::in_flight;
  using Scheduler::late;
  using Scheduler::max_in_flight;
  using Scheduler::next;
  using Scheduler::next_tick;
  using Scheduler::Scheduler;
  using Scheduler::size;

  void add(Serial serial, const ProbePlan& plan, SteadyTime now, Mode mode = Mode::grid,
           std::optional<Ordinal> ordinal = std::nullopt) {
    keys_[serial] = Scheduler::add(serial, plan, now, mode, ordinal);
  }
  void remove(Serial serial) { Scheduler::remove(key(serial)); }
  void update(Serial serial, const ProbePlan& plan, SteadyTime now) { Scheduler::update(key(serial), plan, now); }
  void set_mode(Serial serial, Mode mode, SteadyTime now) { Scheduler::set_mode(key(serial), mode, now); }
  void hurry(Serial serial, SteadyTime now) { Scheduler::hurry(key(serial), now); }
  void done(Serial serial, SteadyTime ended) { Scheduler::done(key(serial), ended); }
  std::optional<Ordinal> ordinal(Serial serial) const { return Scheduler::ordinal(key(serial)); }
  std::optional<SteadyTime> due_at(Serial serial) const { return Scheduler::due_at(key(serial)); }
  std::vector<Serial> due(SteadyTime now) {
    std::vector<CheckKey> keys;
    Scheduler::due(now, keys);
    std::vector<Serial> serials;
    for (const CheckKey& one : keys) serials.push_back(one.serial);
    return serials;
  }

 private:
  CheckKey key(Serial serial) const {
    const auto found = keys_.find(serial);
    return found == keys_.end() ? CheckKey{serial, 0} : found->second;
  }
  std::map<Serial, CheckKey> keys_;
};

// Runs the scheduler until `end` with probes that end at once; returns when each probe went.
std::vector<SteadyTime> drive(NamedScheduler& scheduler, SteadyTime end) {
  std::vector<SteadyTime> sent;
  while (true) {
    const auto next = scheduler.next();
    if (!next || *next > end) return sent;
    for (const Serial serial : scheduler.due(*next)) {
      sent.push_back(*next);
      scheduler.done(serial, *next);
    }
  }
}

// The largest number of probes in any window of `width`.
std::size_t densest(const std::vector<SteadyTime>& sorted, Nanos width) {
  std::size_t best = 0;
  std::size_t low = 0;
  for (std::size_t high = 0; high < sorted.size(); ++high) {
    while (sorted[high] - sorted[low] >= width) ++low;
    best = std::max(best, high - low + 1);
  }
  return best;
}

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

TEST(Scheduler, HoldsTheCapInAllAndGoesOnAsProbesEnd) {
  NamedScheduler scheduler({.max_in_flight = 4});
  for (Serial serial = 1; serial <= 7; ++serial) scheduler.add(serial, plan(Millis(1000)), kStart);
  EXPECT_EQ(scheduler.due(kStart).size(), 4u);
  EXPECT_EQ(scheduler.late(), 3u);
  EXPECT_EQ(scheduler.next(), std::nullopt);
  scheduler.done(1, kStart + Millis(5));
  EXPECT_LE(*scheduler.next(), kStart + Millis(5));
  EXPECT_EQ(scheduler.due(kStart + Millis(5)), std::vector<Serial>{5});
  scheduler.remove(2);
  EXPECT_EQ(scheduler.due(kStart + Millis(5)), std::vector<Serial>{6});
}

TEST(Scheduler, ScalesTheCapWithTheFleetAndNeverAboveAQuarterOfTheDescriptors) {
  NamedScheduler scheduler({.fd_limit = 1024});
  EXPECT_EQ(scheduler.max_in_flight(), 256u);
  NamedScheduler large({.fd_limit = 20'000});
  for (Serial serial = 1; serial <= 2000; ++serial) large.add(serial, plan(Millis(1000)), kStart);
  EXPECT_EQ(large.max_in_flight(), 1000u);
  for (Serial serial = 2001; serial <= 20'000; ++serial) large.add(serial, plan(Millis(1000)), kStart);
  EXPECT_EQ(large.max_in_flight(), 5000u);
  EXPECT_EQ(large.due(kStart).size(), 5000u);
}

TEST(Scheduler, HoldsTheCapPerTargetWithoutHoldingUpOthers) {
  NamedScheduler scheduler({.per_target = 2});
  for (Serial serial = 1; serial <= 5; ++serial) scheduler.add(serial, plan(Millis(1000), 5, 77), kStart);
  scheduler.add(6, plan(Millis(1000), 1, 78), kStart);
  EXPECT_EQ(scheduler.due(kStart), (std::vector<Serial>{1, 2, 6}));
  EXPECT_EQ(scheduler.late(), 3u);
  scheduler.done(1, kStart);
  EXPECT_EQ(scheduler.due(kStart), std::vector<Serial>{3});
  // The next in line leaves before its turn: the one after it is not forgotten.
  scheduler.done(2, kStart);
  scheduler.done(3, kStart);
  scheduler.remove(4);
  EXPECT_EQ(scheduler.due(kStart), std::vector<Serial>{5});
  scheduler.done(5, kStart);
  EXPECT_EQ(scheduler.late(), 0u);
}

TEST(Scheduler, HungOnesLeaveRoomForThoseThatAnswer) {
  constexpr Serial kHung = 200;
  NamedScheduler scheduler({.max_in_flight = 16, .fd_limit = 64});
  for (Serial serial = 1; serial <= kHung; ++serial) scheduler.add(serial, plan(Millis(1000)), kStart);
  for (Serial serial = 901; serial <= 903; ++serial) scheduler.add(serial, plan(Millis(1000)), kStart);
  std::multimap<SteadyTime, Serial> ends;
  std::map<Serial, SteadyTime> last;
  Nanos longest{0};
  std::size_t most = 0;
  for (SteadyTime now = kStart; now < kStart + std::chrono::seconds(60); now += Millis(10)) {
    while (!ends.empty() && ends.begin()->first <= now) {
      scheduler.done(ends.begin()->second, ends.begin()->first);
      ends.erase(ends.begin());
    }
    for (const Serial serial : scheduler.due(now)) {
      ends.emplace(now + (serial > 900 ? Millis(2) : Millis(1000)), serial);
      if (serial <= 900) continue;
      // The first round is before anybody is known to be slow.
      if (now > kStart + std::chrono::seconds(30)) longest = std::max<Nanos>(longest, now - last[serial]);
      last[serial] = now;
    }
    most = std::max(most, scheduler.in_flight());
  }
  EXPECT_EQ(most, 16U);
  EXPECT_LE(longest, Millis(1020));
  EXPECT_EQ(last.size(), 3U);
}

TEST(Scheduler, ASlowOneThatAnswersPromptlyAgainIsSlowNoMore) {
  NamedScheduler scheduler({.max_in_flight = 4, .fd_limit = 16});
  for (Serial serial = 1; serial <= 4; ++serial) scheduler.add(serial, plan(Millis(1000)), kStart);
  const auto round = [&](SteadyTime now, Millis takes) {
    for (Serial serial = 1; serial <= 4; ++serial) scheduler.hurry(serial, now);
    const std::vector<Serial> asked = scheduler.due(now);
    for (const Serial serial : asked) scheduler.done(serial, now + takes);
    return asked.size();
  };
  EXPECT_EQ(round(kStart, Millis(900)), 4U);
  EXPECT_EQ(round(kStart + Millis(1000), Millis(1)), 3U) << "all slow: a quarter stays free";
  EXPECT_EQ(round(kStart + Millis(2000), Millis(1)), 4U);
}

TEST(Scheduler, GoesByPriorityWhenLate) {
  NamedScheduler scheduler({.max_in_flight = 1, .fd_limit = 4});
  scheduler.add(1, plan(Millis(30'000), 1), kStart);
  scheduler.add(2, plan(Millis(1'000), 9), kStart);
  scheduler.add(3, plan(Millis(60'000), 10), kStart);
  scheduler.add(4, plan(Millis(1'000), 5), kStart);
  std::vector<Serial> order;
  for (int i = 0; i < 4; ++i) {
    const auto batch = scheduler.due(kStart);
    ASSERT_EQ(batch.size(), 1u);
    order.push_back(batch[0]);
    scheduler.remove(batch[0]);
  }
  EXPECT_EQ(order, (std::vector<Serial>{3, 2, 4, 1}));
}

TEST(Scheduler, TheLowestPriorityStillGetsItsTurnUnderOverload) {
  NamedScheduler scheduler({.max_in_flight = 1, .fd_limit = 4});
  for (Serial serial = 1; serial <= 20; ++serial) scheduler.add(serial, plan(Millis(100), 10), kStart);
  scheduler.add(99, plan(Millis(100), 1), kStart);
  SteadyTime now = kStart;
  bool asked = false;
  for (int i = 0; i < 400 && !asked; ++i) {  // each probe takes 100 ms: twenty times too many
    for (const Serial serial : scheduler.due(now)) {
      asked = asked || serial == 99;
      scheduler.done(serial, now + Millis(100));
    }
    now += Millis(100);
  }
  EXPECT_TRUE(asked);
}

TEST(Scheduler, ServesAHundredThousandServicesOnTime) {
  NamedScheduler scheduler({.fd_limit = 1'000'000});
  const Millis interval(30'000);
  for (Serial serial = 1; serial <= 100'000; ++serial) scheduler.add(serial, plan(interval), kStart);
  drive(scheduler, kStart);
  std::map<Serial, int> probes;
  std::size_t wake_ups = 0;
  const SteadyTime end = kStart + interval;
  while (scheduler.next() && *scheduler.next() <= end) {
    ++wake_ups;
    const SteadyTime now = *scheduler.next();
    for (const Serial serial : scheduler.due(now)) {
      ++probes[serial];
      scheduler.done(serial, now);
    }
  }
  EXPECT_LE(wake_ups, 3001u);
  EXPECT_GE(probes.size(), 99'990u);
  EXPECT_TRUE(std::all_of(probes.begin(), probes.end(), [](const auto& row) { return row.second <= 2; }));
}

// Random operations against the rules themselves: one in flight each, caps, nothing lost, nothing early.
TEST(Scheduler, HoldsItsRulesUnderRandomOperations) {
  for (unsigned seed = 1; seed <= 20; ++seed) {
    std::mt19937 random(seed);
    const auto pick = [&](std::size_t below) { return static_cast<std::size_t>(random() % below); };
    NamedScheduler scheduler({.max_in_flight = 12, .fd_limit = 48, .per_target = 3});
    std::map<Serial, std::uint64_t> known;  // -> target
    std::map<Serial, std::uint64_t> open;
    std::map<Serial, bool> paused;
    SteadyTime now = kStart;
    for (int step = 0; step < 3000; ++step) {
      const Serial serial = 1 + pick(60);
      switch (pick(8)) {
        case 0:
          if (!known.contains(serial)) {
            const std::uint64_t target = 1 + pick(6);
            scheduler.add(serial, plan(Millis(100 * (1 + static_cast<int>(pick(3)))), 1 + static_cast<int>(pick(10)), target),
                          now);
            known[serial] = target;
            paused[serial] = false;
          }
          break;
        case 1:
          if (pick(3) == 0) {
            scheduler.remove(serial);
            known.erase(serial);
            open.erase(serial);
          }
          break;
        case 2: {
          const Mode mode = static_cast<Mode>(pick(4));
          scheduler.set_mode(serial, mode, now);
          if (known.contains(serial)) paused[serial] = mode == Mode::paused;
          break;
        }
        case 3: scheduler.hurry(serial, now); break;
        case 4:
          if (known.contains(serial)) {
            scheduler.update(serial, plan(Millis(200), 3, known[serial]), now);
          }
          break;
        case 5:
          if (!open.empty()) {
            auto it = open.begin();
            std::advance(it, static_cast<std::ptrdiff_t>(pick(open.size())));
            scheduler.done(it->first, now);
            open.erase(it);
          }
          break;
        default: now += Millis(pick(30)); break;
      }
      for (const Serial due : scheduler.due(now)) {
        ASSERT_TRUE(known.contains(due)) << "seed " << seed;
        ASSERT_FALSE(paused[due]) << "seed " << seed;
        ASSERT_TRUE(open.emplace(due, known[due]).second) << "two in flight, seed " << seed;
      }
      ASSERT_EQ(scheduler.in_flight(), open.size());
      ASSERT_LE(open.size(), 12u);
      std::map<std::uint64_t, std::size_t> per_target;
      for (const auto& [who, target] : open) ASSERT_LE(++per_target[target], 3u);
    }
    // Nobody is forgotten: everything not paused is probed again within an interval.
    std::map<Serial, bool> seen;
    const SteadyTime end = now + std::chrono::seconds(5);
    while (!open.empty()) {
      scheduler.done(open.begin()->first, now);
      open.erase(open.begin());
    }
    while (scheduler.next() && *scheduler.next() <= end) {
      now = std::max(now, *scheduler.next());
      for (const Serial due : scheduler.due(now)) {
        seen[due] = true;
        scheduler.done(due, now);
      }
    }
    for (const auto& [serial, target] : known) {
      EXPECT_EQ(seen.contains(serial), !paused[serial]) << "seed " << seed << " serial " << serial;
    }
    EXPECT_EQ(scheduler.in_flight(), 0u);
    EXPECT_EQ(scheduler.late(), 0u);
  }
}

}  // namespace
}  // namespace azora::health
