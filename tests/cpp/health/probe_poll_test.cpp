#include "azora/health/probe_poll.hpp"

#include <gtest/gtest.h>

#include <sys/eventfd.h>
#include <unistd.h>

#include <thread>

namespace azora::health {
namespace {

// The data of all events that are there now.
std::vector<std::uint64_t> seen(ProbePoll& poll, int timeout_ms = 0) {
  ProbePoll::Room room;
  std::vector<std::uint64_t> all;
  for (const epoll_event& event : poll.wait(room, timeout_ms)) all.push_back(event.data.u64);
  return all;
}

TEST(ProbePoll, AWakeUpIsSeenOnceAndNeverRead) {
  ProberCounters counters;
  ProbePoll poll(counters);
  ASSERT_TRUE(poll.ready());
  EXPECT_TRUE(seen(poll).empty());
  for (int i = 0; i < 3; ++i) {
    poll.wake();
    EXPECT_EQ(seen(poll), std::vector<std::uint64_t>{ProbePoll::kWakeUp}) << i;
    EXPECT_TRUE(seen(poll).empty()) << i;
  }
  EXPECT_EQ(counters.read().wake_ups, 3u);
  EXPECT_EQ(counters.read().epoll_waits, 7u);
}

TEST(ProbePoll, EndsAWaitFromAnotherThread) {
  ProberCounters counters;
  ProbePoll poll(counters);
  std::thread waker([&] { poll.wake(); });
  EXPECT_EQ(seen(poll, -1), std::vector<std::uint64_t>{ProbePoll::kWakeUp});
  waker.join();
}

TEST(ProbePoll, APauseSeesTheWakeUpAloneAndLeavesItThere) {
  ProberCounters counters;
  ProbePoll poll(counters);
  const Fd answer(::eventfd(1, EFD_NONBLOCK | EFD_CLOEXEC));
  epoll_event event{.events = EPOLLIN, .data = {.u64 = 7}};
  ASSERT_EQ(epoll_ctl(poll.epoll_fd(), EPOLL_CTL_ADD, answer.get(), &event), 0);
  poll.pause(Micros(1));  // the answer is there all the time, and does not matter
  EXPECT_EQ(seen(poll), std::vector<std::uint64_t>{7});
  std::thread waker([&] { poll.wake(); });
  poll.pause(std::chrono::hours(1));
  waker.join();
  std::vector<std::uint64_t> both = seen(poll);
  std::sort(both.begin(), both.end());
  EXPECT_EQ(both, (std::vector<std::uint64_t>{ProbePoll::kWakeUp, 7}));
}

}  // namespace
}  // namespace azora::health
