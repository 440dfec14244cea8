#include "azora/health/probe_timer.hpp"

#include <gtest/gtest.h>

#include "support/fake_loop.hpp"
#include "support/fake_prober.hpp"

namespace azora::health {
namespace {

struct Rig {
  FakeLoop loop;
  Scheduler scheduler;
  LatenessGuard guard;
  FakeProber prober{loop};
  std::shared_ptr<const ProbeTarget> target = std::make_shared<ProbeTarget>();
  std::size_t results = 0;
  ProbeTimer timer{loop, scheduler, guard, [this](const std::vector<CheckKey>& due) {
                     std::vector<ProbeRequest> batch;
                     for (const CheckKey& check : due) batch.push_back({.serial = check.serial, .slot = check.slot, .target = target});
                     prober.ask(batch);
                   }};
  Rig() {
    prober.set_sink([this](std::vector<ProbeResult> batch) {
      for (const ProbeResult& result : batch) scheduler.done(result.check(), result.ended);
      results += batch.size();
      timer.rearm();
    });
  }
};

TEST(ProbeTimer, ArmsNothingUntilSomethingIsDue) {
  Rig rig;
  rig.timer.rearm();
  EXPECT_EQ(rig.loop.timer_count(), 0u);
  const CheckKey check = rig.scheduler.add(1, {.target_key = 1, .interval = Millis(1000)}, rig.loop.now().steady);
  rig.timer.rearm();
  rig.timer.rearm();
  EXPECT_EQ(rig.loop.timer_count(), 1u);
  rig.scheduler.remove(check);
  rig.timer.rearm();
  EXPECT_EQ(rig.loop.timer_count(), 0u);
}

TEST(ProbeTimer, KeepsTheGridAndAsksInBatches) {
  Rig rig;
  for (Serial serial = 1; serial <= 1000; ++serial) {
    rig.scheduler.add(serial, {.target_key = serial, .interval = Millis(1000)}, rig.loop.now().steady);
  }
  rig.timer.rearm();
  rig.loop.advance(std::chrono::seconds(11));
  EXPECT_GE(rig.results, 11'000u);
  EXPECT_LE(rig.results, 12'100u);
  EXPECT_LE(rig.prober.batches(), 1120u);
  EXPECT_EQ(rig.guard.stalls(), 0u);
}

TEST(ProbeTimer, HungServicesDoNotDisturbTheOthers) {
  Rig rig;
  for (Serial serial = 1; serial <= 400; ++serial) {
    rig.scheduler.add(serial, {.target_key = serial, .interval = Millis(10'000)}, rig.loop.now().steady);
    if (serial % 2 == 0) rig.prober.set(serial, FakeProber::Answer::hang());
  }
  rig.timer.rearm();
  rig.loop.advance(std::chrono::seconds(100));
  for (Serial serial = 1; serial <= 400; serial += 2) {
    EXPECT_GE(rig.prober.asked(serial), 10u) << serial;
    EXPECT_LE(rig.prober.asked(serial), 12u) << serial;
  }
}

// A service on a long grid that turns to `confirm` has often waited longer than the confirm spacing already.
TEST(ProbeTimer, AConfirmLongAfterTheLastProbeIsDueNowAndIsNoStallOfOurs) {
  Rig rig;
  const CheckKey check = rig.scheduler.add(1, {.target_key = 1, .interval = Millis(30'000)}, rig.loop.now().steady);
  rig.timer.rearm();
  rig.loop.advance(std::chrono::seconds(31));
  rig.loop.advance(*rig.scheduler.due_at(check) - std::chrono::seconds(5) - rig.loop.now().steady);  // 25 s after the last
  const std::uint64_t asked = rig.prober.asked(1);
  rig.scheduler.set_mode(check, Mode::confirm, rig.loop.now().steady);
  EXPECT_GE(*rig.scheduler.due_at(check), rig.loop.now().steady);
  rig.timer.rearm();
  rig.loop.advance(Millis(20));
  EXPECT_GT(rig.prober.asked(1), asked);
  EXPECT_EQ(rig.guard.stalls(), 0u);
  EXPECT_LE(rig.guard.worst(), Nanos(Millis(10)));
}

TEST(LatenessGuard, VoidsWhatWasOpenWhileOurLoopWasHeldUp) {
  Rig rig;
  rig.scheduler.add(1, {.target_key = 1, .interval = Millis(1000)}, rig.loop.now().steady);
  rig.timer.rearm();
  rig.loop.advance(std::chrono::seconds(2));
  const SteadyTime before = rig.loop.now().steady;
  rig.loop.stall(std::chrono::seconds(30));
  const SteadyTime after = rig.loop.now().steady;
  rig.loop.advance(Millis(1));
  EXPECT_EQ(rig.guard.stalls(), 1u);
  EXPECT_GE(rig.guard.worst(), std::chrono::seconds(29));
  const Millis timeout(1000);
  EXPECT_TRUE(rig.guard.is_void(after - Millis(500), after - Millis(1), timeout, Millis(1000)));
  EXPECT_TRUE(rig.guard.is_void(after - Millis(500), after + Millis(400), timeout, Millis(1000)));
  EXPECT_FALSE(rig.guard.is_void(before - Millis(500), before - Millis(400), timeout, Millis(1000)));
  EXPECT_FALSE(rig.guard.is_void(after, after + Millis(900), timeout, Millis(1000)));
  // Half of a long interval is not reached by this stall.
  EXPECT_FALSE(rig.guard.is_void(after - Millis(500), after - Millis(1), timeout, Millis(120'000)));
}

TEST(LatenessGuard, AProbeFarBeyondItsOwnDeadlineIsVoid) {
  const LatenessGuard guard;
  const SteadyTime begun{std::chrono::seconds(100)};
  EXPECT_FALSE(guard.is_void(begun, begun + Millis(510), Millis(500), Millis(1000)));
  EXPECT_FALSE(guard.is_void(begun, begun + Millis(1500), Millis(500), Millis(1000)));
  EXPECT_TRUE(guard.is_void(begun, begun + Millis(1501), Millis(500), Millis(1000)));
}

TEST(LatenessGuard, ToleratesOneSecondOrHalfTheInterval) {
  EXPECT_EQ(LatenessGuard::tolerance(Millis(100)), Nanos(std::chrono::seconds(1)));
  EXPECT_EQ(LatenessGuard::tolerance(Millis(30'000)), Nanos(std::chrono::seconds(15)));
}

}  // namespace
}  // namespace azora::health
