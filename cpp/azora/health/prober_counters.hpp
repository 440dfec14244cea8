#pragma once
// What the net thread did, counted where it does it: the basis of the system-call gate and of /metrics.
// Threads: one writer (the net thread), any readers.
#include <atomic>
#include <cstdint>

namespace azora::health {

// One reading of the counters; the fields are read one after the other.
struct ProberCounts {
  std::uint64_t checks = 0;       // probes that ended, cancelled ones included
  std::uint64_t reused = 0;       // of them sent over a kept connection
  std::uint64_t retries = 0;      // sent again because the kept connection was dead
  std::uint64_t sends = 0;        // system calls from here on
  std::uint64_t recvs = 0;
  std::uint64_t epoll_waits = 0;
  std::uint64_t epoll_ctls = 0;
  std::uint64_t connects = 0;
  std::uint64_t sockets = 0;
  std::uint64_t closes = 0;
  std::uint64_t options = 0;      // setsockopt
  std::uint64_t wake_ups = 0;     // writes by the control thread that woke the net thread
  std::uint64_t system_calls() const {
    return sends + recvs + epoll_waits + epoll_ctls + connects + sockets + closes + options + wake_ups;
  }
};

class ProberCounters {
 public:
  using Counter = std::atomic<std::uint64_t>;
  Counter checks{0}, reused{0}, retries{0}, sends{0}, recvs{0}, epoll_waits{0}, epoll_ctls{0}, connects{0}, sockets{0},
      closes{0}, options{0};
  Counter wake_ups{0};  // written under the queue's mutex

  // One writer per counter: no locked instruction needed.
  static void add(Counter& counter) {
    counter.store(counter.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }
  ProberCounts read() const {
    const auto get = [](const Counter& counter) { return counter.load(std::memory_order_relaxed); };
    return {get(checks),      get(reused),     get(retries),  get(sends),   get(recvs), get(epoll_waits),
            get(epoll_ctls),  get(connects),   get(sockets),  get(closes),  get(options),   get(wake_ups)};
  }
};

}  // namespace azora::health
