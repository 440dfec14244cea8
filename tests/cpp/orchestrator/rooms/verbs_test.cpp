// Verbs that wait for others to end first.
#include "azora/orchestrator/verbs.hpp"

#include <gtest/gtest.h>

#include <set>

namespace azora::orchestrator {
namespace {

class StagedVerbs : public testing::Test {
 protected:
  std::optional<StagedVerb> due() {
    return verbs.take_due([this](std::uint64_t serial) { return running.contains(serial); });
  }

  Verbs verbs;
  std::set<std::uint64_t> running;
};

TEST_F(StagedVerbs, WaitsUntilAllItComesAfterHaveEnded) {
  running = {2, 3};
  verbs.stage({.serial = 1, .verb = Verb::stop, .after = {2, 3}});
  EXPECT_FALSE(due());
  running = {3};
  EXPECT_FALSE(due());
  running = {};
  const std::optional<StagedVerb> taken = due();
  ASSERT_TRUE(taken);
  EXPECT_EQ(taken->serial, 1U);
  EXPECT_FALSE(due());
}

TEST_F(StagedVerbs, OneThatWaitsDoesNotHoldBackALaterOne) {
  running = {9};
  verbs.stage({.serial = 1, .verb = Verb::stop, .after = {9}});
  verbs.stage({.serial = 2, .verb = Verb::restart});
  const std::optional<StagedVerb> taken = due();
  ASSERT_TRUE(taken);
  EXPECT_EQ(taken->serial, 2U);
  EXPECT_TRUE(verbs.contains(1));
}

TEST_F(StagedVerbs, DroppingOneAnswersThoseItWouldHaveRaised) {
  running = {2};
  verbs.stage({.serial = 1, .verb = Verb::restart, .after = {2}, .raise = {2, 3}});
  verbs.stage({.serial = 4, .verb = Verb::stop, .after = {2}});
  EXPECT_EQ(verbs.drop(1), (std::vector<std::uint64_t>{2, 3}));
  EXPECT_FALSE(verbs.contains(1));
  EXPECT_TRUE(verbs.contains(4));
  EXPECT_TRUE(verbs.drop(1).empty());
}

TEST_F(StagedVerbs, TakingAllLeavesNothingToComeLater) {
  running = {2};
  verbs.stage({.serial = 1, .verb = Verb::stop, .after = {2}});
  EXPECT_EQ(verbs.take_all().size(), 1U);
  running = {};
  EXPECT_FALSE(due());
}

}  // namespace
}  // namespace azora::orchestrator
