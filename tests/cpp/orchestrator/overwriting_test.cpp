// When a changed program of a process that runs takes effect.
#include <algorithm>

#include "support/commands.hpp"

namespace azora::orchestrator {
namespace {

using std::chrono::seconds;

void overwrite(World& world, const std::string& process, Apply apply) {
  const std::string text = R"({"id":"a","type":"core","endpoint":"http://127.0.0.1:7001","healthCheckInterval":1000,)"
                           R"("process":)" + process + "}";
  Result<std::vector<SpecPtr>> specs = parse_service(text, {.origin = Origin::python});
  ASSERT_TRUE(specs.ok());
  world.turn([&] { ASSERT_TRUE(world.core.register_many(std::move(specs).value(), "python", apply).ok()); });
}

TEST(Overwriting, ByDefaultAnotherProgramWaitsForTheNextStart) {
  World world;
  const auto serial = world.add_process("a");
  world.advance(seconds(3));
  overwrite(world, R"({"argv":["false"]})", Apply::at_next_start);
  world.advance(seconds(5));
  EXPECT_EQ(world.keeper.launches(serial), 1);
  EXPECT_TRUE(world.view("a")->restart_required);
}

TEST(Overwriting, ApplyRestartStartsAnotherProgramNow) {
  World world;
  const auto serial = world.add_process("a");
  world.advance(seconds(3));
  overwrite(world, R"({"argv":["false"]})", Apply::restart);
  world.advance(seconds(5));
  EXPECT_EQ(world.keeper.launches(serial), 2);
  EXPECT_FALSE(world.view("a")->restart_required);
  EXPECT_EQ(world.status("a"), HealthStatus::healthy);
  const auto restarted = std::find_if(world.recorder.events.begin(), world.recorder.events.end(),
                                      [](const Recorder::Seen& one) { return one.type == EventType::service_restarted; });
  ASSERT_NE(restarted, world.recorder.events.end());
  EXPECT_EQ(restarted->cause, "operator");
}

TEST(Overwriting, ApplyRestartLeavesTheSameProgramAlone) {
  World world;
  const auto serial = world.add_process("a");
  world.advance(seconds(3));
  overwrite(world, R"({"argv":["true"]})", Apply::restart);
  world.advance(seconds(5));
  EXPECT_EQ(world.keeper.launches(serial), 1);
}

TEST(Overwriting, WithoutItsProcessItWaitsForTheEndOfTheOldOneAndNoLonger) {
  World world;
  world.add_process("a");
  world.advance(seconds(3));
  Result<std::vector<SpecPtr>> specs = parse_service(R"({"id":"a","type":"core","endpoint":"http://127.0.0.1:7001"})", {.origin = Origin::python});
  ASSERT_TRUE(specs.ok());
  world.turn([&] { ASSERT_TRUE(world.core.register_many(std::move(specs).value(), "python").ok()); });
  const auto held_back = [&] { return world.view("a")->healing && world.view("a")->healing->held_back; };
  EXPECT_TRUE(held_back());
  world.advance(seconds(20));
  EXPECT_FALSE(held_back());
}

TEST(Overwriting, ApplyRestartDoesNotStartWhatIsToBeDown) {
  World world;
  const auto serial = world.add_process("a");
  world.advance(seconds(3));
  command(world, Verb::stop, "a");
  overwrite(world, R"({"argv":["false"]})", Apply::restart);
  world.advance(seconds(5));
  EXPECT_EQ(world.keeper.launches(serial), 1);
  EXPECT_EQ(world.lifecycle("a"), Lifecycle::idle);
}

// Less time to stop applies to the stop that is under way; more time only to the next one, since who carries this one
// out was told its time with the signal.
class StopUnderWay : public testing::Test {
 protected:
  void stop(const std::string& process, const keeper::FakeKeeper::Behaviour& behaviour) {
    world.keeper.set_default([behaviour](const keeper::Launch&) { return behaviour; });
    update(process);
    world.advance(seconds(3));
    ASSERT_EQ(world.status("a"), HealthStatus::healthy);
    command(world, Verb::stop, "a");
    world.advance(seconds(1));
  }
  void update(const std::string& process, const std::string& more = "") {
    world.add(R"({"id":"a","type":"core","endpoint":"http://127.0.0.1:7001","healthCheckInterval":1000,)" + more +
              R"("process":{"argv":["true"],)" + process + "}}");
  }
  int kills() const {
    return static_cast<int>(std::count_if(world.keeper.commands.begin(), world.keeper.commands.end(), [](const auto& one) {
      return one.kind == keeper::FakeKeeper::Command::Kind::kill;
    }));
  }

  World world;
};

TEST_F(StopUnderWay, AShorterStopTimeoutEndsIt) {
  stop(R"("stopTimeout":60000)", {.ignores_stop = true});
  update(R"("stopTimeout":5000)");
  world.advance(Millis(3'900));
  EXPECT_EQ(kills(), 0) << "it counts from the signal";
  world.advance(Millis(200));
  EXPECT_GT(kills(), 0);
  EXPECT_EQ(world.lifecycle("a"), Lifecycle::idle);
}

TEST_F(StopUnderWay, AShorterStopTimeoutEndsWhatMainLeftAsWell) {
  stop(R"("stopTimeout":60000)", {.lingers = true});
  ASSERT_EQ(world.lifecycle("a"), Lifecycle::sweep);
  update(R"("stopTimeout":5000)");
  world.advance(Millis(4'100));
  EXPECT_GT(kills(), 0);
}

TEST_F(StopUnderWay, ALongerStopTimeoutGivesItThatTime) {
  stop(R"("stopTimeout":5000)", {.ignores_stop = true});
  const auto stops = [this] {
    return std::count_if(world.keeper.commands.begin(), world.keeper.commands.end(), [](const auto& one) {
      return one.kind == keeper::FakeKeeper::Command::Kind::stop;
    });
  };
  const auto before = stops();
  update(R"("stopTimeout":60000)");
  EXPECT_EQ(stops(), before + 1) << "its shim is told";
  world.advance(Millis(58'900));
  EXPECT_EQ(kills(), 0) << "it counts from the signal";
  world.advance(Millis(200));
  EXPECT_GT(kills(), 0);
}

TEST_F(StopUnderWay, AnotherKillTimeoutAppliesToTheKill) {
  stop(R"("stopTimeout":1000)", {.ignores_stop = true, .ignores_kill = true});
  world.advance(seconds(1));
  ASSERT_EQ(world.lifecycle("a"), Lifecycle::killing);
  update(R"("stopTimeout":1000)", R"("killTimeout":60000,)");
  world.advance(seconds(30));
  EXPECT_EQ(world.lifecycle("a"), Lifecycle::killing) << "more time";
  update(R"("stopTimeout":1000)", R"("killTimeout":1000,)");
  world.advance(Millis(1));
  EXPECT_EQ(world.lifecycle("a"), Lifecycle::stuck) << "and less";
}

}  // namespace
}  // namespace azora::orchestrator
