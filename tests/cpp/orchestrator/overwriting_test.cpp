// When a changed program of a process that runs takes effect.
#include <algorithm>

#include "support/world.hpp"

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
  world.turn([&] { ASSERT_TRUE(world.core.command(Verb::stop, "a", false, false, "rest").ok()); });
  overwrite(world, R"({"argv":["false"]})", Apply::restart);
  world.advance(seconds(5));
  EXPECT_EQ(world.keeper.launches(serial), 1);
  EXPECT_EQ(world.lifecycle("a"), Lifecycle::idle);
}

}  // namespace
}  // namespace azora::orchestrator
