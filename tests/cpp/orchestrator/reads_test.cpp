// What is read of a published board: ranks and orders as the control thread's own graph has them, and the JSON of
// graph, dependencies and why, byte for byte.
#include <gtest/gtest.h>

#include <random>

#include "azora/orchestrator/reads/graph.hpp"
#include "azora/orchestrator/reads/why.hpp"
#include "azora/registry/dependency_graph.hpp"
#include "support/world.hpp"

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

// Some of them need others of lower numbers, or ids that are not registered.
std::vector<SpecPtr> random_fleet(std::mt19937& random, int size) {
  std::vector<SpecPtr> specs;
  for (int i = 0; i < size; ++i) {
    std::string needs;
    for (int k = static_cast<int>(random() % 4); k > 0 && i > 0; --k) {
      const bool missing = random() % 8 == 0;
      const std::string id = (missing ? "m" : "s") + std::to_string(random() % static_cast<unsigned>(i));
      if (needs.find('"' + id + '"') != std::string::npos) continue;
      needs += (needs.empty() ? "" : ",") + ('"' + id + '"');
    }
    specs.push_back(spec_of("s" + std::to_string(i), R"(,"priority":)" + std::to_string(1 + random() % 3) +
                                                         R"(,"dependencies":[)" + needs + "]"));
  }
  std::shuffle(specs.begin(), specs.end(), random);
  return specs;
}

TEST(Reads, RankAndOrderAreThoseOfTheControlThreadsGraph) {
  std::mt19937 random(7);
  for (int round = 0; round < 100; ++round) {
    const std::vector<SpecPtr> specs = random_fleet(random, 1 + static_cast<int>(random() % 30));
    registry::DependencyGraph graph;
    std::vector<registry::DependencyGraph::Item> items;
    for (std::size_t i = 0; i < specs.size(); ++i) items.push_back({specs[i], i});
    graph.put(items);
    const Board board = board_of(specs);
    const Topology topology(board);
    std::vector<std::string> order;
    for (const std::uint32_t place : topology.start_order()) order.push_back(topology.specs()[place]->id);
    EXPECT_EQ(order, graph.start_order());
    for (std::size_t i = 0; i < specs.size(); ++i) {
      EXPECT_EQ(topology.ranks()[i], graph.rank(specs[i]->id)) << specs[i]->id;
    }
    for (const std::string id : {"s0", "s1", "s2", "m0", "m1", "x"}) {
      std::vector<std::string> dependents;
      for (const std::uint32_t place : topology.dependents(id)) dependents.push_back(topology.specs()[place]->id);
      EXPECT_EQ(dependents, graph.dependents(id)) << id;
    }
    // The tree of each, as graph.tree() walks it.
    GraphReads reads;
    for (const SpecPtr& spec : specs) {
      std::string tree;
      for (const registry::TreeLine& line : graph.tree(spec->id)) {
        tree += (tree.empty() ? "" : ",") + (R"({"id":")" + line.id + R"(","depth":)" + std::to_string(line.depth) +
                                             R"(,"missing":)" + (line.missing ? "true}" : "false}"));
      }
      const std::string json = reads.dependencies(board, spec->id).value();
      EXPECT_NE(json.find("\"tree\":[" + tree + "]}"), std::string::npos) << json << "\n" << tree;
    }
  }
}

TEST(Reads, TheGraphIsWrittenWhole) {
  GraphReads reads;
  const auto board = std::make_shared<const Board>(
      board_of({spec_of("web", R"(,"dependencies":["db",{"id":"x","condition":"started","strength":"soft"}])"), spec_of("db")}));
  EXPECT_EQ(*reads.graph({.board = board}),
            R"({"nodes":[{"id":"web","type":"core","status":"unknown","lifecycle":"WATCHING","rank":1},)"
            R"({"id":"db","type":"core","status":"unknown","lifecycle":"WATCHING","rank":0}],)"
            R"("edges":[{"from":"web","to":"db","condition":"healthy","strength":"hard","satisfied":false},)"
            R"({"from":"web","to":"x","condition":"started","strength":"soft","satisfied":false}],)"
            R"("startOrder":["db","web"]})");
  EXPECT_EQ(reads.dependencies(*board, "web").value(),
            R"({"serviceId":"web","dependencies":[)"
            R"({"id":"db","condition":"healthy","strength":"hard","satisfied":false,"missing":false,"status":"unknown"},)"
            R"({"id":"x","condition":"started","strength":"soft","satisfied":false,"missing":true,"status":"unknown"}],)"
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
  EXPECT_NE(text.find("a is unhealthy (" + error + "); it has only a URL, so nothing here can restart it; its dependencies "
                      "are not ready: b (not registered)"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find(R"("unblockedBy":["a passing health check"])"), std::string::npos) << text;
  EXPECT_EQ(why_json(*world.recorder.board, "none", world.loop.now()).error().code, ErrorCode::unknown_service);
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
  world.turn([&] { world.core.stop(world.loop.now().steady + seconds(5), [](const auto&) {}); });
  world.advance(seconds(6));
  EXPECT_NE(why(world, "a").find("a is not watched: the orchestrator is stopped"), std::string::npos);
}

// Each number of the machine that `why` tells is published with the turn that changed it.
TEST(Reads, WhyIsAsFreshAsTheMachine) {
  World world;
  const auto serial = world.add_process("a", R"("dependencies":["db"])");
  world.advance(seconds(1));
  EXPECT_NE(why(world, "a").find(R"-("summary":"a waits for its dependencies: db (not registered); no restart is spent")-"),
            std::string::npos)
      << why(world, "a");
  world.add_process("db");
  world.advance(seconds(3));
  EXPECT_NE(why(world, "a").find(R"("blockedBy":[],"unblockedBy":[])"), std::string::npos) << why(world, "a");
  EXPECT_EQ(world.view("a")->healing, nullptr);  // nothing to say of it
  EXPECT_TRUE(world.keeper.alive(serial));
}

}  // namespace
}  // namespace azora::orchestrator
