#include "azora/health/check.hpp"

namespace azora::health {
namespace {

int badness(HealthStatus status) {
  switch (status) {
    case HealthStatus::healthy: return 0;
    case HealthStatus::degraded: return 1;
    case HealthStatus::unknown: return 2;
    case HealthStatus::unhealthy: return 3;
  }
  return 2;
}

class Combiner {
 public:
  void add(const Opinion& opinion) {
    if (opinion.role == Role::startup) started_ = started_ && opinion.answers;
    if (opinion.role != Role::liveness) answered_ = answered_ && opinion.answers;
    if (opinion.role == Role::liveness || opinion.role == Role::all) restart_due_ = restart_due_ || opinion.restart_due;
    if (opinion.role != Role::startup && badness(opinion.status) > badness(worst_)) worst_ = opinion.status;
  }
  Combined result() const {
    if (!started_) return {HealthStatus::unknown, false, false};
    return {worst_, restart_due_, answered_};
  }

 private:
  HealthStatus worst_ = HealthStatus::healthy;
  bool started_ = true;
  bool answered_ = true;
  bool restart_due_ = false;
};

}  // namespace

Combined combine(std::span<const Opinion> opinions) {
  Combiner combiner;
  for (const Opinion& opinion : opinions) combiner.add(opinion);
  return combiner.result();
}

Combined combine(std::span<const Check> checks, const ProbeSpec& probe) {
  Combiner combiner;
  for (const Check& check : checks) {
    if (check.target == nullptr) continue;
    combiner.add({check.role, check.tracker.status(), check.tracker.answers(), check.tracker.restart_due(probe)});
  }
  return combiner.result();
}

}  // namespace azora::health
