// Who may be picked: tiers, degraded service, panic, drain and ejection, and how a pick explains itself.
#include <gtest/gtest.h>

#include "balancer/rig.hpp"

namespace azora::balancer {
namespace {

constexpr std::array<Strategy, 4> kAll = {Strategy::round_robin, Strategy::weighted,
                                          Strategy::least_connections, Strategy::ip_hash};

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
            R"({"serviceId":"b","tier":"excluded","load":0,"loadSource":"leases","weight":0,"excluded":"weight"},)"
            R"({"serviceId":"c","tier":"degraded","load":0,"loadSource":"leases","weight":5,"excluded":"degraded"},)"
            R"({"serviceId":"d","tier":"excluded","load":0,"loadSource":"leases","weight":5,"excluded":"unhealthy"}])");
  EXPECT_EQ(rig.pick("t", {.explain = true}), "a");
  EXPECT_EQ(rig.pick("t", {.explain = true}), "a") << "weight 0 takes no turn";
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

}  // namespace
}  // namespace azora::balancer
