#include "azora/orchestrator/commit_hooks.hpp"

namespace azora::orchestrator {

using healing::Input;

namespace {

// The service whose current run this start still belongs to; null: it was stopped or replaced meanwhile.
ServiceState* meant_by(Fleet& fleet, const Send& send) AZORA_CONTROL {
  ServiceState* service = fleet.by_serial(send.run.serial);
  if (service == nullptr || service->machine.incarnation != send.run.incarnation) return nullptr;
  return service;
}

}  // namespace

Commits::Hooks commit_hooks(const CommitRooms& rooms) {
  return {.deliver = [rooms](Send& send) { orchestrator::deliver(rooms.actions, send); },
          .wanted =
              [rooms](const Send& send) {
                control_thread.assert_held();
                const ServiceState* service = meant_by(rooms.fleet, send);
                return service != nullptr && rooms.fleet.running() && service->machine.lifecycle == Lifecycle::starting &&
                       service->machine.desired != Desired::down && service->wanted != Desired::down;
              },
          .dropped =
              [rooms](const Send& send) {
                rooms.loop.post([rooms, send] {
                  control_thread.assert_held();
                  for (const Input::Kind kind : {Input::Kind::launch_failed, Input::Kind::swept}) {
                    if (ServiceState* service = meant_by(rooms.fleet, send)) {
                      rooms.drive.feed(*service, {.kind = kind, .incarnation = send.run.incarnation});
                    }
                  }
                });
              },
          .held =
              [rooms](const Send& send) {
                control_thread.assert_held();
                rooms.admission.begins_later(send.run.serial);
              },
          .late =
              [rooms](const Send& send) {
                control_thread.assert_held();
                rooms.admission.begins_now(send.run.serial, rooms.loop.now().steady);
              },
          .trouble = [rooms](const Error* trouble) {
            trouble != nullptr ? rooms.self.set(Part::store, trouble->message) : rooms.self.clear(Part::store);
          }};
}

}  // namespace azora::orchestrator
