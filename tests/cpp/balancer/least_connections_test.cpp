// The least loaded: exact up to 16 with ties by lot, two by lot above.
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "balancer/rig.hpp"

namespace azora::balancer {
namespace {

constexpr PickRequest kLeast{.strategy = Strategy::least_connections};
constexpr SteadyTime kNow{std::chrono::seconds(1000)};

TEST(LeastConnections, LeasesSpreadEvenly) {
  Rig rig;
  for (int i = 0; i < 16; ++i) rig.add("s" + std::to_string(i));
  for (int round = 1; round <= 10; ++round) {
    for (int i = 0; i < 16; ++i) rig.lease("t", kNow);
    for (const auto& [id, load] : rig.loads()) EXPECT_EQ(load, static_cast<std::uint32_t>(round)) << id;
  }
}

TEST(LeastConnections, ThePickGoesWhereALeaseWasReleased) {
  Rig rig;
  for (const char* id : {"a", "b", "c"}) rig.add(id);
  std::map<std::string, std::string> held;
  for (int i = 0; i < 3; ++i) {
    const auto pick =
        rig.balancer.pick("t", {.strategy = Strategy::least_connections, .lease = true, .now = kNow});
    held[pick.value().instance->id()] = pick.value().lease->id;
    EXPECT_EQ(pick.value().load_source, LoadSource::leases);
  }
  ASSERT_EQ(held.size(), 3U);
  EXPECT_TRUE(rig.balancer.release(held["b"], kNow));
  EXPECT_EQ(rig.picks(10, "t", kLeast), std::string(10, 'b')) << "unleased picks add no load";
}

TEST(LeastConnections, TiesAreDrawnByLot) {
  Rig rig({.worker = {}, .seed = 7, .random_bytes = {}});
  for (const char* id : {"a", "b", "c", "d"}) rig.add(id);
  const auto got = rig.shares(4000, "t", kLeast);
  ASSERT_EQ(got.size(), 4U);
  // 1000 each, sigma 27: six of them.
  for (const auto& [id, count] : got) EXPECT_NEAR(count, 1000, 164) << id;
}

TEST(LeastConnections, TheSameSeedDrawsTheSame) {
  const auto run = [](std::uint64_t seed) {
    Rig rig({.worker = {}, .seed = seed, .random_bytes = {}});
    for (const char* id : {"a", "b", "c", "d"}) rig.add(id);
    return rig.picks(64, "t", kLeast);
  };
  EXPECT_EQ(run(1), run(1));
  EXPECT_NE(run(1), run(2));
}

TEST(LeastConnections, Rule42LoadIsDividedByAWeightThatWasSet) {
  Rig rig;
  rig.add("a", {.weight = 3});
  rig.add("b", {.weight = 1});
  for (int i = 0; i < 40; ++i) rig.lease("t", kNow);
  EXPECT_EQ(rig.loads(), (std::map<std::string, std::uint32_t>{{"a", 30}, {"b", 10}}));
}

TEST(LeastConnections, Rule42PrioritiesAreNoWeights) {
  Rig rig;
  rig.add("a", {.priority = 9});
  rig.add("b", {.priority = 1});
  for (int i = 0; i < 40; ++i) rig.lease("t", kNow);
  EXPECT_EQ(rig.loads(), (std::map<std::string, std::uint32_t>{{"a", 20}, {"b", 20}}));
}

TEST(LeastConnections, Rule46dWeightZeroIsNeverPicked) {
  Rig rig;
  rig.add("a", {.weight = 0});
  rig.add("b");
  for (int i = 0; i < 20; ++i) rig.lease("t", kNow);
  EXPECT_EQ(rig.loads(), (std::map<std::string, std::uint32_t>{{"a", 0}, {"b", 20}}));
  rig.down("b");
  EXPECT_EQ(rig.pick("t", kLeast), "-");
}

TEST(LeastConnections, LargePoolsStayNearEven) {
  Rig rig({.worker = {}, .seed = 3, .random_bytes = {}});
  for (int i = 0; i < 100; ++i) rig.add("s" + std::to_string(i));
  for (int i = 0; i < 10'000; ++i) rig.lease("t", kNow);
  for (const auto& [id, load] : rig.loads()) {
    EXPECT_NEAR(load, 100, 6) << id;  // two choices: log2(log2 n) off, by lot alone it would be 30
  }
}

TEST(LeastConnections, LargePoolsFollowWeightsThatWereSet) {
  Rig rig({.worker = {}, .seed = 3, .random_bytes = {}});
  for (int i = 0; i < 50; ++i) rig.add("heavy" + std::to_string(i), {.weight = 3});
  for (int i = 0; i < 50; ++i) rig.add("light" + std::to_string(i), {.weight = 1});
  rig.add("never", {.weight = 0});
  for (int i = 0; i < 20'000; ++i) rig.lease("t", kNow);
  for (const auto& [id, load] : rig.loads()) {
    const double due = id == "never" ? 0 : id.starts_with("heavy") ? 300 : 100;
    EXPECT_NEAR(load, due, due * 0.06) << id;
  }
}

TEST(LeastConnections, LargePoolsDrawAmongTheEligibleAlone) {
  Rig rig({.worker = {}, .seed = 3, .random_bytes = {}});
  for (int i = 0; i < 3000; ++i) rig.put("down" + std::to_string(i));
  std::set<std::string> usable;
  for (int i = 0; i < 20; ++i) rig.add(*usable.insert("up" + std::to_string(i)).first);
  const auto got = rig.shares(4000, "t", kLeast);
  EXPECT_EQ(got.size(), 20U);
  for (const auto& [id, count] : got) {
    EXPECT_TRUE(usable.contains(id));
    EXPECT_NEAR(count, 200, 85) << id;  // six sigma
  }
}

}  // namespace
}  // namespace azora::balancer
