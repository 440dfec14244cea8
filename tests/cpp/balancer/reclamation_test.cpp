// What readers hold is let go: with their next pick, their thread or the balancer.
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>

#include "balancer/rig.hpp"

namespace azora::balancer {
namespace {

TEST(Reclamation, AReaderLetsGoWithItsNextPick) {
  Rig rig;
  rig.add("a");
  rig.add("b");
  const std::weak_ptr<const Instance> a = rig.balancer.pick("t").value().instance;
  ASSERT_EQ(rig.pick("t", {.strategy = Strategy::weighted}), "a");
  ASSERT_NE(rig.pick("t", {.strategy = Strategy::ip_hash, .key = "k"}), "-");
  rig.put("a", {.endpoint = "http://moved"});  // another object in its place
  EXPECT_FALSE(a.expired());
  for (const Strategy strategy : {Strategy::weighted, Strategy::ip_hash}) {
    EXPECT_EQ(rig.pick("t", {.strategy = strategy, .key = "k"}), "b");
  }
  EXPECT_EQ(rig.pick("a"), "-");
  EXPECT_TRUE(a.expired());
}

TEST(Reclamation, AThreadThatEndsHoldsNothing) {
  Rig rig;
  rig.add("a");
  std::weak_ptr<const Instance> a;
  std::thread([&] { a = rig.balancer.pick("t").value().instance; }).join();
  rig.remove("a");
  EXPECT_TRUE(a.expired()) << "the last look at the pool was that thread's";
}

TEST(Reclamation, ABalancerThatGoesFreesWhatOtherThreadsHeld) {
  std::weak_ptr<const Instance> a;
  std::atomic<int> step{0};
  std::unique_ptr<Rig> rig = std::make_unique<Rig>();
  rig->add("a");
  std::thread other([&] {
    a = rig->balancer.pick("t").value().instance;
    step.store(1);
    step.notify_all();
    step.wait(1);
  });
  step.wait(0);
  rig = nullptr;
  EXPECT_TRUE(a.expired());
  step.store(2);
  step.notify_all();
  other.join();
}

TEST(Reclamation, ManyBalancersOnOneThread) {
  for (int i = 0; i < 50; ++i) {
    Rig one;
    Rig other;
    one.add("a");
    other.add("b");
    for (int round = 0; round < 3; ++round) {
      EXPECT_EQ(one.pick(), "a");
      EXPECT_EQ(other.pick(), "b");
    }
  }
}

}  // namespace
}  // namespace azora::balancer
