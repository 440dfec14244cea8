#include "azora/balancer/pool_numbers.hpp"

#include <gtest/gtest.h>

namespace azora::balancer {
namespace {

// So many are eligible in each way.
void count(PoolNumbers& numbers, Among among, int members) {
  for (int i = 0; i < members; ++i) numbers.count_eligible(among, true);
}

TEST(PoolNumbers, GiveBackTheOptionsTheyWereGiven) {
  for (const Strategy strategy : {Strategy::round_robin, Strategy::weighted, Strategy::ip_hash}) {
    for (const bool degraded : {false, true}) {
      for (const double panic : {0.0, 0.25, 1.0}) {
        PoolNumbers numbers;
        numbers.configure({.strategy = strategy, .allow_degraded = degraded, .panic_threshold = panic, .lease_ttl = Millis(7)});
        EXPECT_EQ(numbers.options().strategy, strategy);
        EXPECT_EQ(numbers.strategy(), strategy);
        EXPECT_EQ(numbers.options().allow_degraded, degraded);
        EXPECT_DOUBLE_EQ(numbers.options().panic_threshold, panic);
        EXPECT_EQ(numbers.has_panic_threshold(), panic > 0);
        EXPECT_EQ(numbers.lease_ttl(), Millis(7));
      }
    }
  }
}

TEST(PoolNumbers, PicksChooseAmongTheDegradedOnlyWhereAllowedAndNoneIsHealthy) {
  for (const bool allowed : {false, true}) {
    PoolNumbers numbers;
    numbers.configure({.allow_degraded = allowed});
    EXPECT_EQ(numbers.among(), std::nullopt);
    count(numbers, Among::degraded, 2);
    EXPECT_EQ(numbers.among(), allowed ? std::optional(Among::degraded) : std::nullopt);
    count(numbers, Among::healthy, 1);
    EXPECT_EQ(numbers.among(), Among::healthy);
    numbers.count_eligible(Among::healthy, false);
    EXPECT_EQ(numbers.among(), allowed ? std::optional(Among::degraded) : std::nullopt);
  }
}

TEST(PoolNumbers, PicksChooseAmongAllThatLiveBelowThePanicThreshold) {
  PoolNumbers numbers;
  numbers.configure({.panic_threshold = 0.5});
  count(numbers, Among::sharing, 4);
  count(numbers, Among::healthy, 2);
  EXPECT_EQ(numbers.among(), Among::healthy) << "half of them is not below half";
  numbers.count_eligible(Among::healthy, false);
  EXPECT_EQ(numbers.among(), Among::healthy) << "none lives besides";
  count(numbers, Among::alive, 1);
  EXPECT_EQ(numbers.among(), Among::alive);
}

TEST(PoolNumbers, CountMembersAndThoseWithAWeightOfTheirOwn) {
  PoolNumbers numbers;
  numbers.add_member(false);
  EXPECT_FALSE(numbers.explicit_weights());
  numbers.add_member(true);
  EXPECT_TRUE(numbers.explicit_weights());
  EXPECT_EQ(numbers.size(), 2u);
  numbers.count_explicit_weights(1);
  numbers.remove_member(true);
  EXPECT_TRUE(numbers.explicit_weights());
  numbers.remove_member(true);
  EXPECT_FALSE(numbers.explicit_weights());
  EXPECT_EQ(numbers.size(), 0u);
}

TEST(PoolNumbers, AChangeOfMembershipIsOneOfWeightsTooAndNotTheReverse) {
  PoolNumbers numbers;
  const std::uint64_t membership = numbers.membership_version();
  const std::uint64_t weight = numbers.weight_version();
  numbers.weights_changed();
  EXPECT_EQ(numbers.membership_version(), membership);
  EXPECT_GT(numbers.weight_version(), weight);
  const std::uint64_t after = numbers.weight_version();
  numbers.membership_changed();
  EXPECT_GT(numbers.membership_version(), membership);
  EXPECT_GT(numbers.weight_version(), after);
  const std::uint64_t epoch = numbers.epoch();
  numbers.changed();
  EXPECT_EQ(numbers.epoch(), epoch + 1);
}

}  // namespace
}  // namespace azora::balancer
