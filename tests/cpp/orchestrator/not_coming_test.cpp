// Waits that are vain are answered at once, and jobs that are done are as good as ready (R55).
#include "support/commands.hpp"

namespace azora::orchestrator {
namespace {

using std::chrono::seconds;

constexpr const char* kJob = R"("type":"jobs","healthCheck":{"type":"process"},"process":{"argv":["true"]})";

std::string job(const std::string& id, const std::string& more = "") {
  return "{\"id\":\"" + id + "\"," + kJob + (more.empty() ? "" : "," + more) + "}";
}

class NotComing : public testing::Test {
 protected:
  void wait(const std::string& id, Nanos span = seconds(30), Nanos horizon = Nanos(0)) {
    world.turn([&] {
      const SteadyTime now = world.loop.now().steady;
      world.core.wait_for(id, Goal::ready, now + span, [this](Result<void> done) { answer = std::move(done); }, now + horizon);
    });
  }
  std::string said() const { return !answer ? "nothing" : answer->ok() ? "ready" : answer->error().message; }
  bool in_vain() const { return answer && !answer->ok() && answer->error().code == ErrorCode::not_coming; }
  // It can be started, but ends with a failure before it answers.
  void add_crashing(const std::string& id, const std::string& more) {
    world.keeper.set_default([id](const keeper::Launch& launch) {
      using Behaviour = keeper::FakeKeeper::Behaviour;
      return launch.id == id ? Behaviour{.exits_after = Micros(100)} : Behaviour{};
    });
    world.add_process(id, more);
  }

  World world;
  std::optional<Result<void>> answer;
};

TEST_F(NotComing, ItFailsUnderNever) {
  add_crashing("a", R"("restartPolicy":"never")");
  wait("a");
  world.advance(seconds(1));
  EXPECT_TRUE(in_vain()) << said();
  EXPECT_EQ(said(), "service 'a' will not be ready: a failed (exited with code 1) and is not started again, since its "
                    "restartPolicy is never");
}

TEST_F(NotComing, ItFailsWithoutRestarts) {
  add_crashing("a", R"("maxRestarts":0)");
  wait("a");
  world.advance(seconds(1));
  EXPECT_TRUE(in_vain()) << said();
  EXPECT_NE(said().find("since its maxRestarts is 0"), std::string::npos) << said();
}

TEST_F(NotComing, ItsBudgetIsSpentAndTheNextTryIsLaterThanTheWait) {
  add_crashing("a", R"("maxRestarts":1,"failedRetryInterval":100000)");
  wait("a", seconds(60));
  world.advance(seconds(3));
  EXPECT_TRUE(in_vain()) << said();
  EXPECT_NE(said().find("the next single attempt comes after the end of this wait"), std::string::npos) << said();
}

TEST_F(NotComing, ASliceOfALongWaitGoesOnUntilTheNextTry) {
  add_crashing("a", R"("maxRestarts":1,"failedRetryInterval":20000)");
  world.advance(seconds(3));
  ASSERT_EQ(world.lifecycle("a"), Lifecycle::failed);
  wait("a", seconds(1), seconds(60));
  world.advance(seconds(1));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->error().code, ErrorCode::timed_out);
}

TEST_F(NotComing, AServiceWithAnEndpointEndedForGood) {
  const auto a = world.add_process("a", R"("restartPolicy":"on-failure")");
  world.advance(seconds(3));
  world.keeper.crash(a, 0);
  world.advance(seconds(1));
  wait("a");
  EXPECT_TRUE(in_vain()) << said();
  EXPECT_NE(said().find("ended by itself with code 0"), std::string::npos) << said();
}

TEST_F(NotComing, WhatItNeedsHasFailedForGood) {
  world.add_process("api", R"("dependencies":["db"])");
  world.add_process("web", R"("dependencies":["api"])");
  wait("web");
  world.advance(seconds(1));
  EXPECT_FALSE(answer) << "db may be registered yet";
  add_crashing("db", R"("restartPolicy":"never")");
  world.advance(seconds(1));
  EXPECT_TRUE(in_vain()) << said();
  EXPECT_TRUE(said().starts_with("service 'web' will not be ready: web waits for its dependency: "
                                 "api waits for its dependency: db failed (")) << said();
}

TEST_F(NotComing, OneOfSeveralInstancesIsEnoughToWaitFor) {
  const auto first = world.add(R"({"id":"db","type":"core","healthCheck":{"type":"process"},"restartPolicy":"never",)"
                               R"("process":{"argv":["true"],"replicas":2}})");
  const auto second = world.view("db@1")->serial;
  world.advance(seconds(3));
  for (const auto serial : {first, second}) world.keeper.crash(serial, 3);
  world.advance(seconds(1));
  world.add_process("api", R"("dependencies":["db"])");
  wait("api");
  EXPECT_TRUE(in_vain()) << said();
  answer.reset();
  command(world, Verb::start, "db@1");
  wait("api");
  EXPECT_FALSE(answer) << said();
  world.advance(seconds(3));
  EXPECT_EQ(said(), "ready");
}

TEST_F(NotComing, AJobThatEndedWithZeroIsASuccess) {
  const auto a = world.add(job("a"));
  world.advance(seconds(3));
  world.keeper.crash(a, 0);
  world.advance(seconds(1));
  ASSERT_EQ(world.lifecycle("a"), Lifecycle::done);
  wait("a");
  EXPECT_EQ(said(), "ready");
}

TEST_F(NotComing, StartRunsADoneJobAgainByItsNameAndLeavesItAloneAsAMetDependency) {
  const auto migrate = world.add(job("migrate"));
  const auto api = world.add_process("api", R"("dependencies":[{"id":"migrate","condition":"completed"}])");
  world.advance(seconds(1));
  world.keeper.crash(migrate, 0);
  world.advance(seconds(2));
  ASSERT_EQ(world.lifecycle("api"), Lifecycle::ready);
  command(world, Verb::stop, "api");
  world.advance(seconds(2));
  command(world, Verb::start, "api", false, true);
  world.advance(seconds(2));
  EXPECT_EQ(world.keeper.launches(migrate), 1);
  EXPECT_EQ(world.keeper.launches(api), 2);
  command(world, Verb::start, "migrate");
  world.advance(seconds(1));
  EXPECT_EQ(world.keeper.launches(migrate), 2);
}

TEST_F(NotComing, StartWithDependenciesRunsADoneJobThatShouldBeUp) {
  const auto cache = world.add(job("cache"));
  world.add_process("api", R"("dependencies":[{"id":"cache","condition":"started"}])");
  world.advance(seconds(3));
  world.keeper.crash(cache, 0);
  world.advance(seconds(1));
  ASSERT_EQ(world.lifecycle("cache"), Lifecycle::done);
  command(world, Verb::start, "api", false, true);
  world.advance(seconds(1));
  EXPECT_EQ(world.keeper.launches(cache), 2);
}

TEST_F(NotComing, WhatIsStoppedHasToBeStarted) {
  world.add_process("a");
  world.add_process("api", R"("dependencies":["a"])");
  world.advance(seconds(2));
  command(world, Verb::stop, "api");
  world.advance(seconds(1));
  wait("api");
  EXPECT_EQ(said(), "service 'api' will not be ready: api is stopped, or about to be, and has to be started");
  answer.reset();
  command(world, Verb::stop, "a");
  world.advance(seconds(1));
  command(world, Verb::start, "api");
  wait("api");
  EXPECT_TRUE(in_vain()) << said();
  EXPECT_NE(said().find("waits for its dependency: a is stopped"), std::string::npos) << said();
}

TEST_F(NotComing, AStopWhileItIsWaitedForEndsTheWait) {
  world.prober.set(1, health::FakeProber::Answer::http(503));
  ASSERT_EQ(world.add_process("a"), 1U);
  world.add_process("api", R"("dependencies":["a"])");
  world.advance(seconds(1));
  wait("api");
  ASSERT_FALSE(answer) << said();
  command(world, Verb::stop, "a");
  EXPECT_TRUE(in_vain()) << said();
}

TEST_F(NotComing, ARestartThatTakesDependentsAlongIsWaitedFor) {
  world.add_process("db");
  world.add_process("api", R"("dependencies":["db"])");
  world.advance(seconds(2));
  command(world, Verb::restart, "db", true);
  wait("api");
  EXPECT_FALSE(answer) << said();
  world.advance(seconds(5));
  EXPECT_EQ(said(), "ready");
}

TEST_F(NotComing, ItsNextRestartIsLaterThanTheWait) {
  add_crashing("a", R"("restartDelay":100000)");
  world.add_process("api", R"("dependencies":["a"])");
  wait("api");
  world.advance(seconds(1));
  ASSERT_EQ(world.lifecycle("a"), Lifecycle::backoff);
  EXPECT_TRUE(in_vain()) << said();
  answer.reset();
  wait("a");
  EXPECT_EQ(said(), "service 'a' will not be ready: a failed (exited with code 1) and its next restart comes after the "
                    "end of this wait");
  answer.reset();
  wait("a", seconds(200));
  EXPECT_FALSE(answer) << said();
}

TEST_F(NotComing, WhatRunsWithoutUsMayAnswerAgainBeforeItsNextRestart) {
  const auto serial = world.add(R"({"id":"x","type":"core","endpoint":"http://127.0.0.1:7001","healthCheckInterval":500,)"
                                R"("restartDelay":100000})", &kCallableAction);
  world.prober.set(serial, health::FakeProber::Answer::http(503));
  while (world.lifecycle("x") != Lifecycle::backoff) ASSERT_TRUE(world.loop.run_next());
  wait("x");
  EXPECT_FALSE(answer) << said();
  world.prober.unset(serial);
  world.advance(seconds(3));
  EXPECT_EQ(said(), "ready");
}

}  // namespace
}  // namespace azora::orchestrator
