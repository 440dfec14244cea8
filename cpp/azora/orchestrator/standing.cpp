#include "azora/orchestrator/standing.hpp"

namespace azora::orchestrator {
namespace {

Admin admin_of(const ServiceState& service) {
  if (service.maintained()) return Admin::maintenance;
  return service.owner && service.owner->drain ? Admin::draining : Admin::active;
}

Standing standing_by_health(const ServiceState& service, Watched watched) {
  if (service.leaving) return {Tier::excluded, Exclusion::gone};
  if (!watched.running) return {Tier::excluded, Exclusion::unwatched};
  if (service.owned()) {
    switch (service.machine.lifecycle) {
      case Lifecycle::ready:
      case Lifecycle::adopt:
        break;
      case Lifecycle::starting:
        return {Tier::excluded, Exclusion::unknown};
      case Lifecycle::stopping:
      case Lifecycle::killing:
      case Lifecycle::stuck:
        return {Tier::excluded, Exclusion::stopping};  // the exit of the process ends its leases
      default:
        return {Tier::excluded, Exclusion::stopped};
    }
  }
  switch (service.status) {
    case HealthStatus::healthy: return {Tier::healthy, Exclusion::none};
    case HealthStatus::degraded: return {Tier::degraded, Exclusion::none};
    case HealthStatus::unhealthy: return {Tier::excluded, Exclusion::unhealthy};
    case HealthStatus::unknown: break;
  }
  return {Tier::excluded, Exclusion::unknown};
}

}  // namespace

Standing standing_of(const ServiceState& service, Watched watched) {
  Standing standing = standing_by_health(service, watched);
  standing.admin = admin_of(service);
  return standing;
}

HealthStatus status_of(const ServiceState& service, Watched watched) {
  const healing::Machine& machine = service.machine;
  if (!watched.running) return HealthStatus::unknown;
  switch (machine.lifecycle) {
    case Lifecycle::watching:
    case Lifecycle::adopt:
      return service.health().status;
    case Lifecycle::ready:
      if (service.is_asked()) return service.health().status;
      // Only the keeper could report that its process has ended.
      return watched.linked || !service.process() ? HealthStatus::healthy : HealthStatus::unknown;
    case Lifecycle::backoff:
    case Lifecycle::failed:
    case Lifecycle::stuck:
      return HealthStatus::unhealthy;
    case Lifecycle::starting:
      // A service that runs without us is asked in every lifecycle, so its answers count.
      return service.owned() ? HealthStatus::unknown : service.health().status;
    case Lifecycle::stopping:
    case Lifecycle::killing:
    case Lifecycle::sweep:
    case Lifecycle::blocked:
      return machine.episode.failing ? HealthStatus::unhealthy : HealthStatus::unknown;
    case Lifecycle::idle:
    case Lifecycle::done:
      break;
  }
  return HealthStatus::unknown;
}

}  // namespace azora::orchestrator
