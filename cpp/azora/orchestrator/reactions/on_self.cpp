#include "azora/orchestrator/reactions/on_self.hpp"

#include <utility>

namespace azora::orchestrator {

void emit_self(Turn& turn, Self& self) {
  for (Self::Change& change : self.take_changes()) {
    Event event;
    event.time = turn.now().wall;
    event.type = change.reason.empty() ? EventType::orchestrator_recovered : EventType::orchestrator_degraded;
    event.cause = EventCause::from_wire(wire_name(change.part)).value_or(EventCause());
    event.actor = "orchestrator";
    if (!change.reason.empty()) {
      auto detail = std::make_unique<EventDetail>();
      detail->reason = std::move(change.reason);
      event.detail = std::move(detail);
    }
    turn.emit(std::move(event));
  }
}

void on_handler_failed(Turn& turn, std::string reason) {
  auto detail = std::make_unique<EventDetail>();
  detail->reason = std::move(reason);
  Event event;
  event.time = turn.now().wall;
  event.type = EventType::callback_failed;
  event.cause = "callback";
  event.actor = "python";
  event.detail = std::move(detail);
  turn.emit(std::move(event));
}

void on_link_changed(Fleet& fleet, Drive& drive, bool up) {
  fleet.set_linked(up);
  std::vector<std::uint64_t> by_process_alone;
  fleet.for_each([&](std::uint64_t serial, const ServiceState& service) {
    if (service.process() && !service.is_asked() && !service.leaving) by_process_alone.push_back(serial);
  });
  for (const std::uint64_t serial : by_process_alone) {
    drive.refresh_status(*fleet.by_serial(serial));
  }
  drive.run_to_fixpoint();
}

}  // namespace azora::orchestrator
