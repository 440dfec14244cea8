#include "azora/health/timer_wheel.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace azora::health {
namespace {

constexpr SteadyTime kStart{std::chrono::seconds(1'000'000)};

std::vector<std::uint32_t> advance(TimerWheel& wheel, SteadyTime now) {
  std::vector<std::uint32_t> due;
  wheel.advance(now, [&](std::uint32_t index) { due.push_back(index); });
  return due;
}

TEST(TimerWheel, IsNeverEarlyAndAtMostATickLate) {
  TimerWheel wheel(Millis(5));
  advance(wheel, kStart);
  wheel.set(3, kStart + Millis(12));
  EXPECT_EQ(wheel.next(), kStart + Millis(15));
  EXPECT_TRUE(advance(wheel, kStart + Millis(12)).empty());
  EXPECT_EQ(advance(wheel, kStart + Millis(15)), std::vector<std::uint32_t>{3});
  EXPECT_EQ(wheel.next(), std::nullopt);
}

TEST(TimerWheel, ADroppedDeadlineNeverComes) {
  TimerWheel wheel;
  advance(wheel, kStart);
  wheel.set(1, kStart + Millis(10));
  wheel.set(1, kStart + Millis(500));
  EXPECT_TRUE(advance(wheel, kStart + Millis(400)).empty());
  wheel.drop(1);
  wheel.drop(77);
  EXPECT_TRUE(advance(wheel, kStart + std::chrono::seconds(60)).empty());
  EXPECT_EQ(wheel.size(), 0u);
}

TEST(TimerWheel, DeadlinesBeyondOneTurnWaitForTheirRound) {
  TimerWheel wheel(Millis(5));
  advance(wheel, kStart);
  wheel.set(1, kStart + std::chrono::seconds(60));
  SteadyTime now = kStart;
  int looks = 0;
  while (true) {
    const auto next = wheel.next();
    ASSERT_TRUE(next);
    ASSERT_GT(*next, now);
    now = *next;
    if (!advance(wheel, now).empty()) break;
    ++looks;
  }
  EXPECT_EQ(now, kStart + std::chrono::seconds(60));
  EXPECT_LE(looks, 12);
}

TEST(TimerWheel, ADeadlineInThePastComesAtTheNextLook) {
  TimerWheel wheel(Millis(5));
  advance(wheel, kStart);
  wheel.set(1, kStart - Millis(100));
  EXPECT_EQ(advance(wheel, *wheel.next()), std::vector<std::uint32_t>{1});
}

TEST(TimerWheel, ACallMaySetAndDropOthers) {
  TimerWheel wheel(Millis(5));
  advance(wheel, kStart);
  for (std::uint32_t index = 0; index < 4; ++index) wheel.set(index, kStart + Millis(5));
  std::vector<std::uint32_t> due;
  wheel.advance(kStart + Millis(5), [&](std::uint32_t index) {
    due.push_back(index);
    if (due.size() == 1) {
      for (std::uint32_t other = 0; other < 4; ++other) {
        if (other != index) wheel.drop(other);
      }
      wheel.set(index, kStart + Millis(10));
    }
  });
  EXPECT_EQ(due.size(), 1u);
  EXPECT_EQ(advance(wheel, kStart + Millis(10)), due);
}

TEST(TimerWheel, AgreesWithAnOrderedMapUnderRandomUse) {
  std::mt19937 random(5);
  TimerWheel wheel(Millis(5));
  std::map<std::uint32_t, SteadyTime> model;
  SteadyTime now = kStart;
  advance(wheel, now);
  for (int step = 0; step < 50'000; ++step) {
    const auto index = static_cast<std::uint32_t>(random() % 200);
    switch (random() % 4) {
      case 0:
      case 1: {
        const SteadyTime at = now + Millis(random() % (random() % 10 == 0 ? 20'000 : 300));
        wheel.set(index, at);
        model[index] = at;
        break;
      }
      case 2:
        wheel.drop(index);
        model.erase(index);
        break;
      default: {
        now += Millis(random() % 40);
        for (const std::uint32_t due : advance(wheel, now)) {
          ASSERT_TRUE(model.contains(due));
          ASSERT_LE(model[due], now);
          model.erase(due);
        }
        for (const auto& [left, at] : model) ASSERT_GT(at + Millis(10), now) << left;
        if (!model.empty()) {
          ASSERT_TRUE(wheel.next());
          SteadyTime first = SteadyTime::max();
          for (const auto& row : model) first = std::min(first, row.second);
          ASSERT_LE(*wheel.next(), std::max(first, now) + Millis(10));
        }
      }
    }
    ASSERT_EQ(wheel.size(), model.size());
  }
}

}  // namespace
}  // namespace azora::health
