#include "azora/keeper/program/retry_timer.hpp"

#include <gtest/gtest.h>

namespace azora::keeper {
namespace {

constexpr std::int64_t kMs = 1'000'000;
constexpr std::int64_t kStart = 5'000 * kMs;

TEST(RetryTimer, IsDueSoonAndThenAtDistancesThatDoubleUpToTheLast) {
  RetryTimer timer;
  EXPECT_FALSE(timer.is_set());
  EXPECT_FALSE(timer.is_due(kStart));
  std::int64_t now = kStart;
  timer.soon(now);
  for (const int distance : {10, 20, 40, 80, 160, 320, 640, 1000, 1000}) {
    ASSERT_TRUE(timer.is_set());
    EXPECT_FALSE(timer.is_due(now + distance * kMs - 1)) << distance;
    EXPECT_TRUE(timer.is_due(now + distance * kMs)) << distance;
    now += distance * kMs;
    timer.tried(now, true);
  }
}

TEST(RetryTimer, WhatIsFoundMeanwhileDoesNotComeBeforeWhatWaits) {
  RetryTimer timer;
  timer.soon(kStart);
  timer.tried(kStart, true);
  timer.soon(kStart + 5 * kMs);
  EXPECT_FALSE(timer.is_due(kStart + 19 * kMs));
  EXPECT_TRUE(timer.is_due(kStart + 20 * kMs));
}

TEST(RetryTimer, EndsWhenNothingIsLeftAndBeginsAnew) {
  RetryTimer timer;
  timer.soon(kStart);
  timer.tried(kStart, true);
  timer.tried(kStart, false);
  EXPECT_FALSE(timer.is_set());
  timer.soon(kStart);
  EXPECT_TRUE(timer.is_due(kStart + RetryTimer::kFirstMs * kMs));
}

TEST(RetryTimer, WaitsALittleTooLongRatherThanTooShort) {
  RetryTimer timer;
  timer.soon(kStart);
  EXPECT_EQ(timer.wait_ms(kStart), 11);
  EXPECT_EQ(timer.wait_ms(kStart + 10 * kMs - 1), 1);
  EXPECT_EQ(timer.wait_ms(kStart + 10 * kMs), 0);
  EXPECT_EQ(timer.wait_ms(kStart + 50 * kMs), 0);
}

}  // namespace
}  // namespace azora::keeper
