// Healing actions whose result comes late, and configurations that change while a start is under way.
#include <optional>

#include "support/commands.hpp"

namespace azora::orchestrator {
namespace {

using std::chrono::seconds;
using health::FakeProber;

// A service of somebody else with a restart callable: what it is asked to do, and its checks.
class Callable {
 public:
  Callable() {
    serial = world.add(R"({"id":"x","type":"core","endpoint":"http://127.0.0.1:7001","healthCheckInterval":500,)"
                       R"("healthCheck":{"startTimeout":1000},"maxRestarts":5})",
                       &kCallableAction);
    world.advance(seconds(1));
  }
  std::vector<actions::ActionRequest> calls() const { return world.callable.starts(); }
  void answers(int status) { world.prober.set(serial, FakeProber::Answer::http(status)); }
  void advance_to_call(std::size_t count) {
    while (calls().size() < count) ASSERT_TRUE(world.loop.run_next());
  }
  void done(const actions::ActionRequest& call, bool ok = true) {
    world.turn([&] { world.callable.answer(call.run, {.ok = ok, .reason = "it raised"}); });
  }
  void verb(Verb verb) {
    world.turn([&] { EXPECT_TRUE(world.core.command(verb, "x", false, false, "rest").ok()); });
  }

  World world;
  std::uint64_t serial = 0;
};

TEST(Actions, ALateResultDoesNotBlindTheChecks) {
  Callable x;
  x.answers(503);
  x.advance_to_call(1);
  x.world.advance(seconds(2));
  ASSERT_EQ(x.world.recorder.count(EventType::service_stuck), 1) << "startTimeout passed while the callable runs";
  x.answers(200);
  x.world.advance(seconds(2));
  ASSERT_EQ(x.world.status("x"), HealthStatus::healthy);
  x.answers(503);
  x.done(x.calls()[0]);
  x.world.advance(seconds(3));
  EXPECT_EQ(x.world.status("x"), HealthStatus::unhealthy);
  EXPECT_EQ(x.world.recorder.count(EventType::service_unhealthy), 2);
  EXPECT_EQ(x.calls().size(), 2U) << "and it is acted on again";
}

TEST(Actions, AResultAfterStopAndStartDoesNotBlindTheChecks) {
  Callable x;
  x.answers(503);
  x.advance_to_call(1);
  x.verb(Verb::stop);
  x.verb(Verb::start);
  x.done(x.calls()[0]);
  x.world.advance(seconds(5));
  EXPECT_EQ(x.world.status("x"), HealthStatus::unhealthy);
  EXPECT_GE(x.calls().size(), 2U);
}

TEST(Actions, StopAndStartWhileARestartIsVerifiedDoesNotBlindTheChecks) {
  Callable x;
  x.answers(503);
  x.advance_to_call(1);
  x.done(x.calls()[0]);
  ASSERT_EQ(x.world.lifecycle("x"), Lifecycle::starting);
  x.verb(Verb::stop);
  x.verb(Verb::start);
  x.world.advance(seconds(5));
  EXPECT_EQ(x.world.status("x"), HealthStatus::unhealthy);
  EXPECT_GE(x.calls().size(), 2U);
}

TEST(Actions, ATakenResultIsVerifiedByChecks) {
  Callable x;
  x.answers(503);
  x.advance_to_call(1);
  x.answers(200);
  x.done(x.calls()[0]);
  x.world.advance(seconds(1));
  EXPECT_EQ(x.world.status("x"), HealthStatus::healthy);
  EXPECT_EQ(x.world.recorder.count(EventType::service_restarted), 1);
}

std::string process(const std::string& more) {
  return R"({"id":"a","type":"core","endpoint":"http://127.0.0.1:7001","healthCheckInterval":1000,)" + more + "}";
}

TEST(Actions, AServiceThatIsReadyWithoutChecksIsBelievedItsFirstFailuresOnceItHasThem) {
  World world;
  const auto serial = world.add(process(R"("healthCheck":{"type":"process"},"process":{"argv":["true"]})"));
  world.advance(seconds(3));
  ASSERT_EQ(world.status("a"), HealthStatus::healthy);
  world.prober.set(serial, FakeProber::Answer::http(503));
  world.add(process(R"("process":{"argv":["true"]})"));
  world.advance(seconds(5));
  EXPECT_EQ(world.recorder.count(EventType::service_unhealthy), 1);
  EXPECT_GE(world.keeper.launches(serial), 2) << "and it is restarted for them";
}

TEST(Actions, ANewCheckAppliesToTheStartThatIsUnderWay) {
  World world;
  world.prober.set(1, FakeProber::Answer::http(503));
  const auto serial = world.add(process(R"("process":{"argv":["true"]})"));
  ASSERT_EQ(serial, 1U);
  world.advance(seconds(2));
  ASSERT_EQ(world.lifecycle("a"), Lifecycle::starting);
  world.add(process(R"("healthCheck":{"type":"process"},"process":{"argv":["true"]})"));
  world.advance(Millis(1));
  EXPECT_EQ(world.lifecycle("a"), Lifecycle::ready) << "it has been alive for more than a second";
  EXPECT_EQ(world.keeper.launches(serial), 1);
}

TEST(Actions, ChecksInsteadOfBeingAliveGiveAStartItsWholeTime) {
  World world;
  world.prober.set(1, FakeProber::Answer::http(503));
  const auto serial = world.add(process(R"("healthCheck":{"type":"process"},"process":{"argv":["true"]})"));
  world.advance(Millis(500));
  world.add(process(R"("healthCheck":{"startTimeout":60000},"process":{"argv":["true"]})"));
  world.advance(seconds(50));
  EXPECT_EQ(world.lifecycle("a"), Lifecycle::starting);
  EXPECT_EQ(world.recorder.count(EventType::service_exited), 0);
  world.add(process(R"("healthCheck":{"startTimeout":90000},"process":{"argv":["true"]})"));
  world.advance(seconds(35));
  EXPECT_EQ(world.lifecycle("a"), Lifecycle::starting) << "a longer startTimeout applies to it";
  world.prober.unset(serial);
  world.advance(seconds(2));
  EXPECT_EQ(world.status("a"), HealthStatus::healthy);
}

TEST(Actions, HealingUnavailableIsToldOncePerUnhealthyEpisode) {
  World world;
  const std::string entry = R"({"id":"u","type":"core","endpoint":"http://127.0.0.1:7001","healthCheckInterval":500})";
  const auto serial = world.add(entry);
  world.prober.set(serial, FakeProber::Answer::refused());
  world.advance(seconds(5));
  ASSERT_EQ(world.recorder.count(EventType::healing_unavailable), 1);
  world.add(entry);
  world.advance(seconds(5));
  EXPECT_EQ(world.recorder.count(EventType::service_unhealthy), 2);
  EXPECT_EQ(world.recorder.count(EventType::healing_unavailable), 2) << "registered again";
  stop_all(world, seconds(1));
  world.turn([&] { EXPECT_TRUE(world.core.start().ok()); });
  world.advance(seconds(5));
  EXPECT_EQ(world.recorder.count(EventType::service_unhealthy), 3);
  EXPECT_EQ(world.recorder.count(EventType::healing_unavailable), 3) << "stopped and started";
}

TEST(Actions, RestartIsRequiredWhereTheProgramDiffersFromTheOneThatRuns) {
  World world;
  const auto entry = [](const std::string& fields) { return process(R"("process":{)" + fields + "}"); };
  world.add(entry(R"("argv":["true"])"));
  world.advance(seconds(2));
  const auto required = [&](const std::string& fields) {
    world.add(entry(fields));
    return world.view("a")->restart_required;
  };
  EXPECT_TRUE(required(R"("argv":["false"])"));
  EXPECT_FALSE(required(R"("argv":["true"])")) << "what runs is what is wanted again";
  EXPECT_FALSE(required(R"("argv":["true"],"stopTimeout":500,"stopSignal":"SIGINT","stopMode":"tree","log":{"files":2})"));
  EXPECT_TRUE(required(R"("argv":["true"],"orphanTimeout":500)")) << "its shim applies what it was launched with";
  EXPECT_TRUE(required(R"("argv":["true"],"env":{"A":"1"})"));
  EXPECT_TRUE(required(R"("argv":["true"],"cwd":"/tmp")"));
  EXPECT_FALSE(required(R"("argv":["true"])"));
  EXPECT_TRUE(required(R"("argv":["false"])"));
  command(world, Verb::restart, "a");
  world.advance(seconds(2));
  EXPECT_FALSE(world.view("a")->restart_required);
  EXPECT_TRUE(required(R"("argv":["true"])"));
}

// A service is told its port when it is started: by {port} in its command and PORT in its environment.
TEST(Actions, RestartIsRequiredWhereThePortDiffersFromTheOneThatItWasToldOf) {
  World world;
  const auto at = [](int port) {
    return R"({"id":"a","type":"core","process":{"argv":["true"]},"endpoint":"http://127.0.0.1:)" + std::to_string(port) + "\"}";
  };
  world.add(at(7001));
  world.advance(seconds(2));
  EXPECT_FALSE(world.view("a")->restart_required);
  world.add(at(7002));
  EXPECT_TRUE(world.view("a")->restart_required);
  world.add(at(7001));
  EXPECT_FALSE(world.view("a")->restart_required);
}

// Three of a group with callables: one may be down by our own hand.
class CallableGroup : public testing::TestWithParam<bool> {
 protected:
  std::uint64_t add(const std::string& id, int port) {
    return world.add(R"({"id":")" + id + R"(","type":"core","group":"g","healthCheckInterval":500,"endpoint":"http://127.0.0.1:)" +
                         std::to_string(port) + R"(","healthCheck":{"startTimeout":20000}})", &kCallableAction);
  }
  std::size_t calls() const { return world.callable.starts().size(); }

  World world;
};

// Whether the first one answers again meanwhile or not: what it was called for may still happen, but a call that never
// returns does not keep its group from being healed.
TEST_P(CallableGroup, ACallHoldsItsPermitUntilItIsGivenUpOn) {
  const bool answers_again = GetParam();
  const auto a = add("a", 7001);
  const auto b = add("b", 7002);
  add("c", 7003);
  world.advance(seconds(2));
  world.prober.set(a, FakeProber::Answer::http(503));
  while (calls() < 1) ASSERT_TRUE(world.loop.run_next());
  if (answers_again) world.prober.unset(a);
  world.prober.set(b, FakeProber::Answer::http(503));
  world.advance(seconds(15));
  EXPECT_EQ(world.status("a"), answers_again ? HealthStatus::healthy : HealthStatus::unhealthy);
  EXPECT_EQ(calls(), 1U);
  world.advance(seconds(10));
  EXPECT_EQ(calls(), 2U);
}
INSTANTIATE_TEST_SUITE_P(Actions, CallableGroup, testing::Bool());

// It was to be down anyway.
TEST(Actions, AStartThatIsRefusedWhileItIsStoppedAsPlannedIsNoTroubleOfTheService) {
  for (const bool stopped : {true, false}) {
    World world;
    world.keeper.set_default([](const keeper::Launch&) { return keeper::FakeKeeper::Behaviour{.exec_fails = true}; });
    world.keeper.set_delay([] { return Nanos(Millis(100)); });
    world.add_process("a", R"("restartDelay":60000)");
    if (stopped) command(world, Verb::stop, "a");
    world.advance(seconds(1));
    EXPECT_EQ(world.lifecycle("a"), stopped ? Lifecycle::idle : Lifecycle::backoff);
    EXPECT_EQ(world.view("a")->figures().last_error(), stopped ? "" : "argv[0] not found on PATH");
  }
}

}  // namespace
}  // namespace azora::orchestrator
