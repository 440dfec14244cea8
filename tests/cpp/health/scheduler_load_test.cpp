// More to ask than there is room for: caps, slow targets, priorities, large fleets.
#include <gtest/gtest.h>

#include <random>
#include <string>

#include "health/scheduler_rig.hpp"

namespace azora::health {
namespace {

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
