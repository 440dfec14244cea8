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

// --- Tiers

TEST(Tiers, DegradedOnesServeOnlyWhereAllowedAndNothingHealthyIsLeft) {
  Rig rig;
  rig.add("a");
  rig.put("b");
  rig.degraded("b");
  EXPECT_EQ(rig.picks(3), "aaa");
  rig.down("a");
  EXPECT_EQ(rig.pick(), "-");
  rig.configure("t", {.allow_degraded = true});
  for (const Strategy strategy : kAll) {
    const Result<Pick> pick = rig.balancer.pick("t", {.strategy = strategy, .key = "k"});
    ASSERT_TRUE(pick) << wire_name(strategy);
    EXPECT_EQ(pick.value().instance->id(), "b");
    EXPECT_EQ(pick.value().tier, Tier::degraded);
    EXPECT_FALSE(pick.value().panic);
  }
  rig.up("a");
  EXPECT_EQ(rig.picks(3), "aaa");
  EXPECT_EQ(rig.balancer.pick("t").value().tier, Tier::healthy);
}

TEST(Tiers, BelowThePanicThresholdAllThatMayBeAliveServe) {
  Rig rig;
  for (const char* id : {"a", "b", "c", "d"}) rig.add(id);
  rig.configure("t", {.panic_threshold = 0.5});
  rig.down("b");
  rig.down("c", Exclusion::stopped);
  EXPECT_EQ(rig.shares(8, "t", {}), (std::map<std::string, int>{{"a", 4}, {"d", 4}})) << "just half";
  EXPECT_FALSE(rig.balancer.pick("t").value().panic);
  rig.down("d", Exclusion::unknown);
  for (const Strategy strategy : kAll) {
    std::map<std::string, int> got;
    for (int i = 0; i < 300; ++i) {
      const std::string key = std::to_string(i);
      const Result<Pick> pick = rig.balancer.pick("t", {.strategy = strategy, .key = key});
      ASSERT_TRUE(pick);
      EXPECT_TRUE(pick.value().panic);
      ++got[pick.value().instance->id()];
    }
    EXPECT_EQ(got.size(), 3U) << wire_name(strategy);
    EXPECT_FALSE(got.contains("c")) << "known not to run";
  }
  rig.up("b");
  EXPECT_EQ(rig.shares(8, "t", {}), (std::map<std::string, int>{{"a", 4}, {"b", 4}}));
}

TEST(Tiers, DegradedOnesCountAsUsableForPanic) {
  Rig rig;
  for (const char* id : {"a", "b"}) rig.add(id);
  rig.configure("t", {.panic_threshold = 1});
  rig.degraded("b");
  EXPECT_EQ(rig.picks(2), "aa");
  rig.down("b");
  EXPECT_EQ(rig.shares(2, "t", {}), (std::map<std::string, int>{{"a", 1}, {"b", 1}}));
}

TEST(Tiers, WithoutThresholdNobodyUnusableIsEverAnswered) {
  Rig rig;
  rig.add("a");
  rig.down("a");
  EXPECT_EQ(rig.pick(), "-");
}

TEST(Tiers, Rule44AdminStateAndEjectionExcludeWhateverTheTier) {
  Rig rig;
  rig.add("a");
  rig.add("b");
  PoolSet& pools = rig.balancer.pools();
  const auto why = [&] {
    const Result<Pick> pick = rig.balancer.pick("t", {.explain = true, .peek = true});
    return pick.value().candidates.at(0).excluded;
  };
  pools.set_admin(rig.serial("a"), Admin::draining);
  EXPECT_EQ(rig.picks(2), "bb");
  EXPECT_EQ(why(), Exclusion::draining);
  rig.down("a");
  rig.up("a");
  EXPECT_EQ(rig.picks(2), "bb") << "draining goes on";
  pools.set_admin(rig.serial("a"), Admin::maintenance);
  EXPECT_EQ(why(), Exclusion::maintenance);
  pools.set_admin(rig.serial("a"), Admin::active);
  EXPECT_EQ(why(), Exclusion::none);
  pools.eject(rig.serial("a"), SteadyTime{std::chrono::seconds(9)});
  EXPECT_EQ(rig.picks(2), "bb");
  EXPECT_EQ(why(), Exclusion::ejected);
  pools.readmit(rig.serial("a"));
  EXPECT_EQ(why(), Exclusion::none);
}

TEST(Tiers, UnknownSerialsAreIgnored) {
  Rig rig;
  rig.add("a");
  PoolSet& pools = rig.balancer.pools();
  pools.set_tier(999, Tier::healthy, 1);
  pools.set_admin(999, Admin::draining);
  pools.eject(999, SteadyTime{});
  pools.readmit(999);
  pools.set_ramp(999, 0.5);
  pools.remove(999);
  EXPECT_EQ(rig.picks(2), "aa");
}

// --- Explanations

TEST(Explain, Rule46dShowsEveryCandidateAndTakesATurnAsAnyPick) {
  Rig rig;
  rig.add("a", {.weight = 2.5});
  rig.add("b", {.weight = 0});
  rig.put("c");
  rig.degraded("c");
  rig.add("d");
  rig.down("d");
  const SteadyTime now{};
  rig.lease("t", now, Strategy::round_robin);
  const Result<Pick> pick =
      rig.balancer.pick("t", {.strategy = Strategy::weighted, .explain = true});
  ASSERT_TRUE(pick);
  EXPECT_EQ(candidates_json(pick.value().candidates),
            R"([{"serviceId":"a","tier":"healthy","load":1,"loadSource":"leases","weight":2.5},)"
            R"({"serviceId":"b","tier":"healthy","load":0,"loadSource":"leases","weight":0,"excluded":"weight"},)"
            R"({"serviceId":"c","tier":"degraded","load":0,"loadSource":"leases","weight":5,"excluded":"degraded"},)"
            R"({"serviceId":"d","tier":"excluded","load":0,"loadSource":"leases","weight":5,"excluded":"unhealthy"}])");
  EXPECT_EQ(rig.pick("t", {.explain = true}), "b");
  EXPECT_EQ(rig.pick("t", {.explain = true}), "a");
}

TEST(Explain, ABareIdHasOneCandidateAndWhoLeftHasNone) {
  Rig rig;
  rig.add("a");
  rig.add("b");
  rig.remove("b");
  EXPECT_EQ(rig.balancer.pick("a", {.explain = true}).value().candidates.size(), 1U);
  EXPECT_EQ(rig.balancer.pick("t", {.explain = true}).value().candidates.size(), 1U);
  EXPECT_EQ(candidates_json({}), "[]");
}

TEST(Words, StrategiesAreReadAsTheyAreWritten) {
  for (const Strategy strategy : kAll) EXPECT_EQ(strategy_from_wire(wire_name(strategy)), strategy);
  for (const char* bad : {"", "Round-Robin", "round_robin", "random", "weighted "}) {
    EXPECT_EQ(strategy_from_wire(bad), std::nullopt) << bad;
  }
}

}  // namespace
}  // namespace azora::balancer
