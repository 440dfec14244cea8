// When the core asks a service, and what becomes of the answers (R15, R16).
#include "support/commands.hpp"

namespace azora::orchestrator {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

TEST(Probing, StartingServiceIsAskedAtWideningDistances) {
  World world;
  world.prober.set_default([](const health::ProbeRequest&) { return health::FakeProber::Answer::refused(); });
  const auto serial = world.add_process("a");
  world.advance(seconds(10));
  ASSERT_EQ(world.lifecycle("a"), Lifecycle::starting);
  // 0, 10, 20, 40 .. 640 ms, then every second: 7 within the first 1.3 s and one for each second after it.
  EXPECT_GE(world.prober.asked(serial), 14U);
  EXPECT_LE(world.prober.asked(serial), 18U);
}

TEST(Probing, FirstCheckOfAUrlIsAtOnceAtRegistrationOverwritingAndStart) {
  World world;
  const std::string text =
      R"({"id":"u","type":"core","endpoint":"http://127.0.0.1:7002","healthCheckInterval":60000})";
  const auto serial = world.add(text);
  world.advance(Millis(10));
  EXPECT_EQ(world.prober.asked(serial), 1U);
  EXPECT_EQ(world.status("u"), HealthStatus::healthy);
  world.add(text);
  world.advance(Millis(10));
  EXPECT_EQ(world.prober.asked(serial), 2U);
  stop_all(world, seconds(1));
  EXPECT_EQ(world.status("u"), HealthStatus::unknown);
  world.turn([&] { EXPECT_TRUE(world.core.start().ok()); });
  world.advance(Millis(10));
  EXPECT_EQ(world.prober.asked(serial), 3U);
}

TEST(Probing, EachStartBeginsAskingAnew) {
  World world;
  const auto serial = world.add_process("a");
  world.advance(minutes(3));
  world.prober.set(serial, health::FakeProber::Answer::refused());
  world.keeper.crash(serial);
  world.advance(Millis(100));
  ASSERT_EQ(world.lifecycle("a"), Lifecycle::starting);
  const std::uint64_t before = world.prober.asked(serial);
  world.prober.set(serial, health::FakeProber::Answer::http(200));
  world.advance(Millis(200));
  EXPECT_EQ(world.lifecycle("a"), Lifecycle::ready);
  EXPECT_LE(world.prober.asked(serial) - before, 3U);
}

TEST(Probing, AnExitInTheTurnOfItsProbeComesFirst) {
  World world;
  const auto serial = world.add_process("a", "\"restartDelay\":60000");
  std::optional<SteadyTime> asked;
  world.prober.on_ask = [&](const health::ProbeRequest&) { asked = world.loop.now().steady; };
  world.advance(seconds(5));
  ASSERT_TRUE(asked);
  const SteadyTime due = *asked + seconds(1);
  ASSERT_GT(due, world.loop.now().steady);
  world.keeper.set_delay([&] { return due - world.loop.now().steady; });
  world.keeper.crash(serial);
  world.advance(seconds(5));
  EXPECT_EQ(*asked, due - seconds(1));
  EXPECT_EQ(world.lifecycle("a"), Lifecycle::backoff);
}

TEST(Probing, DeadIncarnationIsNotAsked) {
  World world;
  const auto serial = world.add_process("a", "\"restartDelay\":60000");
  world.advance(seconds(3));
  world.keeper.crash(serial);
  world.loop.run_until_idle();
  const std::uint64_t before = world.prober.asked(serial);
  world.advance(seconds(30));
  EXPECT_EQ(world.prober.asked(serial), before);
  EXPECT_EQ(world.prober.in_flight_count(), 0U);
}

TEST(Probing, AnAnswerThatIsOnItsWayWhenItsProcessDiesIsNotBelieved) {
  World world;
  const auto serial = world.add_process("a", "\"restartDelay\":60000");
  world.advance(seconds(3));
  world.prober.set_forget_race([] { return true; });
  world.prober.set(serial, health::FakeProber::Answer::http(503, Millis(300)));
  while (!world.prober.in_flight(serial)) world.advance(Millis(10));
  world.keeper.crash(serial);
  world.advance(Millis(100));
  ASSERT_EQ(world.lifecycle("a"), Lifecycle::backoff);
  ASSERT_TRUE(world.prober.in_flight(serial));
  const int told = world.recorder.count(EventType::health_check, "a");
  world.advance(seconds(1));
  ASSERT_FALSE(world.prober.in_flight(serial));
  EXPECT_EQ(world.recorder.count(EventType::health_check, "a"), told);
}

}  // namespace
}  // namespace azora::orchestrator
