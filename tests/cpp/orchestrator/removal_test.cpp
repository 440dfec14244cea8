// What is unregistered, and what that means to others (R28).
#include "support/commands.hpp"

namespace azora::orchestrator {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

std::string replicas(int count) {
  return R"({"id":"w","type":"core","endpoint":"http://127.0.0.1:7001","healthCheckInterval":1000,)"
         R"("process":{"argv":["serve","{port}"],"replicas":)" + std::to_string(count) + "}}";
}

TEST(Removal, OfAnEntryTakesItsReplicasAlong) {
  World world;
  world.add(replicas(3));
  world.advance(seconds(2));
  world.turn([&] { EXPECT_TRUE(world.core.unregister("w", "python").value()); });
  EXPECT_TRUE(world.recorder.board->by_id.empty());
  world.advance(seconds(2));
  EXPECT_EQ(world.keeper.alive_count(), 0U);
  world.turn([&] { EXPECT_FALSE(world.core.unregister("w", "python").value()); });
}

TEST(Removal, DependentsOfARemovedServiceRunOnAndWaitForItWhenTheyEnd) {
  World world;
  world.add_process("root");
  const auto leaf = world.add_process("leaf", R"("dependencies":["root"])");
  world.advance(seconds(2));
  world.turn([&] { EXPECT_TRUE(world.core.unregister("root", "rest").value()); });
  world.advance(seconds(5));
  EXPECT_TRUE(world.keeper.alive(leaf));
  world.keeper.crash(leaf);
  world.advance(minutes(10));
  EXPECT_EQ(world.lifecycle("leaf"), Lifecycle::blocked);
  EXPECT_EQ(world.keeper.launches(leaf), 1);
  world.add_process("root");
  world.advance(seconds(2));
  EXPECT_EQ(world.status("leaf"), HealthStatus::healthy);
}

TEST(Removal, NothingIsLeftBehind) {
  World world;
  const auto a = world.add_process("a");
  world.add_process("b", R"("dependencies":["a"])");
  world.add(R"({"id":"u","type":"core","endpoint":"http://127.0.0.1:1","healthCheckInterval":1000})");
  world.advance(seconds(3));
  world.keeper.set(a, {.exec_fails = true});
  world.keeper.crash(a);
  world.advance(seconds(2));
  for (const char* id : {"a", "b", "u"}) {
    world.turn([&] { EXPECT_TRUE(world.core.unregister(id, "rest").value()); });
  }
  world.advance(seconds(30));
  EXPECT_EQ(world.loop.timer_count(), 0U);
  EXPECT_EQ(world.prober.in_flight_count(), 0U);
  EXPECT_EQ(world.keeper.alive_count(), 0U);
  EXPECT_TRUE(world.recorder.board->by_id.empty());
  EXPECT_TRUE(world.recorder.board->in_order.empty());
  EXPECT_EQ(world.recorder.board->healthy + world.recorder.board->unhealthy, 0U);
}

}  // namespace
}  // namespace azora::orchestrator
