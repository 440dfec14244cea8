#include "azora/orchestrator/owner_changes.hpp"

#include <memory>
#include <utility>

#include "azora/healing/machine.hpp"
#include "azora/model/iso_time.hpp"
#include "azora/orchestrator/standing.hpp"

namespace azora::orchestrator {
namespace {

OwnerState& owner_of(ServiceState& service) {
  if (!service.owner) service.owner = OwnerState{};
  return *service.owner;
}

void tell(Turn& turn, ServiceState& service, EventType type, EventCause cause, std::string reason = {}) AZORA_CONTROL {
  auto detail = std::make_unique<EventDetail>();
  detail->reason = std::move(reason);
  turn.emit(type, service, cause, std::move(detail));
}

void changed(Turn& turn, ServiceState& service) AZORA_CONTROL {
  if (service.owner && service.owner->empty()) service.owner = {};
  turn.mark_dirty(service);
  turn.mark_durable(service.serial);
  turn.lists_changed();
}

std::string text_of(const Drain& drain) {
  std::string text = "until its leases are back, at most " + std::to_string(drain.timeout.count()) + " ms; then ";
  return text + (drain.then == DrainThen::keep ? "it stays out of rotation" : std::string(wire_name(drain.then)));
}

}  // namespace

void begin_drain(Fleet& fleet, Turn& turn, ServiceState& service, Drain drain) {
  const std::string text = text_of(drain);
  owner_of(service).drain = std::move(drain);
  changed(turn, service);
  turn.set_standing(service, standing_of(service, fleet.watched()));
  tell(turn, service, EventType::service_draining, "operator", text);
}

void keep_drained(Turn& turn, ServiceState& service, EventCause cause, const std::string& reason) {
  Drain& drain = *owner_of(service).drain;
  drain.done = true;
  drain.then = DrainThen::keep;
  changed(turn, service);
  tell(turn, service, EventType::service_drained, cause, reason);
}

void leave_drain(Turn& turn, ServiceState& service, EventCause cause, const std::string& reason) {
  owner_of(service).drain.reset();
  changed(turn, service);
  tell(turn, service, EventType::service_drained, cause, reason);
}

bool undo_drain(Fleet& fleet, Turn& turn, ServiceState& service) {
  if (!service.owner || !service.owner->drain) return false;
  service.owner->drain.reset();
  changed(turn, service);
  turn.set_standing(service, standing_of(service, fleet.watched()));
  tell(turn, service, EventType::service_undrained, "operator");
  return true;
}

void begin_maintenance(Fleet& fleet, Turn& turn, Drive& drive, ServiceState& service, Maintenance maintenance) {
  std::string text = maintenance.reason;
  if (maintenance.until) text += " (until " + iso_time(*maintenance.until) + ")";
  owner_of(service).maintenance = std::move(maintenance);
  if (service.wanted == Desired::up) service.wanted = Desired::hold;
  changed(turn, service);
  turn.set_standing(service, standing_of(service, fleet.watched()));
  tell(turn, service, EventType::maintenance_began, "operator", std::move(text));
  if (service.wanted != Desired::hold || !fleet.running()) return;
  drive.feed(service, {.kind = healing::Input::Kind::desire, .desired = Desired::hold, .cause = healing::Cause::op});
}

bool end_maintenance(Fleet& fleet, Turn& turn, ServiceState& service, EventCause cause) {
  if (!service.maintained()) return false;
  service.owner->maintenance.reset();
  if (service.wanted == Desired::hold) service.wanted = Desired::up;
  changed(turn, service);
  turn.set_standing(service, standing_of(service, fleet.watched()));
  tell(turn, service, EventType::maintenance_ended, cause);
  return true;
}

}  // namespace azora::orchestrator
