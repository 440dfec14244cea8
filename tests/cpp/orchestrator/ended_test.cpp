// A service that ends with 0: what that means with an endpoint and without, and where it is told (R54).
#include "azora/orchestrator/reads/ended.hpp"

#include "azora/orchestrator/reads/list_bodies.hpp"
#include "azora/orchestrator/reads/why.hpp"
#include "support/commands.hpp"

namespace azora::orchestrator {
namespace {

using std::chrono::seconds;

constexpr const char* kJob = R"("type":"jobs","healthCheck":{"type":"process"},"process":{"argv":["true"]})";

std::string job(const std::string& id, const std::string& more = "") {
  return "{\"id\":\"" + id + "\"," + kJob + (more.empty() ? "" : "," + more) + "}";
}

std::string why(const World& world, const std::string& id) {
  return why_json(*world.recorder.board, id, {}).value();
}

TEST(Ended, R54WithAnEndpointExitZeroIsHealedAndWithoutItIsTheEnd) {
  World world;
  const auto web = world.add_process("web");
  const auto done = world.add(job("job"));
  world.advance(seconds(3));
  world.keeper.crash(web, 0);
  world.keeper.crash(done, 0);
  world.advance(seconds(3));
  EXPECT_EQ(world.lifecycle("web"), Lifecycle::ready);
  EXPECT_EQ(world.view("web")->restart_count, 1);
  EXPECT_EQ(world.lifecycle("job"), Lifecycle::done);
  EXPECT_TRUE(ended_ids(*world.recorder.board).empty()) << "a job ends";
}

TEST(Ended, R54WithAnEndpointAndAnotherPolicyItIsCountedAndNamed) {
  for (const std::string policy : {"never", "on-failure"}) {
    World world;
    const auto web = world.add_process("web", R"("restartPolicy":")" + policy + "\"");
    world.advance(seconds(3));
    const std::uint64_t lists = world.recorder.board->list_version;
    world.keeper.crash(web, 0);
    world.advance(seconds(3));
    const Board& board = *world.recorder.board;
    EXPECT_EQ(world.lifecycle("web"), Lifecycle::done);
    EXPECT_EQ(world.status("web"), HealthStatus::unknown);
    EXPECT_EQ(world.recorder.tiers.at(web), Tier::excluded);
    EXPECT_EQ(ended_ids(board), std::vector<std::string>{"web"});
    const std::string words =
        "web ended by itself with code 0 and is not started again, since its restartPolicy is " + policy;
    EXPECT_EQ(ended_lines(board), std::vector<std::string>{words});
    EXPECT_NE(why(world, "web").find(words), std::string::npos) << why(world, "web");
    EXPECT_GT(board.list_version, lists);
    const std::string status = *ListBodies().status({.board = world.recorder.board}, false);
    EXPECT_TRUE(status.ends_with(R"(],"endedServices":["web"]})")) << status;
  }
}

TEST(Ended, R54IsOverWhenItIsStartedStoppedReplacedOrRemoved) {
  const auto ends = [](const std::function<void(World&)>& act) {
    World world;
    const auto web = world.add_process("web", R"("restartPolicy":"never")");
    world.advance(seconds(3));
    world.keeper.crash(web, 0);
    world.advance(seconds(1));
    EXPECT_EQ(ended_ids(*world.recorder.board).size(), 1U);
    act(world);
    world.advance(seconds(1));
    return ended_ids(*world.recorder.board).empty();
  };
  EXPECT_TRUE(ends([](World& world) { command(world, Verb::start, "web"); }));
  EXPECT_TRUE(ends([](World& world) { command(world, Verb::stop, "web"); }));
  EXPECT_TRUE(ends([](World& world) { world.add(job("web")); }));
  EXPECT_TRUE(ends([](World& world) {
    world.turn([&] { EXPECT_TRUE(world.core.unregister("web", "rest").value()); });
  }));
}

}  // namespace
}  // namespace azora::orchestrator
