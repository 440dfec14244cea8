// What a change costs is what changed, in pools of any size: by counters, not by the clock
// (R12, R13, R47).
#include <gtest/gtest.h>

#include <deque>

#include "balancer/rig.hpp"

namespace azora::balancer {
namespace {

#if defined(__SANITIZE_THREAD__)
constexpr int kMany = 10'000;  // the counters are the same, the run is not ten times as long
#else
constexpr int kMany = 100'000;
#endif

// Counters since the last look.
class Cost {
 public:
  explicit Cost(const Balancer& balancer) : balancer_(balancer), last_(balancer.metrics()) {}
  BalancerMetrics since() {
    const BalancerMetrics now = balancer_.metrics();
    const BalancerMetrics cost{.members_touched = now.members_touched - last_.members_touched,
                               .flaps = now.flaps - last_.flaps,
                               .names_published = now.names_published - last_.names_published,
                               .tables_built = now.tables_built - last_.tables_built};
    last_ = now;
    return cost;
  }

 private:
  const Balancer& balancer_;
  BalancerMetrics last_;
};

std::string id_of(int i) { return "s" + std::to_string(i); }

// Jobs are kept until the test runs them.
struct Jobs {
  std::deque<std::function<void()>> waiting;
  Worker worker() {
    return [this](std::function<void()> job) { waiting.push_back(std::move(job)); };
  }
  void run() {
    while (!waiting.empty()) {
      const auto job = std::move(waiting.front());
      waiting.pop_front();
      job();
    }
  }
};

class LargePool : public testing::Test {
 protected:
  void fill(int members) {
    for (int i = 0; i < members; ++i) rig.add(id_of(i), {.group = "g"});
  }
  Jobs jobs;
  Rig rig{{.worker = jobs.worker(), .seed = 1, .random_bytes = {}}};
};

TEST_F(LargePool, Rule12AFlapTouchesOneMemberPerPoolAndNoTable) {
  fill(kMany);
  for (const Strategy strategy : {Strategy::weighted, Strategy::ip_hash, Strategy::least_connections}) {
    rig.fast("t", strategy, "k");
  }
  Cost cost(rig.balancer);
  for (int i = 0; i < 1000; ++i) {
    const std::string id = id_of(i * 97 % kMany);
    rig.down(id);
    rig.balancer.pools().publish();
    ASSERT_NE(rig.fast(), id);
    rig.up(id);
    rig.balancer.pools().publish();
    for (const Strategy strategy : {Strategy::weighted, Strategy::ip_hash}) {
      ASSERT_NE(rig.fast("t", strategy, "k"), "-");
    }
  }
  const BalancerMetrics spent = cost.since();
  EXPECT_EQ(spent.flaps, 2U * 1000 * 2) << "type and group";
  EXPECT_EQ(spent.members_touched, 0U) << "nobody came, left or moved";
  EXPECT_EQ(spent.tables_built, 0U);
  EXPECT_EQ(spent.names_published, 0U);
  EXPECT_TRUE(jobs.waiting.empty());
}

TEST_F(LargePool, ATierThatIsTheSameCostsNothing) {
  fill(10);
  Cost cost(rig.balancer);
  for (int i = 0; i < 10; ++i) rig.up(id_of(i));
  EXPECT_EQ(cost.since().flaps, 0U);
}

TEST_F(LargePool, JoiningAndLeavingTouchAConstantNumberOfMembers) {
  Cost filling(rig.balancer);
  fill(kMany);
  // Per pool: one for itself, less than one for the first chunk's growth.
  EXPECT_LE(filling.since().members_touched, 2U * kMany + 2U * kChunkPlaces);
  Cost cost(rig.balancer);
  for (int i = 0; i < 1000; ++i) {
    rig.add("new" + std::to_string(i), {.group = "g"});
    rig.fast();
    rig.remove(id_of(i));
    rig.fast();
  }
  const BalancerMetrics spent = cost.since();
  EXPECT_EQ(spent.members_touched, 2U * 2 * 1000);
  EXPECT_EQ(spent.names_published, 0U) << "known pools are not published anew";
  EXPECT_EQ(spent.tables_built, 0U) << "round-robin needs none";
}

TEST_F(LargePool, EmptyingTouchesEachMemberAFewTimes) {
  fill(kMany);
  Cost cost(rig.balancer);
  for (int i = 0; i < kMany; ++i) rig.remove(id_of(i));
  // Once when it leaves, and gaps are closed whenever they are the larger half.
  EXPECT_LE(cost.since().members_touched, 2U * 2 * kMany + 1000);
  EXPECT_EQ(rig.balancer.pools().pools(), 0U);
}

TEST_F(LargePool, AMoveCopiesOneChunk) {
  fill(kMany);
  Cost cost(rig.balancer);
  rig.add(id_of(kMany / 2), {.group = "g", .endpoint = "http://moved"});
  EXPECT_LE(cost.since().members_touched, 2U * kChunkPlaces);
  EXPECT_EQ(cost.since().names_published, 0U);
}

TEST_F(LargePool, TablesAreMadeByTheWorkerOnceForManyChanges) {
  fill(5000);
  rig.fast("t", Strategy::ip_hash, "k");
  rig.fast("t", Strategy::weighted);
  Cost cost(rig.balancer);
  for (int i = 0; i < 500; ++i) {
    rig.add("new" + std::to_string(i));
    ASSERT_NE(rig.fast("t", Strategy::ip_hash, "k"), "-");
    ASSERT_NE(rig.fast("t", Strategy::weighted), "-");
  }
  EXPECT_EQ(cost.since().tables_built, 0U) << "picks go on with the tables there are";
  EXPECT_EQ(jobs.waiting.size(), 1U) << "asked for once, not 500 times; ip-hash needs none";
  jobs.run();
  EXPECT_EQ(cost.since().tables_built, 1U);
  std::map<std::string, int> got = rig.shares(5500, "t", {.strategy = Strategy::weighted});
  EXPECT_EQ(got.size(), 5500U) << "all weights are equal: each once";
}

TEST_F(LargePool, AnAbandonedJobHurtsNobody) {
  fill(1000);
  rig.fast("t", Strategy::weighted);
  rig.add("new");
  rig.fast("t", Strategy::weighted);
  ASSERT_EQ(jobs.waiting.size(), 1U);
  for (int i = 0; i < 1000; ++i) rig.remove(id_of(i));
  rig.remove("new");
  EXPECT_EQ(rig.balancer.pools().pools(), 0U);
  jobs.run();
  EXPECT_EQ(rig.fast("t", Strategy::weighted), "-");
}

TEST(NamesPublished, AreThoseThatChanged) {
  Rig rig;
  for (int i = 0; i < 10'000; ++i) rig.put(id_of(i), {.type = "t" + std::to_string(i)});
  Cost cost(rig.balancer);
  rig.balancer.pools().publish();
  EXPECT_EQ(cost.since().names_published, 0U) << "nothing changed";
  rig.put("new", {.type = "t7"});
  EXPECT_EQ(cost.since().names_published, 1U) << "its own";
  rig.put("newer", {.type = "other", .group = "g"});
  EXPECT_EQ(cost.since().names_published, 2U) << "type and group";
  rig.put("newer", {.type = "other", .group = "g", .weight = 7.0});
  EXPECT_EQ(cost.since().names_published, 0U);
  rig.remove("new");
  EXPECT_EQ(cost.since().names_published, 1U);
}

}  // namespace
}  // namespace azora::balancer
