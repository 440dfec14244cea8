// pick_fast() takes shortcuts that pick() does not: it must answer the same.
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "azora/balancer/turns.hpp"
#include "rig.hpp"

namespace azora::balancer {
namespace {

std::vector<std::string> fast_turns(Rig& rig, int count, std::optional<Strategy> strategy = {}) {
  std::vector<std::string> ids;
  for (int i = 0; i < count; ++i) ids.push_back(rig.fast("t", strategy));
  return ids;
}

TEST(PickFast, Rule42AFlapShiftsNobody) {
  Rig rig;
  for (const char* id : {"a", "b", "c"}) rig.add(id);
  EXPECT_EQ(fast_turns(rig, 4), (std::vector<std::string>{"a", "b", "c", "a"}));
  rig.down("b");
  EXPECT_EQ(fast_turns(rig, 4), (std::vector<std::string>{"c", "a", "c", "a"}));
  rig.up("b");
  EXPECT_EQ(fast_turns(rig, 3), (std::vector<std::string>{"b", "c", "a"}));
}

TEST(PickFast, DegradedOnesRotateToo) {
  Rig rig;
  for (const char* id : {"a", "b"}) rig.put(id);
  rig.degraded("a");
  rig.degraded("b");
  rig.configure("t", {.allow_degraded = true});
  EXPECT_EQ(fast_turns(rig, 5), (std::vector<std::string>{"a", "b", "a", "b", "a"}));
}

TEST(PickFast, OneSequenceWithPick) {
  Rig rig;
  for (const char* id : {"a", "b", "c"}) rig.add(id);
  EXPECT_EQ(rig.fast("t"), "a");
  EXPECT_EQ(rig.pick(), "b");
  EXPECT_EQ(rig.fast("t"), "c");
  EXPECT_EQ(rig.pick(), "a");
}

// Shares of small whole numbers stand in a schedule, others are found by their points: both are exact.
TEST(PickFast, Rule42WeightsAreExactWithAndWithoutASchedule) {
  for (const double unit : {1.0, 0.0001}) {
    Rig rig;
    rig.add("a", {.weight = 3});
    rig.add("b", {.weight = 1});
    rig.add("c", {.weight = 2 + (unit == 1.0 ? 0 : unit)});
    const int period = unit == 1.0 ? 6 : 60'001;
    std::map<std::string, int> seen;
    for (const std::string& id : fast_turns(rig, period, Strategy::weighted)) ++seen[id];
    const int scale = unit == 1.0 ? 1 : 10'000;
    EXPECT_EQ(seen, (std::map<std::string, int>{{"a", 3 * scale}, {"b", scale}, {"c", period - 4 * scale}}));
  }
}

TEST(PickFast, AScheduleIsTheSequenceThatPeekFollows) {
  Rig rig;
  rig.add("a", {.weight = 5});
  rig.add("b", {.weight = 2});
  rig.add("c", {.weight = 4});
  for (int i = 0; i < 25; ++i) {
    const PickRequest peek{.strategy = Strategy::weighted, .peek = true};
    const std::string next = rig.pick("t", peek);
    EXPECT_EQ(rig.fast("t", Strategy::weighted), next) << i;
  }
}

TEST(PickFast, KeysFindTheSameAsWithPick) {
  Rig rig;
  for (int i = 0; i < 20; ++i) rig.add("s" + std::to_string(i));
  for (int down = 0; down < 2; ++down) {
    for (int i = 0; i < 200; ++i) {
      const std::string key = "client-" + std::to_string(i);
      const PickRequest request{.strategy = Strategy::ip_hash, .key = key};
      EXPECT_EQ(rig.fast("t", Strategy::ip_hash, key), rig.pick("t", request));
    }
    rig.down("s3");
  }
  EXPECT_EQ(rig.fast("t", Strategy::ip_hash), "-");
}

TEST(PickFast, TheLeastLoadedIsFoundInSmallPools) {
  Rig rig;
  for (const char* id : {"a", "b", "c", "d"}) rig.add(id);
  std::set<std::string> seen;
  for (const std::string& id : fast_turns(rig, 200, Strategy::least_connections)) seen.insert(id);
  EXPECT_EQ(seen.size(), 4U);  // without load all are even
  const PickRequest lease{.strategy = Strategy::least_connections, .lease = true};
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(rig.balancer.pick("t", lease).ok());
  const Result<Pick> fifth = rig.balancer.pick("t", lease);
  ASSERT_TRUE(fifth.ok());
  for (const std::string& id : fast_turns(rig, 200, Strategy::least_connections)) {
    EXPECT_NE(id, fifth.value().instance->id());
  }
  for (const char* id : {"a", "b", "c"}) rig.down(id);
  EXPECT_EQ(fast_turns(rig, 3, Strategy::least_connections), (std::vector<std::string>{"d", "d", "d"}));
}

// More names than a thread remembers, short and long, many in one place.
TEST(PickFast, ManyNamesAreNotMixedUp) {
  Rig rig;
  std::vector<std::string> names;
  for (int i = 0; i < 600; ++i) {
    names.push_back(std::string(static_cast<std::size_t>(i % 30), 'x') + std::to_string(i));
    rig.add("of-" + std::to_string(i), {.type = names.back()});
  }
  for (int round = 0; round < 3; ++round) {
    for (std::size_t i = 0; i < names.size(); ++i) EXPECT_EQ(rig.fast(names[i]), "of-" + std::to_string(i));
  }
  EXPECT_EQ(rig.fast("x"), "-");
  EXPECT_EQ(rig.fast(""), "-");
}

TEST(Turns, AreEachTakenEquallyOftenByManyThreads) {
  constexpr std::uint32_t kPlaces = 7;
  constexpr int kThreads = 4;
  constexpr int kRounds = 5'000;
  std::atomic<std::uint32_t> turns{0};
  std::vector<std::vector<int>> taken(kThreads, std::vector<int>(kPlaces));
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&turns, &mine = taken[static_cast<std::size_t>(t)]] {
      for (int i = 0; i < kRounds * static_cast<int>(kPlaces); ++i) ++mine[take_turn(turns, kPlaces)];
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (std::size_t place = 0; place < kPlaces; ++place) {
    int sum = 0;
    for (const std::vector<int>& mine : taken) sum += mine[place];
    EXPECT_EQ(sum, kRounds * kThreads) << place;
  }
}

}  // namespace
}  // namespace azora::balancer
