// From a service's state to what readers see, and to events.
#include "azora/orchestrator/core.hpp"

namespace azora::orchestrator {

void Core::mark(ServiceState& service) {
  if (service.dirty || service.leaving) return;
  service.dirty = true;
  dirty_.push_back(service.serial);
}

ViewPtr Core::build_view(const ServiceState& service) const {
  auto view = std::make_shared<ServiceView>();
  view->spec = service.spec;
  view->serial = service.serial;
  view->order = service.order;
  view->incarnation = service.machine.incarnation;
  view->generation = service.generation;
  view->seq = board_.seq;
  view->status = service.status;
  view->lifecycle = service.machine.lifecycle;
  view->desired = service.wanted;
  view->restart_required = service.restart_required;
  view->last_check = service.last_check;
  view->start_time = service.start_time;
  view->uptime_ms = service.uptime_ms;
  view->response_ms = service.response_ms;
  view->restart_count = service.machine.restart_count;
  view->error_count = static_cast<std::int64_t>(service.tracker.error_count());
  view->remarks = service.remarks;
  if (service.process()) {
    const OwnFacts& own = *service.own;
    view->process = ProcessView{own.pid, own.process_started, own.cpu_percent, own.rss_bytes, own.last_exit, own.log_dropped};
  }
  return view;
}

std::uint64_t Core::emit(EventType type, const ServiceState& service, std::string_view cause,
                         std::unique_ptr<const EventDetail> detail) {
  Event event = event_of(type, service, cause);
  event.detail = std::move(detail);
  return publisher_.append(std::move(event));
}

Event Core::event_of(EventType type, const ServiceState& service, std::string_view cause) const {
  Event event;
  event.time = time_now().wall;
  event.type = type;
  event.service_id = service.id;
  event.incarnation = service.machine.incarnation;
  event.cause = cause;
  event.actor = actor_;
  return event;
}

Standing Core::standing_of(const ServiceState& service) const {
  if (service.leaving) return {Tier::excluded, Exclusion::gone};
  // Nobody watches it: not to be picked, but what it serves goes on.
  if (!running_) return {Tier::excluded, Exclusion::draining};
  if (service.process()) {
    switch (service.machine.lifecycle) {
      case Lifecycle::ready:
      case Lifecycle::adopt:
        break;
      case Lifecycle::starting:
        return {Tier::excluded, Exclusion::unknown};
      case Lifecycle::stopping:
      case Lifecycle::killing:
      case Lifecycle::stuck:
        return {Tier::excluded, Exclusion::draining};  // its leases end with its exit
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

void Core::publish_standing(const ServiceState& service) {
  publisher_.set_standing(service.serial, standing_of(service), service.machine.incarnation);
}

}  // namespace azora::orchestrator
