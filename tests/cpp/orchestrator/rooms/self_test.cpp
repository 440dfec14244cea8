// What is wrong with the orchestrator itself, and when it counts.
#include "azora/orchestrator/self.hpp"

#include <gtest/gtest.h>

#include "azora/orchestrator/pulse.hpp"
#include "azora/orchestrator/self_watch.hpp"
#include "support/fake_loop.hpp"
#include "support/world.hpp"

namespace azora::orchestrator {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(Self, TellsEachTroubleAndItsEndOnce) {
  Self self;
  self.set(Part::store, "the disk is full");
  self.set(Part::store, "the disk is still full");
  EXPECT_EQ(self.trouble(), "the disk is still full");
  self.clear(Part::store);
  self.clear(Part::store);
  EXPECT_EQ(self.trouble(), "");
  const std::vector<Self::Change> changes = self.take_changes();
  ASSERT_EQ(changes.size(), 2U);
  EXPECT_EQ(changes[0].reason, "the disk is full");
  EXPECT_EQ(changes[1].reason, "");
  EXPECT_TRUE(self.take_changes().empty());
}

TEST(Self, NamesAllThatIsWrong) {
  Self self;
  self.set(Part::threads, "az-net died");
  self.set(Part::keeper, "the link is down");
  EXPECT_EQ(self.trouble(), "the link is down; az-net died");
  EXPECT_EQ(self.reason(Part::threads), "az-net died");
}

class SelfWatchTest : public testing::Test {
 protected:
  FakeLoop loop;
  Self self;
  std::vector<bool> linked;
  SelfWatch watch{loop, self, [this](bool up) { linked.push_back(up); }};
};

TEST_F(SelfWatchTest, ALossIsToldAtOnceAndItsEndWhenTheLinkHasSettled) {
  watch.on_link(false, "it was killed");
  EXPECT_NE(self.trouble().find("is down: it was killed"), std::string::npos) << self.trouble();
  loop.advance(milliseconds(50));
  watch.on_link(true, "");
  EXPECT_NE(self.trouble().find("has been back for less than 1 s: it was killed"), std::string::npos) << self.trouble();
  loop.advance(milliseconds(999));
  EXPECT_NE(self.trouble(), "");
  loop.advance(milliseconds(1));
  EXPECT_EQ(self.trouble(), "");
  const std::vector<Self::Change> changes = self.take_changes();
  ASSERT_EQ(changes.size(), 2U);
  EXPECT_NE(changes[0].reason.find("it was killed"), std::string::npos);
  EXPECT_EQ(changes[1].reason, "");
  EXPECT_TRUE(linked.empty()) << "what runs was not taken out of rotation";
}

TEST_F(SelfWatchTest, ALinkThatIsLostAgainAndAgainIsOneTrouble) {
  for (int i = 0; i < 5; ++i) {
    watch.on_link(false, "it was killed");
    loop.advance(milliseconds(200));
    watch.on_link(true, "");
    loop.advance(milliseconds(900));
  }
  loop.advance(seconds(1));
  EXPECT_EQ(self.trouble(), "");
  EXPECT_EQ(self.take_changes().size(), 2U);
  EXPECT_EQ(loop.timer_count(), 0U);
}

TEST_F(SelfWatchTest, AfterASecondWithoutTheLinkWhatOnlyItTellsIsUnknown) {
  watch.on_link(false, "it was killed");
  loop.advance(milliseconds(500));
  watch.on_link(false, "no such program");
  EXPECT_NE(self.trouble().find("no such program"), std::string::npos) << self.trouble();
  EXPECT_TRUE(linked.empty());
  loop.advance(milliseconds(500));
  EXPECT_EQ(linked, std::vector<bool>{false});
  watch.on_link(false, "permission denied");
  EXPECT_NE(self.trouble().find("permission denied"), std::string::npos) << self.trouble();
  watch.on_link(true, "");
  EXPECT_EQ(linked, (std::vector<bool>{false, true}));
  loop.advance(seconds(1));
  EXPECT_EQ(self.trouble(), "");
  EXPECT_EQ(self.take_changes().size(), 2U);
}

TEST_F(SelfWatchTest, LatenessIsOverAfterTenQuietSeconds) {
  watch.on_stalls(0);
  EXPECT_EQ(self.trouble(), "");
  watch.on_stalls(1);
  EXPECT_NE(self.trouble(), "");
  loop.advance(seconds(8));
  watch.on_stalls(2);
  loop.advance(seconds(8));
  watch.on_stalls(2);
  EXPECT_NE(self.trouble(), "");
  loop.advance(seconds(2));
  EXPECT_EQ(self.trouble(), "");
  EXPECT_EQ(self.take_changes().size(), 2U);
}

TEST(Pulse, ALoopThatDoesNotAnswerIsSilent) {
  FakeLoop loop;
  Pulse pulse;
  const auto check = [&] { return pulse.check(loop.now().steady, [&](Task task) { loop.post(std::move(task)); }); };
  EXPECT_FALSE(check());
  loop.stall(seconds(3));
  const std::optional<Nanos> silent = check();
  ASSERT_TRUE(silent);
  EXPECT_EQ(*silent, Nanos(seconds(3)));
  loop.run_until_idle();
  EXPECT_FALSE(check());
}

constexpr const char* kByProcess = R"(,"healthCheck":{"type":"process"})";

TEST(Link, WhileItIsDownAProcessCheckSaysNothing) {
  World world;
  const auto plain = world.add(std::string(R"({"id":"a","type":"core","process":{"argv":["true"]})") + kByProcess + "}");
  world.add_process("b");
  world.advance(seconds(3));
  ASSERT_EQ(world.status("a"), HealthStatus::healthy);
  world.keeper.set_link(false, "no such program");
  world.advance(seconds(2));
  EXPECT_EQ(world.status("a"), HealthStatus::unknown);
  EXPECT_EQ(world.lifecycle("a"), Lifecycle::ready);
  EXPECT_EQ(world.status("b"), HealthStatus::healthy) << "its own answers say so";
  EXPECT_EQ(world.recorder.count(EventType::orchestrator_degraded), 1);
  EXPECT_NE(world.core.self().reason(Part::keeper).find("no such program"), std::string::npos);
  world.keeper.set_link(true);
  world.advance(seconds(2));
  EXPECT_EQ(world.status("a"), HealthStatus::healthy);
  EXPECT_EQ(world.recorder.count(EventType::orchestrator_recovered), 1);
  EXPECT_TRUE(world.keeper.alive(plain));
}

TEST(Link, AServiceThatStartedMeanwhileIsUnknownToo) {
  World world;
  world.keeper.set_link(false, "no such program");
  world.advance(seconds(2));
  world.add(std::string(R"({"id":"a","type":"core","process":{"argv":["true"]})") + kByProcess + "}");
  world.advance(seconds(3));
  EXPECT_EQ(world.status("a"), HealthStatus::unknown);
}

// The keeper was away: its checks failed, it was told to stop, and then its shim said that it had ended long before.
TEST(Link, AnEndOfTheMeantimeIsToldWithItsOwnCause) {
  World world;
  const auto a = world.add_process("a", R"("restartDelay":0)");
  const auto b = world.add_process("b", R"("restartDelay":0)");
  world.advance(seconds(3));
  world.keeper.set_delay([] { return seconds(10); });
  world.keeper.crash(a);
  world.prober.set(b, health::FakeProber::Answer::http(503));
  world.advance(seconds(8));
  EXPECT_EQ(world.lifecycle("a"), Lifecycle::stopping);
  EXPECT_EQ(world.lifecycle("b"), Lifecycle::stopping);
  world.keeper.set_delay({});
  world.prober.unset(b);
  world.advance(seconds(20));
  EXPECT_EQ(world.recorder.last_cause(EventType::service_exited, "a"), "crash");
  EXPECT_EQ(world.recorder.last_cause(EventType::service_restarted, "a"), "crash");
  EXPECT_EQ(world.recorder.last_cause(EventType::service_exited, "b"), "liveness");
  EXPECT_EQ(world.recorder.last_cause(EventType::service_restarted, "b"), "liveness");
}

TEST(Link, WhyNamesTheAbsentKeeperForWhatNeedsIt) {
  World world;
  world.add_process("p");
  world.add(R"({"id":"u","type":"core","endpoint":"http://127.0.0.1:7003"})");
  world.advance(seconds(2));
  const auto why = [&](const char* id) {
    return why_json(*world.recorder.board, id, world.loop.now(), world.core.why_sources()).value();
  };
  EXPECT_EQ(why("p").find("keeper"), std::string::npos) << why("p");
  world.turn([&] { world.keeper.set_link(false, "no such program"); });
  EXPECT_NE(why("p").find("the link to the keeper is down: no such program"), std::string::npos) << why("p");
  EXPECT_NE(why("p").find(R"("unblockedBy":["the link to the keeper"])"), std::string::npos) << why("p");
  EXPECT_EQ(why("u").find("keeper"), std::string::npos) << why("u");
}

}  // namespace
}  // namespace azora::orchestrator
