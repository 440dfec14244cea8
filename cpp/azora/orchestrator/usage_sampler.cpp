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
  looked_ns_.store(AsioLoop::steady_now().time_since_epoch().count(), std::memory_order_relaxed);
  if (active_.load(std::memory_order_relaxed) || active_.exchange(true)) return;
  work_.post([this] { sample(); });
}

void UsageSampler::sample() {
  const SteadyTime now = AsioLoop::steady_now();
  if (now.time_since_epoch() - Nanos(looked_ns_.load(std::memory_order_relaxed)) > kInterest) {
    active_.store(false);
    return;
  }
  UsageReport report;
  std::vector<int> pids;
  board_()->in_order.for_each([&](const ViewPtr& view) {
    if (!view->process || !view->process->pid) return;
    pids.push_back(*view->process->pid);
    report.push_back({view->spec->id, view->incarnation, 0, 0});
  });
  const std::vector<std::optional<keeper::Usage>> usage = reader_.read(pids, now);
  std::size_t kept = 0;
  for (std::size_t i = 0; i < report.size(); ++i) {
    if (!usage[i]) continue;
    report[i].cpu_percent = usage[i]->cpu_percent;
    report[i].rss_bytes = usage[i]->rss_bytes;
    if (kept != i) report[kept] = std::move(report[i]);
    ++kept;
  }
  report.resize(kept);
  if (!report.empty()) report_(std::move(report));
  work_.at(now + kEvery, [this] { sample(); });
}

}  // namespace azora::orchestrator
