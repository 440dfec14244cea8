#include "azora/orchestrator/reactions/on_restore.hpp"

#include <utility>

#include "azora/base/check.hpp"
#include "azora/healing/restored.hpp"
#include "azora/orchestrator/durable.hpp"

namespace azora::orchestrator {

using healing::Input;
using healing::Machine;

namespace {

void adopt(const Registration& rooms, ServiceState& service) AZORA_CONTROL {
  service.own->adopting = true;
  rooms.turn.send(Send::to_adopt(service.run(), service.spec));
}

// A stop goes on where it was. Its command may not have left before the crash, so it is given again: who has it already
// does not signal twice.
void go_on_ending(const Registration& rooms, ServiceState& service) AZORA_CONTROL {
  Machine& machine = service.machine;
  machine.holds = {.permit = machine.holds.permit};
  machine.deps_ok = false;
  rooms.fleet.count_alive(false, true);
  adopt(rooms, service);
  if (machine.lifecycle == Lifecycle::stopping) {
    rooms.turn.send(Send::to_stop(service.run(), service.spec));
  } else if (machine.lifecycle != Lifecycle::sweep) {
    rooms.turn.send(Send::to_kill(service.run(), service.spec->action));
  }
  rooms.drive.feed(service, {.kind = Input::Kind::plan_changed});  // its deadline is armed
}

void go_on_running(const Registration& rooms, ServiceState& service) AZORA_CONTROL {
  const Machine before = std::exchange(service.machine, healing::at_rest(service.machine, true));
  const bool well = before.lifecycle == Lifecycle::ready || before.well_before;
  service.machine.desired = before.desired;
  service.machine.holds.permit = before.holds.permit;
  service.own->never_ran = before.lifecycle == Lifecycle::starting && !before.timers.started;
  adopt(rooms, service);
  rooms.drive.feed(service, {.kind = Input::Kind::adopted, .flag = well, .incarnation = before.incarnation});
}

void take_back(const Registration& rooms, ServiceState& service, bool rebooted) AZORA_CONTROL {
  const bool may_run = service.owned() && healing::may_run(service.machine) && !rebooted;
  if (!may_run) {
    service.machine = healing::at_rest(std::move(service.machine), service.owned());
    rooms.drive.take_up(service);
    if (service.leaving) rooms.drive.finish_leaving(service);
    return;
  }
  healing::is_ending(service.machine) ? go_on_ending(rooms, service) : go_on_running(rooms, service);
  rooms.drive.take_up(service);
}

ServiceState& add(const Registration& rooms, const StoredService& stored, Now now) AZORA_CONTROL {
  const store::ServiceRecord& record = stored.record;
  if (record.leaving) return rooms.fleet.add_leaving(stored.spec, record.serial, record.waiting_ids, now);
  const registry::Registry& registry = rooms.fleet.registry();
  return rooms.fleet.add(*registry.find(stored.spec->entry_id()), *registry.find_service(stored.spec->id), now);
}

}  // namespace

void on_restore(const Registration& rooms, Verbs& verbs, Journal& journal, StoredFleet fleet, bool rebooted) {
  const Turn::OneTime one(rooms.turn);
  const Now now = rooms.turn.now();
  rooms.fleet.restore(std::move(fleet.entries), fleet.heads.last_serial, fleet.heads.next_order);
  rooms.fleet.registry().for_each([&](const registry::Entry& entry) {
    control_thread.assert_held();
    rooms.turn.show_entry(entry);
  });
  journal.begin_with(fleet.heads);
  const auto each = [&](bool leaving, const auto& visit) AZORA_CONTROL {
    for (const StoredService& stored : fleet.services) {
      if (stored.record.leaving == leaving) visit(stored);
    }
  };
  // Those that leave come first: others wait for their end. All are there before the first one is looked at.
  for (const bool leaving : {true, false}) {
    each(leaving, [&](const StoredService& stored) AZORA_CONTROL {
      ServiceState& service = add(rooms, stored, now);
      [[maybe_unused]] const bool restored = restore(service, stored.record, now).ok();
      AZORA_ASSERT(restored);  // read_stored() has tried it
      service.status = HealthStatus::unknown;  // until checks begin
      journal.begin_with(stored.record);
      if (leaving) return;
      rooms.turn.add_name(service);
      configure(rooms, service, stored.record.ordinal);
      rooms.turn.mark_dirty(service);
    });
  }
  each(false, [&](const StoredService& stored) AZORA_CONTROL {
    if (auto verb = staged_of(stored.record); verb && verb.value()) verbs.stage(std::move(*verb.value()));
  });
  for (const bool leaving : {true, false}) {
    each(leaving, [&](const StoredService& stored) AZORA_CONTROL {
      if (ServiceState* service = rooms.fleet.by_serial(stored.record.serial)) take_back(rooms, *service, rebooted);
    });
  }
  rooms.turn.membership_changed();
  rooms.drive.run_to_fixpoint();
}

void on_action_adopted(Fleet& fleet, Turn& turn, Probing& probing, Run run, const actions::FoundRun& found) {
  ServiceState* service = fleet.by_serial(run.serial);
  if (service == nullptr || !service->own || service->machine.incarnation != run.incarnation) return;
  OwnFacts& own = *service->own;
  own.adopting = !found.pid;  // it has ended, which is reported next: until then it is not checked
  own.never_ran = false;
  own.pid = found.pid;
  if (found.started) {
    own.process_started = found.started->wall;
    service->start_time = found.started->wall;
    service->start_steady = found.started->steady;
  }
  if (found.same_program) {
    own.launched = service->spec;
  } else {
    service->restart_required = true;
  }
  turn.mark_durable(run.serial);
  if (service->leaving) return;
  turn.mark_dirty(*service);
  probing.apply_mode(*service);
}

bool on_newer_run(Fleet& fleet, Turn& turn, Drive& drive, Run run) {
  ServiceState* service = fleet.by_serial(run.serial);
  if (service == nullptr || !service->process() || run.incarnation < service->machine.incarnation) return false;
  Machine& machine = service->machine;
  if (healing::may_run(machine) && !service->own->adopting) return false;
  service->own->adopting = true;
  service->own->never_ran = false;
  if (healing::may_run(machine) && run.incarnation == machine.incarnation) return true;  // it was asked for already
  if (healing::may_run(machine)) {
    machine.incarnation = run.incarnation;
  } else {
    drive.feed(*service, {.kind = Input::Kind::adopted, .incarnation = run.incarnation});
  }
  turn.mark_durable(run.serial);
  turn.send(Send::to_adopt(run, service->spec));
  return true;
}

}  // namespace azora::orchestrator
