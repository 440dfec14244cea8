// Each eligible member once per round, in the order they joined, whatever comes and goes.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "balancer/rig.hpp"

namespace azora::balancer {
namespace {

TEST(RoundRobin, TurnsInTheOrderOfJoining) {
  Rig rig;
  for (const char* id : {"a", "b", "c"}) rig.add(id);
  EXPECT_EQ(rig.picks(7), "abcabca");
}

TEST(RoundRobin, Rule42AFlapShiftsNobodyAndTheRestRotateExactly) {
  Rig rig;
  for (const char* id : {"a", "b", "c", "d"}) rig.add(id);
  EXPECT_EQ(rig.picks(2), "ab");
  rig.down("c");
  EXPECT_EQ(rig.picks(6), "dabdab");
  rig.up("c");
  EXPECT_EQ(rig.picks(6), "cdabcd");
}

TEST(RoundRobin, Rule42IgnoresWeights) {
  Rig rig;
  rig.add("a", {.weight = 0.5});
  rig.add("b", {.weight = 100});
  EXPECT_EQ(rig.picks(4), "abab");
}

TEST(RoundRobin, EveryWindowAsLongAsTheEligibleHoldsEachOnce) {
  Rig rig;
  std::vector<std::string> ids;
  for (int i = 0; i < 700; ++i) rig.add(ids.emplace_back("s" + std::to_string(i)));
  for (int i = 0; i < 700; i += 3) rig.down(ids[static_cast<std::size_t>(i)]);
  std::vector<std::string> seen;
  const std::size_t window = 700 - 234;
  for (std::size_t i = 0; i < 3 * window; ++i) seen.push_back(rig.fast());
  for (std::size_t from = 0; from + window <= seen.size(); from += 7) {
    const auto begin = seen.begin() + static_cast<std::ptrdiff_t>(from);
    ASSERT_EQ(std::set<std::string>(begin, begin + static_cast<std::ptrdiff_t>(window)).size(), window)
        << "window from " << from;
  }
}

TEST(RoundRobin, WhoJoinsComesAtTheEndOfTheRoundAndTakesNobodysTurn) {
  Rig rig;
  for (const char* id : {"a", "b", "c"}) rig.add(id);
  EXPECT_EQ(rig.picks(1), "a");
  rig.add("d");
  EXPECT_EQ(rig.picks(7), "bcdabcd");
  rig.add("e");  // at the very end of a round: next
  EXPECT_EQ(rig.picks(5), "eabcd");
}

TEST(RoundRobin, WhoLeavesTakesNobodysTurnAlong) {
  Rig rig;
  for (const char* id : {"a", "b", "c", "d"}) rig.add(id);
  EXPECT_EQ(rig.picks(2), "ab");
  rig.remove("a");
  EXPECT_EQ(rig.picks(4), "cdbc");
  rig.remove("d");
  EXPECT_EQ(rig.picks(3), "bcb");
}

TEST(RoundRobin, WhoMovesKeepsTheTurn) {
  Rig rig;
  for (const char* id : {"a", "b", "c"}) rig.add(id);
  EXPECT_EQ(rig.picks(1), "a");
  rig.put("b", {.endpoint = "http://elsewhere"});
  EXPECT_EQ(rig.picks(1), "c") << "excluded until a verdict about the new place";
  rig.up("b");
  EXPECT_EQ(rig.picks(4), "abca");
  EXPECT_EQ(rig.balancer.pick("t").value().instance->endpoint(), "http://elsewhere");
}

TEST(RoundRobin, ClosingGapsMovesNoTurn) {
  Rig rig;
  std::vector<std::string> ids;
  for (int i = 0; i < 400; ++i) rig.add(ids.emplace_back("s" + std::to_string(i)));
  for (int i = 0; i < 250; ++i) rig.fast();
  std::vector<std::string> left;
  for (int i = 0; i < 400; ++i) {
    const std::string& id = ids[static_cast<std::size_t>(i)];
    if (i % 8 == 3) {
      left.push_back(id);
    } else {
      rig.remove(id);  // gaps are closed on the way, more than once
    }
  }
  const auto next = std::find(left.begin(), left.end(), "s251") - left.begin();
  for (std::size_t i = 0; i < 2 * left.size(); ++i) {
    ASSERT_EQ(rig.fast(), left[(static_cast<std::size_t>(next) + i) % left.size()]) << "turn " << i;
  }
}

TEST(RoundRobin, ClosingGapsKeepsTheEndOfARound) {
  Rig rig;
  for (int i = 0; i < 200; ++i) rig.add("s" + std::to_string(i));
  for (int i = 0; i < 200; ++i) rig.fast();
  for (int i = 0; i < 190; ++i) rig.remove("s" + std::to_string(i));
  rig.add("new");
  EXPECT_EQ(rig.fast(), "new") << "who joins at the end of a round is next";
  EXPECT_EQ(rig.fast(), "s190");
}

TEST(RoundRobin, Rule46cAPeekTakesNoTurn) {
  Rig rig;
  for (const char* id : {"a", "b"}) rig.add(id);
  EXPECT_EQ(rig.picks(3, "t", {.peek = true}), "aaa");
  EXPECT_EQ(rig.picks(2), "ab");
}

TEST(RoundRobin, OneSequenceForAllSurfaces) {
  Rig rig;
  for (const char* id : {"a", "b", "c"}) rig.add(id);
  PoolHandle handle("t");
  EXPECT_EQ(rig.pick(), "a");
  EXPECT_EQ(rig.fast(), "b");
  EXPECT_EQ(rig.balancer.pick_fast(handle)->id(), "c");
  EXPECT_EQ(rig.pick(), "a");
}

}  // namespace
}  // namespace azora::balancer
