// What checks mean for a service, on virtual time.
#include <gtest/gtest.h>

#include "azora/orchestrator/reads/why.hpp"
#include "support/world.hpp"

namespace azora::orchestrator {
namespace {

using health::FakeProber;
using health::Outcome;

TEST(Checks, Rule63ANameThatWasNeverResolvedIsUnknownWithItsReason) {
  World world;
  world.prober.set_default([](const health::ProbeRequest&) {
    return FakeProber::Answer::of(Outcome::unresolved, "the name db.test has no address");
  });
  world.add(R"({"id":"a","type":"c","endpoint":"http://db.test:7001","healthCheckInterval":1000})");
  world.advance(std::chrono::seconds(60));
  EXPECT_EQ(world.status("a"), HealthStatus::unknown);
  EXPECT_EQ(world.view("a")->figures().last_error(), "GET http://db.test:7001/health: the name db.test has no address");
  // The first answer decides alone, whatever the name server did before.
  world.prober.set_default([](const health::ProbeRequest&) { return FakeProber::Answer::http(200); });
  world.advance(std::chrono::seconds(2));
  EXPECT_EQ(world.status("a"), HealthStatus::healthy);
  EXPECT_EQ(world.view("a")->figures().last_error(), "");
}

TEST(Checks, Rule63WhileTheLastAddressAnswersWhyMentionsTheTrouble) {
  World world;
  world.add(R"({"id":"a","type":"c","endpoint":"http://db.test:7001","healthCheckInterval":1000})");
  FakeProber::Answer answer = FakeProber::Answer::http(200);
  answer.remark = "the name db.test could not be looked up again; its last address is used";
  world.prober.set_default([answer](const health::ProbeRequest&) { return answer; });
  world.advance(std::chrono::seconds(5));
  EXPECT_EQ(world.status("a"), HealthStatus::healthy);
  const std::string why = why_json(*world.recorder.board, "a", world.loop.now()).value();
  EXPECT_NE(why.find(answer.remark), std::string::npos) << why;
  // An address that does not answer is a failed check, whatever the name server does.
  world.prober.set_default([](const health::ProbeRequest&) { return FakeProber::Answer::of(Outcome::refused); });
  world.advance(std::chrono::seconds(10));
  EXPECT_EQ(world.status("a"), HealthStatus::unhealthy);
}

TEST(Checks, TroubleOfANameServerTakesNothingOutOfRotation) {
  World world;
  world.add(R"({"id":"a","type":"c","endpoint":"http://db.test:7001","healthCheckInterval":1000})");
  world.advance(std::chrono::seconds(5));
  ASSERT_EQ(world.status("a"), HealthStatus::healthy);
  world.prober.set_default([](const health::ProbeRequest&) { return FakeProber::Answer::of(Outcome::unresolved); });
  world.advance(std::chrono::seconds(60));
  EXPECT_EQ(world.status("a"), HealthStatus::healthy);
}

TEST(Checks, ARestartIsByTheChecksOwnTrackerAndAProcessCheckNeedsNone) {
  World world;
  const std::uint64_t serial = world.add_process("p");
  world.advance(std::chrono::seconds(5));
  ASSERT_EQ(world.lifecycle("p"), Lifecycle::ready);
  const std::uint64_t first = world.view("p")->incarnation;
  world.prober.set(serial, FakeProber::Answer::http(500));
  world.advance(std::chrono::seconds(3));
  world.prober.unset(serial);
  world.advance(std::chrono::seconds(30));
  EXPECT_GT(world.view("p")->incarnation, first);
  world.add(R"({"id":"q","type":"c","healthCheck":{"type":"process"},"process":{"argv":["true"]}})");
  const std::uint64_t asked = world.prober.asked_total();
  world.advance(std::chrono::seconds(5));
  EXPECT_EQ(world.status("q"), HealthStatus::healthy);
  EXPECT_EQ(world.prober.asked(world.view("q")->serial), 0u);
  EXPECT_GT(world.prober.asked_total(), asked);
}

}  // namespace
}  // namespace azora::orchestrator
