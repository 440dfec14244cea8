#include "azora/orchestrator/reactions/on_action.hpp"

#include <utility>

namespace azora::orchestrator {

using healing::Input;

void on_action_done(Fleet& fleet, Probing& probing, Drive& drive, std::uint64_t serial, std::uint64_t incarnation,
                    bool ok, const std::string& reason) {
  ServiceState* service = fleet.by_serial(serial);
  if (service == nullptr || !service->own || incarnation != service->machine.incarnation) return;
  if (!ok) {
    service->own->action_error = "restart callable: " + reason;
    drive.feed(*service, {.kind = Input::Kind::launch_failed, .incarnation = incarnation});
    return;
  }
  service->own->action_error.clear();
  const bool was_started = service->machine.timers.started.has_value();
  drive.feed(*service, {.kind = Input::Kind::launched, .incarnation = incarnation});
  // Where the result comes too late there is nothing to verify: its checks go on as they are.
  const healing::Machine& machine = service->machine;
  const bool verified_now = !was_started && machine.timers.started && machine.lifecycle == Lifecycle::starting;
  if (!verified_now) return;
  service->begin_starting();
  for (health::Check& check : service->checks) check.mode = health::Mode::paused;  // its distances count from here
  probing.apply_mode(*service);
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

}  // namespace azora::orchestrator
