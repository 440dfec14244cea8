#include "azora/orchestrator/notices.hpp"

#include <utility>

namespace azora::orchestrator {

using healing::Cause;
using healing::Notice;

void emit_notice(Turn& turn, ServiceState& service, const Notice& notice) {
  auto detail = std::make_unique<EventDetail>();
  const EventCause cause = event_cause(notice.cause);
  switch (notice.kind) {
    case Notice::Kind::started:
      detail->pid = service.own->pid;
      detail->reason = service.own->warning;
      return turn.emit(EventType::service_started, service, cause, std::move(detail));
    case Notice::Kind::stopped:
      return turn.emit(EventType::service_stopped, service, cause);
    case Notice::Kind::restarted:
      detail->attempt = notice.attempt;
      detail->max_restarts = service.spec->restart->max_restarts;
      detail->downtime_ms = notice.downtime_ms;
      if (!service.owned()) {
        const Now now = turn.now();
        service.start_time = now.wall;
        service.start_steady = now.steady;
      }
      return turn.emit(EventType::service_restarted, service, cause, std::move(detail));
    case Notice::Kind::failed:
      detail->attempt = notice.attempt;
      detail->max_restarts = service.spec->restart->max_restarts;
      detail->reason = service.trouble();
      return turn.emit(EventType::service_failed, service, cause, std::move(detail));
    case Notice::Kind::blocked:
      detail->blocked_by = service.blocked_by;
      return turn.emit(EventType::service_blocked, service, cause, std::move(detail));
    case Notice::Kind::stuck:
      return turn.emit(EventType::service_stuck, service, cause);
    case Notice::Kind::flapping:
      return turn.emit(EventType::service_flapping, service, cause);
    case Notice::Kind::healing_unavailable:
      detail->reason = "the service has only a URL, so Azora cannot restart it";
      return turn.emit(EventType::healing_unavailable, service, cause, std::move(detail));
    case Notice::Kind::readiness:
      return;
  }
}

void emit_status(Turn& turn, const ServiceState& service) {
  auto detail = std::make_unique<EventDetail>();
  detail->reason = service.trouble();
  switch (service.status) {
    case HealthStatus::healthy:
      return turn.emit(EventType::service_healthy, service, "health");
    case HealthStatus::degraded:
      return turn.emit(EventType::service_degraded, service, "health", std::move(detail));
    case HealthStatus::unhealthy: {
      const Cause cause = service.machine.episode.cause;
      const bool named = service.acts() && cause != Cause::none;
      return turn.emit(EventType::service_unhealthy, service, named ? event_cause(cause) : EventCause("health"), std::move(detail));
    }
    case HealthStatus::unknown:
      return;
  }
}

void emit_brake(Turn& turn, const healing::KillPermits::Brake& brake) {
  const std::string domain = brake.group.empty() ? "services" : "members of group '" + brake.group + "'";
  auto detail = std::make_unique<EventDetail>();
  detail->reason = std::to_string(brake.bad) + " of " + std::to_string(brake.members) + " " + domain +
                   " turned bad at once; failed checks restart none of them until this stops";
  Event event;
  event.time = turn.now().wall;
  event.type = EventType::mass_unhealthy;
  event.cause = "liveness";
  event.actor = "orchestrator";
  event.detail = std::move(detail);
  turn.emit(std::move(event));
}

}  // namespace azora::orchestrator
