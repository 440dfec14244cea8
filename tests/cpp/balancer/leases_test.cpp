// Leases: the load of an instance, by release, time and life (R43).
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <thread>

#include "balancer/rig.hpp"

namespace azora::balancer {
namespace {

using Loads = std::map<std::string, std::uint32_t>;
using std::chrono::seconds;

constexpr SteadyTime kStart{seconds(1000)};

TEST(Leases, Rule43AReleaseEndsItOnceAndIsToldSo) {
  Rig rig;
  rig.add("a");
  const Lease lease = rig.lease("t", kStart).value();
  EXPECT_EQ(lease.ttl, Millis(30'000));
  EXPECT_EQ(rig.loads(), (Loads{{"a", 1}}));
  EXPECT_TRUE(rig.balancer.release(lease.id, kStart));
  EXPECT_EQ(rig.loads(), (Loads{{"a", 0}}));
  EXPECT_FALSE(rig.balancer.release(lease.id, kStart));
  EXPECT_EQ(rig.loads(), (Loads{{"a", 0}})) << "never below nothing";
}

TEST(Leases, Rule46dAnIdThatNeverExistedIsNotReleased) {
  Rig rig;
  rig.add("a");
  const std::string known = rig.lease("t", kStart).value().id;
  ASSERT_EQ(known.size(), 32U);
  std::string upper = known;
  std::transform(upper.begin(), upper.end(), upper.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  std::vector<std::string> foreign = {"",           "x",
                                      known + "0",  known.substr(1),
                                      " " + known,  std::string(32, '0'),
                                      std::string(32, 'g'), std::string(100'000, 'a')};
  if (upper != known) foreign.push_back(upper);
  for (std::size_t digit = 0; digit < known.size(); ++digit) {
    std::string near = known;
    near[digit] = near[digit] == '0' ? '1' : '0';
    foreign.push_back(near);
  }
  for (const std::string& id : foreign) {
    EXPECT_FALSE(rig.balancer.release(id, kStart)) << id.substr(0, 40);
  }
  EXPECT_EQ(rig.loads(), (Loads{{"a", 1}}));
  EXPECT_TRUE(rig.balancer.release(known, kStart));
}

TEST(Leases, EndWhenTheirTimeIsOver) {
  Rig rig;
  rig.add("a");
  rig.configure("t", {.lease_ttl = Millis(500)});
  const Lease lease = rig.lease("t", kStart).value();
  EXPECT_EQ(lease.ttl, Millis(500));
  rig.balancer.expire_leases(kStart + Millis(499));
  EXPECT_EQ(rig.loads(), (Loads{{"a", 1}}));
  rig.balancer.expire_leases(kStart + Millis(600));  // within a tick of 100 ms
  EXPECT_EQ(rig.loads(), (Loads{{"a", 0}}));
  EXPECT_FALSE(rig.balancer.release(lease.id, kStart + Millis(600)));
  const BalancerMetrics metrics = rig.balancer.metrics();
  EXPECT_EQ(metrics.leases_taken, 1U);
  EXPECT_EQ(metrics.leases_released, 0U);
  EXPECT_EQ(metrics.leases_expired, 1U);
  EXPECT_EQ(metrics.leases_held, 0U);
}

TEST(Leases, AReleaseThatComesTooLateIsNone) {
  Rig rig;
  rig.add("a");
  rig.configure("t", {.lease_ttl = Millis(500)});
  const Lease one = rig.lease("t", kStart).value();
  const Lease other = rig.lease("t", kStart).value();
  EXPECT_TRUE(rig.balancer.release(one.id, kStart + Millis(499)));
  EXPECT_FALSE(rig.balancer.release(other.id, kStart + Millis(500))) << "nobody came by in between";
  EXPECT_EQ(rig.loads(), (Loads{{"a", 0}}));
}

TEST(Leases, ABareIdLeasesTooAndAPeekNever) {
  Rig rig;
  rig.add("a");
  const Result<Pick> by_id = rig.balancer.pick("a", {.lease = true, .now = kStart});
  EXPECT_EQ(by_id.value().lease.value().ttl, Millis(30'000));
  const Result<Pick> peek = rig.balancer.pick("t", {.lease = true, .peek = true, .now = kStart});
  EXPECT_FALSE(peek.value().lease) << "HEAD never leases";
  EXPECT_FALSE(rig.balancer.pick("t").value().lease) << "nor who does not ask";
  EXPECT_EQ(rig.loads(), (Loads{{"a", 1}}));
}

TEST(Leases, Rule43EndWithTheLifeTheyWereTakenIn) {
  Rig rig;
  rig.add("a");
  rig.add("b");
  const auto lease_a = [&] {
    rig.down("b");
    const std::string id = rig.lease("t", kStart).value().id;
    rig.up("b");
    return id;
  };

  const std::string before_exit = lease_a();
  rig.down("a");  // checks fail: its connections may live on
  rig.up("a");
  EXPECT_EQ(rig.loads().at("a"), 1U);
  rig.down("a", Exclusion::stopped);
  rig.up("a", 2);
  EXPECT_EQ(rig.loads().at("a"), 0U);
  const std::string second = lease_a();
  EXPECT_EQ(rig.loads().at("a"), 0U + 1U);
  EXPECT_FALSE(rig.balancer.release(before_exit, kStart)) << "must not lower the load of the new life";
}

TEST(Leases, Rule43ANewIncarnationAloneEndsThem) {
  Rig rig;
  rig.add("a");
  const std::string old = rig.lease("t", kStart).value().id;
  rig.up("a", 2);
  EXPECT_EQ(rig.loads(), (Loads{{"a", 0}}));
  const std::string fresh = rig.lease("t", kStart).value().id;
  EXPECT_FALSE(rig.balancer.release(old, kStart));
  EXPECT_EQ(rig.loads(), (Loads{{"a", 1}}));
  EXPECT_TRUE(rig.balancer.release(fresh, kStart));
}

TEST(Leases, Rule43EndWithTheRegistrationAndTheNextStartsAtNothing) {
  Rig rig;
  rig.add("a");
  const std::string old = rig.lease("t", kStart).value().id;
  const std::string until_timeout = rig.lease("t", kStart).value().id;
  rig.remove("a");
  rig.add("a");
  EXPECT_EQ(rig.loads(), (Loads{{"a", 0}}));
  rig.lease("t", kStart);
  EXPECT_FALSE(rig.balancer.release(old, kStart));
  EXPECT_EQ(rig.loads(), (Loads{{"a", 1}}));
  rig.balancer.expire_leases(kStart + seconds(29));
  EXPECT_EQ(rig.balancer.metrics().leases_held, 2U);
  rig.balancer.expire_leases(kStart + seconds(31));
  EXPECT_EQ(rig.balancer.metrics().leases_held, 0U);
  EXPECT_EQ(rig.loads(), (Loads{{"a", 0}}));
}

TEST(Leases, AChangedWeightKeepsThem) {
  Rig rig;
  rig.add("a", {.weight = 1});
  rig.lease("t", kStart);
  rig.put("a", {.weight = 2});
  EXPECT_EQ(rig.loads(), (Loads{{"a", 1}}));
}

TEST(Leases, HoldTheInstanceAndNotTheOtherWayRound) {
  std::weak_ptr<const Instance> watched;
  Rig rig;
  rig.add("a");
  rig.add("b");
  {
    rig.down("b");
    const Result<Pick> pick = rig.balancer.pick("t", {.lease = true, .now = kStart});
    watched = pick.value().instance;
    rig.up("b");
  }
  rig.remove("a");
  EXPECT_EQ(rig.picks(2), "bb");
  rig.balancer.expire_leases(kStart + seconds(31));
  for (int i = 0; i < 100; ++i) {  // closes the gap it left
    rig.add("x" + std::to_string(i));
    rig.remove("x" + std::to_string(i));
  }
  EXPECT_EQ(rig.picks(2), "bb");
  EXPECT_TRUE(watched.expired());
}

TEST(Leases, IdsDoNotRepeatEvenWhenTheRandomBytesDo) {
  int calls = 0;
  Rig rig({.worker = {}, .seed = 0, .random_bytes = [&](std::span<std::uint8_t> bytes) {
             std::fill(bytes.begin(), bytes.end(), static_cast<std::uint8_t>(++calls));
           }});
  rig.add("a");
  std::set<std::string> ids;
  for (int i = 0; i < 200; ++i) ids.insert(rig.lease("t", kStart).value().id);
  EXPECT_EQ(ids.size(), 200U);
}

TEST(Leases, MoreThanTheLimitAreRefusedUntilOneEnds) {
  BalancerOptions options;
  options.most_leases = 3;
  Rig rig(std::move(options));
  rig.add("a");
  const std::string first = rig.lease("t", kStart).value().id;
  static_cast<void>(rig.lease("t", kStart).value());
  static_cast<void>(rig.lease("t", kStart + seconds(5)).value());
  const Result<Pick> fourth = rig.balancer.pick("t", {.lease = true, .now = kStart + seconds(5)});
  ASSERT_FALSE(fourth.ok());
  EXPECT_EQ(fourth.error().code, ErrorCode::limit_reached);
  EXPECT_EQ(rig.loads(), (Loads{{"a", 3}}));
  EXPECT_TRUE(rig.balancer.release(first, kStart + seconds(5)));
  EXPECT_TRUE(rig.lease("t", kStart + seconds(5)).has_value());
  EXPECT_FALSE(rig.lease("t", kStart + seconds(6)).has_value());
  EXPECT_TRUE(rig.lease("t", kStart + seconds(31)).has_value()) << "the time of the second one is over";
  EXPECT_TRUE(rig.balancer.pick("t", {.now = kStart + seconds(6)}).ok()) << "a pick without a lease is not limited";
}

TEST(Leases, ManyThreadsTakeAndReleaseAndNothingIsLeftOver) {
  Rig rig;
  for (int i = 0; i < 5; ++i) rig.add("s" + std::to_string(i));
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      std::vector<std::string> held;
      for (int i = 0; i < 3000; ++i) {
        const Result<Pick> pick = rig.balancer.pick(
            "t", {.strategy = Strategy::least_connections, .lease = true, .now = kStart});
        held.push_back(pick.value().lease->id);
        if (held.size() < 10) continue;
        EXPECT_TRUE(rig.balancer.release(held.front(), kStart));
        held.erase(held.begin());
      }
      for (const std::string& id : held) EXPECT_TRUE(rig.balancer.release(id, kStart));
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const auto& [id, load] : rig.loads()) EXPECT_EQ(load, 0U) << id;
  const BalancerMetrics metrics = rig.balancer.metrics();
  EXPECT_EQ(metrics.leases_taken, 12'000U);
  EXPECT_EQ(metrics.leases_released, 12'000U);
  EXPECT_EQ(metrics.leases_held, 0U);
}

}  // namespace
}  // namespace azora::balancer
