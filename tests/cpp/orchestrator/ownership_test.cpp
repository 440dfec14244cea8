// Whose answer it is, on virtual time: the desk of listeners says what the test sets.
#include <gtest/gtest.h>

#include "azora/orchestrator/reads/list_bodies.hpp"
#include "azora/orchestrator/reads/why.hpp"
#include "support/world.hpp"

namespace azora::orchestrator {
namespace {

using health::FakeProber;
using listeners::Answer;
using std::chrono::seconds;

constexpr std::uint16_t kPort = 7001;  // of the world's first process
const std::string kHeld = "port 7001 is held by pid 123 (python3), not by this service";

std::string why(World& world, const std::string& id) {
  WhySources sources;
  sources.listener = [&world](const ServiceView&, const listeners::Question& question) {
    return world.listeners.now(question.port);
  };
  return why_json(*world.recorder.board, id, world.loop.now(), sources).value();
}

bool says(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

int count(const World& world, EventType type) {
  int found = 0;
  for (const Recorder::Seen& event : world.recorder.events) found += event.type == type ? 1 : 0;
  return found;
}

// Of "p"; stops there, before it is restarted for it.
bool turns_unhealthy(World& world, Nanos within) {
  for (Nanos passed{}; passed < within; passed += Millis(50)) {
    world.advance(Millis(50));
    if (world.status("p") == HealthStatus::unhealthy) return true;
  }
  return false;
}

TEST(Ownership, R52AsksOnceBeforeReadyAndNotForEachCheck) {
  World world;
  const std::uint64_t serial = world.add_process("p");
  world.advance(seconds(60));
  EXPECT_EQ(world.status("p"), HealthStatus::healthy);
  EXPECT_GT(world.prober.asked(serial), 50U);
  ASSERT_EQ(world.listeners.asked.size(), 1U);
  EXPECT_EQ(world.listeners.asked.front().port, kPort);
  EXPECT_EQ(world.listeners.asked.front().main, *world.view("p")->process->pid);
}

TEST(Ownership, R52IsNotReadyBeforeTheKernelHasAnswered) {
  World world;
  world.listeners.set_delay([] { return Nanos(Millis(300)); });
  world.add_process("p");
  world.advance(Millis(250));
  EXPECT_EQ(world.lifecycle("p"), Lifecycle::starting);
  world.advance(Millis(100));
  EXPECT_EQ(world.status("p"), HealthStatus::healthy);
  EXPECT_EQ(world.listeners.asked.size(), 1U);
}

TEST(Ownership, R52AStrangerBeforeTheStartIsNamedAndNothingIsToldHealthy) {
  World world;
  world.listeners.set_foreign(kPort);
  world.add_process("p");
  world.advance(seconds(10));
  EXPECT_EQ(world.lifecycle("p"), Lifecycle::starting);
  EXPECT_EQ(world.status("p"), HealthStatus::unknown);
  EXPECT_EQ(world.view("p")->figures().last_error(), kHeld);
  EXPECT_TRUE(says(why(world, "p"), "p is starting, but " + kHeld)) << why(world, "p");
  EXPECT_EQ(count(world, EventType::service_healthy), 0);
  world.listeners.unset(kPort);
  world.advance(seconds(2));
  EXPECT_EQ(world.status("p"), HealthStatus::healthy);
  EXPECT_FALSE(says(why(world, "p"), "held by"));
}

TEST(Ownership, R52AStrangerAfterACrashIsNoRestart) {
  World world;
  const std::uint64_t serial = world.add_process("p", R"("restartDelay":2000)");
  world.advance(seconds(2));
  ASSERT_EQ(world.status("p"), HealthStatus::healthy);
  world.listeners.set_foreign(kPort);
  world.keeper.crash(serial);
  world.advance(Millis(500));
  ASSERT_EQ(world.lifecycle("p"), Lifecycle::backoff);
  EXPECT_TRUE(says(why(world, "p"), "; " + kHeld)) << why(world, "p");
  world.advance(seconds(15));
  EXPECT_EQ(world.lifecycle("p"), Lifecycle::starting);
  EXPECT_EQ(count(world, EventType::service_healthy), 1);
  EXPECT_EQ(count(world, EventType::service_restarted), 0);
  world.listeners.unset(kPort);
  world.advance(seconds(2));
  EXPECT_EQ(count(world, EventType::service_restarted), 1);
}

TEST(Ownership, R52AsksAgainWhenChecksPassAgainAfterAFailure) {
  World world;
  const std::uint64_t serial = world.add_process("p");
  world.advance(seconds(5));
  ASSERT_EQ(world.listeners.asked.size(), 1U);
  world.prober.script(serial, {FakeProber::Answer::refused()});
  world.advance(seconds(30));
  EXPECT_EQ(world.listeners.asked.size(), 2U);
  EXPECT_EQ(world.status("p"), HealthStatus::healthy);
  // Refused, and then another one listens there: the second failure in a row.
  world.prober.script(serial, {FakeProber::Answer::refused()});
  world.listeners.set_foreign(kPort);
  EXPECT_TRUE(turns_unhealthy(world, seconds(2)));
  EXPECT_EQ(world.view("p")->figures().last_error(), kHeld);
  EXPECT_TRUE(says(why(world, "p"), kHeld));
}

TEST(Ownership, R52EveryRunIsAskedAbout) {
  World world;
  const std::uint64_t serial = world.add_process("p");
  world.advance(seconds(5));
  const int first = *world.view("p")->process->pid;
  world.keeper.crash(serial);
  world.advance(seconds(5));
  ASSERT_EQ(world.status("p"), HealthStatus::healthy);
  ASSERT_EQ(world.listeners.asked.size(), 2U);
  EXPECT_EQ(world.listeners.asked[0].main, first);
  EXPECT_NE(world.listeners.asked[1].main, first);
}

TEST(Ownership, R52AnAnswerOfTheKernelThatComesAfterTheExitChangesNothing) {
  World world;
  world.listeners.set_delay([] { return Nanos(seconds(2)); });
  const std::uint64_t serial = world.add_process("p", R"("restartDelay":10000)");
  world.advance(seconds(1));
  ASSERT_EQ(world.listeners.asked.size(), 1U);
  world.keeper.crash(serial);
  world.advance(seconds(5));
  EXPECT_EQ(world.lifecycle("p"), Lifecycle::backoff);
  EXPECT_EQ(world.status("p"), HealthStatus::unhealthy);
  EXPECT_EQ(count(world, EventType::service_healthy), 0);
}

TEST(Ownership, R52AKernelThatCannotBeAskedHoldsUpNothingAndWhySaysSo) {
  World world;
  world.listeners.set(kPort, {.kind = Answer::Kind::unverified, .reason = "the kernel's list of sockets cannot be read"});
  world.add_process("p");
  world.advance(seconds(30));
  EXPECT_EQ(world.status("p"), HealthStatus::healthy);
  EXPECT_EQ(world.listeners.asked.size(), 1U);
  EXPECT_TRUE(says(why(world, "p"), "it could not be verified whose listener answers at port 7001: the kernel's list"))
      << why(world, "p");
}

TEST(Ownership, R52ADeskThatIsSilentHoldsUpAStartForFiveSeconds) {
  World world;
  world.listeners.set_delay([] { return Nanos::max(); });
  world.add_process("p");
  world.advance(Millis(4'500));
  EXPECT_EQ(world.lifecycle("p"), Lifecycle::starting);
  world.advance(seconds(2));
  EXPECT_EQ(world.status("p"), HealthStatus::healthy);
}

TEST(Ownership, R52TheWordOfASlowDeskCountsWhenItComes) {
  World world;
  world.listeners.set_foreign(kPort);
  world.listeners.set_delay([] { return seconds(7); });
  world.add_process("p", "\"maxRestarts\":0");
  world.advance(Millis(6'500));
  EXPECT_EQ(world.status("p"), HealthStatus::healthy);  // held up no longer
  world.advance(seconds(60));
  EXPECT_EQ(world.listeners.asked.size() > 1, true);
  EXPECT_NE(world.status("p"), HealthStatus::healthy);
  world.listeners.unset(kPort);
  world.listeners.set_delay([] { return Nanos(0); });
  world.turn([&] { EXPECT_TRUE(world.core.command(Verb::restart, "p", false, false, "rest").ok()); });
  world.advance(seconds(10));
  EXPECT_EQ(world.status("p"), HealthStatus::healthy);
}

TEST(Ownership, R52AnswersWithoutAnyListenerAreBelievedTheSecondTime) {
  World world;
  world.listeners.set(kPort, {.kind = Answer::Kind::no_listener});
  world.add_process("p");
  world.advance(seconds(30));
  EXPECT_EQ(world.status("p"), HealthStatus::healthy);
  EXPECT_EQ(world.listeners.asked.size(), 2U);
}

TEST(Ownership, R52BesideAListenerOfItsOwnAStrangerIsOnlyNamed) {
  World world;
  world.listeners.set(kPort, {.kind = Answer::Kind::ours, .beside = "pid 9 (nc)"});
  world.add_process("p");
  world.advance(seconds(5));
  EXPECT_EQ(world.status("p"), HealthStatus::healthy);
  EXPECT_TRUE(says(why(world, "p"), "port 7001 is held by this service and also by pid 9 (nc)")) << why(world, "p");
}

TEST(Ownership, R52WhatAReaderSawIsCheckedAtOnce) {
  World world;
  const std::uint64_t serial = world.add_process("p");
  world.advance(seconds(6));
  world.listeners.set_foreign(kPort);
  world.advance(seconds(3));
  ASSERT_EQ(world.status("p"), HealthStatus::healthy);  // its checks pass, and nobody has looked
  const std::uint64_t asked = world.prober.asked(serial);
  world.turn([&] { world.core.doubt_listener(serial); });
  world.advance(Millis(50));
  EXPECT_EQ(world.prober.asked(serial), asked + 1);
  EXPECT_TRUE(turns_unhealthy(world, seconds(4)));
  EXPECT_EQ(world.view("p")->figures().last_error(), kHeld);
}

TEST(Ownership, R52StatusNamesWhatIsBelievedAndNotVerified) {
  World world;
  const auto named = [&world] {
    const auto& list = world.recorder.board->unverified;
    return list ? std::string(list->size() == 1 ? list->front()->spec->id : "several") : std::string();
  };
  world.listeners.set(kPort, {.kind = Answer::Kind::unverified, .reason = "for a test"});
  const std::uint64_t serial = world.add_process("p", R"("restartDelay":1000)");
  world.add_process("q");
  EXPECT_EQ(named(), "");
  world.advance(seconds(3));
  ASSERT_EQ(world.status("p"), HealthStatus::healthy);
  EXPECT_EQ(named(), "p");
  const std::string status = *ListBodies().status({.board = world.recorder.board}, false);
  EXPECT_TRUE(says(status, R"("unverifiedServices":["p"])")) << status;
  world.add_process("p", R"("restartDelay":1000,"healthCheck":{"unhealthyThreshold":3})");
  world.advance(seconds(3));
  EXPECT_EQ(named(), "p") << "asked again for another configuration";
  world.keeper.crash(serial);
  world.advance(Millis(100));
  EXPECT_EQ(named(), "") << "nothing of it answers";
  world.advance(seconds(5));
  EXPECT_EQ(named(), "p");
  world.listeners.unset(kPort);
  world.advance(seconds(6));
  EXPECT_EQ(named(), "");
  world.listeners.set(kPort, {.kind = Answer::Kind::unverified, .reason = "for a test"});
  world.advance(seconds(6));
  EXPECT_EQ(named(), "p");
  world.turn([&] { EXPECT_TRUE(world.core.unregister("p", "rest").ok()); });
  EXPECT_EQ(named(), "");
}

// Its checks are a minute apart. Answers its serial.
std::uint64_t add_slow(World& world) {
  const std::uint64_t serial =
      world.add(R"({"id":"p","type":"core","endpoint":"http://127.0.0.1:7001","healthCheckInterval":60000,)"
                R"("healthCheck":{"restartThreshold":1000},"process":{"argv":["true"]}})");
  world.processes.push_back(serial);
  return serial;
}

TEST(Ownership, R52AListenerThatChangesHandsBetweenTwoPassingChecksIsNoticed) {
  World world;
  const std::uint64_t serial = add_slow(world);
  world.advance(seconds(20));
  ASSERT_EQ(world.status("p"), HealthStatus::healthy);
  ASSERT_EQ(world.listeners.asked.size(), 1U);
  const std::uint64_t checks = world.prober.asked(serial);
  world.listeners.set_foreign(kPort);  // its checks would pass on
  EXPECT_TRUE(turns_unhealthy(world, seconds(10)));
  EXPECT_GT(world.prober.asked(serial), checks);
  EXPECT_EQ(world.view("p")->figures().last_error(), kHeld);
}

TEST(Ownership, R52OtherSocketsOfItsOwnCostOneQuestionAndNoCheck) {
  World world;
  const std::uint64_t serial = add_slow(world);
  world.advance(seconds(20));
  const std::uint64_t checks = world.prober.asked(serial);
  world.listeners.set(kPort, {.kind = Answer::Kind::ours});  // its worker opened another one
  world.advance(seconds(20));
  EXPECT_EQ(world.listeners.asked.size(), 2U);
  EXPECT_EQ(world.prober.asked(serial), checks);
  world.listeners.set(kPort, {.kind = Answer::Kind::ours});
  world.advance(seconds(6));
  EXPECT_EQ(world.listeners.asked.size(), 3U) << "it is still watched";
  EXPECT_EQ(count(world, EventType::service_unhealthy), 0);
}

TEST(Ownership, R52NoAnswerCountsWhileItIsAskedWhoseTheOtherSocketIs) {
  World world;
  world.add_process("p");
  world.advance(seconds(4));
  world.listeners.set_delay([] { return Nanos(Millis(1'500)); });
  world.listeners.set_foreign(kPort);
  world.advance(Millis(2'900));  // the change is told; the question is open
  ASSERT_EQ(world.listeners.asked.size(), 2U);
  const int counted = count(world, EventType::health_check);
  world.advance(Millis(1'000));
  EXPECT_EQ(count(world, EventType::health_check), counted);
  world.advance(Millis(500));
  EXPECT_EQ(world.view("p")->figures().last_error(), kHeld);
}

TEST(Ownership, R52OneLookEveryFiveSecondsServesAllAndNoneIsMadeForNothing) {
  World world;
  world.add(R"({"id":"url","type":"c","endpoint":"http://127.0.0.1:7900","healthCheckInterval":1000})");
  world.advance(seconds(60));
  EXPECT_EQ(world.listeners.looks, 0U);
  for (const char* id : {"a", "b", "c"}) world.add_process(id);
  world.advance(seconds(61));
  EXPECT_EQ(world.listeners.looks, 12U);
  for (const char* id : {"a", "b", "c"}) {
    world.turn([&] { EXPECT_TRUE(world.core.command(Verb::stop, id, false, false, "rest").ok()); });
  }
  world.advance(seconds(10));
  const std::uint64_t looks = world.listeners.looks;
  world.advance(seconds(600));
  EXPECT_EQ(world.listeners.looks, looks);
}

TEST(Ownership, R52AKernelThatIsSlowIsAskedLessOften) {
  World world;
  world.add_process("p");
  world.advance(seconds(4));
  world.listeners.set_delay([] { return Nanos(Millis(400)); });
  world.advance(seconds(62));  // every 5 s would be 12
  EXPECT_GE(world.listeners.looks, 3U);
  EXPECT_LE(world.listeners.looks, 4U);
}

// Fails for good while another program has its port.
void fail_for_good(World& world, std::uint64_t serial, const std::string& id) {
  world.listeners.set_foreign(kPort);
  for (int i = 0; i < 100 && world.lifecycle(id) != Lifecycle::failed; ++i) {
    if (world.keeper.alive(serial)) world.keeper.crash(serial);
    world.advance(Millis(500));
  }
  ASSERT_EQ(world.lifecycle(id), Lifecycle::failed);
}

TEST(Ownership, R52APortThatIsGivenUpIsEvidence) {
  World world;
  const std::uint64_t serial = world.add_process("p", R"("maxRestarts":1,"restartDelay":100,"failedRetryInterval":0)");
  fail_for_good(world, serial, "p");
  EXPECT_TRUE(says(why(world, "p"), "port 7001 given up by pid 123 (python3)")) << why(world, "p");
  world.advance(seconds(600));
  EXPECT_EQ(world.lifecycle("p"), Lifecycle::failed);
  world.listeners.set_foreign(kPort, "pid 124 (nc)");  // handed on
  world.advance(seconds(600));
  EXPECT_EQ(world.lifecycle("p"), Lifecycle::failed);
  world.listeners.set(kPort, {.kind = Answer::Kind::no_listener});
  world.advance(seconds(6));
  EXPECT_NE(world.lifecycle("p"), Lifecycle::failed);
  world.listeners.unset(kPort);
  world.advance(seconds(10));
  EXPECT_EQ(world.status("p"), HealthStatus::healthy);
}

TEST(Ownership, R52WhatIsNeverStartedAgainIsPromisedNothing) {
  World world;
  const std::uint64_t serial = world.add_process("p", R"("maxRestarts":0)");
  fail_for_good(world, serial, "p");
  EXPECT_TRUE(says(why(world, "p"), kHeld)) << why(world, "p");
  EXPECT_FALSE(says(why(world, "p"), "given up by")) << why(world, "p");
  const std::size_t asked = world.listeners.asked.size();
  const std::uint64_t looks = world.listeners.looks;
  world.listeners.set(kPort, {.kind = Answer::Kind::no_listener});
  world.advance(seconds(600));
  EXPECT_EQ(world.lifecycle("p"), Lifecycle::failed);
  EXPECT_EQ(world.listeners.asked.size(), asked);
  EXPECT_LE(world.listeners.looks, looks + 1);
}

TEST(Ownership, R52IsNotAskedOfWhatWeDoNotRunNorOfOtherMachines) {
  World world;
  world.add(R"({"id":"url","type":"c","endpoint":"http://127.0.0.1:7001","healthCheckInterval":1000})");
  world.add(R"({"id":"far","type":"c","endpoint":"http://192.0.2.1:7001","healthCheckInterval":1000,)"
            R"("process":{"argv":["true"]}})");
  world.prober.set_default([](const health::ProbeRequest&) { return FakeProber::Answer::http(200); });
  world.advance(seconds(10));
  EXPECT_EQ(world.status("url"), HealthStatus::healthy);
  EXPECT_EQ(world.status("far"), HealthStatus::healthy);
  EXPECT_TRUE(world.listeners.asked.empty());
  EXPECT_FALSE(says(why(world, "far"), "verified"));
}

}  // namespace
}  // namespace azora::orchestrator
