// Maintenance: checked, out of rotation, and nothing is done about it until it ends.
#include <gtest/gtest.h>

#include "azora/orchestrator/reads/why.hpp"
#include "support/lives.hpp"
#include "support/world.hpp"

namespace azora::orchestrator {
namespace {

using std::chrono::seconds;

class MaintenanceTest : public testing::Test {
 protected:
  MaintenanceTest() {
    serial = world.add_process("a");
    world.advance(seconds(2));
  }
  Result<VerbAnswer> maintain(std::optional<Millis> span = std::nullopt, const std::string& reason = "a new disk",
                              const std::string& name = "a") {
    MaintenanceWish wish{.reason = reason, .until = std::nullopt};
    if (span) wish.until = WallTime{world.loop.now().wall.ms + span->count()};
    Result<VerbAnswer> answer = VerbAnswer{};
    world.turn([&] { answer = world.core.admin().maintain(name, wish, "python"); });
    return answer;
  }
  bool end(const std::string& name = "a") {
    bool ended = false;
    world.turn([&] { ended = !world.core.admin().end_maintenance(name, "python").value().affected.empty(); });
    return ended;
  }
  void command(Verb verb, const std::string& name = "a", bool dependents = false) {
    world.turn([&] { EXPECT_TRUE(world.core.command(verb, name, dependents, false, "python").ok()); });
  }
  bool picked() const { return world.recorder.tiers.at(serial) == Tier::healthy; }
  bool maintained() const { return world.view("a")->owner && world.view("a")->owner->maintenance; }
  std::string why() { return why_json(*world.recorder.board, "a", world.loop.now()).value(); }

  World world;
  std::uint64_t serial = 0;
};

TEST_F(MaintenanceTest, ItsChecksGoOnAndAreNotActedOn) {
  ASSERT_TRUE(maintain().ok());
  EXPECT_FALSE(picked());
  EXPECT_EQ(world.view("a")->desired, Desired::hold);
  world.prober.set(serial, health::FakeProber::Answer::http(500));
  world.advance(seconds(60));
  EXPECT_EQ(world.status("a"), HealthStatus::unhealthy) << "it is checked";
  EXPECT_EQ(world.lifecycle("a"), Lifecycle::ready);
  EXPECT_EQ(world.view("a")->incarnation, 1U) << "and nothing is done about it";
  EXPECT_TRUE(end());
  world.advance(seconds(5));
  EXPECT_EQ(world.view("a")->incarnation, 2U) << "now something is";
}

TEST_F(MaintenanceTest, WhatEndsStaysDownAndIsStartedWhenItIsOver) {
  ASSERT_TRUE(maintain(Millis(300'000)).ok());
  world.keeper.crash(serial);
  world.advance(seconds(100));
  EXPECT_EQ(world.lifecycle("a"), Lifecycle::idle);
  EXPECT_EQ(world.keeper.launches(serial), 1);
  EXPECT_NE(why().find("does not run, and nothing starts it; it is under maintenance since"), std::string::npos) << why();
  EXPECT_NE(why().find("(a new disk)"), std::string::npos) << why();
  world.advance(seconds(199));
  EXPECT_EQ(world.keeper.launches(serial), 1);
  world.advance(seconds(3));
  EXPECT_EQ(world.lifecycle("a"), Lifecycle::ready);
  EXPECT_EQ(world.view("a")->desired, Desired::up);
  EXPECT_TRUE(picked());
  EXPECT_FALSE(maintained());
  EXPECT_EQ(world.recorder.count(EventType::maintenance_began, "a"), 1);
  EXPECT_EQ(world.recorder.count(EventType::maintenance_ended, "a"), 1);
  EXPECT_EQ(world.recorder.last_cause(EventType::maintenance_ended, "a"), "expired");
}

TEST_F(MaintenanceTest, FollowsAWallClockThatIsSet) {
  ASSERT_TRUE(maintain(Millis(3'600'000)).ok());
  world.loop.jump_wall(Millis(-3'600'000));
  world.advance(seconds(5'000));
  EXPECT_TRUE(maintained());
  world.loop.jump_wall(Millis(3'600'000));
  world.advance(seconds(61));
  EXPECT_FALSE(maintained());
}

TEST_F(MaintenanceTest, ASlowStartIsNotEnded) {
  world.prober.set(serial + 1, health::FakeProber::Answer::http(500));
  const std::uint64_t slow = world.add_process("slow", R"("healthCheck":{"startTimeout":2000})");
  ASSERT_EQ(slow, serial + 1);
  world.advance(Millis(500));
  ASSERT_EQ(world.lifecycle("slow"), Lifecycle::starting);
  ASSERT_TRUE(maintain(std::nullopt, "slow disk", "slow").ok());
  world.advance(seconds(100));
  EXPECT_EQ(world.lifecycle("slow"), Lifecycle::starting);
  EXPECT_TRUE(world.keeper.alive(slow));
}

TEST_F(MaintenanceTest, ItsOwnersVerbsAreObeyedAndAStartEndsIt) {
  ASSERT_TRUE(maintain().ok());
  command(Verb::stop);
  world.advance(seconds(1));
  EXPECT_EQ(world.lifecycle("a"), Lifecycle::idle);
  EXPECT_TRUE(maintained()) << "a stop is part of it";
  EXPECT_TRUE(end());
  world.advance(seconds(1));
  EXPECT_EQ(world.lifecycle("a"), Lifecycle::idle) << "it is wanted down";
  ASSERT_TRUE(maintain().ok());
  command(Verb::start);
  world.advance(seconds(1));
  EXPECT_FALSE(maintained());
  EXPECT_TRUE(picked());
  EXPECT_FALSE(end()) << "there is none";
}

TEST_F(MaintenanceTest, VerbsOfOthersLeaveItAlone) {
  world.add_process("above", R"("dependencies":["a"])");
  world.advance(seconds(2));
  ASSERT_TRUE(maintain(std::nullopt, "busy", "above").ok());
  command(Verb::restart, "a", true);
  world.advance(seconds(5));
  EXPECT_EQ(world.view("a")->incarnation, 2U);
  EXPECT_EQ(world.view("above")->incarnation, 1U);
  EXPECT_EQ(world.lifecycle("above"), Lifecycle::ready);
  ASSERT_TRUE(maintain().ok());
  world.keeper.crash(serial);
  world.advance(seconds(1));
  world.turn([&] { EXPECT_TRUE(world.core.command(Verb::start, "above", false, true, "python").ok()); });
  world.advance(seconds(5));
  EXPECT_EQ(world.lifecycle("a"), Lifecycle::idle);
}

TEST_F(MaintenanceTest, WhoWaitsUntilItIsReadyIsToldThatThisIsInVain) {
  ASSERT_TRUE(maintain().ok());
  world.keeper.crash(serial);
  world.advance(seconds(1));
  Result<void> answer = Result<void>();
  world.turn([&] {
    world.core.wait_for("a", Goal::ready, world.loop.now().steady + seconds(100), [&](Result<void> done) { answer = std::move(done); });
  });
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().code, ErrorCode::not_coming);
  EXPECT_NE(answer.error().message.find("under maintenance"), std::string::npos) << answer.error().message;
}

TEST_F(MaintenanceTest, OfWhatRunsWithoutUsOnlyTakesItOutOfRotation) {
  world.add(R"({"id":"url","type":"site","endpoint":"http://127.0.0.1:9001","healthCheckInterval":1000})");
  const std::uint64_t called = world.add(
      R"({"id":"called","type":"site","endpoint":"http://127.0.0.1:9002","healthCheckInterval":1000})", &kCallableAction);
  world.advance(seconds(3));
  ASSERT_TRUE(maintain(std::nullopt, "moving", "url").ok());
  ASSERT_TRUE(maintain(std::nullopt, "moving", "called").ok());
  EXPECT_EQ(world.recorder.admins[world.view("url")->serial], Admin::maintenance);
  world.prober.set(called, health::FakeProber::Answer::http(500));
  world.advance(seconds(60));
  EXPECT_EQ(world.view("called")->incarnation, 0U) << "its callable is not called";
  world.turn([&] { world.core.stop(world.loop.now().steady + seconds(60), [](const std::vector<std::string>&) {}); });
  world.turn([&] { EXPECT_TRUE(world.core.start().ok()); });
  world.advance(seconds(30));
  EXPECT_EQ(world.status("url"), HealthStatus::healthy);
  EXPECT_EQ(world.status("called"), HealthStatus::unhealthy) << "it is checked again";
  EXPECT_EQ(world.view("called")->incarnation, 0U);
  EXPECT_TRUE(end("called"));
  world.advance(seconds(10));
  EXPECT_EQ(world.view("called")->incarnation, 1U);
  EXPECT_TRUE(end("url"));
  EXPECT_EQ(world.recorder.tiers[world.view("url")->serial], Tier::healthy);
}

TEST_F(MaintenanceTest, AJobThatIsDoneIsNotRunAgain) {
  const std::uint64_t job = world.add(
      R"({"id":"job","type":"jobs","healthCheck":{"type":"process"},"process":{"argv":["true"]}})");
  world.advance(seconds(2));
  world.keeper.crash(job, 0);
  world.advance(seconds(1));
  ASSERT_EQ(world.lifecycle("job"), Lifecycle::done);
  ASSERT_TRUE(maintain(std::nullopt, "audit", "job").ok());
  EXPECT_TRUE(end("job"));
  world.advance(seconds(5));
  EXPECT_EQ(world.lifecycle("job"), Lifecycle::done);
  EXPECT_EQ(world.keeper.launches(job), 1);
}

TEST_F(MaintenanceTest, ADrainThatEndsDuringItKeepsTheServiceAsItIs) {
  world.recorder.held[serial] = 1;
  world.turn([&] { EXPECT_TRUE(world.core.admin().drain("a", {.timeout = seconds(5), .then = DrainThen::restart}, "python").ok()); });
  ASSERT_TRUE(maintain().ok());
  world.advance(seconds(30));
  EXPECT_EQ(world.view("a")->incarnation, 1U);
  EXPECT_TRUE(world.view("a")->owner->drain->done);
  EXPECT_TRUE(end());
  EXPECT_FALSE(picked()) << "its drain is not undone";
}

TEST_F(MaintenanceTest, WhatItsOwnerSaysMustMakeSense) {
  EXPECT_EQ(maintain(Millis(-1)).error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(maintain(std::nullopt, "").error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(maintain(std::nullopt, std::string(1'001, 'x')).error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(maintain(std::nullopt, "x", "nobody").error().code, ErrorCode::unknown_service);
  EXPECT_FALSE(maintained());
  EXPECT_TRUE(picked());
  EXPECT_EQ(world.recorder.count(EventType::maintenance_began), 0);
}

TEST(MaintenanceRestored, HoldsInTheNextLifeAndExpiresThere) {
  Lives lives;
  const std::uint64_t serial = lives.add_process("a");
  lives.advance(seconds(2));
  const WallTime until{lives.loop.now().wall.ms + 60'000};
  lives.turn([&] { EXPECT_TRUE(lives.core().admin().maintain("a", {.reason = "disk", .until = until}, "rest").ok()); });
  lives.crash();
  lives.keeper.crash(serial);  // it ends while no orchestrator lives
  lives.advance(seconds(5));
  ASSERT_TRUE(lives.begin().ok());
  lives.advance(seconds(20));
  EXPECT_EQ(lives.lifecycle("a"), Lifecycle::idle) << "the next orchestrator keeps its hands off";
  EXPECT_EQ(lives.view("a")->owner->maintenance->reason, "disk");
  EXPECT_EQ(lives.recorder().tiers[serial], Tier::excluded);
  lives.advance(seconds(40));
  EXPECT_EQ(lives.lifecycle("a"), Lifecycle::ready);
  EXPECT_FALSE(lives.view("a")->owner);
  EXPECT_EQ(lives.keeper.launches(serial), 2);
}

TEST(MaintenanceRestored, WhatRunsIsAdoptedAndLeftAloneAndNothingIsStartedAfterAReboot) {
  Lives lives;
  const std::uint64_t serial = lives.add_process("a");
  lives.advance(seconds(2));
  lives.turn([&] { EXPECT_TRUE(lives.core().admin().maintain("a", {.reason = "disk", .until = {}}, "rest").ok()); });
  lives.crash_and_begin();
  lives.now().prober.set(serial, health::FakeProber::Answer::http(500));
  lives.advance(seconds(200));
  EXPECT_TRUE(lives.keeper.alive(serial)) << "no timeout of the adoption kills it";
  EXPECT_EQ(lives.keeper.launches(serial), 1);
  lives.reboot();
  lives.advance(seconds(60));
  EXPECT_EQ(lives.lifecycle("a"), Lifecycle::idle);
  lives.turn([&] { EXPECT_TRUE(lives.core().admin().end_maintenance("a", "rest").ok()); });
  lives.advance(seconds(5));
  EXPECT_EQ(lives.lifecycle("a"), Lifecycle::ready);
}

}  // namespace
}  // namespace azora::orchestrator
