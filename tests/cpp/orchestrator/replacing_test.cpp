// A service that is registered again: what runs, what waits, what is counted (R28).
#include "support/commands.hpp"

namespace azora::orchestrator {
namespace {

using std::chrono::seconds;

std::string replicas(int count) {
  return R"({"id":"w","type":"core","endpoint":"http://127.0.0.1:7001","healthCheckInterval":1000,)"
         R"("process":{"argv":["serve","{port}"],"replicas":)" + std::to_string(count) + "}}";
}

TEST(Replacing, UnchangedKeepsTheProcessAndItsCounts) {
  World world;
  const auto a = world.add_process("a");
  world.advance(seconds(1));
  world.keeper.crash(a);
  world.advance(seconds(1));
  const auto before = world.view("a");
  EXPECT_EQ(world.add_process("a"), a);
  world.advance(seconds(10));
  const auto after = world.view("a");
  EXPECT_EQ(after->incarnation, before->incarnation);
  EXPECT_EQ(after->restart_count, 1);
  EXPECT_EQ(after->generation, before->generation + 1);
  EXPECT_FALSE(after->restart_required);
  EXPECT_EQ(after->status, HealthStatus::healthy);
  EXPECT_EQ(after->order, before->order);
}

TEST(Replacing, AChangedCommandWaitsForARestart) {
  World world;
  world.add_process("a");
  world.advance(seconds(1));
  world.add(R"({"id":"a","type":"core","endpoint":"http://127.0.0.1:7001","healthCheckInterval":1000,"process":{"argv":["false"]}})");
  world.advance(seconds(5));
  EXPECT_TRUE(world.view("a")->restart_required);
  EXPECT_EQ(world.view("a")->incarnation, 1U);
  command(world, Verb::restart, "a");
  world.advance(seconds(1));
  EXPECT_FALSE(world.view("a")->restart_required);
  EXPECT_EQ(world.view("a")->incarnation, 2U);
}

TEST(Replacing, DroppingTheProcessStopsIt) {
  World world;
  const auto a = world.add_process("a");
  world.advance(seconds(1));
  world.add(R"({"id":"a","type":"core","endpoint":"http://127.0.0.1:7001","healthCheckInterval":1000})");
  world.advance(seconds(3));
  EXPECT_FALSE(world.keeper.alive(a));
  EXPECT_EQ(world.lifecycle("a"), Lifecycle::watching);
  EXPECT_EQ(world.status("a"), HealthStatus::healthy);
  EXPECT_FALSE(world.view("a")->process);
  // Back again, while the first one takes its time.
  const auto b = world.add_process("a");
  world.advance(seconds(3));
  EXPECT_TRUE(world.keeper.alive(b));
  EXPECT_EQ(world.recorder.board->healthy, 1U);
  EXPECT_EQ(world.recorder.board->in_order.size(), 1U);
}

TEST(Replacing, ANewProcessWaitsForTheOldOne) {
  World world;
  const auto a = world.add_process("a");
  restart_as(world, a, {.ignores_stop = true});
  world.add(R"({"id":"a","type":"core","endpoint":"http://127.0.0.1:7001"})");
  const auto b = world.add_process("a");
  world.advance(seconds(5));
  EXPECT_TRUE(world.keeper.alive(a));
  EXPECT_FALSE(world.keeper.alive(b));
  world.advance(seconds(10));
  EXPECT_FALSE(world.keeper.alive(a));
  EXPECT_TRUE(world.keeper.alive(b));
}

TEST(Replacing, ANewNumberOfReplicasKeepsThoseThatStay) {
  World world;
  world.add(replicas(4));
  world.advance(seconds(2));
  const auto first = world.view("w@0")->serial;
  const auto last = world.view("w@3")->serial;
  world.add(replicas(2));
  EXPECT_EQ(world.view("w@2"), nullptr);
  EXPECT_EQ(world.view("w@3"), nullptr);
  world.advance(seconds(2));
  EXPECT_FALSE(world.keeper.alive(last));
  EXPECT_TRUE(world.keeper.alive(first));
  EXPECT_EQ(world.keeper.launches(first), 1);
  world.add(replicas(3));
  world.advance(seconds(2));
  EXPECT_EQ(world.status("w@2"), HealthStatus::healthy);
  EXPECT_EQ(world.recorder.count(EventType::service_unregistered, "w@0"), 0);
}

// Its first port is theirs.
TEST(Replacing, OneInsteadOfSeveralWaitsUntilTheyAreGoneAndTheReverse) {
  World world;
  world.add(replicas(2));
  world.advance(seconds(2));
  const auto second = world.view("w@1")->serial;
  world.keeper.set(second, {.stops_in = seconds(3)});
  world.keeper.crash(second);
  world.advance(seconds(1));
  world.add(replicas(1));
  EXPECT_EQ(world.view("w@0"), nullptr);
  world.advance(seconds(1));
  EXPECT_EQ(wire_name(world.lifecycle("w")), "IDLE");
  world.advance(seconds(3));
  EXPECT_EQ(world.status("w"), HealthStatus::healthy);
  world.add(replicas(2));
  EXPECT_EQ(world.view("w"), nullptr);
  world.advance(seconds(2));
  EXPECT_EQ(world.status("w@0"), HealthStatus::healthy);
  EXPECT_EQ(world.recorder.board->healthy, 2U);
}

}  // namespace
}  // namespace azora::orchestrator
