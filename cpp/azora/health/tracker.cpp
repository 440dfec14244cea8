#include "azora/health/tracker.hpp"

#include <limits>

namespace azora::health {
namespace {

// A run that never ends must not wrap around to "just begun".
void grow(std::uint32_t& run) {
  if (run < std::numeric_limits<std::uint32_t>::max()) ++run;
}

bool reached(std::uint32_t run, int threshold) {
  return threshold <= 1 ? run >= 1 : run >= static_cast<std::uint32_t>(threshold);
}

}  // namespace

TrackerStep Tracker::apply(Verdict verdict, const ProbeSpec& spec) {
  TrackerStep step;
  const bool ignored = verdict == Verdict::none || (starting_ && verdict == Verdict::fail);
  if (!ignored) {
    count(verdict);
    const HealthStatus next = decide(verdict, spec);
    if (next != status_) step.change = next;
    status_ = next;
    first_ = false;
    starting_ = false;
    step.counted = true;
  }
  step.restart_due = restart_due(spec);
  step.confirm_soon = confirming(spec);
  return step;
}

bool Tracker::restart_due(const ProbeSpec& spec) const { return reached(failures_ - forgiven_, spec.restart_threshold); }

bool Tracker::confirming(const ProbeSpec& spec) const {
  if (failures_ > 0) return !restart_due(spec);
  return passes_ > 0 && status_ != HealthStatus::healthy;
}

void Tracker::count(Verdict verdict) {
  if (verdict == Verdict::pass) {
    failures_ = 0;
    forgiven_ = 0;
    troubles_ = 0;
    grow(passes_);
    return;
  }
  passes_ = 0;
  grow(troubles_);
  if (verdict == Verdict::fail) {
    grow(failures_);
    grow(errors_);
  } else {
    failures_ = 0;
    forgiven_ = 0;
  }
}

HealthStatus Tracker::decide(Verdict verdict, const ProbeSpec& spec) const {
  if (verdict == Verdict::pass) {
    return first_ || reached(passes_, spec.healthy_threshold) ? HealthStatus::healthy : status_;
  }
  if (!first_ && !reached(troubles_, spec.unhealthy_threshold)) return status_;
  return verdict == Verdict::fail ? HealthStatus::unhealthy : HealthStatus::degraded;
}

}  // namespace azora::health
