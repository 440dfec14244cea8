// dependencies[].onRestart: a dependent that is restarted after its dependency was (R66).
#include "support/commands.hpp"

namespace azora::orchestrator {
namespace {

using std::chrono::seconds;

constexpr const char* kAlong = R"("dependencies":[{"id":"db","onRestart":"restart"}])";

std::vector<std::string> causes(const World& world, const std::string& id) {
  std::vector<std::string> found;
  for (const Recorder::Seen& one : world.recorder.events) {
    if (one.id == id && one.type == EventType::service_restarted) found.push_back(one.cause);
  }
  return found;
}

TEST(RestartAlong, OnlyThoseWhoseOwnerSaysSoAndWithoutSpendingAnything) {
  World world;
  const auto db = world.add_process("db");
  world.add_process("api", kAlong);
  world.add_process("web", R"("dependencies":["db"])");
  world.advance(seconds(5));
  world.keeper.crash(db);
  world.advance(seconds(5));
  EXPECT_EQ(causes(world, "db"), std::vector<std::string>{"crash"});
  EXPECT_EQ(causes(world, "api"), std::vector<std::string>{"dependency"});
  EXPECT_EQ(world.view("api")->incarnation, 2U);
  EXPECT_EQ(world.view("api")->healing_or_default().attempts, 0);
  EXPECT_EQ(world.view("web")->incarnation, 1U);
}

TEST(RestartAlong, AlsoAfterAnOperatorsRestart) {
  World world;
  world.add_process("db");
  world.add_process("api", kAlong);
  world.advance(seconds(5));
  command(world, Verb::restart, "db");
  world.advance(seconds(5));
  EXPECT_EQ(causes(world, "api"), std::vector<std::string>{"dependency"});
  EXPECT_EQ(world.lifecycle("api"), Lifecycle::ready);
}

TEST(RestartAlong, WhatHasNoWordOfItsOwnEndsTheChain) {
  World world;
  const auto db = world.add_process("db");
  world.add_process("api", kAlong);
  world.add_process("web", R"("dependencies":[{"id":"api","onRestart":"restart"}])");
  world.add_process("cron", R"("dependencies":["api"])");
  world.advance(seconds(5));
  world.keeper.crash(db);
  world.advance(seconds(10));
  EXPECT_EQ(causes(world, "web"), std::vector<std::string>{"dependency"}) << "by its own word, after api was restarted";
  EXPECT_EQ(world.view("cron")->incarnation, 1U);
}

TEST(RestartAlong, WhatDoesNotRunIsNotStartedForIt) {
  World world;
  const auto db = world.add_process("db");
  const auto api = world.add_process("api", kAlong);
  world.advance(seconds(5));
  command(world, Verb::stop, "api");
  world.advance(seconds(2));
  world.keeper.crash(db);
  world.advance(seconds(5));
  EXPECT_EQ(world.lifecycle("api"), Lifecycle::idle);
  EXPECT_EQ(world.keeper.launches(api), 1);
}

TEST(RestartAlong, WhatFailedMeanwhileIsStartedOnce) {
  World world;
  const auto db = world.add_process("db");
  const auto api = world.add_process("api", kAlong);
  world.advance(seconds(5));
  world.keeper.crash(db);
  world.keeper.crash(api);
  world.advance(seconds(10));
  EXPECT_EQ(world.lifecycle("api"), Lifecycle::ready);
  EXPECT_EQ(world.keeper.launches(api), 2);
}

TEST(RestartAlong, TheRestartOfOneInstanceIsNotFeltWhereOthersAreEnough) {
  for (const bool both_needed : {false, true}) {
    World world;
    const auto first = world.add(R"({"id":"db","type":"core","healthCheck":{"type":"process"},)"
                                 R"("process":{"argv":["true"],"replicas":2}})");
    world.add_process("api", std::string(R"("dependencies":[{"id":"db","onRestart":"restart","min":)") +
                                 (both_needed ? "2" : "1") + "}]");
    world.advance(seconds(5));
    world.keeper.crash(first);
    world.advance(seconds(5));
    EXPECT_EQ(world.view("api")->incarnation, both_needed ? 2U : 1U);
  }
}

TEST(RestartAlong, ACallableIsCalledForIt) {
  World world;
  world.callable.set_default({.answers_in = seconds(1)});
  const auto db = world.add_process("db");
  world.add(std::string(R"({"id":"api","type":"core","endpoint":"http://127.0.0.1:7002","healthCheckInterval":1000,)") +
                kAlong + "}",
            &kCallableAction);
  world.advance(seconds(5));
  world.keeper.crash(db);
  world.advance(seconds(5));
  ASSERT_EQ(world.callable.starts().size(), 1U);
  EXPECT_EQ(world.callable.starts().front().spec->id, "api");
  EXPECT_EQ(causes(world, "api"), std::vector<std::string>{"dependency"});
}

// What they hold of the incarnation that is gone is void at once, so all stop at once; they come back as all starts do.
TEST(RestartAlong, AllStopAtOnceAndStartThroughTheStartBucket) {
  World world({.max_concurrent_starts = 2});
  world.keeper.set_delay([] { return Nanos(Millis(200)); });
  const auto db = world.add_process("db");
  for (int i = 0; i < 6; ++i) world.add_process("api" + std::to_string(i), kAlong);
  world.advance(seconds(20));
  ASSERT_EQ(world.recorder.board->healthy, 7U);
  world.keeper.crash(db);
  int most = 0;
  while (world.recorder.count(EventType::service_restarted) < 7) {
    ASSERT_TRUE(world.loop.run_next());
    int starting = 0;
    world.recorder.board->in_order.for_each([&](const ViewPtr& view) { starting += view->lifecycle == Lifecycle::starting ? 1 : 0; });
    most = std::max(most, starting);
  }
  EXPECT_EQ(most, 2);
}

}  // namespace
}  // namespace azora::orchestrator
