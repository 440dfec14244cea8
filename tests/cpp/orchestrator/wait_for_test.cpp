// Waiting for a service to be ready or stopped (R27).
#include "support/commands.hpp"

namespace azora::orchestrator {
namespace {

using std::chrono::seconds;

TEST(WaitFor, ReadyMeansTheIncarnationOfARestartThatWaitsForItsDependents) {
  World world;
  world.keeper.set_default([](const keeper::Launch&) { return keeper::FakeKeeper::Behaviour{.stops_in = seconds(1)}; });
  world.add_process("root");
  world.add_process("leaf", R"("dependencies":["root"])");
  world.advance(seconds(2));
  std::optional<std::uint64_t> incarnation;
  command(world, Verb::restart, "root", true);
  world.turn([&] {
    world.core.wait_for("root", Goal::ready, world.loop.now().steady + seconds(30), [&](const Result<void>& done) {
      EXPECT_TRUE(done.ok());
      incarnation = world.view("root")->incarnation;
    });
  });
  world.advance(Millis(500));
  EXPECT_EQ(incarnation, std::nullopt);
  world.advance(seconds(10));
  EXPECT_EQ(incarnation, 2U);
}

TEST(WaitFor, ReadyIsAnsweredInTheTurnThatPublishesIt) {
  World world;
  world.add_process("a");
  bool answered = false;
  world.turn([&] {
    world.core.wait_for("a", Goal::ready, world.loop.now().steady + seconds(10), [&](const Result<void>& done) {
      answered = true;
      EXPECT_TRUE(done.ok());
      EXPECT_EQ(world.status("a"), HealthStatus::healthy);
    });
  });
  EXPECT_FALSE(answered);
  world.advance(seconds(1));
  EXPECT_TRUE(answered);
}

TEST(WaitFor, StoppedAndGoneAndTooLate) {
  World world;
  const auto a = world.add_process("a");
  restart_as(world, a, {.stops_in = seconds(2)});
  std::vector<std::string> answers;
  const auto wait = [&](bool ready, seconds span, const std::string& name) {
    world.core.wait_for("a", ready ? Goal::ready : Goal::stopped, world.loop.now().steady + span, [&answers, name](const Result<void>& done) {
      answers.push_back(name + (done.ok() ? ":ok" : ":" + std::string(error_name(done.error().code))));
    });
  };
  world.turn([&] {
    ASSERT_TRUE(world.core.command(Verb::stop, "a", false, false, "rest").ok());
    wait(false, seconds(1), "early");
    wait(false, seconds(10), "stopped");
  });
  world.advance(seconds(5));
  EXPECT_EQ(answers.size(), 2U);
  world.turn([&] {
    ASSERT_TRUE(world.core.command(Verb::start, "a", false, false, "rest").ok());
    wait(true, seconds(10), "ready");
    wait(false, seconds(10), "gone");
    EXPECT_TRUE(world.core.unregister("a", "rest").value());
  });
  ASSERT_EQ(answers.size(), 4U);
  EXPECT_NE(answers[0].find("timed"), std::string::npos) << answers[0];
  EXPECT_EQ(answers[1], "stopped:ok");
  EXPECT_NE(answers[2].find("unknown"), std::string::npos) << answers[2];
  EXPECT_EQ(answers[3], "gone:ok");
}

}  // namespace
}  // namespace azora::orchestrator
