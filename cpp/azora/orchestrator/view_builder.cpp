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
  view->last_error = service.last_error;
  view->cpu = service.cpu;
  view->memory = service.memory;
  if (service.process()) {
    view->process = ProcessView{service.pid, service.process_started, service.cpu_percent, service.rss_bytes,
                                service.last_exit};
  }
  return view;
}

std::uint64_t Core::emit(EventType type, const ServiceState& service, std::string_view cause,
                         std::unique_ptr<const EventDetail> detail) {
  Event event;
  event.time = loop_.now().wall;
  event.type = type;
  event.service_id = service.id;
  event.incarnation = service.machine.incarnation;
  event.cause = cause;
  event.actor = actor_;
  event.detail = std::move(detail);
  return publisher_.append(std::move(event));
}

Tier Core::tier_of(const ServiceState& service) const {
  if (!running_ || service.leaving) return Tier::excluded;
  if (service.status == HealthStatus::healthy) return Tier::healthy;
  if (service.status == HealthStatus::degraded) return Tier::degraded;
  return Tier::excluded;
}

}  // namespace azora::orchestrator
