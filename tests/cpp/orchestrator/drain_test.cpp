// Drain: out of rotation at once, over when the leases are back or the time is, then what its owner asked for.
#include <gtest/gtest.h>

#include "support/lives.hpp"
#include "support/world.hpp"

namespace azora::orchestrator {
namespace {

using std::chrono::seconds;

class DrainTest : public testing::Test {
 protected:
  DrainTest() {
    serial = world.add_process("a");
    world.advance(seconds(2));
  }
  Result<VerbAnswer> drain(Millis timeout, DrainThen then = DrainThen::keep, const std::string& name = "a") {
    Result<VerbAnswer> answer = VerbAnswer{};
    world.turn([&] { answer = world.core.admin().drain(name, {.timeout = timeout, .then = then}, "python"); });
    return answer;
  }
  bool undrain() {
    bool ended = false;
    world.turn([&] { ended = !world.core.admin().undrain("a", "python").value().affected.empty(); });
    return ended;
  }
  void command(Verb verb) {
    world.turn([&] { EXPECT_TRUE(world.core.command(verb, "a", false, false, "python").ok()); });
  }
  bool picked() const { return world.recorder.tiers.at(serial) == Tier::healthy; }
  const std::optional<Drain>& shown() const {
    static const std::optional<Drain> kNone;
    const ViewPtr view = world.view("a");
    return view->owner ? view->owner->drain : kNone;
  }
  int told(EventType type) const { return world.recorder.count(type, "a"); }

  World world;
  std::uint64_t serial = 0;
};

TEST_F(DrainTest, WaitsForItsLeasesAndKeepsTheServiceOutUntilItIsUndone) {
  world.recorder.held[serial] = 2;
  const Result<VerbAnswer> begun = drain(seconds(30));
  ASSERT_TRUE(begun.ok());
  EXPECT_EQ(begun.value().affected, std::vector<std::string>{"a"});
  EXPECT_FALSE(picked());
  EXPECT_EQ(world.status("a"), HealthStatus::healthy) << "its health is what it is";
  EXPECT_FALSE(shown()->done);
  world.advance(seconds(10));
  EXPECT_FALSE(shown()->done);
  world.recorder.held[serial] = 0;
  world.advance(Millis(100));
  EXPECT_TRUE(shown()->done);
  EXPECT_FALSE(picked());
  EXPECT_EQ(told(EventType::service_draining), 1);
  EXPECT_EQ(told(EventType::service_drained), 1);
  EXPECT_EQ(world.recorder.last_cause(EventType::service_drained, "a"), "operator");
  world.advance(seconds(100));
  EXPECT_TRUE(shown()->done) << "it stays out of rotation";
  EXPECT_TRUE(undrain());
  EXPECT_TRUE(picked());
  EXPECT_FALSE(shown());
  EXPECT_EQ(told(EventType::service_undrained), 1);
  EXPECT_FALSE(undrain()) << "there is none";
  EXPECT_EQ(told(EventType::service_undrained), 1);
  EXPECT_EQ(world.keeper.launches(serial), 1);
}

TEST_F(DrainTest, IsOverWhenItsTimeIsOver) {
  world.recorder.held[serial] = 1;
  ASSERT_TRUE(drain(seconds(5)).ok());
  world.advance(Millis(4'900));
  EXPECT_FALSE(shown()->done);
  world.advance(Millis(200));
  EXPECT_TRUE(shown()->done);
  EXPECT_EQ(world.recorder.last_cause(EventType::service_drained, "a"), "expired");
}

TEST_F(DrainTest, ThenStopsTheServiceAndItsNextStartPutsItBack) {
  ASSERT_TRUE(drain(seconds(5), DrainThen::stop).ok());
  world.advance(seconds(1));
  EXPECT_EQ(world.lifecycle("a"), Lifecycle::idle);
  EXPECT_EQ(world.view("a")->desired, Desired::down);
  EXPECT_FALSE(shown());
  EXPECT_EQ(world.recorder.last_cause(EventType::service_stopped, "a"), "operator");
  command(Verb::start);
  world.advance(seconds(1));
  EXPECT_TRUE(picked());
}

TEST_F(DrainTest, ThenRestartsTheServiceWhichIsBackInRotationWhenItIsReady) {
  ASSERT_TRUE(drain(seconds(5), DrainThen::restart).ok());
  EXPECT_FALSE(picked());
  EXPECT_EQ(world.view("a")->incarnation, 1U);
  world.advance(seconds(2));
  EXPECT_EQ(world.lifecycle("a"), Lifecycle::ready);
  EXPECT_EQ(world.view("a")->incarnation, 2U);
  EXPECT_EQ(world.view("a")->healing_or_default().attempts, 0) << "it costs nothing";
  EXPECT_TRUE(picked());
  EXPECT_FALSE(shown());
}

TEST_F(DrainTest, WhoWaitsForWhatFollowsWaitsForTheDrainFirst) {
  world.recorder.held[serial] = 1;
  ASSERT_TRUE(drain(seconds(60), DrainThen::restart).ok());
  std::vector<std::string> answers;
  world.turn([&] {
    const SteadyTime until = world.loop.now().steady + seconds(300);
    for (const auto& [goal, name] : {std::pair(Goal::ready, "ready"), std::pair(Goal::drained, "drained")}) {
      world.core.wait_for("a", goal, until, [&answers, name = std::string(name)](const Result<void>& done) {
        answers.push_back(name + (done.ok() ? "" : " failed"));
      });
    }
  });
  world.advance(seconds(10));
  EXPECT_TRUE(answers.empty()) << "it is ready, and is to be restarted";
  world.recorder.held[serial] = 0;
  world.advance(seconds(5));
  EXPECT_EQ(answers, (std::vector<std::string>{"drained", "ready"}));
  EXPECT_EQ(world.view("a")->incarnation, 2U);
}

TEST_F(DrainTest, AnOperatorsStartOrRestartEndsItAndAStopDoesNot) {
  ASSERT_TRUE(drain(seconds(5)).ok());
  world.advance(seconds(1));
  command(Verb::stop);
  world.advance(seconds(1));
  ASSERT_TRUE(shown());
  command(Verb::start);
  EXPECT_FALSE(shown());
  EXPECT_EQ(told(EventType::service_undrained), 1);
  world.advance(seconds(1));
  EXPECT_TRUE(picked());
  world.recorder.held[serial] = 1;
  ASSERT_TRUE(drain(seconds(5), DrainThen::stop).ok());
  command(Verb::restart);
  world.advance(seconds(60));
  EXPECT_TRUE(picked()) << "the stop that was to follow is not made";
}

TEST_F(DrainTest, ANewOneReplacesTheOneUnderWay) {
  world.recorder.held[serial] = 1;
  ASSERT_TRUE(drain(seconds(5), DrainThen::stop).ok());
  ASSERT_TRUE(drain(seconds(100)).ok());
  world.advance(seconds(50));
  EXPECT_FALSE(shown()->done);
  EXPECT_EQ(world.lifecycle("a"), Lifecycle::ready);
}

TEST_F(DrainTest, ACrashIsHealedAndTheServiceStaysOut) {
  ASSERT_TRUE(drain(seconds(5)).ok());
  world.advance(seconds(1));
  world.keeper.crash(serial);
  world.advance(seconds(5));
  EXPECT_EQ(world.lifecycle("a"), Lifecycle::ready);
  EXPECT_EQ(world.view("a")->incarnation, 2U);
  EXPECT_FALSE(picked());
}

TEST_F(DrainTest, DoesNotEndWhileTheOrchestratorIsStopped) {
  world.recorder.held[serial] = 1;
  ASSERT_TRUE(drain(seconds(5), DrainThen::stop).ok());
  world.turn([&] { world.core.stop(world.loop.now().steady + seconds(60), [](const std::vector<std::string>&) {}); });
  world.recorder.held[serial] = 0;
  world.advance(seconds(60));
  EXPECT_FALSE(shown()->done);
  world.turn([&] { EXPECT_TRUE(world.core.start().ok()); });
  world.advance(seconds(5));
  EXPECT_EQ(world.lifecycle("a"), Lifecycle::idle);
  EXPECT_EQ(world.view("a")->desired, Desired::down);
}

TEST_F(DrainTest, OfAnEntryDrainsAllItsInstances) {
  world.add(R"({"id":"web","type":"site","healthCheck":{"type":"process"},"process":{"argv":["true"],"replicas":2}})");
  world.advance(seconds(3));
  const Result<VerbAnswer> begun = drain(seconds(5), DrainThen::restart, "web");
  ASSERT_TRUE(begun.ok());
  EXPECT_EQ(begun.value().affected, (std::vector<std::string>{"web@0", "web@1"}));
  world.advance(seconds(5));
  EXPECT_EQ(world.view("web@0")->incarnation, 2U);
  EXPECT_EQ(world.view("web@1")->incarnation, 2U);
  EXPECT_EQ(world.view("a")->incarnation, 1U);
}

TEST_F(DrainTest, WhatItCannotDoIsRefusedAndChangesNothing) {
  world.add(R"({"id":"url","type":"site","endpoint":"http://127.0.0.1:9001"})");
  world.advance(seconds(1));
  EXPECT_EQ(drain(seconds(1), DrainThen::keep, "nobody").error().code, ErrorCode::unknown_service);
  EXPECT_EQ(drain(seconds(1), DrainThen::stop, "url").error().code, ErrorCode::healing_unavailable);
  EXPECT_EQ(drain(Millis(-1)).error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(world.recorder.count(EventType::service_draining), 0);
  EXPECT_TRUE(picked());
  ASSERT_TRUE(drain(seconds(1), DrainThen::keep, "url").ok());
  EXPECT_EQ(world.recorder.admins[world.view("url")->serial], Admin::draining);
}

TEST_F(DrainTest, AnUnregistrationEndsIt) {
  ASSERT_TRUE(drain(seconds(5), DrainThen::restart).ok());
  world.turn([&] { EXPECT_TRUE(world.core.unregister("a", "python").value()); });
  world.advance(seconds(30));
  EXPECT_EQ(world.view("a"), nullptr);
  EXPECT_EQ(world.keeper.launches(serial), 1);
  EXPECT_EQ(told(EventType::service_drained), 0);
}

TEST(DrainRestored, GoesOnInTheNextLifeAndWaitsForItsTimeSinceItsLeasesAreNotKnown) {
  Lives lives;
  const std::uint64_t serial = lives.add_process("a");
  lives.advance(seconds(2));
  lives.recorder().held[serial] = 1;
  lives.turn([&] { EXPECT_TRUE(lives.core().admin().drain("a", {.timeout = seconds(20), .then = DrainThen::restart}, "rest").ok()); });
  lives.advance(seconds(5));
  lives.crash_and_begin();
  EXPECT_EQ(lives.recorder().tiers[serial], Tier::excluded);
  ASSERT_TRUE(lives.view("a")->owner && lives.view("a")->owner->drains());
  lives.advance(seconds(10));
  EXPECT_EQ(lives.view("a")->incarnation, 1U);
  EXPECT_EQ(lives.lifecycle("a"), Lifecycle::ready);
  EXPECT_EQ(lives.recorder().tiers[serial], Tier::excluded);
  lives.advance(seconds(10));
  EXPECT_EQ(lives.view("a")->incarnation, 2U);
  EXPECT_EQ(lives.recorder().tiers[serial], Tier::healthy);
  EXPECT_FALSE(lives.view("a")->owner);
  lives.crash_and_begin();
  lives.advance(seconds(1));
  EXPECT_EQ(lives.recorder().tiers[serial], Tier::healthy) << "it is over in the store, too";
}

TEST(DrainRestored, WhatIsDrainedStaysOut) {
  Lives lives;
  const std::uint64_t serial = lives.add_process("a");
  lives.advance(seconds(2));
  lives.turn([&] { EXPECT_TRUE(lives.core().admin().drain("a", {.timeout = seconds(20)}, "rest").ok()); });
  lives.advance(seconds(1));
  lives.crash_and_begin();
  lives.advance(seconds(60));
  EXPECT_EQ(lives.view("a")->status, HealthStatus::healthy);
  EXPECT_EQ(lives.recorder().tiers[serial], Tier::excluded);
  lives.turn([&] { EXPECT_TRUE(lives.core().admin().undrain("a", "rest").ok()); });
  EXPECT_EQ(lives.recorder().tiers[serial], Tier::healthy);
}

}  // namespace
}  // namespace azora::orchestrator
