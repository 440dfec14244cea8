// The mass brake in words, and that what was asked for before it is not lost behind it (R26, R62).
#include "azora/orchestrator/reads/why.hpp"
#include "support/commands.hpp"

namespace azora::orchestrator {
namespace {

using health::FakeProber;
using std::chrono::minutes;
using std::chrono::seconds;
using Kind = keeper::FakeKeeper::Command::Kind;

class BrakeTest : public testing::Test {
 protected:
  BrakeTest() {
    for (int i = 0; i < 6; ++i) world.add_process("s" + std::to_string(i), R"("group":"shop")");
    for (int i = 0; i < 9; ++i) world.add_process("other" + std::to_string(i));
    world.advance(seconds(5));
  }
  void answer(int members, const FakeProber::Answer& answer) {
    for (int i = 0; i < members; ++i) world.prober.set(world.processes[static_cast<std::size_t>(i)], answer);
  }
  std::string why(const std::string& id) {
    return why_json(*world.recorder.board, id, world.loop.now()).value();
  }
  // One that fails its checks, runs, and is not restarted.
  std::string held() const {
    for (int i = 0; i < 6; ++i) {
      const std::string id = "s" + std::to_string(i);
      if (world.lifecycle(id) == Lifecycle::ready && world.view(id)->healing_or_default().permit_asked) return id;
    }
    return "";
  }
  World world;
};

TEST_F(BrakeTest, R62ItSaysWhomSinceWhenAndUntilWhen) {
  answer(6, FakeProber::Answer::http(503));
  while (world.recorder.count(EventType::mass_unhealthy) == 0) ASSERT_TRUE(world.loop.run_next());
  world.advance(seconds(2));
  ASSERT_FALSE(held().empty());
  const std::string text = why(held());
  EXPECT_NE(text.find("its restart is due and held back by the mass brake: more than half of group 'shop' turned bad "
                      "at once; in effect since "),
            std::string::npos)
      << text;
  EXPECT_NE(text.find(" unless more turn bad, but at most until "), std::string::npos) << text;
  EXPECT_NE(text.find("the end of the brake at "), std::string::npos) << text;
  const auto& brakes = *world.recorder.board->brakes;
  ASSERT_EQ(brakes.size(), 1U);
  EXPECT_EQ(brakes[0].group, "shop");
  EXPECT_LE(brakes[0].until, brakes[0].at_latest);
  EXPECT_EQ(brakes[0].at_latest - brakes[0].since, minutes(5));
}

TEST_F(BrakeTest, R62WhatWasAskedForBeforeItIsDoneAfterIt) {
  answer(6, FakeProber::Answer::http(503));
  while (world.recorder.count(EventType::mass_unhealthy) == 0) ASSERT_TRUE(world.loop.run_next());
  world.advance(seconds(2));
  const std::string id = held();
  ASSERT_FALSE(id.empty());
  const std::uint64_t serial = world.view(id)->serial;
  for (const std::uint64_t one : world.processes) {
    if (one != serial) world.prober.unset(one);
  }
  const SteadyTime until = world.recorder.board->brakes->front().until;
  EXPECT_FALSE(place(world, Kind::stop, serial));
  while (!place(world, Kind::stop, serial)) {
    ASSERT_TRUE(world.loop.run_next());
    ASSERT_LT(world.loop.now().steady, until + minutes(1));
  }
  EXPECT_GT(world.loop.now().steady, until);
  EXPECT_EQ(why(id).find("held back by the mass brake"), std::string::npos) << why(id);
}

TEST_F(BrakeTest, AnOperatorsRestartWaitsForNoBrake) {
  answer(6, FakeProber::Answer::http(503));
  while (world.recorder.count(EventType::mass_unhealthy) == 0) ASSERT_TRUE(world.loop.run_next());
  world.advance(seconds(2));
  const std::string id = held();
  ASSERT_FALSE(id.empty());
  const std::uint64_t before = world.view(id)->incarnation;
  command(world, Verb::restart, id);
  world.advance(seconds(1));
  EXPECT_EQ(world.view(id)->incarnation, before + 1);
}

TEST_F(BrakeTest, TwoOfSixAreNone) {
  answer(2, FakeProber::Answer::http(503));
  world.advance(seconds(5));
  EXPECT_EQ(world.recorder.count(EventType::mass_unhealthy), 0);
  EXPECT_EQ(world.recorder.board->brakes, nullptr);
}

}  // namespace
}  // namespace azora::orchestrator
