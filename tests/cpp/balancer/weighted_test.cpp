// Exact shares by weight: over every period, for fractions and extremes, and for those left when
// others are down.
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "balancer/rig.hpp"

namespace azora::balancer {
namespace {

constexpr PickRequest kWeighted{.strategy = Strategy::weighted};

using Shares = std::map<std::string, int>;

TEST(Weighted, EveryPeriodHoldsEachAsOftenAsItsWeight) {
  Rig rig;
  rig.add("a", {.weight = 5});
  rig.add("b", {.weight = 3});
  rig.add("c", {.weight = 1});
  // From any point of the sequence on.
  for (int period = 0; period < 20; ++period) {
    EXPECT_EQ(rig.shares(9, "t", kWeighted), (Shares{{"a", 5}, {"b", 3}, {"c", 1}}));
    rig.pick("t", kWeighted);
  }
}

TEST(Weighted, SpreadsTheTurnsOfOneMember) {
  Rig rig;
  rig.add("a", {.weight = 50});
  rig.add("b", {.weight = 30});
  rig.add("c", {.weight = 21});
  Shares got;
  const std::map<std::string, double> share = {{"a", 50 / 101.0}, {"b", 30 / 101.0}, {"c", 21 / 101.0}};
  for (int i = 1; i <= 303; ++i) {
    ++got[rig.pick("t", kWeighted)];
    for (const auto& [id, part] : share) {
      EXPECT_LT(std::abs(got[id] - part * i), 2.5) << id << " after " << i << " picks";
    }
  }
}

TEST(Weighted, Rule42UnsetWeightIsThePriority) {
  Rig rig;
  rig.add("a", {.priority = 1});
  rig.add("b", {.priority = 3});
  rig.add("c", {.weight = 2.0, .priority = 9});
  EXPECT_EQ(rig.shares(60, "t", kWeighted), (Shares{{"a", 10}, {"b", 30}, {"c", 20}}));
}

TEST(Weighted, Rule57WeightZeroIsNeverPickedByAnyStrategy) {
  for (const Strategy strategy : {Strategy::round_robin, Strategy::weighted, Strategy::least_connections, Strategy::ip_hash}) {
    Rig rig;
    rig.add("a", {.weight = 0});
    rig.add("b", {.weight = 1});
    const PickRequest ask{.strategy = strategy, .key = "k"};
    EXPECT_EQ(rig.picks(20, "t", ask), std::string(20, 'b')) << wire_name(strategy);
    rig.down("b");
    EXPECT_EQ(rig.pick("t", ask), "-") << wire_name(strategy);
    EXPECT_EQ(rig.pick("a", ask), "-") << "by its own name";
    rig.put("a", {.weight = 0.5});
    EXPECT_EQ(rig.pick("t", ask), "a") << "a weight puts it back";
    rig.put("a", {.weight = 0});
    EXPECT_EQ(rig.pick("t", ask), "-") << "and its loss takes it out";
  }
}

TEST(Weighted, Rule57APanicPicksNothingOfWeightZeroAndCountsItOut) {
  Rig rig;
  rig.configure("t", {.panic_threshold = 0.5});
  rig.add("a", {.weight = 0});
  rig.add("b", {.weight = 1});
  rig.add("c", {.weight = 1});
  rig.down("c");
  EXPECT_EQ(rig.picks(20, "t"), std::string(20, 'b')) << "one of two is no panic";
  rig.down("b");
  const std::string picked = rig.picks(20, "t");
  EXPECT_EQ(picked.find('a'), std::string::npos) << picked;
  EXPECT_NE(picked.find('b'), std::string::npos) << picked;
  EXPECT_NE(picked.find('c'), std::string::npos) << picked;
}

TEST(Weighted, Rule46dWeightsAreExactWithoutClamps) {
  Rig rig;
  rig.add("a", {.weight = 0.001});
  rig.add("b", {.weight = 99.999});
  EXPECT_EQ(rig.shares(100'000, "t", kWeighted), (Shares{{"a", 1}, {"b", 99'999}}));
}

TEST(Weighted, WholeSharesKeepTheRatio) {
  const auto shares = [](std::vector<double> weights) { return whole_shares(weights); };
  using Whole = std::vector<std::uint64_t>;
  EXPECT_EQ(shares({5, 5, 5}), (Whole{1, 1, 1}));
  EXPECT_EQ(shares({0.1, 0.2, 0.3}), (Whole{1, 2, 3}));
  EXPECT_EQ(shares({0.5, 0, 2.25}), (Whole{2, 0, 9}));
  EXPECT_EQ(shares({1e-9, 1}), (Whole{1, 1'000'000'000}));
  EXPECT_EQ(shares({0, 0}), (Whole{0, 0}));
  const Whole thirds = shares({1.0 / 3, 2.0 / 3});
  EXPECT_NEAR(static_cast<double>(thirds[1]) / static_cast<double>(thirds[0]), 2.0, 1e-12);
  const Whole huge = shares({1e300, 1e300, 1e-300, 0});
  EXPECT_EQ(huge[0], huge[1]);
  EXPECT_EQ(huge[2], 1U) << "more than nothing stays more than nothing";
  EXPECT_EQ(huge[3], 0U);
}

TEST(Weighted, TheStrideMeetsEveryPointOfThePeriodOnce) {
  for (std::uint64_t total = 1; total <= 2000; ++total) {
    const std::uint64_t stride = stride_for(total);
    ASSERT_LT(stride, total);
    ASSERT_EQ(std::gcd(stride, total), 1U) << total;
  }
  const std::uint64_t large = (std::uint64_t{1} << 53) - 1;
  EXPECT_EQ(std::gcd(stride_for(large), large), 1U);
}

TEST(Weighted, TheOthersKeepTheirSharesAmongThemselvesWhenOneIsDown) {
  Rig rig;
  rig.add("a", {.weight = 4});
  rig.add("b", {.weight = 2});
  rig.add("c", {.weight = 1});
  rig.down("a");
  EXPECT_EQ(rig.shares(300, "t", kWeighted), (Shares{{"b", 200}, {"c", 100}}));
  rig.up("a");
  EXPECT_EQ(rig.shares(700, "t", kWeighted), (Shares{{"a", 400}, {"b", 200}, {"c", 100}}));
}

TEST(Weighted, SharesHoldWhenNearlyAllAreDown) {
  Rig rig;
  for (int i = 0; i < 1300; ++i) rig.put("s" + std::to_string(i), {.weight = 1});
  rig.add("b", {.weight = 1});
  rig.add("c", {.weight = 1});
  rig.add("d", {.weight = 2});
  const Shares got = rig.shares(40'000, "t", kWeighted);
  EXPECT_EQ(got.size(), 3U);
  EXPECT_NEAR(got.at("b"), 10'000, 8);
  EXPECT_NEAR(got.at("c"), 10'000, 8);
  EXPECT_NEAR(got.at("d"), 20'000, 8);
}

TEST(Weighted, AChangedWeightCountsFromTheNextPickOn) {
  Rig rig;
  rig.add("a", {.weight = 1});
  rig.add("b", {.weight = 1});
  EXPECT_EQ(rig.shares(10, "t", kWeighted), (Shares{{"a", 5}, {"b", 5}}));
  rig.put("b", {.weight = 4});
  EXPECT_EQ(rig.shares(50, "t", kWeighted), (Shares{{"a", 10}, {"b", 40}}));
}

TEST(Weighted, ARampScalesTheWeight) {
  Rig rig;
  rig.add("a");
  rig.add("b");
  rig.balancer.pools().set_ramp(rig.serial("b"), 0.1);
  EXPECT_EQ(rig.shares(110, "t", kWeighted), (Shares{{"a", 100}, {"b", 10}}));
  rig.balancer.pools().set_ramp(rig.serial("b"), 1);
  EXPECT_EQ(rig.shares(110, "t", kWeighted), (Shares{{"a", 55}, {"b", 55}}));
}

TEST(Weighted, MembershipChangesAreExactAtOnceInSmallPools) {
  Rig rig;
  rig.add("a", {.weight = 1});
  rig.add("b", {.weight = 2});
  EXPECT_EQ(rig.shares(9, "t", kWeighted), (Shares{{"a", 3}, {"b", 6}}));
  rig.add("c", {.weight = 3});
  EXPECT_EQ(rig.shares(12, "t", kWeighted), (Shares{{"a", 2}, {"b", 4}, {"c", 6}}));
  rig.remove("b");
  EXPECT_EQ(rig.shares(12, "t", kWeighted), (Shares{{"a", 3}, {"c", 9}}));
}

// Not from the beginning: else whoever stands first would get the turn after every change.
TEST(Weighted, TheSequenceGoesOnInAnotherTable) {
  Rig rig;
  for (const char* id : {"a", "b", "c", "d"}) rig.add(id, {.weight = 100});
  rig.add("z", {.weight = 1});
  Shares got;
  for (int i = 0; i < 400; ++i) {
    ++got[rig.pick("t", kWeighted)];
    rig.put("z", {.weight = 1.0 + i % 2});
  }
  for (const char* id : {"a", "b", "c", "d"}) EXPECT_NEAR(got[id], 100, 10) << id;
}

TEST(Weighted, ManyTinySharesBesideAHugeOne) {
  Rig rig;
  rig.add("big", {.weight = 1'000'000});
  for (int i = 0; i < 100; ++i) rig.add("s" + std::to_string(i), {.weight = 1});
  const Shares got = rig.shares(1'000'100, "t", kWeighted);
  EXPECT_EQ(got.at("big"), 1'000'000);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(got.at("s" + std::to_string(i)), 1) << i;
}

TEST(Weighted, Rule46cAPeekTakesNoTurn) {
  Rig rig;
  rig.add("a", {.weight = 2});
  rig.add("b", {.weight = 1});
  for (int i = 0; i < 6; ++i) {
    const std::string next = rig.pick("t", {.strategy = Strategy::weighted, .peek = true});
    EXPECT_EQ(rig.pick("t", kWeighted), next);
  }
}

}  // namespace
}  // namespace azora::balancer
