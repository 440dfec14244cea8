#pragma once
// What the net thread waits at: the epoll set that lanes put their descriptors into, and a wake-up from other threads.
// A pause waits for the wake-up alone, so that answers gather meanwhile.
// Threads: wake() any thread; all else the net thread. Ownership: three descriptors.
// Fails: ready() false when the system gave us none to work with.
#include <sys/epoll.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "azora/base/fd.hpp"
#include "azora/base/time.hpp"
#include "azora/health/prober_counters.hpp"

namespace azora::health {

class ProbePoll {
 public:
  static constexpr std::uint64_t kWakeUp = 0;  // the data of a wake-up's event; the tags of lanes begin at 1
  static constexpr std::size_t kMaxEvents = 512;
  using Room = std::array<epoll_event, kMaxEvents>;

  explicit ProbePoll(ProberCounters& counters);
  ~ProbePoll() = default;
  ProbePoll(const ProbePoll&) = delete;
  ProbePoll& operator=(const ProbePoll&) = delete;

  bool ready() const { return registered_; }
  int epoll_fd() const { return epoll_.get(); }

  void wake();
  // Waits at most `timeout_ms` (-1: without limit) and returns the events, which lie in `room`.
  std::span<const epoll_event> wait(Room& room, int timeout_ms);
  // Waits for a wake-up, but no longer than `span`, and leaves it to be found by wait().
  void pause(Nanos span);

 private:
  ProberCounters& counters_;
  const Fd epoll_;
  const Fd event_;
  const Fd command_epoll_;  // the event descriptor alone
  bool registered_ = false;
};

}  // namespace azora::health
