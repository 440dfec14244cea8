// Who waits for a service to be ready or stopped, and when each is answered.
#include "azora/orchestrator/waiters.hpp"

#include <gtest/gtest.h>

#include <map>
#include <optional>

#include "azora/model/service_name.hpp"
#include "support/fake_loop.hpp"

namespace azora::orchestrator {
namespace {

using std::chrono::seconds;

class WaitersTest : public testing::Test {
 protected:
  void add(const std::string& id, bool ready, Nanos timeout = seconds(10)) {
    waiters.add(id, ready ? Goal::ready : Goal::stopped, loop.now().steady + timeout, [this](Result<void> result) { answers.push_back(std::move(result)); });
  }
  // The end of a turn.
  void end_turn() {
    const auto look = [this](const std::string& name, SteadyTime horizon) {
      horizons.push_back(horizon);
      std::vector<Waiters::Seen> seen;
      for (const auto& [id, one] : fleet) {
        if (!names_service(name, id)) continue;
        seen.push_back(one);
        seen.back().id = id;
      }
      return seen;
    };
    for (const Waiters::Answer& answer : waiters.due(look)) answer();
  }

  static Waiters::Seen up() {
    return {.alive = true, .lifecycle = Lifecycle::ready, .status = HealthStatus::healthy};
  }

  FakeLoop loop;
  Waiters waiters{loop};
  std::map<std::string, Waiters::Seen> fleet;
  std::vector<Result<void>> answers;
  std::vector<SteadyTime> horizons;
};

TEST_F(WaitersTest, ADrainThatIsUnderWayIsWaitedFor) {
  fleet["a"] = {.draining = true};
  waiters.add("a", Goal::drained, loop.now().steady + seconds(10), [this](Result<void> result) { answers.push_back(std::move(result)); });
  end_turn();
  EXPECT_TRUE(answers.empty());
  fleet["a"].draining = false;
  waiters.wake("a");
  end_turn();
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_TRUE(answers.front().ok());
}

TEST_F(WaitersTest, IsAnsweredAtOnceWhenItIsSoAlready) {
  fleet["a"] = up();
  add("a", true);
  end_turn();
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_TRUE(answers[0].ok());
  EXPECT_TRUE(waiters.empty());
  EXPECT_EQ(loop.timer_count(), 0U);
}

TEST_F(WaitersTest, AWaiterThatLeftLeavesNothingBehind) {
  fleet["a"] = {.lifecycle = Lifecycle::starting};
  const std::uint64_t key = waiters.add("a", Goal::ready, loop.now().steady + seconds(10), [this](Result<void> result) {
    answers.push_back(std::move(result));
  });
  end_turn();
  waiters.cancel(key);
  EXPECT_TRUE(waiters.empty());
  EXPECT_EQ(loop.timer_count(), 0U);
  waiters.cancel(key);
  waiters.wake("a");
  end_turn();
  EXPECT_TRUE(answers.empty());
}

TEST_F(WaitersTest, IsLookedAtWhenItsServiceChangedAndNotBefore) {
  fleet["a"] = {.lifecycle = Lifecycle::starting};
  add("a", true);
  end_turn();
  fleet["a"] = up();
  waiters.wake("b");
  end_turn();
  EXPECT_TRUE(answers.empty());
  waiters.wake("a");
  end_turn();
  EXPECT_EQ(answers.size(), 1U);
}

TEST_F(WaitersTest, DegradedIsReadyAndUnknownIsNot) {
  fleet["a"] = up();
  fleet["a"].status = HealthStatus::unknown;
  add("a", true);
  end_turn();
  EXPECT_TRUE(answers.empty());
  fleet["a"].status = HealthStatus::degraded;
  waiters.wake("a");
  end_turn();
  EXPECT_EQ(answers.size(), 1U);
}

TEST_F(WaitersTest, StoppedMeansWithoutProcessAndAtRest) {
  fleet["a"] = {.alive = true, .lifecycle = Lifecycle::stopping};
  add("a", false);
  end_turn();
  fleet["a"] = {.lifecycle = Lifecycle::backoff};
  waiters.wake("a");
  end_turn();
  EXPECT_TRUE(answers.empty());
  fleet["a"] = {.lifecycle = Lifecycle::done};
  waiters.wake("a");
  end_turn();
  EXPECT_EQ(answers.size(), 1U);
}

TEST_F(WaitersTest, AVerbThatWaitsForItsTurnIsStillToCome) {
  fleet["a"] = up();
  fleet["a"].pending = true;
  add("a", true);
  end_turn();
  EXPECT_TRUE(answers.empty());
}

TEST_F(WaitersTest, AnUnknownServiceIsStoppedAndNeverReady) {
  add("a", true);
  add("a", false);
  end_turn();
  ASSERT_EQ(answers.size(), 2U);
  EXPECT_EQ(answers[0].error().code, ErrorCode::unknown_service);
  EXPECT_TRUE(answers[1].ok());
}

TEST_F(WaitersTest, ItsDeadlineAnswersWithWhatIsSoThen) {
  fleet["a"] = {.alive = true, .lifecycle = Lifecycle::starting, .last_error = "connection refused"};
  add("a", true, seconds(3));
  end_turn();
  loop.advance(seconds(3));
  end_turn();
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_EQ(answers[0].error().code, ErrorCode::timed_out);
  EXPECT_EQ(answers[0].error().message, "service 'a' is not ready in time: it is STARTING, unknown (connection refused)");
}

TEST_F(WaitersTest, AnEntryIsReadyWhenAllItsInstancesAre) {
  fleet["a@0"] = up();
  fleet["a@1"] = {.alive = true, .lifecycle = Lifecycle::starting, .last_error = "refused"};
  add("a", true, seconds(3));
  add("a@0", true);
  end_turn();
  EXPECT_EQ(answers.size(), 1U) << "one of them by its own id";
  loop.advance(seconds(3));
  end_turn();
  ASSERT_EQ(answers.size(), 2U);
  EXPECT_EQ(answers[1].error().message,
            "service 'a' is not ready in time: 1 of 2 instances are, a@1 is STARTING, unknown (refused)");
  add("a", true);
  end_turn();
  fleet["a@1"] = up();
  waiters.wake("a@1");
  end_turn();
  EXPECT_EQ(answers.size(), 3U);
}

TEST_F(WaitersTest, AnInstanceThatIsWantedDownDoesNotHaveToBeReady) {
  fleet["a@0"] = up();
  fleet["a@1"] = {.wanted_down = true, .lifecycle = Lifecycle::idle};
  add("a", true);
  end_turn();
  EXPECT_EQ(answers.size(), 1U);
  fleet["a@0"] = {.wanted_down = true, .lifecycle = Lifecycle::idle};
  add("a", true);
  end_turn();
  EXPECT_EQ(answers.size(), 1U) << "none of them is wanted";
  add("a", false);
  end_turn();
  EXPECT_EQ(answers.size(), 2U);
}

TEST_F(WaitersTest, R55WhatCannotComeIsAnsweredAtOnceWithItsReason) {
  fleet["a"] = {.not_coming = "failed for good", .lifecycle = Lifecycle::failed};
  add("a", true);
  add("a", false);
  end_turn();
  ASSERT_EQ(answers.size(), 1U) << "only being ready is vain";
  EXPECT_EQ(answers[0].error().code, ErrorCode::not_coming);
  EXPECT_EQ(answers[0].error().message, "service 'a' will not be ready: a failed for good");
}

TEST_F(WaitersTest, R55AVerbThatWaitsForItsTurnMayStillChangeIt) {
  fleet["a"] = {.pending = true, .not_coming = "failed for good", .lifecycle = Lifecycle::failed};
  add("a", true);
  end_turn();
  EXPECT_TRUE(answers.empty());
}

TEST_F(WaitersTest, R55AJobThatIsDoneIsReady) {
  fleet["a"] = {.done_job = true, .lifecycle = Lifecycle::done};
  add("a", true);
  end_turn();
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_TRUE(answers[0].ok());
}

TEST_F(WaitersTest, R55ACallerThatWaitsInSlicesSaysHowLongItWillWaitInAll) {
  fleet["a"] = {.lifecycle = Lifecycle::starting};
  const SteadyTime now = loop.now().steady;
  waiters.add("a", Goal::ready, now + seconds(1), [](const Result<void>&) {}, now + seconds(60));
  waiters.add("a", Goal::ready, now + seconds(1), [](const Result<void>&) {});
  end_turn();
  EXPECT_EQ(horizons, (std::vector<SteadyTime>{now + seconds(60), now + seconds(1)}));
  loop.advance(seconds(1));
  end_turn();
}

TEST_F(WaitersTest, AnEndOfAnotherServiceWakesThemAll) {
  fleet["a"] = {.lifecycle = Lifecycle::blocked};
  add("a", true);
  end_turn();
  fleet["a"].not_coming = "waits for its dependency: b failed";
  waiters.wake_all();
  end_turn();
  EXPECT_EQ(answers.size(), 1U);
}

TEST_F(WaitersTest, AbandoningAnswersEveryoneOnce) {
  fleet["a"] = {.lifecycle = Lifecycle::starting};
  add("a", true);
  add("b", true);
  for (const Waiters::Answer& answer : waiters.abandon({ErrorCode::closed, "closed", {}})) answer();
  end_turn();
  loop.advance(seconds(20));
  end_turn();
  ASSERT_EQ(answers.size(), 2U);
  EXPECT_EQ(answers[0].error().code, ErrorCode::closed);
}

TEST_F(WaitersTest, WhoComesAfterTheAbandonIsAnsweredLikeTheOthers) {
  fleet["a"] = {.lifecycle = Lifecycle::starting};
  EXPECT_TRUE(waiters.abandon({ErrorCode::closed, "closed", {}}).empty());
  add("a", true);
  add("a", false);
  end_turn();
  ASSERT_EQ(answers.size(), 2U);
  for (const Result<void>& answer : answers) EXPECT_EQ(answer.error().code, ErrorCode::closed);
  EXPECT_EQ(loop.timer_count(), 0U);
}

}  // namespace
}  // namespace azora::orchestrator
