// When a client tries again, and what is due of its end: pure in time.
#include <gtest/gtest.h>

#include "azora/keeper/client_attempts.hpp"
#include "azora/keeper/client_farewell.hpp"

namespace azora::keeper {
namespace {

const SteadyTime kStart{Millis(1'000'000)};

TEST(Attempts, ComeAtGrowingDistancesUpToTheLast) {
  Attempts attempts;
  EXPECT_FALSE(attempts.has_failed());
  Millis last{0};
  for (const int expected : {100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000, 5000, 5000, 5000, 5000}) {
    attempts.failed(kStart);
    EXPECT_EQ(to_millis(attempts.try_at() - kStart), Millis(expected)) << "after " << last.count();
    last = Millis(expected);
  }
  EXPECT_TRUE(attempts.has_failed());
}

TEST(Attempts, BeginAnewAfterAKeeperThatWorked) {
  Attempts attempts;
  for (int i = 0; i < 5; ++i) attempts.failed(kStart);
  attempts.succeeded();
  EXPECT_FALSE(attempts.has_failed());
  attempts.again(kStart);
  EXPECT_EQ(attempts.try_at(), kStart);
  attempts.failed(kStart);
  EXPECT_EQ(attempts.try_at(), kStart + Attempts::kFirstRetry);
}

TEST(Attempts, AKeeperHasItsTimeToGreet) {
  Attempts attempts;
  attempts.started(kStart);
  EXPECT_EQ(attempts.greeting_until(), kStart + Attempts::kGreeting);
}

TEST(Farewell, NothingIsDueUntilItIsAskedFor) {
  Farewell farewell;
  EXPECT_FALSE(farewell.is_asked());
  EXPECT_EQ(farewell.next(), SteadyTime::max());
  EXPECT_FALSE(farewell.is_over());
}

TEST(Farewell, SaysOnceThatItBegins) {
  Farewell farewell;
  EXPECT_FALSE(farewell.ask(Ending::no, {}));
  EXPECT_TRUE(farewell.ask(Ending::stop, kStart));
  EXPECT_FALSE(farewell.ask(Ending::stop, kStart));
  EXPECT_TRUE(farewell.stops());
  Farewell other;
  EXPECT_FALSE(other.ask(Ending::leave, {}));
  EXPECT_TRUE(other.leaves());
  EXPECT_EQ(other.next(), SteadyTime::max());
}

TEST(Farewell, KillsAllThenTheKeeperThenGivesUp) {
  Farewell farewell;
  farewell.ask(Ending::stop, kStart);
  const auto at = [](Millis after) { return kStart + after; };
  EXPECT_EQ(farewell.next(), kStart);
  EXPECT_FALSE(farewell.must_kill_all(kStart - Millis(1)));
  EXPECT_TRUE(farewell.must_kill_all(kStart));
  EXPECT_FALSE(farewell.must_kill_all(kStart)) << "once";
  EXPECT_EQ(farewell.next(), at(Farewell::kKeeperPatience));
  EXPECT_FALSE(farewell.must_kill_keeper(at(Farewell::kKeeperPatience) - Millis(1)));
  EXPECT_TRUE(farewell.must_kill_keeper(at(Farewell::kKeeperPatience)));
  EXPECT_FALSE(farewell.must_kill_keeper(at(Farewell::kKeeperPatience))) << "once";
  EXPECT_EQ(farewell.next(), at(Farewell::kPatience));
  EXPECT_FALSE(farewell.must_give_up(at(Farewell::kPatience) - Millis(1)));
  EXPECT_TRUE(farewell.must_give_up(at(Farewell::kPatience)));
}

TEST(Farewell, AnEarlierDeadlineCounts) {
  Farewell farewell;
  farewell.ask(Ending::stop, kStart + Millis(5'000));
  EXPECT_FALSE(farewell.is_late(kStart));
  farewell.ask(Ending::stop, kStart);
  EXPECT_TRUE(farewell.is_late(kStart));
}

TEST(Farewell, RemembersHowItCameOut) {
  for (const bool clean : {true, false}) {
    Farewell farewell;
    farewell.finish(clean);
    EXPECT_TRUE(farewell.is_over());
    EXPECT_EQ(farewell.was_clean(), clean);
  }
}

}  // namespace
}  // namespace azora::keeper
