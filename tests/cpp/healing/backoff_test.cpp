#include <gtest/gtest.h>

#include <limits>

#include "azora/healing/machine.hpp"

namespace azora::healing {
namespace {

std::vector<std::int64_t> curve(const RestartPolicy& policy, int length) {
  std::vector<std::int64_t> delays;
  for (int attempt = 1; attempt <= length; ++attempt) {
    delays.push_back(backoff_delay(policy, attempt).count());
  }
  return delays;
}

TEST(Backoff, WithoutRestartDelayTheFirstIsAtOnceThenSecondsDouble) {
  EXPECT_EQ(curve({}, 9),
            (std::vector<std::int64_t>{0, 1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000}));
}

TEST(Backoff, RestartDelayIsTheBaseOfEveryAttempt) {
  RestartPolicy policy;
  policy.delay = Millis(5'000);
  EXPECT_EQ(curve(policy, 6), (std::vector<std::int64_t>{5000, 10000, 20000, 40000, 60000, 60000}));
  policy.factor = 1;
  EXPECT_EQ(curve(policy, 3), (std::vector<std::int64_t>{5000, 5000, 5000}));
  policy.factor = 1.5;
  EXPECT_EQ(curve(policy, 3), (std::vector<std::int64_t>{5000, 7500, 11250}));
}

TEST(Backoff, ARestartDelayOfZeroIsLikeNoneSet) {
  RestartPolicy policy;
  policy.delay = Millis(0);
  EXPECT_EQ(curve(policy, 9), (std::vector<std::int64_t>{0, 1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000}));
}

TEST(Backoff, CapNeverUndercutsRestartDelay) {
  RestartPolicy policy;
  policy.delay = Millis(120'000);
  EXPECT_EQ(curve(policy, 2), (std::vector<std::int64_t>{120000, 120000}));
}

TEST(Backoff, AnyAttemptNumberIsFine) {
  RestartPolicy policy;
  policy.factor = 1000;
  EXPECT_EQ(backoff_delay(policy, std::numeric_limits<int>::max()), policy.max_delay);
  EXPECT_EQ(backoff_delay(policy, 0), Millis(0));
}

TEST(Backoff, JitterOnlyAddsUpToAQuarterAndIsSpread) {
  std::int64_t least = 1'000;
  std::int64_t most = 0;
  for (std::uint64_t key = 0; key < 2'000; ++key) {
    const std::int64_t one = jitter(Millis(4'000), key, key % 7, static_cast<int>(key % 5)).count();
    least = std::min(least, one);
    most = std::max(most, one);
  }
  EXPECT_GE(least, 0);
  EXPECT_LT(least, 50);
  EXPECT_GT(most, 950);
  EXPECT_LE(most, 1'000);
  EXPECT_EQ(jitter(Millis(0), 1, 2, 3), Millis(0));
  EXPECT_EQ(jitter(Millis(4'000), 1, 2, 3), jitter(Millis(4'000), 1, 2, 3));
}

}  // namespace
}  // namespace azora::healing
