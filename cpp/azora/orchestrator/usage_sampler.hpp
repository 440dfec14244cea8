#pragma once
// Samples what process services use, while readers ask for it: every 2 s, until no reader came for 10 s. An idle fleet
// without readers costs no wake-up, and a fleet without processes costs none either.
// Threads: looked() any; reading and report() on the work loop's thread. Ownership: borrows the loop, which outlives it
// or is stopped before it ends. Fails: never; a process that has ended is left out.
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "azora/base/asio_loop.hpp"
#include "azora/keeper/usage.hpp"
#include "azora/orchestrator/board.hpp"

namespace azora::orchestrator {

struct UsageFigure {
  std::string id;
  std::uint64_t incarnation = 0;
  double cpu_percent = 0;
  std::int64_t rss_bytes = 0;
};
using UsageReport = std::vector<UsageFigure>;

class UsageSampler {
 public:
  UsageSampler(AsioLoop& work, std::function<std::shared_ptr<const Board>()> board, std::function<void(UsageReport)> report);

  void looked();

 private:
  void sample();

  AsioLoop& work_;
  std::function<std::shared_ptr<const Board>()> board_;
  std::function<void(UsageReport)> report_;
  std::atomic<std::int64_t> looked_ns_{0};
  std::atomic<bool> active_{false};
  keeper::UsageReader reader_;
};

}  // namespace azora::orchestrator
