// What is read of a published board: ranks and orders as the control thread's own graph has them, and the JSON of
// graph, dependencies and why, byte for byte.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <tuple>

#include "azora/orchestrator/reads/entry.hpp"
#include "azora/orchestrator/reads/graph.hpp"
#include "azora/orchestrator/reads/why.hpp"
#include "azora/registry/dependency_graph.hpp"
#include "azora/registry/registry.hpp"
#include "support/commands.hpp"

namespace azora::orchestrator {
namespace {

using std::chrono::seconds;

SpecPtr spec_of(const std::string& id, const std::string& more = "") {
  return parse_service(R"({"id":")" + id + R"(","type":"core","endpoint":"http://127.0.0.1:7001")" + more + "}",
                       {.origin = Origin::python})
      .value()
      .front();
}

Board board_of(const std::vector<SpecPtr>& specs, std::uint64_t topology = 1) {
  Board board;
  auto in_order = board.in_order.edit();
  auto by_id = board.by_id.edit();
  auto entries = board.entries.edit();
  for (const auto& services : registry::split_by_entry(specs)) {
    if (!services.front()->entry) continue;
    auto shown = std::make_shared<EntryOnBoard>();
    shown->spec = services.front()->entry;
    for (const SpecPtr& spec : services) shown->services.push_back(spec->id);
    entries.set(std::move(shown));
  }
  board.entries = entries.done();
  for (std::size_t i = 0; i < specs.size(); ++i) {
    auto view = std::make_shared<ServiceView>();
    view->spec = specs[i];
    view->order = i;
    in_order.set(i, view);
    by_id.set(view);
  }
  board.in_order = in_order.done();
  board.by_id = by_id.done();
  board.running = true;
  board.version = board.list_version = board.topology = topology;
  return board;
}

// Entries, some with replicas, some of which need others of lower numbers, one of their instances, or ids that are not
// registered; and all their services.
struct RandomFleet {
  std::vector<SpecPtr> entries;
  std::vector<SpecPtr> services;
};

RandomFleet random_fleet(std::mt19937& random, int size) {
  std::vector<std::string> texts;
  for (int i = 0; i < size; ++i) {
    std::string needs;
    for (int k = static_cast<int>(random() % 4); k > 0 && i > 0; --k) {
      const bool missing = random() % 8 == 0;
      const std::string id = (missing ? "m" : "s") + std::to_string(random() % static_cast<unsigned>(i)) +
                             (random() % 5 == 0 ? "@1" : "");
      if (needs.find('"' + id + '"') != std::string::npos) continue;
      needs += (needs.empty() ? "" : ",") + ('"' + id + '"');
    }
    texts.push_back(R"({"id":"s)" + std::to_string(i) + R"(","type":"core","endpoint":"http://127.0.0.1:7001","priority":)" +
                    std::to_string(1 + random() % 3) + R"(,"process":{"argv":["x"],"replicas":)" +
                    std::to_string(1 + random() % 2) + R"(},"dependencies":[)" + needs + "]}");
  }
  std::shuffle(texts.begin(), texts.end(), random);
  RandomFleet fleet;
  for (const std::string& text : texts) {
    const std::vector<SpecPtr> specs = parse_service(text, {.origin = Origin::python}).value();
    fleet.services.insert(fleet.services.end(), specs.begin(), specs.end());
  }
  fleet.entries = registry::entries_of(fleet.services);
  return fleet;
}

TEST(Reads, RankAndOrderAreThoseOfTheControlThreadsGraph) {
  std::mt19937 random(7);
  for (int round = 0; round < 100; ++round) {
    const RandomFleet fleet = random_fleet(random, 1 + static_cast<int>(random() % 30));
    const std::vector<SpecPtr>& entries = fleet.entries;
    std::vector<registry::DependencyGraph::Item> items;
    for (std::size_t i = 0; i < entries.size(); ++i) items.push_back({entries[i], i});
    registry::DependencyGraph graph([&items](std::string_view id) -> std::optional<registry::DependencyGraph::Item> {
      const auto found = std::find_if(items.begin(), items.end(), [&](const auto& one) { return one.entry->id == id; });
      return found == items.end() ? std::nullopt : std::optional(*found);
    });
    graph.put(items);
    const Board board = board_of(fleet.services);
    const Topology topology(board);
    ASSERT_EQ(topology.entries(), entries);
    for (std::size_t i = 0; i < entries.size(); ++i) {
      EXPECT_EQ(topology.ranks()[i], graph.rank(entries[i]->id)) << entries[i]->id;
    }
    // By rank, then higher priority, then order of registration.
    const std::vector<std::uint32_t> order = topology.start_order();
    ASSERT_EQ(order.size(), entries.size());
    const auto key = [&](std::uint32_t place) {
      return std::tuple(topology.ranks()[place], -entries[place]->priority, place);
    };
    for (std::size_t i = 1; i < order.size(); ++i) EXPECT_LT(key(order[i - 1]), key(order[i]));
    for (const std::string id : {"s0", "s1", "s2", "s0@0", "s0@1", "s1@1", "m0", "m1", "m1@1", "x"}) {
      std::vector<std::string> dependents;
      for (const std::uint32_t place : topology.dependents(id)) dependents.push_back(topology.entries()[place]->id);
      EXPECT_EQ(dependents, graph.dependents(id)) << id;
    }
  }
}

TEST(Reads, ATreeOpensEachEntryOnce) {
  GraphReads reads;
  std::vector<SpecPtr> specs = {spec_of("web", R"(,"dependencies":["api","db@1","x"])"),
                                spec_of("api", R"(,"dependencies":["db","cache"])"),
                                spec_of("cache", R"(,"dependencies":["disk"])")};
  const auto db = parse_service(R"({"id":"db","type":"core","endpoint":"http://127.0.0.1:7001",)"
                                R"("process":{"argv":["x"],"replicas":2},"dependencies":["disk"]})",
                                {.origin = Origin::python})
                      .value();
  specs.insert(specs.end(), db.begin(), db.end());
  const std::string json = reads.dependencies(board_of(specs), "web").value();
  EXPECT_NE(json.find(R"("tree":[{"id":"web","depth":0,"missing":false},{"id":"api","depth":1,"missing":false},)"
                      R"({"id":"db","depth":2,"missing":false},{"id":"disk","depth":3,"missing":true},)"
                      R"({"id":"cache","depth":2,"missing":false},{"id":"disk","depth":3,"missing":true},)"
                      R"({"id":"db@1","depth":1,"missing":false},{"id":"x","depth":1,"missing":true}]})"),
            std::string::npos)
      << json;
}

TEST(Reads, TheGraphIsWrittenWhole) {
  GraphReads reads;
  const auto board = std::make_shared<const Board>(
      board_of({spec_of("web", R"(,"dependencies":["db",{"id":"x","condition":"started","strength":"soft"}])"), spec_of("db")}));
  EXPECT_EQ(*reads.graph({.board = board}),
            R"({"nodes":[{"id":"web","type":"core","status":"unknown","lifecycle":"WATCHING","rank":1},)"
            R"({"id":"db","type":"core","status":"unknown","lifecycle":"WATCHING","rank":0}],)"
            R"("edges":[{"from":"web","to":"db","condition":"healthy","strength":"hard","min":1,"satisfied":false},)"
            R"({"from":"web","to":"x","condition":"started","strength":"soft","min":1,"satisfied":false}],)"
            R"("startOrder":["db","web"]})");
  EXPECT_EQ(reads.dependencies(*board, "web").value(),
            R"({"serviceId":"web","dependencies":[)"
            R"({"id":"db","condition":"healthy","strength":"hard","min":1,"satisfied":false,"missing":false,"status":"unknown"},)"
            R"({"id":"x","condition":"started","strength":"soft","min":1,"satisfied":false,"missing":true,"status":"unknown"}],)"
            R"("dependents":[],"tree":[{"id":"web","depth":0,"missing":false},{"id":"db","depth":1,"missing":false},)"
            R"({"id":"x","depth":1,"missing":true}]})");
  EXPECT_EQ(reads.dependencies(*board, "none").error().code, ErrorCode::unknown_service);
}

TEST(Reads, TheGraphIsMadeOncePerVersionAndNeverOfAnotherTopology) {
  GraphReads reads;
  const auto one = std::make_shared<const Board>(board_of({spec_of("a")}, 1));
  const auto two = std::make_shared<const Board>(board_of({spec_of("a"), spec_of("b", R"(,"dependencies":["a"])")}, 2));
  const Body first = reads.graph({.board = one});
  EXPECT_EQ(reads.graph({.board = one, .now = SteadyTime{} + seconds(9)}), first);
  const Body second = reads.graph({.board = two});
  EXPECT_NE(second->find(R"("startOrder":["a","b"])"), std::string::npos);
  EXPECT_EQ(reads.graph({.board = one}), second);  // never back in time
  // A reader that still holds an older board gets what fits it.
  EXPECT_EQ(reads.dependencies(*one, "a").value(),
            R"({"serviceId":"a","dependencies":[],"dependents":[],"tree":[{"id":"a","depth":0,"missing":false}]})");
  EXPECT_NE(reads.dependencies(*two, "a").value().find(R"("dependents":["b"])"), std::string::npos);
}

std::string why(World& world, const std::string& id) {
  return why_json(*world.recorder.board, id, world.loop.now()).value();
}

TEST(Reads, WhyOfAServiceThatIsWellOrOnlyAUrl) {
  World world;
  world.add(R"({"id":"a","type":"core","endpoint":"http://127.0.0.1:7001","dependencies":["b"]})");
  world.advance(seconds(1));
  EXPECT_EQ(why(world, "a"),
            R"-({"serviceId":"a","summary":"a is healthy; its dependencies are not ready: b (not registered)",)-"
            R"("lifecycle":"WATCHING","status":"healthy","cause":null,"attempt":0,"maxRestarts":5,"nextAttemptAt":null,)"
            R"("blockedBy":["b"],"unblockedBy":[],"lastError":null})");
  world.prober.set_default([](const health::ProbeRequest&) { return health::FakeProber::Answer::refused(); });
  world.advance(seconds(120));
  const std::string error = world.view("a")->figures().last_error();
  ASSERT_FALSE(error.empty());
  const std::string text = why(world, "a");
  EXPECT_NE(text.find("a is unhealthy (" + error + "); it has only a URL, so Azora cannot restart it; its dependencies "
                      "are not ready: b (not registered)"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find(R"("unblockedBy":["a passing health check"])"), std::string::npos) << text;
  EXPECT_EQ(why_json(*world.recorder.board, "none", world.loop.now()).error().code, ErrorCode::unknown_service);
}

TEST(Reads, WhyOfAProcessThatRunsWithoutItsDependency) {
  World world;
  world.add(R"({"id":"db","type":"core","endpoint":"http://127.0.0.1:7002"})");
  world.add_process("a", R"("dependencies":["db"])");
  world.advance(seconds(2));
  EXPECT_NE(why(world, "a").find(R"("summary":"a is healthy","lifecycle":"READY")"), std::string::npos) << why(world, "a");
  world.turn([&] { EXPECT_TRUE(world.core.unregister("db", "rest").value()); });
  world.advance(seconds(2));
  EXPECT_NE(why(world, "a").find(R"-("summary":"a is healthy; its dependencies are not ready: db (not registered)",)-"),
            std::string::npos)
      << why(world, "a");
}

TEST(Reads, WhyOfAProcessOnItsWay) {
  World world;
  const auto serial = world.add_process("a", R"("restartDelay":10000,"maxRestarts":1)");
  world.advance(seconds(2));
  EXPECT_NE(why(world, "a").find(R"("summary":"a is healthy","lifecycle":"READY")"), std::string::npos) << why(world, "a");
  world.turn([&] { world.keeper.crash(serial); });
  world.advance(seconds(1));
  const std::string text = why(world, "a");
  EXPECT_NE(text.find(R"("lifecycle":"BACKOFF","status":"unhealthy","cause":"crash","attempt":)"), std::string::npos) << text;
  const std::size_t at = text.find(R"("nextAttemptAt":"20)");
  EXPECT_NE(at, std::string::npos) << text;
  world.advance(seconds(2));
  EXPECT_EQ(why(world, "a"), text);  // the same moment, whenever it is asked
  stop_all(world, seconds(5));
  world.advance(seconds(6));
  EXPECT_NE(why(world, "a").find("a is not checked, because the orchestrator is stopped"), std::string::npos);
}

std::string entry_of_three(const std::string& more = "") {
  return R"({"id":"w","type":"core","endpoint":"http://127.0.0.1:7201","healthCheckInterval":1000,)"
         R"("process":{"argv":["x"],"replicas":3})" + more + "}";
}

TEST(Reads, WhyOfAnEntryCountsItsInstancesAndNamesThoseThatAreNotWell) {
  World world;
  world.add(entry_of_three(R"(,"restartDelay":10000)"));
  world.advance(seconds(2));
  EXPECT_EQ(why(world, "w"),
            R"({"serviceId":"w","summary":"w is healthy: 3 of 3 instances are ready","lifecycle":"READY",)"
            R"("status":"healthy","cause":null,"attempt":0,"maxRestarts":5,"nextAttemptAt":null,"blockedBy":[],)"
            R"("unblockedBy":[],"lastError":null,"instances":["w@0","w@1","w@2"],"ready":3})");
  world.keeper.crash(world.view("w@1")->serial);
  world.advance(seconds(1));
  const std::string text = why(world, "w");
  EXPECT_NE(text.find(R"-("summary":"w is degraded: 2 of 3 instances are ready; w@1 failed (killed by SIGKILL); it waits )-"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find(R"("lifecycle":"BACKOFF","status":"degraded","cause":"crash","attempt":0,)"), std::string::npos) << text;
  EXPECT_NE(text.find(R"("lastError":"w@1: killed by SIGKILL")"), std::string::npos) << text;
  EXPECT_NE(why(world, "w@1").find(R"("serviceId":"w@1","summary":"w@1 failed)"), std::string::npos);
  stop_all(world, seconds(5));
  world.advance(seconds(6));
  EXPECT_NE(why(world, "w").find("w is unknown: 0 of 3 instances are ready; w@0 is not checked, because the orchestrator is stopped"),
            std::string::npos)
      << why(world, "w");
}

TEST(Reads, WhySaysHowManyInstancesAreMissed) {
  World world;
  world.add(entry_of_three());
  world.add_process("a", R"("dependencies":[{"id":"w","min":3}])");
  world.advance(seconds(3));
  world.turn([&] { (void)world.core.command(Verb::stop, "w@2", false, false, "rest"); });
  world.turn([&] { (void)world.core.command(Verb::stop, "a", false, false, "rest"); });
  world.advance(seconds(2));
  world.turn([&] { (void)world.core.command(Verb::start, "a", false, false, "rest"); });
  const std::string text = why(world, "a");
  EXPECT_NE(text.find("a waits for its dependencies: w (2 of 3 instances ready, 3 needed); this uses up no restart"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find(R"("blockedBy":["w"])"), std::string::npos) << text;
}

TEST(Reads, AnEntryIsOneServiceThatNamesItsInstances) {
  World world;
  world.add(entry_of_three(R"(,"name":"Workers")"));
  world.advance(seconds(5));
  const Board& board = *world.recorder.board;
  const ViewPtr whole = view_of(board, "w");
  ASSERT_NE(whole, nullptr);
  EXPECT_EQ(whole->spec->name(), "Workers");
  EXPECT_EQ(whole->status, HealthStatus::healthy);
  EXPECT_EQ(whole->incarnation, 1U);
  Figures figures = whole->figures();
  for (const char* id : {"w@0", "w@1", "w@2"}) {
    EXPECT_GE(figures.last_check.ms, world.view(id)->figures().last_check.ms);
    EXPECT_LE(figures.uptime_ms, world.view(id)->figures().uptime_ms);
  }
  EXPECT_GT(figures.uptime_ms, 0);
  const std::string json = whole->service_json();
  EXPECT_EQ(json.rfind(R"({"config":{"id":"w","name":"Workers",)", 0), 0U) << json;
  EXPECT_NE(json.find(R"("health":{"serviceId":"w","status":"healthy",)"), std::string::npos) << json;
  EXPECT_NE(json.find(R"("lifecycle":"READY","desired":"up","instances":["w@0","w@1","w@2"],"ready":3})"), std::string::npos)
      << json;
  EXPECT_EQ(view_of(board, "w@1"), world.view("w@1"));
  EXPECT_EQ(view_of(board, "w@3"), nullptr);
  EXPECT_EQ(view_of(board, "x"), nullptr);
}

ViewPtr view_with(HealthStatus status, Lifecycle lifecycle) {
  auto view = std::make_shared<ServiceView>();
  view->status = status;
  view->lifecycle = lifecycle;
  return view;
}

TEST(Reads, TheStateOfAnEntryFollowsFromThoseOfItsInstances) {
  using enum HealthStatus;
  const ViewPtr well = view_with(healthy, Lifecycle::ready);
  const ViewPtr half = view_with(degraded, Lifecycle::ready);
  const ViewPtr bad = view_with(unhealthy, Lifecycle::failed);
  const ViewPtr starting = view_with(unknown, Lifecycle::starting);
  const ViewPtr stopped = view_with(unknown, Lifecycle::idle);
  EXPECT_EQ(status_of({well, well}), healthy);
  EXPECT_EQ(status_of({well, bad}), degraded);
  EXPECT_EQ(status_of({well, stopped}), degraded);
  EXPECT_EQ(status_of({half, half}), degraded);
  EXPECT_EQ(status_of({half, bad}), degraded);
  EXPECT_EQ(status_of({bad, starting}), unhealthy);
  EXPECT_EQ(status_of({starting, stopped}), unknown);
  EXPECT_EQ(lifecycle_of({well, bad, stopped}), Lifecycle::failed);
  EXPECT_EQ(lifecycle_of({well, starting}), Lifecycle::starting);
  EXPECT_EQ(lifecycle_of({stopped, well}), Lifecycle::ready);
  EXPECT_EQ(lifecycle_of({stopped, stopped}), Lifecycle::idle);
  EXPECT_EQ(ready_of({well, half, bad, starting, stopped}), 2U);
}

// Each number of the machine that `why` tells is published with the turn that changed it.
TEST(Reads, WhyIsAsFreshAsTheMachine) {
  World world;
  const auto serial = world.add_process("a", R"("dependencies":["db"])");
  world.advance(seconds(1));
  EXPECT_NE(why(world, "a").find(R"-("summary":"a waits for its dependencies: db (not registered); this uses up no restart")-"),
            std::string::npos)
      << why(world, "a");
  world.add_process("db");
  world.advance(seconds(3));
  EXPECT_NE(why(world, "a").find(R"("blockedBy":[],"unblockedBy":[])"), std::string::npos) << why(world, "a");
  EXPECT_FALSE(world.view("a")->healing);  // nothing to say of it
  EXPECT_TRUE(world.keeper.alive(serial));
}

}  // namespace
}  // namespace azora::orchestrator
