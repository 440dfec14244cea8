// May a running service be killed?
#include "azora/healing/permit.hpp"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace azora::healing {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr Millis kInterval{1'000};

class Fleet {
 public:
  // `groups` groups of `size` members each; serials from 1.
  Fleet(int groups, int size) {
    for (int i = 0; i < groups * size; ++i) {
      permits.upsert(static_cast<std::uint64_t>(i + 1), "g" + std::to_string(i / size), kInterval);
    }
  }
  void bad(std::uint64_t serial) {
    if (auto begins = permits.turned_bad(serial, now)) brakes.push_back(std::move(*begins));
  }
  void good(std::uint64_t serial) { permits.recovered(serial); }
  bool may(std::uint64_t serial) { return permits.permit(serial, now); }

  KillPermits permits;
  std::vector<KillPermits::Brake> brakes;  // as they began
  SteadyTime now{std::chrono::hours(1)};
};

TEST(KillPermits, AGroupOfOneAlwaysPasses) {
  Fleet fleet(4, 1);
  fleet.bad(1);
  EXPECT_TRUE(fleet.may(1));
  EXPECT_TRUE(fleet.may(1));  // asking again takes no second one
}

TEST(KillPermits, WhoIsAloneAlwaysPassesUnlessTheFleetIsBraked) {
  KillPermits permits;
  const SteadyTime now{std::chrono::hours(1)};
  for (std::uint64_t serial = 1; serial <= 5; ++serial) permits.upsert(serial, "", kInterval);
  for (std::uint64_t serial = 1; serial <= 5; ++serial) EXPECT_TRUE(permits.permit(serial, now)) << serial;
  for (std::uint64_t serial = 1; serial <= 5; ++serial) permits.release(serial);
  EXPECT_FALSE(permits.turned_bad(1, now));
  EXPECT_FALSE(permits.turned_bad(2, now));
  const auto brake = permits.turned_bad(3, now);
  ASSERT_TRUE(brake);
  EXPECT_EQ(brake->group, "");
  EXPECT_EQ(brake->members, 5U);
  EXPECT_FALSE(permits.permit(1, now));
  // Two that leave: three of three are bad still, and nobody is left behind.
  permits.remove(4);
  permits.remove(5);
  EXPECT_FALSE(permits.permit(1, now));
}

TEST(KillPermits, WhoWasAloneIsOneOfTheGroupThatItJoins) {
  KillPermits permits;
  const SteadyTime now{std::chrono::hours(1)};
  permits.upsert(1, "", kInterval);
  permits.upsert(2, "g", kInterval);
  permits.upsert(3, "g", kInterval);
  permits.upsert(1, "g", kInterval);
  EXPECT_TRUE(permits.permit(1, now));
  EXPECT_FALSE(permits.permit(2, now));
  permits.upsert(1, "", kInterval);
  EXPECT_TRUE(permits.permit(2, now));
  EXPECT_TRUE(permits.permit(1, now));
}

TEST(KillPermits, HalfOfAGroupAtATime) {
  Fleet fleet(3, 5);
  EXPECT_TRUE(fleet.may(1));
  EXPECT_TRUE(fleet.may(2));
  EXPECT_FALSE(fleet.may(3));
  EXPECT_TRUE(fleet.may(6));  // another group
  fleet.permits.release(1);
  EXPECT_TRUE(fleet.may(3));
}

TEST(KillPermits, AMassEventBrakesUntilItIsQuiet) {
  Fleet fleet(4, 2);
  for (std::uint64_t serial = 1; serial <= 4; ++serial) fleet.bad(serial);
  EXPECT_TRUE(fleet.brakes.empty());
  fleet.bad(5);
  fleet.bad(6);
  ASSERT_EQ(fleet.brakes.size(), 1U);
  EXPECT_EQ(fleet.brakes[0].group, "");
  EXPECT_EQ(fleet.brakes[0].bad, 5U);
  EXPECT_EQ(fleet.brakes[0].members, 8U);
  EXPECT_FALSE(fleet.may(1));
  EXPECT_FALSE(fleet.may(8));
  fleet.now += 3 * kInterval;
  EXPECT_FALSE(fleet.may(1));
  fleet.now += Millis(1);
  EXPECT_TRUE(fleet.may(1));
}

TEST(KillPermits, TheBrakeEndsAfterFiveMinutesAndANewEventBrakesAgain) {
  Fleet fleet(3, 2);
  const SteadyTime begin = fleet.now;
  for (int i = 0; fleet.now - begin <= minutes(5) + seconds(3); ++i, fleet.now += seconds(1)) {
    const auto serial = static_cast<std::uint64_t>(i % 6 + 1);
    fleet.good(serial);
    fleet.bad(serial);
    if (i > 8) {
      EXPECT_FALSE(fleet.may(1)) << i;
    }
  }
  EXPECT_EQ(fleet.brakes.size(), 1U);
  EXPECT_TRUE(fleet.may(1));
  fleet.permits.release(1);
  for (std::uint64_t serial = 1; serial <= 6; ++serial) {
    fleet.good(serial);
    fleet.bad(serial);
  }
  EXPECT_EQ(fleet.brakes.size(), 2U);
  EXPECT_FALSE(fleet.may(1));
}

TEST(KillPermits, AnEventAfterAForgottenBrakeBrakesAgain) {
  Fleet fleet(4, 2);
  for (std::uint64_t serial = 1; serial <= 5; ++serial) fleet.bad(serial);
  EXPECT_EQ(fleet.brakes.size(), 1U);
  for (std::uint64_t serial = 1; serial <= 5; ++serial) fleet.good(serial);
  fleet.now += minutes(10);  // nobody asked for a permit meanwhile
  for (std::uint64_t serial = 1; serial <= 5; ++serial) fleet.bad(serial);
  EXPECT_EQ(fleet.brakes.size(), 2U);
  EXPECT_FALSE(fleet.may(1));
}

TEST(KillPermits, AGroupsBrakeIsNamedAndThatOfTheFleetFollowingItIsNoNews) {
  Fleet fleet(1, 4);
  for (std::uint64_t serial = 5; serial <= 6; ++serial) fleet.permits.upsert(serial, "other", kInterval);
  for (std::uint64_t serial = 1; serial <= 3; ++serial) fleet.bad(serial);
  ASSERT_EQ(fleet.brakes.size(), 1U);
  EXPECT_EQ(fleet.brakes[0].group, "g0");
  EXPECT_EQ(fleet.brakes[0].members, 4U);
  EXPECT_FALSE(fleet.may(1));
  EXPECT_TRUE(fleet.may(5));
  fleet.permits.release(5);
  fleet.bad(4);
  EXPECT_FALSE(fleet.may(5));
  EXPECT_EQ(fleet.brakes.size(), 1U);
}

TEST(KillPermits, TwoBadOnesAreNoMass) {
  Fleet fleet(1, 2);
  fleet.bad(1);
  fleet.bad(2);
  EXPECT_TRUE(fleet.brakes.empty());
  EXPECT_TRUE(fleet.may(1));
}

TEST(KillPermits, TheSameOneTurningBadAgainCountsOnce) {
  Fleet fleet(1, 4);
  for (int i = 0; i < 10; ++i) {
    fleet.good(1);
    fleet.bad(1);
  }
  EXPECT_TRUE(fleet.brakes.empty());
}

TEST(KillPermits, WhoLeftCountsNoMore) {
  Fleet fleet(1, 6);
  for (std::uint64_t serial = 1; serial <= 3; ++serial) fleet.bad(serial);
  for (std::uint64_t serial = 1; serial <= 3; ++serial) fleet.permits.remove(serial);
  fleet.bad(4);
  EXPECT_TRUE(fleet.brakes.empty());
  EXPECT_TRUE(fleet.may(4));
  EXPECT_FALSE(fleet.may(1));
}

TEST(KillPermits, TheIntervalOfWhoLeftCountsNoMore) {
  Fleet fleet(1, 3);
  fleet.permits.upsert(9, "g0", Millis(3'600'000));
  fleet.permits.remove(9);
  for (std::uint64_t serial = 1; serial <= 3; ++serial) fleet.bad(serial);
  ASSERT_FALSE(fleet.may(1));
  fleet.now += 4 * kInterval;
  EXPECT_TRUE(fleet.may(1));
}

TEST(KillPermits, EachMemberCountsForThreeOfItsOwnIntervals) {
  KillPermits permits;
  SteadyTime now{std::chrono::hours(1)};
  for (std::uint64_t serial = 1; serial <= 3; ++serial) permits.upsert(serial, "", kInterval);
  permits.upsert(4, "", Millis(3'600'000));
  for (std::uint64_t serial = 1; serial <= 3; ++serial, now += minutes(10)) {
    EXPECT_FALSE(permits.turned_bad(serial, now)) << serial;
  }
  EXPECT_TRUE(permits.permit(1, now));
}

TEST(KillPermits, WhoRecoveredCountsNoMore) {
  Fleet fleet(1, 4);
  for (std::uint64_t serial = 1; serial <= 4; ++serial) {
    fleet.bad(serial);
    fleet.good(serial);
  }
  EXPECT_TRUE(fleet.brakes.empty());
  EXPECT_TRUE(fleet.may(1));
}

TEST(KillPermits, NewSettingsKeepWhatIsHeld) {
  Fleet fleet(1, 2);
  ASSERT_TRUE(fleet.may(1));
  fleet.permits.upsert(1, "g0", Millis(2'000));
  EXPECT_FALSE(fleet.may(2));
  fleet.permits.release(1);
  EXPECT_TRUE(fleet.may(2));
}

}  // namespace
}  // namespace azora::healing
