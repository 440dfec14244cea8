#include "azora/base/asio_loop.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/post.hpp>
#include <stdexcept>
#include <thread>
#include <vector>

#include "azora/base/check.hpp"
#include "support/fake_loop.hpp"

namespace azora {
namespace {

TEST(AsioLoop, RunsTasksInOrderOfPostingAndStops) {
  AsioLoop loop;
  std::vector<int> seen;
  loop.post([&] { seen.push_back(1); });
  loop.post([&] { seen.push_back(2); });
  loop.post([&] { loop.stop(); });
  loop.run();
  EXPECT_EQ(seen, (std::vector<int>{1, 2}));
}

TEST(AsioLoop, EndsATurnOncePerBatchOfTasks) {
  AsioLoop loop;
  int turns = 0;
  int tasks = 0;
  loop.set_turn_end([&] { ++turns; });
  for (int i = 0; i < 100; ++i) loop.post([&] { ++tasks; });
  loop.post([&] { loop.stop(); });
  loop.run();
  EXPECT_EQ(tasks, 100);
  EXPECT_EQ(turns, 1);
}

TEST(AsioLoop, FiresTimersInOrderOfTimeThenOfSetting) {
  AsioLoop loop;
  std::vector<int> seen;
  const SteadyTime now = loop.now().steady;
  loop.at(now + Millis(3), [&] {
    seen.push_back(4);
    loop.stop();
  });
  loop.at(now + Millis(1), [&] { seen.push_back(2); });
  loop.at(now + Millis(1), [&] { seen.push_back(3); });
  loop.at(now - Millis(1), [&] { seen.push_back(1); });
  loop.run();
  EXPECT_EQ(seen, (std::vector<int>{1, 2, 3, 4}));
}

TEST(AsioLoop, NeverFiresATimerEarly) {
  AsioLoop loop;
  const SteadyTime due = loop.now().steady + Millis(5);
  SteadyTime fired{};
  loop.at(due, [&] {
    fired = loop.now().steady;
    loop.stop();
  });
  loop.run();
  EXPECT_GE(fired, due);
}

TEST(AsioLoop, DoesNotFireACancelledTimerEvenFromTheSameTurn) {
  AsioLoop loop;
  const SteadyTime past = loop.now().steady - Millis(1);
  TimerId second = 0;
  bool fired = false;
  loop.at(past, [&] { loop.cancel(second); });
  second = loop.at(past, [&] { fired = true; });
  loop.at(past + Micros(1), [&] { loop.stop(); });
  loop.run();
  EXPECT_FALSE(fired);
}

TEST(AsioLoop, ATimerSetForThePastWaitsForTheNextTurn) {
  AsioLoop loop;
  std::vector<int> turn_of;
  int turns = 0;
  loop.set_turn_end([&] { ++turns; });
  const SteadyTime past = loop.now().steady - Millis(1);
  loop.at(past, [&] {
    turn_of.push_back(turns);
    loop.at(past, [&] {
      turn_of.push_back(turns);
      loop.stop();
    });
  });
  loop.run();
  EXPECT_EQ(turn_of, (std::vector<int>{0, 1}));
}

TEST(AsioLoop, AnEarlierTimerSetLaterFiresFirst) {
  AsioLoop loop;
  const SteadyTime now = loop.now().steady;
  bool late_fired = false;
  loop.at(now + std::chrono::hours(1), [&] { late_fired = true; });
  loop.post([&] { loop.at(loop.now().steady + Millis(1), [&] { loop.stop(); }); });
  loop.run();
  EXPECT_FALSE(late_fired);
}

TEST(AsioLoop, TakesPostsFromManyThreadsInEachThreadsOrder) {
  AsioLoop loop;
  constexpr int kThreads = 4;
  constexpr int kPosts = 5000;
  std::vector<int> next(kThreads, 0);
  int done = 0;
  bool ordered = true;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kPosts; ++i) {
        loop.post([&, t, i] {
          ordered = ordered && next[static_cast<std::size_t>(t)]++ == i;
          if (++done == kThreads * kPosts) loop.stop();
        });
      }
    });
  }
  loop.run();
  for (auto& thread : threads) thread.join();
  EXPECT_TRUE(ordered);
  EXPECT_EQ(done, kThreads * kPosts);
}

TEST(AsioLoop, AStopBeforeRunMakesRunReturnAndWhatWasPostedRunsLater) {
  AsioLoop loop;
  bool ran = false;
  loop.post([&] { ran = true; });
  loop.stop();
  loop.run();
  EXPECT_FALSE(ran);
  loop.post([&] { loop.stop(); });
  loop.run();
  EXPECT_TRUE(ran);
}

TEST(AsioLoop, ATurnInsideATurnIsPartOfIt) {
  AsioLoop loop;
  int turns = 0;
  loop.set_turn_end([&] { ++turns; });
  loop.post([&] {
    loop.turn([&] { loop.stop(); });
    EXPECT_EQ(turns, 0);
  });
  loop.run();
  EXPECT_EQ(turns, 1);
  loop.turn([] {});
  EXPECT_EQ(turns, 2);
}

TEST(AsioLoop, AnExceptionOfATaskIsCountedAndTheTurnGoesOn) {
  AsioLoop loop;
  const std::uint64_t bugs = bug_count();
  int turns = 0;
  bool ran = false;
  loop.set_turn_end([&] { ++turns; });
  loop.post([] { throw std::runtime_error("of a task"); });
  loop.post([&] { ran = true; });
  loop.at(loop.now().steady + Millis(1), [&] {
    loop.stop();
    throw std::runtime_error("of a timer");
  });
  loop.run();
  EXPECT_TRUE(ran);
  EXPECT_EQ(turns, 2);
  EXPECT_EQ(loop.exceptions(), 2U);
  EXPECT_EQ(bug_count(), bugs + 2);
}

TEST(AsioLoop, AnExceptionOfAHandlerOnItsContextDoesNotEndTheLoop) {
  AsioLoop loop;
  bool ran = false;
  boost::asio::post(loop.io_context(), [&] {
    loop.post([&] {
      ran = true;
      loop.stop();
    });
    throw std::runtime_error("of a handler");
  });
  loop.run();
  EXPECT_TRUE(ran);
  EXPECT_EQ(loop.exceptions(), 1U);
}

TEST(AsioLoop, WhatATaskThatThrewHeldIsDestroyedInItsTurn) {
  AsioLoop loop;
  const auto held = std::make_shared<int>(0);
  long owners = 0;
  loop.post([held] { throw std::runtime_error("of a task"); });
  loop.post([&] {
    owners = held.use_count();
    loop.stop();
  });
  loop.run();
  EXPECT_EQ(owners, 1);
}

TEST(FakeLoop, RunsEverythingOnTheWayAtItsOwnMoment) {
  FakeLoop loop;
  const SteadyTime start = loop.now().steady;
  std::vector<Nanos> seen;
  loop.at(start + Millis(20), [&] { seen.push_back(loop.now().steady - start); });
  loop.at(start + Millis(10), [&] {
    seen.push_back(loop.now().steady - start);
    loop.post([&] { seen.push_back(loop.now().steady - start); });
    loop.at(start + Millis(15), [&] { seen.push_back(loop.now().steady - start); });
  });
  loop.advance(Millis(30));
  EXPECT_EQ(seen, (std::vector<Nanos>{Millis(10), Millis(10), Millis(15), Millis(20)}));
  EXPECT_EQ(loop.now().steady - start, Nanos(Millis(30)));
}

TEST(FakeLoop, RunNextJumpsToTheNextMomentAndSaysWhenNothingIsLeft) {
  FakeLoop loop;
  int ran = 0;
  int turns = 0;
  loop.set_turn_end([&] { ++turns; });
  loop.at(loop.now().steady + std::chrono::hours(1), [&] { ++ran; });
  loop.post([&] { ++ran; });
  EXPECT_TRUE(loop.run_next());
  EXPECT_EQ(ran, 1);
  EXPECT_TRUE(loop.run_next());
  EXPECT_EQ(ran, 2);
  EXPECT_FALSE(loop.run_next());
  EXPECT_EQ(turns, 2);
}

TEST(FakeLoop, StallMovesTimeAndRunsNothing) {
  FakeLoop loop;
  bool ran = false;
  loop.at(loop.now().steady + Millis(1), [&] { ran = true; });
  loop.stall(Millis(5));
  EXPECT_FALSE(ran);
  loop.run_until_idle();
  EXPECT_TRUE(ran);
}

}  // namespace
}  // namespace azora
