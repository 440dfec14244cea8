#include "azora/health/probe_poll.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace azora::health {
namespace {

// Can wait for less than a millisecond, the unit of epoll_wait, where the kernel supports that.
int wait_for(int epoll_fd, epoll_event* events, int room, Nanos span) {
  const timespec precise{span / std::chrono::seconds(1), (span % std::chrono::seconds(1)).count()};
  const int count = ::epoll_pwait2(epoll_fd, events, room, &precise, nullptr);
  return count < 0 && errno == ENOSYS ? ::epoll_wait(epoll_fd, events, room, 1) : count;
}

}  // namespace

ProbePoll::ProbePoll(ProberCounters& counters)
    : counters_(counters),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      event_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)),
      command_epoll_(epoll_create1(EPOLL_CLOEXEC)) {
  epoll_event event{};
  // Edge-triggered: each write causes one event, and the descriptor need not be read, which saves a system call.
  event.events = EPOLLIN | EPOLLET;
  event.data.u64 = kWakeUp;
  registered_ = epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, event_.get(), &event) == 0 &&
                epoll_ctl(command_epoll_.get(), EPOLL_CTL_ADD, event_.get(), &event) == 0;
}

void ProbePoll::wake() {
  counters_.wake_ups.fetch_add(1, std::memory_order_relaxed);  // the resolver's threads count here, too
  const std::uint64_t one = 1;
  // Cannot fail before 2^64 - 2 wake-ups.
  static_cast<void>(!::write(event_.get(), &one, sizeof one));
}

std::span<const epoll_event> ProbePoll::wait(Room& room, int timeout_ms) {
  ProberCounters::add(counters_.epoll_waits);
  const int count = epoll_wait(epoll_.get(), room.data(), static_cast<int>(room.size()), timeout_ms);
  return {room.data(), static_cast<std::size_t>(std::max(count, 0))};
}

void ProbePoll::pause(Nanos span) {
  epoll_event event;
  ProberCounters::add(counters_.epoll_waits);
  wait_for(command_epoll_.get(), &event, 1, span);
}

}  // namespace azora::health
