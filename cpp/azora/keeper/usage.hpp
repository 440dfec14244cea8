#pragma once
// What the processes of services use, from /proc: all of a session that its main process leads. One walk of
// /proc serves any number of services.
// Threads: one at a time, that may wait (some 10 us for each process of the machine). Ownership: the former
// readings of the services asked for last time.
// Fails: a service whose main process has ended is just not in the answer.
#include <sys/types.h>

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "azora/base/time.hpp"

namespace azora::keeper {

// One reading of what a service's processes use.
struct Usage {
  double cpu_percent = 0;      // of one core, since the previous reading
  std::int64_t rss_bytes = 0;  // main process and descendants in its session
};

class UsageReader {
 public:
  // By pid of the main process. CPU is counted since the previous reading of the same process, in the first reading
  // since it started.
  std::unordered_map<pid_t, Usage> read(const std::vector<pid_t>& mains);

 private:
  struct Reading {
    std::uint64_t start_ticks = 0;  // with the pid, which process it was
    std::uint64_t cpu_ticks = 0;
    SteadyTime at;
  };
  std::unordered_map<pid_t, Reading> former_;
};

}  // namespace azora::keeper
