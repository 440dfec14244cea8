// What users ask for while things happen: verbs, overwriting, removal, stop and start of the whole (R27,
// 28, 31).
#include <algorithm>

#include "support/world.hpp"

namespace azora::orchestrator {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using Kind = keeper::FakeKeeper::Command::Kind;

// When the first command of that kind for that service was given; nullopt: never.
std::optional<std::size_t> place(const World& world, Kind kind, std::uint64_t serial, std::size_t from = 0) {
  for (std::size_t i = from; i < world.keeper.commands.size(); ++i) {
    if (world.keeper.commands[i].kind == kind && world.keeper.commands[i].serial == serial) return i;
  }
  return std::nullopt;
}

VerbAnswer command(World& world, Verb verb, const std::string& id, bool dependents = false, bool dependencies = false) {
  VerbAnswer answer;
  world.turn([&] {
    Result<VerbAnswer> done = world.core.command(verb, id, dependents, dependencies, "rest");
    ASSERT_TRUE(done.ok()) << (done.ok() ? "" : done.error().message);
    answer = std::move(done).value();
  });
  return answer;
}

TEST(Verbs, StopLeavesDependentsRunningAndNamesThem) {
  World world;
  world.add_process("root");
  const auto leaf = world.add_process("leaf", R"("dependencies":["root"])");
  world.advance(seconds(2));
  const VerbAnswer answer = command(world, Verb::stop, "root");
  EXPECT_EQ(answer.affected, std::vector<std::string>{"leaf"});
  world.advance(seconds(1));
  EXPECT_EQ(world.lifecycle("root"), Lifecycle::idle);
  EXPECT_TRUE(world.keeper.alive(leaf));
}

TEST(Verbs, StopWithDependentsEndsEachBeforeWhatItNeeds) {
  World world;
  world.keeper.set_default([](const keeper::Launch&) { return keeper::FakeKeeper::Behaviour{.stops_in = seconds(2)}; });
  const auto root = world.add_process("root");
  const auto middle = world.add_process("middle", R"("dependencies":["root"])");
  const auto leaf = world.add_process("leaf", R"("dependencies":["middle"])");
  world.advance(seconds(2));
  ASSERT_EQ(world.status("leaf"), HealthStatus::healthy);
  const std::size_t from = world.keeper.commands.size();
  command(world, Verb::stop, "root", true);
  EXPECT_EQ(world.view("root")->desired, Desired::down);
  EXPECT_EQ(world.view("middle")->desired, Desired::down);
  world.advance(seconds(1));
  EXPECT_TRUE(world.keeper.alive(middle));
  EXPECT_FALSE(place(world, Kind::stop, middle, from));
  world.advance(seconds(2));
  EXPECT_FALSE(world.keeper.alive(leaf));
  EXPECT_TRUE(world.keeper.alive(root));
  EXPECT_FALSE(place(world, Kind::stop, root, from));
  world.advance(seconds(4));
  for (const char* id : {"root", "middle", "leaf"}) EXPECT_EQ(wire_name(world.lifecycle(id)), "IDLE") << id;
  world.advance(minutes(10));
  EXPECT_EQ(world.keeper.alive_count(), 0U);
}

TEST(Verbs, WaitingForItsDependentsACrashedServiceStaysDown) {
  World world;
  const auto root = world.add_process("root");
  const auto leaf = world.add_process("leaf", R"("dependencies":["root"])");
  world.keeper.set(leaf, {.ignores_stop = true});
  world.advance(seconds(1));
  world.keeper.crash(leaf);
  world.advance(seconds(1));
  ASSERT_TRUE(world.keeper.alive(leaf));
  command(world, Verb::stop, "root", true);
  world.keeper.crash(root);
  world.advance(seconds(5));
  EXPECT_FALSE(world.keeper.alive(root));
  world.advance(minutes(5));
  EXPECT_EQ(world.keeper.alive_count(), 0U);
  EXPECT_EQ(world.lifecycle("root"), Lifecycle::idle);
}

TEST(Verbs, RestartWithDependentsTakesThemFirstAndBringsThemBackLast) {
  World world;
  world.keeper.set_default([](const keeper::Launch&) { return keeper::FakeKeeper::Behaviour{.stops_in = seconds(1)}; });
  const auto root = world.add_process("root");
  const auto leaf = world.add_process("leaf", R"("dependencies":["root"])");
  world.advance(seconds(2));
  const std::size_t from = world.keeper.commands.size();
  command(world, Verb::restart, "root", true);
  world.advance(Millis(500));
  EXPECT_FALSE(place(world, Kind::stop, root, from));
  world.advance(seconds(5));
  const auto leaf_stop = place(world, Kind::stop, leaf, from);
  const auto root_stop = place(world, Kind::stop, root, from);
  const auto root_start = place(world, Kind::launch, root, from);
  const auto leaf_start = place(world, Kind::launch, leaf, from);
  ASSERT_TRUE(leaf_stop && root_stop && root_start && leaf_start);
  EXPECT_LT(*leaf_stop, *root_stop);
  EXPECT_LT(*root_stop, *root_start);
  EXPECT_LT(*root_start, *leaf_start);
  EXPECT_EQ(world.status("leaf"), HealthStatus::healthy);
  EXPECT_EQ(world.recorder.count(EventType::service_restarted, "leaf"), 1);
  EXPECT_EQ(world.recorder.count(EventType::service_restarted, "root"), 1);
  EXPECT_EQ(world.recorder.count(EventType::service_unhealthy), 0);
}

TEST(Verbs, RestartWithDependentsReachesThoseBehindOneThatIsDown) {
  World world;
  world.keeper.set_default([](const keeper::Launch&) { return keeper::FakeKeeper::Behaviour{.stops_in = seconds(1)}; });
  world.add_process("root");
  world.add_process("middle", R"("dependencies":["root"])");
  world.add_process("leaf", R"("dependencies":["middle"])");
  world.add_process("tip", R"("dependencies":["leaf"])");
  world.advance(seconds(2));
  command(world, Verb::stop, "middle");
  world.advance(seconds(2));
  command(world, Verb::restart, "root", true);
  world.advance(seconds(10));
  EXPECT_EQ(world.status("root"), HealthStatus::healthy);
  for (const char* id : {"leaf", "tip"}) EXPECT_EQ(wire_name(world.lifecycle(id)), "BLOCKED") << id;
  command(world, Verb::start, "middle");
  world.advance(seconds(5));
  for (const char* id : {"middle", "leaf", "tip"}) EXPECT_EQ(world.status(id), HealthStatus::healthy) << id;
}

TEST(Verbs, ANewerVerbTakesTheWaitingOnesPlace) {
  World world;
  const auto root = world.add_process("root");
  const auto leaf = world.add_process("leaf", R"("dependencies":["root"])");
  world.keeper.set(leaf, {.stops_in = seconds(3)});
  world.advance(seconds(1));
  world.keeper.crash(leaf);
  world.advance(seconds(1));
  command(world, Verb::stop, "root", true);
  world.advance(seconds(1));
  command(world, Verb::start, "root");
  world.advance(seconds(10));
  EXPECT_TRUE(world.keeper.alive(root));
  EXPECT_EQ(world.view("root")->incarnation, 1U);
  EXPECT_EQ(world.lifecycle("leaf"), Lifecycle::idle);
}

TEST(Verbs, StartWithDependenciesRaisesThem) {
  World world;
  const auto root = world.add_process("root");
  const auto leaf = world.add_process("leaf", R"("dependencies":["root"])");
  world.advance(seconds(1));
  command(world, Verb::stop, "root", true);
  world.advance(seconds(1));
  ASSERT_EQ(world.keeper.alive_count(), 0U);
  command(world, Verb::start, "leaf");
  world.advance(seconds(1));
  EXPECT_FALSE(world.keeper.alive(leaf));
  EXPECT_EQ(world.lifecycle("leaf"), Lifecycle::blocked);
  command(world, Verb::start, "leaf", false, true);
  world.advance(seconds(1));
  EXPECT_TRUE(world.keeper.alive(root));
  EXPECT_TRUE(world.keeper.alive(leaf));
}

TEST(Verbs, StartOfARunningServiceDoesNothing) {
  World world;
  world.add_process("a");
  world.advance(seconds(1));
  command(world, Verb::start, "a");
  world.advance(seconds(1));
  EXPECT_EQ(world.view("a")->incarnation, 1U);
}

TEST(Verbs, RestartIsNoFailure) {
  World world;
  world.add_process("a", R"("maxRestarts":1)");
  world.advance(seconds(1));
  for (int i = 0; i < 5; ++i) {
    command(world, Verb::restart, "a");
    world.advance(seconds(1));
  }
  EXPECT_EQ(world.status("a"), HealthStatus::healthy);
  EXPECT_EQ(world.view("a")->restart_count, 5);
  EXPECT_EQ(world.recorder.count(EventType::service_unhealthy), 0);
  EXPECT_EQ(world.recorder.count(EventType::service_failed), 0);
}

TEST(Verbs, StopDuringBackoffCancelsTheAttempt) {
  World world;
  const auto a = world.add_process("a", R"("restartDelay":5000)");
  world.advance(seconds(1));
  world.keeper.crash(a);
  world.advance(seconds(1));
  ASSERT_EQ(world.lifecycle("a"), Lifecycle::backoff);
  command(world, Verb::stop, "a");
  EXPECT_EQ(world.lifecycle("a"), Lifecycle::idle);
  world.advance(minutes(10));
  EXPECT_EQ(world.keeper.launches(a), 1);
}

TEST(Verbs, CrashDuringStopStaysDownAndDuringRestartComesUp) {
  World world;
  const auto a = world.add_process("a");
  world.keeper.set(a, {.ignores_stop = true});
  world.advance(seconds(1));
  world.keeper.crash(a);
  world.advance(seconds(1));
  command(world, Verb::stop, "a");
  world.keeper.crash(a);
  world.advance(seconds(30));
  EXPECT_EQ(world.lifecycle("a"), Lifecycle::idle);
  command(world, Verb::start, "a");
  world.advance(seconds(1));
  const auto restarts = world.view("a")->restart_count;
  command(world, Verb::restart, "a");
  world.keeper.crash(a);
  world.advance(seconds(1));
  EXPECT_EQ(world.status("a"), HealthStatus::healthy);
  EXPECT_EQ(world.view("a")->restart_count, restarts + 1);
}

TEST(Verbs, StartWaitsForTheFormerBearerOfTheId) {
  World world;
  const auto old = world.add_process("a");
  world.keeper.set(old, {.ignores_stop = true});
  world.advance(seconds(1));
  world.keeper.crash(old);
  world.advance(seconds(1));
  ASSERT_TRUE(world.keeper.alive(old));
  world.turn([&] { EXPECT_TRUE(world.core.unregister("a", "rest").value()); });
  const auto successor = world.add_process("a");
  for (const Verb verb : {Verb::start, Verb::restart}) {
    command(world, verb, "a");
    world.advance(seconds(1));
    EXPECT_TRUE(world.keeper.alive(old));
    EXPECT_FALSE(world.keeper.alive(successor));
  }
  world.advance(seconds(15));
  EXPECT_FALSE(world.keeper.alive(old));
  EXPECT_TRUE(world.keeper.alive(successor));
}

TEST(Overwriting, UnchangedKeepsTheProcessAndItsCounts) {
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

TEST(Overwriting, AChangedCommandWaitsForARestart) {
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

TEST(Overwriting, DroppingTheProcessStopsIt) {
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

TEST(Overwriting, ANewProcessWaitsForTheOldOne) {
  World world;
  const auto a = world.add_process("a");
  world.keeper.set(a, {.ignores_stop = true});
  world.advance(seconds(1));
  world.keeper.crash(a);
  world.advance(seconds(1));
  world.add(R"({"id":"a","type":"core","endpoint":"http://127.0.0.1:7001"})");
  const auto b = world.add_process("a");
  world.advance(seconds(5));
  EXPECT_TRUE(world.keeper.alive(a));
  EXPECT_FALSE(world.keeper.alive(b));
  world.advance(seconds(10));
  EXPECT_FALSE(world.keeper.alive(a));
  EXPECT_TRUE(world.keeper.alive(b));
}

std::string replicas(int count) {
  return R"({"id":"w","type":"core","endpoint":"http://127.0.0.1:7001","healthCheckInterval":1000,)"
         R"("process":{"argv":["serve","{port}"],"replicas":)" + std::to_string(count) + "}}";
}

TEST(Overwriting, ANewNumberOfReplicasKeepsThoseThatStay) {
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
TEST(Overwriting, OneInsteadOfSeveralWaitsUntilTheyAreGoneAndTheReverse) {
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

TEST(WholeStop, StartDuringStopBringsEverybodyBack) {
  World world;
  const auto root = world.add_process("root");
  const auto leaf = world.add_process("leaf", R"("dependencies":["root"])");
  world.keeper.set(leaf, {.stops_in = seconds(3)});
  world.advance(seconds(1));
  world.keeper.crash(leaf);
  world.advance(seconds(1));
  std::optional<std::vector<std::string>> left;
  world.turn([&] {
    world.core.stop(world.loop.now().steady + seconds(30), [&](std::vector<std::string> ids) { left = std::move(ids); });
  });
  world.advance(seconds(1));
  EXPECT_FALSE(left.has_value());
  world.turn([&] { world.core.start(); });
  ASSERT_TRUE(left.has_value());
  EXPECT_EQ(*left, (std::vector<std::string>{"leaf", "root"}));
  world.advance(seconds(20));
  EXPECT_TRUE(world.keeper.alive(root));
  EXPECT_EQ(world.view("root")->incarnation, 1U);
  EXPECT_EQ(world.status("leaf"), HealthStatus::healthy);
}

TEST(Verbs, AResultThatComesAfterItsRegistrationIsNotTheNextOnes) {
  World world;
  std::vector<CallbackRequest> calls;
  world.core.set_callback_sink([&](CallbackRequest request) { calls.push_back(std::move(request)); });
  const std::string text = R"({"id":"u","type":"core","endpoint":"http://127.0.0.1:1","healthCheckInterval":1000})";
  const auto fail = [&] {
    const auto serial = world.add(text, true);
    world.advance(seconds(1));
    world.prober.set(serial, health::FakeProber::Answer::http(503));
    world.advance(seconds(5));
    return serial;
  };
  const auto first = fail();
  world.turn([&] { ASSERT_TRUE(world.core.unregister("u", "rest").ok()); });
  const auto second = fail();
  ASSERT_EQ(calls.size(), 2U);
  ASSERT_EQ(calls[0].incarnation, calls[1].incarnation);
  EXPECT_EQ(calls[0].serial, first);
  EXPECT_EQ(calls[1].serial, second);
  world.turn([&] { world.core.callback_done(first, calls[0].incarnation, true, ""); });
  EXPECT_EQ(world.lifecycle("u"), Lifecycle::starting);
  world.prober.unset(second);
  world.advance(seconds(3));
  EXPECT_EQ(world.recorder.count(EventType::service_restarted), 0) << "its own callable has not returned";
  world.turn([&] { world.core.callback_done(second, calls[1].incarnation, true, ""); });
  world.advance(seconds(3));
  EXPECT_EQ(world.recorder.count(EventType::service_restarted), 1);
}

// One pass after failures is not health yet, whatever came between.
TEST(WholeStop, ARestartByCallableIsVerifiedAfterItAsWell) {
  World world;
  std::optional<CallbackRequest> call;
  world.core.set_callback_sink([&](CallbackRequest request) { call = std::move(request); });
  const auto serial = world.add(R"({"id":"u","type":"core","endpoint":"http://127.0.0.1:1","healthCheckInterval":1000})", true);
  world.advance(seconds(1));
  world.prober.set(serial, health::FakeProber::Answer::http(503));
  world.advance(seconds(5));
  ASSERT_TRUE(call.has_value());
  world.turn([&] { world.core.callback_done(serial, call->incarnation, true, ""); });
  world.turn([&] { world.core.stop(world.loop.now().steady + seconds(1), [](const std::vector<std::string>&) {}); });
  world.turn([&] { world.core.start(); });
  world.advance(seconds(3));
  EXPECT_EQ(world.recorder.count(EventType::service_restarted), 0);
  world.prober.unset(serial);
  world.advance(seconds(2));
  EXPECT_EQ(world.recorder.count(EventType::service_restarted), 1);
  EXPECT_EQ(world.status("u"), HealthStatus::healthy);
}

TEST(WholeStop, ItsDeadlineKillsWhoeverIsLeftAsAPlannedEnd) {
  World world;
  const auto root = world.add_process("root");
  const auto leaf = world.add_process("leaf", R"("dependencies":["root"])");
  world.keeper.set(leaf, {.ignores_stop = true});
  world.advance(seconds(1));
  world.keeper.crash(leaf);
  world.advance(seconds(1));
  std::optional<std::vector<std::string>> left;
  world.turn([&] {
    world.core.stop(world.loop.now().steady + seconds(2), [&](std::vector<std::string> ids) { left = std::move(ids); });
  });
  world.advance(seconds(3));
  ASSERT_TRUE(left.has_value());
  EXPECT_EQ(*left, (std::vector<std::string>{"leaf", "root"}));
  EXPECT_FALSE(world.keeper.alive(root));
  EXPECT_FALSE(world.keeper.alive(leaf));
  for (const char* id : {"root", "leaf"}) EXPECT_EQ(wire_name(world.lifecycle(id)), "IDLE") << id;
  world.turn([&] { world.core.start(); });
  world.advance(seconds(3));
  EXPECT_EQ(world.status("leaf"), HealthStatus::healthy);
}

// Whoever needed it is gone from the registry, or needs something else now.
TEST(WholeStop, NobodyWaitsForADependentThatNeedsItNoMore) {
  World world;
  const auto root = world.add_process("root");
  const auto other = world.add_process("other");
  const auto leaf = world.add_process("leaf", R"("dependencies":["root"])");
  const auto twig = world.add_process("twig", R"("dependencies":["other"])");
  for (const auto serial : {leaf, twig}) world.keeper.set(serial, {.ignores_stop = true});
  world.advance(seconds(1));
  for (const auto serial : {leaf, twig}) world.keeper.crash(serial);
  world.advance(seconds(1));
  bool stopped = false;
  world.turn([&] {
    world.core.stop(world.loop.now().steady + minutes(1), [&](const std::vector<std::string>& left) { stopped = left.empty(); });
  });
  world.advance(seconds(1));
  ASSERT_TRUE(world.keeper.alive(root) && world.keeper.alive(other));
  world.turn([&] { EXPECT_TRUE(world.core.unregister("leaf", "rest").value()); });
  world.add_process("twig");
  world.advance(seconds(1));
  EXPECT_FALSE(world.keeper.alive(root));
  EXPECT_FALSE(world.keeper.alive(other));
  EXPECT_FALSE(stopped);
  world.advance(seconds(20));
  EXPECT_TRUE(stopped);
}

TEST(WaitFor, ReadyMeansTheIncarnationOfARestartThatWaitsForItsDependents) {
  World world;
  world.keeper.set_default([](const keeper::Launch&) { return keeper::FakeKeeper::Behaviour{.stops_in = seconds(1)}; });
  world.add_process("root");
  world.add_process("leaf", R"("dependencies":["root"])");
  world.advance(seconds(2));
  std::optional<std::uint64_t> incarnation;
  command(world, Verb::restart, "root", true);
  world.turn([&] {
    world.core.wait_for("root", true, world.loop.now().steady + seconds(30), [&](const Result<void>& done) {
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
    world.core.wait_for("a", true, world.loop.now().steady + seconds(10), [&](const Result<void>& done) {
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
  world.keeper.set(a, {.stops_in = seconds(2)});
  world.advance(seconds(1));
  world.keeper.crash(a);
  world.advance(seconds(1));
  std::vector<std::string> answers;
  const auto wait = [&](bool ready, seconds span, const std::string& name) {
    world.core.wait_for("a", ready, world.loop.now().steady + span, [&answers, name](const Result<void>& done) {
      answers.push_back(name + (done.ok() ? ":ok" : ":" + std::string(error_name(done.error().code))));
    });
  };
  world.turn([&] {
    ASSERT_TRUE(world.core.command(Verb::stop, "a", false, false, "rest").ok());
    wait(false, seconds(1), "early");
    wait(false, seconds(10), "stopped");
    wait(true, seconds(10), "ready");
  });
  world.advance(seconds(5));
  EXPECT_EQ(answers.size(), 2U);
  world.turn([&] { EXPECT_TRUE(world.core.unregister("a", "rest").value()); });
  ASSERT_EQ(answers.size(), 3U);
  EXPECT_EQ(answers[1], "stopped:ok");
  EXPECT_NE(answers[0].find("timed"), std::string::npos) << answers[0];
  EXPECT_NE(answers[2].find("unknown"), std::string::npos) << answers[2];
}

keeper::FakeKeeper::Behaviour leaf_stops_slowly(const keeper::Launch& launch) {
  return {.stops_in = launch.id == "leaf" ? Nanos(seconds(5)) : Nanos(milliseconds(5))};
}

// A start of what depends on them takes the place of the stops that wait for those dependencies.
TEST(Verbs, AStartWithDependenciesDropsTheirStagedStops) {
  World world;
  world.keeper.set_default(leaf_stops_slowly);
  const auto root = world.add_process("root");
  const auto mid = world.add_process("mid", R"("dependencies":["root"])");
  const auto leaf = world.add_process("leaf", R"("dependencies":["mid"])");
  world.advance(seconds(5));
  command(world, Verb::stop, "root", true);
  world.advance(seconds(1));
  command(world, Verb::start, "leaf", false, true);
  world.advance(seconds(30));
  EXPECT_TRUE(world.keeper.alive(root));
  EXPECT_TRUE(world.keeper.alive(mid));
  EXPECT_TRUE(world.keeper.alive(leaf));
  EXPECT_EQ(world.status("leaf"), HealthStatus::healthy);
}

// Overwriting a service that waits for its turn to stop does not start it again before that turn.
TEST(Verbs, OverwritingOneThatWaitsToStopDoesNotStartItAgain) {
  World world;
  world.keeper.set_default(leaf_stops_slowly);
  world.add_process("root");
  const auto mid = world.add_process("mid", R"("dependencies":["root"])");
  const auto leaf = world.add_process("leaf", R"("dependencies":["mid"])");
  world.advance(seconds(5));
  const int launches = world.keeper.launches(mid);
  command(world, Verb::restart, "root", true);
  world.add_process("mid", R"("dependencies":["root"],"priority":7)");
  world.keeper.crash(mid);
  world.advance(seconds(3));
  EXPECT_EQ(world.keeper.launches(mid), launches);
  world.advance(seconds(30));
  EXPECT_EQ(world.keeper.launches(mid), launches + 1);
  EXPECT_TRUE(world.keeper.alive(leaf));
}

TEST(Verbs, OneThatWasStuckInItsStopEndsAsStopped) {
  World world;
  world.keeper.set_default(
      [](const keeper::Launch&) { return keeper::FakeKeeper::Behaviour{.ignores_stop = true, .ignores_kill = true}; });
  const auto serial = world.add_process("a");
  world.advance(seconds(2));
  command(world, Verb::restart, "a");
  world.advance(minutes(5));
  ASSERT_EQ(world.lifecycle("a"), Lifecycle::stuck);
  world.keeper.crash(serial);
  world.advance(milliseconds(1));
  const auto exited = std::find_if(world.recorder.events.begin(), world.recorder.events.end(),
                                   [](const Recorder::Seen& one) { return one.type == EventType::service_exited; });
  ASSERT_NE(exited, world.recorder.events.end());
  EXPECT_EQ(exited->cause, "operator");
}

// What a callable was about to be called for is void once the whole was stopped.
TEST(WholeStop, ACallableIsNotCalledForAServiceThatIsWell) {
  World world;
  int calls = 0;
  std::uint64_t incarnation = 0;
  world.core.set_callback_sink([&](const CallbackRequest& request) {
    ++calls;
    incarnation = request.incarnation;
  });
  const auto serial = world.add(R"({"id":"u","type":"core","endpoint":"http://127.0.0.1:1","healthCheckInterval":1000,)"
                                R"("restartDelay":3000})", true);
  world.advance(seconds(1));
  world.prober.set(serial, health::FakeProber::Answer::http(503));
  world.advance(seconds(10));
  ASSERT_EQ(calls, 1);
  world.turn([&] { world.core.callback_done(serial, incarnation, false, "it raised"); });
  ASSERT_EQ(world.lifecycle("u"), Lifecycle::backoff);
  world.turn([&] { world.core.stop(world.loop.now().steady + seconds(1), [](const std::vector<std::string>&) {}); });
  world.advance(seconds(20));
  world.prober.unset(serial);
  world.turn([&] { world.core.start(); });
  world.advance(seconds(10));
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(world.status("u"), HealthStatus::healthy);
  // It is healed as before.
  world.prober.set(serial, health::FakeProber::Answer::http(503));
  world.advance(seconds(10));
  EXPECT_EQ(calls, 2);
}

}  // namespace
}  // namespace azora::orchestrator
