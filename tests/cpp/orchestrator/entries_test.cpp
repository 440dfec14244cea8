// An entry with replicas is addressed by its name: verbs, waits, dependencies and removal on the whole core. And
// requests over what a file or Python registered meanwhile.
#include "azora/model/spec_parser.hpp"
#include "support/commands.hpp"

namespace azora::orchestrator {
namespace {

using std::chrono::seconds;
using Kind = keeper::FakeKeeper::Command::Kind;

// Each has ports of its own.
std::string entry(const std::string& id, int replicas, const std::string& more = "") {
  static std::map<std::string, int> ports;
  const int port = ports.emplace(id, 8000 + 10 * static_cast<int>(ports.size())).first->second;
  return R"({"id":")" + id + R"(","type":"core","endpoint":"http://127.0.0.1:)" + std::to_string(port) +
         R"(","healthCheckInterval":1000,)" +
         R"("process":{"argv":["serve","{port}"],"replicas":)" + std::to_string(replicas) + "}" +
         (more.empty() ? "" : "," + more) + "}";
}

// Of the commands from that one on: the ids in order.
std::vector<std::string> ids_of(const World& world, Kind kind, std::size_t from) {
  std::map<std::uint64_t, std::string> names;
  for (const auto& one : world.keeper.commands) {
    if (one.kind == Kind::launch) names[one.serial] = one.id;
  }
  std::vector<std::string> ids;
  for (std::size_t i = from; i < world.keeper.commands.size(); ++i) {
    if (world.keeper.commands[i].kind == kind) ids.push_back(names[world.keeper.commands[i].serial]);
  }
  return ids;
}

std::optional<Result<void>>& wait(World& world, const std::string& name, bool ready, std::optional<Result<void>>& answer) {
  world.turn([&] {
    world.core.wait_for(name, ready ? Goal::ready : Goal::stopped, world.loop.now().steady + seconds(60), [&](Result<void> done) { answer = std::move(done); });
  });
  return answer;
}

using Ids = std::vector<std::string>;

TEST(Entries, AVerbActsOnAllInstances) {
  World world;
  world.add(entry("w", 3));
  world.advance(seconds(2));
  std::size_t from = world.keeper.commands.size();
  EXPECT_EQ(command(world, Verb::restart, "w").service_id, "w");
  world.advance(seconds(2));
  EXPECT_EQ(ids_of(world, Kind::launch, from), (Ids{"w@0", "w@1", "w@2"}));
  for (const char* id : {"w@0", "w@1", "w@2"}) EXPECT_EQ(world.view(id)->incarnation, 2U) << id;
  const VerbAnswer stopped = command(world, Verb::stop, "w");
  EXPECT_EQ(stopped.incarnation, 2U);
  world.advance(seconds(1));
  EXPECT_EQ(world.keeper.alive_count(), 0U);
  from = world.keeper.commands.size();
  command(world, Verb::start, "w@1");
  world.advance(seconds(2));
  EXPECT_EQ(ids_of(world, Kind::launch, from), (Ids{"w@1"}));
  EXPECT_EQ(world.view("w@0")->desired, Desired::down);
  command(world, Verb::start, "w");
  world.advance(seconds(2));
  EXPECT_EQ(world.recorder.board->healthy, 3U);
}

TEST(Entries, ItsDependentsAreNamedAndTakenAlong) {
  World world;
  world.add(entry("db", 2));
  world.add(entry("api", 2, R"("dependencies":["db"])"));
  world.advance(seconds(3));
  ASSERT_EQ(world.recorder.board->healthy, 4U);
  EXPECT_EQ(command(world, Verb::stop, "db@0").affected, Ids{}) << "db@1 is enough for them";
  world.advance(seconds(1));
  EXPECT_EQ(command(world, Verb::start, "db@0").affected, Ids{});
  world.advance(seconds(2));
  const std::size_t from = world.keeper.commands.size();
  EXPECT_EQ(command(world, Verb::restart, "db", true).affected, (Ids{"api@0", "api@1"}));
  world.advance(seconds(5));
  EXPECT_EQ(ids_of(world, Kind::stop, from), (Ids{"api@0", "api@1", "db@0", "db@1"}));
  const Ids started = ids_of(world, Kind::launch, from);
  EXPECT_EQ(Ids(started.begin(), started.begin() + 2), (Ids{"db@0", "db@1"}));
  EXPECT_EQ(started.size(), 4U);
  EXPECT_EQ(world.recorder.board->healthy, 4U);
}

TEST(Entries, StartRaisesWhatAnEntryNeeds) {
  World world;
  world.add(entry("db", 2));
  world.add(entry("api", 1, R"("dependencies":["db"])"));
  world.advance(seconds(3));
  command(world, Verb::stop, "db", true);
  world.advance(seconds(1));
  ASSERT_EQ(world.keeper.alive_count(), 0U);
  command(world, Verb::start, "api", false, true);
  world.advance(seconds(3));
  EXPECT_EQ(world.recorder.board->healthy, 3U);
}

TEST(Entries, ADependencyIsMetByOneInstanceUnlessItAsksForMore) {
  World world;
  world.keeper.set_default([](const keeper::Launch& launch) {
    return keeper::FakeKeeper::Behaviour{.exec_fails = launch.id == "db@2"};
  });
  world.add(entry("one", 1, R"("dependencies":["db"])"));
  world.add(entry("two", 1, R"("dependencies":[{"id":"db","min":2}])"));
  world.add(entry("three", 1, R"("dependencies":[{"id":"db","min":3}])"));
  world.add(entry("third", 1, R"("dependencies":["db@2"])"));
  world.advance(seconds(1));
  EXPECT_EQ(world.keeper.launches_total(), 0);
  world.add(entry("db", 3, R"("maxRestarts":2)"));
  world.advance(seconds(10));
  EXPECT_EQ(world.status("one"), HealthStatus::healthy);
  EXPECT_EQ(world.status("two"), HealthStatus::healthy);
  EXPECT_EQ(world.lifecycle("three"), Lifecycle::blocked);
  EXPECT_EQ(world.lifecycle("third"), Lifecycle::blocked);
  // A second one goes: two of three are not there any more.
  world.keeper.set(world.view("db@0")->serial, {.exec_fails = true});
  world.keeper.crash(world.view("db@0")->serial);
  world.keeper.crash(world.view("two")->serial);
  world.keeper.crash(world.view("one")->serial);
  world.advance(seconds(20));
  EXPECT_EQ(world.status("one"), HealthStatus::healthy);
  EXPECT_EQ(world.lifecycle("two"), Lifecycle::blocked);
}

TEST(Entries, AFailureIsExplainedOnlyWhereTooFewInstancesAreLeft) {
  World world;
  world.add(entry("db", 2));
  const auto api = world.add_process("api", R"("dependencies":["db"],"maxRestarts":5)");
  world.advance(seconds(3));
  const auto first = world.view("db@0")->serial;
  world.keeper.set(first, {.exec_fails = true});
  world.keeper.crash(first);
  world.keeper.crash(api);
  world.advance(seconds(5));
  EXPECT_EQ(world.keeper.launches(api), 2) << "db@1 is there: it is its own failure, and healed";
}

TEST(Entries, AWaitIsForAllInstances) {
  World world;
  world.keeper.set_default([](const keeper::Launch& launch) {
    return keeper::FakeKeeper::Behaviour{.exec_fails = launch.id == "w@1"};
  });
  world.add(entry("w", 2));
  std::optional<Result<void>> ready;
  std::optional<Result<void>> first;
  wait(world, "w", true, ready);
  wait(world, "w@0", true, first);
  world.advance(seconds(1));
  EXPECT_TRUE(first.has_value());
  EXPECT_FALSE(ready.has_value());
  world.keeper.set(world.view("w@1")->serial, {});
  world.advance(seconds(30));
  ASSERT_TRUE(ready.has_value());
  EXPECT_TRUE(ready->ok());
  std::optional<Result<void>> stopped;
  command(world, Verb::stop, "w");
  wait(world, "w", false, stopped);
  world.advance(seconds(1));
  EXPECT_TRUE(stopped.has_value());
}

TEST(Entries, TheWholeStopsDependentsBeforeAnyInstanceOfWhatTheyNeed) {
  World world;
  world.keeper.set_default([](const keeper::Launch&) { return keeper::FakeKeeper::Behaviour{.stops_in = seconds(1)}; });
  world.add(entry("db", 2));
  world.add(entry("api", 2, R"("dependencies":["db"])"));
  world.advance(seconds(5));
  const std::size_t from = world.keeper.commands.size();
  const LeftRunning answer = stop_all(world, seconds(30));
  const auto& left = *answer;
  world.advance(seconds(10));
  ASSERT_TRUE(left.has_value());
  EXPECT_TRUE(left->empty());
  Ids stops = ids_of(world, Kind::stop, from);
  ASSERT_EQ(stops.size(), 4U);
  std::sort(stops.begin(), stops.begin() + 2);
  EXPECT_EQ(Ids(stops.begin(), stops.begin() + 2), (Ids{"api@0", "api@1"}));
}

TEST(Entries, OneInstanceMayBeRemovedAndComesBackWithTheNextRegistration) {
  World world;
  world.add(entry("w", 3));
  world.advance(seconds(2));
  world.turn([&] { EXPECT_TRUE(world.core.unregister("w@1", "rest").value()); });
  world.advance(seconds(1));
  EXPECT_EQ(world.view("w@1"), nullptr);
  ASSERT_NE(world.recorder.board->entries.find("w"), nullptr);
  EXPECT_EQ((*world.recorder.board->entries.find("w"))->services, (Ids{"w@0", "w@2"}));
  EXPECT_EQ(command(world, Verb::restart, "w").service_id, "w");
  world.advance(seconds(2));
  EXPECT_EQ(world.recorder.board->healthy, 2U);
  world.add(entry("w", 3));
  world.advance(seconds(2));
  EXPECT_EQ(world.recorder.board->healthy, 3U);
  EXPECT_EQ(world.view("w@0")->incarnation, 2U) << "it runs on";
  world.turn([&] { EXPECT_TRUE(world.core.unregister("w", "rest").value()); });
  world.advance(seconds(1));
  EXPECT_TRUE(world.recorder.board->entries.empty());
  EXPECT_EQ(world.keeper.alive_count(), 0U);
}

TEST(Entries, AnEntryOfTheNameOfItsTypeIsRegistered) {
  World world;
  world.add(R"({"id":"web","type":"web","endpoint":"http://127.0.0.1:7001","process":{"argv":["x"],"replicas":2}})");
  world.advance(seconds(2));
  EXPECT_EQ(world.recorder.board->healthy, 2U);
}

TEST(Entries, ADependencyOnMoreInstancesThanThereAreIsRefused) {
  World world;
  world.add(entry("db", 2));
  const Result<std::vector<SpecPtr>> specs =
      parse_service(entry("api", 1, R"("dependencies":[{"id":"db","min":3}])"), {.origin = Origin::python});
  world.turn([&] {
    const Result<std::uint64_t> done = world.core.register_many(specs.value(), "python");
    ASSERT_FALSE(done.ok());
    EXPECT_EQ(done.error().faults.at(0).field, "dependencies[0].min");
  });
  EXPECT_EQ(world.view("api"), nullptr);
}

// What a request finds published when it is read.
SpecPtr published(const World& world, std::string_view name) {
  return world.recorder.board ? owned_entry(world.recorder.board->entry(name)) : nullptr;
}

Request read(const World& world, const std::string& text) {
  Result<Request> request = read_request(text, [&](std::string_view name) { return published(world, name); });
  EXPECT_TRUE(request.ok()) << (request.ok() ? "" : request.error().message);
  return request ? std::move(request).value() : Request{};
}

Result<std::uint64_t> register_now(World& world, Request request) {
  Result<std::uint64_t> answer{0};
  world.turn([&] {
    std::vector<Request> requests;
    requests.push_back(std::move(request));
    answer = world.core.register_requests(std::move(requests));
  });
  return answer;
}

constexpr const char* kRequest = R"({"id":"a","name":"by request","type":"core","endpoint":"http://127.0.0.1:7009"})";

TEST(Requests, WhatAnOwnerRegisteredSinceItWasReadKeepsItsProcess) {
  World world;
  Request request = read(world, kRequest);
  EXPECT_EQ(request.over, nullptr);
  const auto serial = world.add_process("a");
  world.advance(seconds(2));
  ASSERT_TRUE(world.keeper.alive(serial));
  ASSERT_TRUE(register_now(world, std::move(request)).ok());
  world.advance(seconds(2));
  EXPECT_TRUE(world.keeper.alive(serial)) << "it was neither stopped nor replaced by a service with only a URL";
  EXPECT_EQ(world.view("a")->serial, serial);
  EXPECT_EQ(world.view("a")->spec->name(), "by request");
  ASSERT_TRUE(world.view("a")->spec->process);
  EXPECT_EQ(world.view("a")->spec->process->argv, (Ids{"true"}));
}

TEST(Requests, AreLaidOverWhatTheOwnerHasNowAndNotOverWhatItHadWhenTheyWereRead) {
  World world;
  world.add(R"({"id":"a","type":"core","endpoint":"http://127.0.0.1:7001","process":{"argv":["old"]}})");
  Request request = read(world, kRequest);
  EXPECT_EQ(request.specs.at(0)->process->argv, (Ids{"old"}));
  // Gone, and another one under the same id: its configuration is the first of its registration, too.
  world.turn([&] { EXPECT_TRUE(world.core.unregister("a", "python").value()); });
  world.add(R"({"id":"a","type":"core","endpoint":"http://127.0.0.1:7001","process":{"argv":["new"]}})");
  ASSERT_TRUE(register_now(world, std::move(request)).ok());
  ASSERT_TRUE(world.view("a")->spec->process);
  EXPECT_EQ(world.view("a")->spec->process->argv, (Ids{"new"}));
  EXPECT_EQ(world.view("a")->spec->name(), "by request");
}

TEST(Requests, AreByThemselvesWhenTheOwnerTookItsServiceAwayMeanwhile) {
  World world;
  world.add_process("a");
  Request request = read(world, kRequest);
  world.turn([&] { EXPECT_TRUE(world.core.unregister("a", "python").value()); });
  ASSERT_TRUE(register_now(world, std::move(request)).ok());
  EXPECT_EQ(world.view("a")->spec->origin, Origin::rest);
  EXPECT_FALSE(world.view("a")->spec->process);
}

TEST(Requests, AreJudgedByWhatTheyWouldChange) {
  World world;
  Request request = read(world, R"({"id":"a","type":"core","endpoint":"http://127.0.0.1:7009","weight":3})");
  world.add(R"({"id":"a","type":"core","endpoint":"http://127.0.0.1:7001","weight":2,"process":{"argv":["x"]}})");
  const Result<std::uint64_t> answer = register_now(world, std::move(request));
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().faults.at(0).field, "weight");
  EXPECT_EQ(world.view("a")->spec->weight, 2.0);
}

TEST(Requests, ChangeAllReplicasOfAnEntry) {
  World world;
  world.add(entry("a", 2));
  world.advance(seconds(2));
  const auto first = world.view("a@0")->serial;
  ASSERT_TRUE(register_now(world, read(world, kRequest)).ok());
  world.advance(seconds(2));
  EXPECT_EQ(world.view("a"), nullptr);
  EXPECT_EQ(world.view("a@0")->serial, first);
  EXPECT_EQ(world.view("a@1")->spec->endpoint->text, "http://127.0.0.1:7010");
  EXPECT_EQ(world.view("a@1")->spec->name(), "by request");
}

}  // namespace
}  // namespace azora::orchestrator
