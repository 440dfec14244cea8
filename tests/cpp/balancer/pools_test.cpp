// Who is in which pool, who answers to a bare id, and what a pool's options do.
#include <gtest/gtest.h>

#include <functional>
#include <limits>

#include "balancer/rig.hpp"

namespace azora::balancer {
namespace {

constexpr std::array<Strategy, 4> kAll = {Strategy::round_robin, Strategy::weighted,
                                          Strategy::least_connections, Strategy::ip_hash};

TEST(Pools, Rule41ATypeHoldsEveryInstanceWithAnEndpointWhateverItsGroup) {
  Rig rig;
  rig.add("a", {.group = "g"});
  rig.add("b");
  rig.put("c", {.without_endpoint = true});
  EXPECT_EQ(rig.picks(4), "abab");
  EXPECT_EQ(rig.picks(2, "g"), "aa");
  EXPECT_EQ(rig.balancer.pools().size(), 2U);
}

TEST(Pools, Rule41AServiceWithoutGroupJoinsTheGroupThatBearsItsId) {
  for (const bool bearer_first : {true, false}) {
    Rig rig;
    if (bearer_first) rig.add("g");
    rig.add("a", {.group = "g"});
    if (!bearer_first) rig.add("g");
    EXPECT_EQ(rig.shares(4, "g", {}), (std::map<std::string, int>{{"a", 2}, {"g", 2}}));
    rig.remove("a");
    EXPECT_EQ(rig.picks(2, "g"), "gg") << "the group is gone, the id still answers";
    EXPECT_EQ(rig.balancer.pools().pools(), 1U) << "the type";
  }
}

TEST(Pools, Rule12AServiceAnswersToItsIdWithoutAStoredPool) {
  Rig rig;
  rig.add("a");
  EXPECT_EQ(rig.balancer.pools().pools(), 1U) << "the type";
  for (const Strategy strategy : kAll) {
    EXPECT_EQ(rig.pick("a", {.strategy = strategy, .key = "k"}), "a");
  }
  rig.down("a");
  EXPECT_EQ(rig.pick("a"), "-");
  rig.up("a");
  EXPECT_EQ(rig.pick("a"), "a");
  rig.remove("a");
  EXPECT_EQ(rig.pick("a"), "-");
  EXPECT_EQ(rig.balancer.pools().pools(), 0U);
}

TEST(Pools, OneWithAGroupDoesNotAnswerToItsId) {
  Rig rig;
  rig.add("a", {.group = "g"});
  EXPECT_EQ(rig.pick("a"), "-");
}

TEST(Pools, Rule46cATypeInUseWinsOverAnIdInEitherOrder) {
  for (const bool bearer_first : {true, false}) {
    Rig rig;
    if (bearer_first) rig.add("x");
    rig.add("a", {.type = "x"});
    if (!bearer_first) rig.add("x");
    EXPECT_EQ(rig.picks(3, "x"), "aaa");
    rig.remove("a");
    EXPECT_EQ(rig.picks(2, "x"), "xx") << "the id answers again";
  }
}

TEST(Pools, ReplicasAreThePoolOfTheirEntryAndAnyOneNamesIt) {
  Rig rig;
  rig.add("a", {.entry = "e"});
  rig.add("b", {.entry = "e"});
  EXPECT_EQ(rig.picks(4, "e"), "abab");
  EXPECT_EQ(rig.pick("a"), "-");
  rig.add("c", {.group = "e"});
  EXPECT_EQ(rig.shares(6, "e", {}), (std::map<std::string, int>{{"a", 2}, {"b", 2}, {"c", 2}}));
  rig.remove("a");
  rig.remove("b");
  EXPECT_EQ(rig.picks(2, "e"), "cc");
}

// The group of an entry is not one that its owner chose: a type of that name has it, whoever came first.
TEST(Pools, TheGroupOfAnEntryGivesWayToATypeOfTheSameName) {
  for (const bool entry_first : {true, false}) {
    Rig rig;
    if (!entry_first) rig.add("x", {.type = "e"});
    rig.add("a", {.entry = "e"});
    rig.add("b", {.entry = "e"});
    if (entry_first) {
      EXPECT_EQ(rig.picks(4, "e"), "abab");
      rig.add("x", {.type = "e"});
    }
    EXPECT_EQ(rig.picks(3, "e"), "xxx");
    rig.down("a");
    rig.up("a");
    EXPECT_EQ(rig.picks(3, "e"), "xxx");
    rig.remove("x");
    EXPECT_EQ(rig.shares(4, "e", {}), (std::map<std::string, int>{{"a", 2}, {"b", 2}}));
    rig.remove("a");
    EXPECT_EQ(rig.picks(2, "e"), "bb");
    rig.remove("b");
    EXPECT_EQ(rig.balancer.pools().pools(), 0U);
  }
}

TEST(Pools, AnEntryMayHaveTheNameOfItsOwnType) {
  Rig rig;
  rig.add("a", {.type = "e", .entry = "e"});
  rig.add("b", {.type = "e", .entry = "e"});
  EXPECT_EQ(rig.picks(4, "e"), "abab");
  EXPECT_EQ(rig.balancer.pools().pools(), 1U);
  rig.put("a", {.type = "t", .entry = "e"});
  rig.up("a");
  EXPECT_EQ(rig.picks(2, "e"), "bb") << "the type of that name has b alone";
  rig.put("b", {.type = "t", .entry = "e"});
  rig.up("b");
  EXPECT_EQ(rig.shares(4, "e", {}), (std::map<std::string, int>{{"a", 2}, {"b", 2}}));
  rig.remove("a");
  rig.remove("b");
  EXPECT_EQ(rig.balancer.pools().pools(), 0U);
}

// It stays healthy, so that only the pool can tell that it left.
TEST(Pools, WhoLeavesAPoolAliveIsNotFoundInItAnyMore) {
  for (const Strategy strategy : kAll) {
    Rig rig;
    rig.add("x");
    rig.configure("x", {.strategy = strategy});
    const PickRequest ask{.key = "k"};
    EXPECT_EQ(rig.pick("x", ask), "x");
    rig.add("a", {.type = "x", .weight = 2.0});
    EXPECT_EQ(rig.picks(5, "x", ask), "aaaaa") << wire_name(strategy);
    const Result<Pick> explained = rig.balancer.pick("x", {.key = "k", .explain = true});
    EXPECT_EQ(explained.value().candidates.size(), 1U);
    rig.remove("a");
    EXPECT_EQ(rig.picks(5, "x", ask), "xxxxx") << wire_name(strategy);
  }
}

TEST(Pools, NorInTablesThatWaitForTheWorker) {
  std::vector<std::function<void()>> never_run;
  for (const Strategy strategy : kAll) {
    Rig rig({.worker = [&](std::function<void()> job) { never_run.push_back(std::move(job)); },
             .seed = 1,
             .random_bytes = {}});
    rig.add("x", {.weight = 5});
    rig.configure("x", {.strategy = strategy});
    EXPECT_EQ(rig.pick("x", {.key = "k"}), "x");
    for (int i = 0; i < 400; ++i) rig.add("s" + std::to_string(i), {.type = "x", .weight = 1});
    for (int i = 0; i < 50; ++i) {
      const std::string key = std::to_string(i);
      const std::string picked = rig.pick("x", {.key = key});
      EXPECT_NE(picked, "x") << wire_name(strategy);
      EXPECT_NE(picked, "-") << wire_name(strategy);
    }
  }
}

TEST(Pools, NobodyIsAskedFor) {
  Rig rig;
  rig.put("a");
  for (const char* pool : {"t", "a", "unheard", ""}) {
    for (const Strategy strategy : kAll) {
      const Result<Pick> none = rig.balancer.pick(pool, {.strategy = strategy, .key = "k"});
      ASSERT_FALSE(none);
      EXPECT_EQ(none.error().code, ErrorCode::no_healthy_instance);
      EXPECT_EQ(none.error().message,
                "No healthy instances available for service type: " + std::string(pool));
      EXPECT_EQ(rig.fast(pool, strategy, "k"), "-");
    }
  }
}

TEST(Pools, APoolThatEmptiesAndFillsAgainAnswersAgain) {
  Rig rig;
  for (int round = 0; round < 3; ++round) {
    rig.add("a");
    PoolHandle handle("t");
    EXPECT_EQ(rig.balancer.pick_fast(handle)->id(), "a");
    rig.remove("a");
    EXPECT_EQ(rig.balancer.pick_fast(handle), nullptr);
    EXPECT_EQ(rig.pick(), "-");
  }
}

TEST(Pools, MovesBetweenPools) {
  Rig rig;
  rig.add("a");
  rig.add("b", {.type = "u", .group = "g"});
  rig.add("b", {.group = "h"});
  EXPECT_EQ(rig.picks(2), "ab");
  EXPECT_EQ(rig.pick("u"), "-");
  EXPECT_EQ(rig.pick("g"), "-");
  EXPECT_EQ(rig.pick("h"), "b");
  rig.add("b");
  EXPECT_EQ(rig.pick("h"), "-");
  EXPECT_EQ(rig.pick("b"), "b");
  rig.put("b", {.without_endpoint = true});
  EXPECT_EQ(rig.pick("b"), "-");
  EXPECT_EQ(rig.picks(2), "aa");
}

TEST(Pools, StrategyPerPoolAndPerCall) {
  Rig rig;
  rig.add("a", {.weight = 3});
  rig.add("b", {.weight = 1});
  EXPECT_EQ(rig.balancer.pick("t").value().strategy, Strategy::round_robin);
  rig.configure("t", {.strategy = Strategy::weighted});
  EXPECT_EQ(rig.shares(8, "t", {}), (std::map<std::string, int>{{"a", 6}, {"b", 2}}));
  EXPECT_EQ(rig.balancer.pick("t").value().strategy, Strategy::weighted);
  const Result<Pick> called = rig.balancer.pick("t", {.strategy = Strategy::least_connections});
  EXPECT_EQ(called.value().strategy, Strategy::least_connections);
  EXPECT_EQ(called.value().load_source, LoadSource::leases);
  EXPECT_EQ(rig.fast("t", Strategy::ip_hash, "k"), rig.fast("t", Strategy::ip_hash, "k"));
}

TEST(Pools, OptionsMayComeBeforeTheMembersAndOutliveThem) {
  Rig rig;
  rig.configure("t", {.strategy = Strategy::weighted});
  for (int round = 0; round < 2; ++round) {
    rig.add("a", {.weight = 0});
    EXPECT_EQ(rig.pick(), "-");
    rig.remove("a");
  }
}

TEST(Pools, RefusesNamesThatNothingCanBear) {
  Rig rig;
  for (const std::string& name : {std::string(), std::string("a b"), std::string("-a"), std::string("a@0"), std::string(64, 'a')}) {
    const Result<void> refused = rig.balancer.pools().configure(name, {.strategy = Strategy::weighted});
    ASSERT_FALSE(refused) << name;
    EXPECT_EQ(refused.error().code, ErrorCode::invalid_argument);
    EXPECT_EQ(refused.error().message.find("pool \"" + name + "\""), 0U) << refused.error().message;
  }
  EXPECT_TRUE(rig.balancer.pools().configure(std::string(63, 'a'), {.strategy = Strategy::weighted}));
}

TEST(Pools, RefusesOptionsOutOfRangeAndKeepsTheOld) {
  Rig rig;
  rig.add("a");
  const double not_a_number = std::numeric_limits<double>::quiet_NaN();
  for (const double share : {-0.1, 1.1, not_a_number}) {
    const Result<void> refused = rig.balancer.pools().configure(
        "t", {.strategy = Strategy::weighted, .panic_threshold = share});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::invalid_argument);
    EXPECT_EQ(refused.error().message.find("panicThreshold"), 0U);
  }
  for (const Millis ttl : {Millis(0), Millis(-1), Millis(std::int64_t{1} << 31)}) {
    const Result<void> refused =
        rig.balancer.pools().configure("t", {.strategy = Strategy::weighted, .lease_ttl = ttl});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().message.find("leaseTtl"), 0U);
    EXPECT_NE(refused.error().message.find(std::to_string(ttl.count())), std::string::npos);
  }
  EXPECT_EQ(rig.balancer.pick("t").value().strategy, Strategy::round_robin);
}

TEST(Words, StrategiesAreReadAsTheyAreWritten) {
  for (const Strategy strategy : kAll) EXPECT_EQ(strategy_from_wire(wire_name(strategy)), strategy);
  for (const char* bad : {"", "Round-Robin", "round_robin", "random", "weighted "}) {
    EXPECT_EQ(strategy_from_wire(bad), std::nullopt) << bad;
  }
}

}  // namespace
}  // namespace azora::balancer
