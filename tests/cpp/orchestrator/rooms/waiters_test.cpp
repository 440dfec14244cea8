// Who waits for a service to be ready or stopped, and when each is answered.
#include "azora/orchestrator/waiters.hpp"

#include <gtest/gtest.h>

#include <map>
#include <optional>

#include "support/fake_loop.hpp"

namespace azora::orchestrator {
namespace {

using std::chrono::seconds;

class WaitersTest : public testing::Test {
 protected:
  void add(const std::string& id, bool ready, Nanos timeout = seconds(10)) {
    waiters.add(id, ready, loop.now().steady + timeout, [this](Result<void> result) { answers.push_back(std::move(result)); });
  }
  // The end of a turn.
  void end_turn() {
    const auto look = [this](const std::string& id) {
      const auto found = fleet.find(id);
      return found == fleet.end() ? Waiters::Seen{} : found->second;
    };
    for (const Waiters::Answer& answer : waiters.due(look)) answer();
  }

  static Waiters::Seen up() {
    return {.known = true, .alive = true, .lifecycle = Lifecycle::ready, .status = HealthStatus::healthy};
  }

  FakeLoop loop;
  Waiters waiters{loop};
  std::map<std::string, Waiters::Seen> fleet;
  std::vector<Result<void>> answers;
};

TEST_F(WaitersTest, IsAnsweredAtOnceWhenItIsSoAlready) {
  fleet["a"] = up();
  add("a", true);
  end_turn();
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_TRUE(answers[0].ok());
  EXPECT_TRUE(waiters.empty());
  EXPECT_EQ(loop.timer_count(), 0U);
}

TEST_F(WaitersTest, IsLookedAtWhenItsServiceChangedAndNotBefore) {
  fleet["a"] = {.known = true, .lifecycle = Lifecycle::starting};
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
  fleet["a"] = {.known = true, .alive = true, .lifecycle = Lifecycle::stopping};
  add("a", false);
  end_turn();
  fleet["a"] = {.known = true, .lifecycle = Lifecycle::backoff};
  waiters.wake("a");
  end_turn();
  EXPECT_TRUE(answers.empty());
  fleet["a"] = {.known = true, .lifecycle = Lifecycle::done};
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
  fleet["a"] = {.known = true, .alive = true, .lifecycle = Lifecycle::starting, .last_error = "connection refused"};
  add("a", true, seconds(3));
  end_turn();
  loop.advance(seconds(3));
  end_turn();
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_EQ(answers[0].error().code, ErrorCode::timed_out);
  EXPECT_EQ(answers[0].error().message, "service 'a' is not ready in time: it is STARTING, unknown (connection refused)");
}

TEST_F(WaitersTest, AbandoningAnswersEveryoneOnce) {
  fleet["a"] = {.known = true, .lifecycle = Lifecycle::starting};
  add("a", true);
  add("b", true);
  for (const Waiters::Answer& answer : waiters.abandon({ErrorCode::closed, "closed", {}})) answer();
  end_turn();
  loop.advance(seconds(20));
  end_turn();
  ASSERT_EQ(answers.size(), 2U);
  EXPECT_EQ(answers[0].error().code, ErrorCode::closed);
}

}  // namespace
}  // namespace azora::orchestrator
