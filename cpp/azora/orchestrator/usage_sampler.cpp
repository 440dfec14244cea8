#include "azora/orchestrator/usage_sampler.hpp"

#include <utility>

namespace azora::orchestrator {
namespace {

constexpr Millis kEvery{2'000};
constexpr Millis kInterest{10'000};

}  // namespace

UsageSampler::UsageSampler(AsioLoop& work, std::function<std::shared_ptr<const Board>()> board,
                           std::function<void(UsageReport)> report)
    : work_(work), board_(std::move(board)), report_(std::move(report)) {}

void UsageSampler::looked() {
  if (board_()->alive == 0) return;
  looked_ns_.store(AsioLoop::steady_now().time_since_epoch().count(), std::memory_order_relaxed);
  if (active_.load(std::memory_order_relaxed) || active_.exchange(true)) return;
  work_.post([this] { sample(); });
}

void UsageSampler::sample() {
  const SteadyTime now = AsioLoop::steady_now();
  const std::shared_ptr<const Board> board = board_();
  const bool stale = now.time_since_epoch() - Nanos(looked_ns_.load(std::memory_order_relaxed)) > kInterest;
  if (stale || board->alive == 0) {
    active_.store(false);
    return;
  }
  std::vector<pid_t> mains;
  board->in_order.for_each([&](const ViewPtr& view) {
    if (view->process && view->process->pid) mains.push_back(*view->process->pid);
  });
  const std::unordered_map<pid_t, keeper::Usage> used = reader_.read(mains);
  UsageReport report;
  board->in_order.for_each([&](const ViewPtr& view) {
    if (!view->process || !view->process->pid) return;
    const auto found = used.find(*view->process->pid);
    if (found == used.end()) return;
    report.push_back({view->spec->id, view->incarnation, found->second.cpu_percent, found->second.rss_bytes});
  });
  if (!report.empty()) report_(std::move(report));
  work_.at(now + kEvery, [this] { sample(); });
}

}  // namespace azora::orchestrator
