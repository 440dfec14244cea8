// Who asked for the stop of all, and until when.
#include "azora/orchestrator/shutdown.hpp"

#include <gtest/gtest.h>

#include "support/fake_loop.hpp"

namespace azora::orchestrator {
namespace {

using std::chrono::seconds;

class ShutdownTest : public testing::Test {
 protected:
  void begin(Nanos patience, const std::string& caller) {
    shutdown.begin(loop.now().steady + patience, StopScope::all,
                   [this, caller](const std::vector<std::string>&) { answered.push_back(caller); });
  }
  void end() {
    for (const Shutdown::Done& done : shutdown.end()) done({});
  }

  FakeLoop loop;
  int overdue = 0;
  std::vector<std::string> answered;
  Shutdown shutdown{loop, [this] { ++overdue; }};
};

TEST_F(ShutdownTest, EndsOnceForEveryCallerInOrder) {
  EXPECT_FALSE(shutdown.under_way());
  begin(seconds(5), "first");
  begin(seconds(9), "second");
  EXPECT_TRUE(shutdown.under_way());
  end();
  end();
  EXPECT_EQ(answered, (std::vector<std::string>{"first", "second"}));
  EXPECT_FALSE(shutdown.under_way());
  loop.advance(seconds(20));
  EXPECT_EQ(overdue, 0);
}

TEST_F(ShutdownTest, TheEarliestDeadlineCounts) {
  begin(seconds(10), "patient");
  begin(seconds(2), "hurried");
  begin(seconds(30), "patient too");
  loop.advance(seconds(1));
  EXPECT_EQ(overdue, 0);
  loop.advance(seconds(1));
  EXPECT_EQ(overdue, 1);
  EXPECT_TRUE(shutdown.under_way());
}

TEST_F(ShutdownTest, ANewStopHasItsOwnDeadline) {
  begin(seconds(1), "first");
  end();
  begin(seconds(5), "second");
  loop.advance(seconds(4));
  EXPECT_EQ(overdue, 0);
  loop.advance(seconds(1));
  EXPECT_EQ(overdue, 1);
}

TEST_F(ShutdownTest, LooksAreKeptOnlyWhileItIsUnderWay) {
  shutdown.look_at(1);
  EXPECT_FALSE(shutdown.take_look());
  begin(seconds(5), "caller");
  shutdown.look_at(2);
  shutdown.look_at(3);
  EXPECT_EQ(shutdown.take_look(), 3U);
  end();
  EXPECT_FALSE(shutdown.take_look());
}

}  // namespace
}  // namespace azora::orchestrator
