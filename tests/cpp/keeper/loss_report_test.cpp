#include "azora/keeper/program/loss_report.hpp"

#include <gtest/gtest.h>

namespace azora::keeper {
namespace {

constexpr std::int64_t kStart = 5'000'000'000;

TEST(LossReport, NothingIsReportedWhileNothingIsLost) {
  LossReport report;
  EXPECT_FALSE(report.is_new({}));
  EXPECT_FALSE(report.take({}, kStart));
}

TEST(LossReport, TheFirstLossIsReportedAtOnceAndOnce) {
  LossReport report;
  const LogLoss loss{.lines = 1, .goes_on = true};
  EXPECT_TRUE(report.is_new(loss));
  EXPECT_TRUE(report.take(loss, kStart));
  EXPECT_FALSE(report.is_new(loss));
  EXPECT_FALSE(report.take(loss, kStart + 2 * LossReport::kEveryNs));
}

TEST(LossReport, WhatIsLostMeanwhileWaitsForTheNextSecondAndIsReportedAsItIsThen) {
  LossReport report;
  ASSERT_TRUE(report.take({.lines = 1, .goes_on = true}, kStart));
  const LogLoss more{.lines = 2, .goes_on = true};
  EXPECT_TRUE(report.is_new(more));
  EXPECT_EQ(report.next_at_ns(), kStart + LossReport::kEveryNs);
  EXPECT_FALSE(report.take(more, kStart + LossReport::kEveryNs - 1));
  EXPECT_TRUE(report.is_new(more));
  const LogLoss ended{.lines = 3};
  EXPECT_TRUE(report.take(ended, kStart + LossReport::kEveryNs));
  EXPECT_FALSE(report.is_new(ended));
}

TEST(LossReport, ThatItNoLongerGoesOnIsNew) {
  LossReport report;
  ASSERT_TRUE(report.take({.lines = 1, .goes_on = true}, kStart));
  EXPECT_TRUE(report.is_new({.lines = 1}));
}

}  // namespace
}  // namespace azora::keeper
