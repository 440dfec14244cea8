#include "azora/orchestrator/reactions/on_registration.hpp"

#include <utility>

#include "azora/orchestrator/standing.hpp"

namespace azora::orchestrator {

using healing::Cause;
using healing::Input;

namespace {

using registry::Entry;
using registry::Instance;

// A service without an explicit group is alone in its group, unless other services name its id as their group.
void join_permits(const Registration& rooms, const ServiceState& service) AZORA_CONTROL {
  const auto join = [&](const ServiceState& one, const std::string& group) AZORA_CONTROL {
    rooms.admission.join(one.serial, group, one.spec->probe->interval);
  };
  const ServiceSpec& spec = *service.spec;
  const bool shared = !spec.is_alone() || rooms.fleet.registry().is_group(spec.group());
  join(service, shared ? spec.group() : std::string());
  if (!spec.explicit_group) return;
  const ServiceState* owner = rooms.fleet.find(spec.group());
  if (owner != nullptr && owner->spec->is_alone()) join(*owner, spec.group());
}

void bring_in(const Registration& rooms, ServiceState& service) AZORA_CONTROL {
  rooms.drive.evaluate_dependencies(service);
  rooms.drive.bring_up(service);
  rooms.turn.mark_dirty(service);
  rooms.turn.mark_durable(service.serial);
  rooms.drive.queue_dependents(service);
}

void add(const Registration& rooms, const Entry& entry, const Instance& instance) AZORA_CONTROL {
  ServiceState& service = rooms.fleet.add(entry, instance, rooms.turn.now());
  rooms.turn.add_name(service);
  configure(rooms, service);
  rooms.turn.emit(EventType::service_registered, service, "register");
  bring_in(rooms, service);
}

// Overwrites the configuration of a registered service.
void replace(const Registration& rooms, ServiceState& service, const Entry& entry, const SpecPtr& spec) AZORA_CONTROL {
  const SpecPtr before = std::exchange(service.spec, spec);
  const ServiceSpec& old = *before;
  rooms.drive.look_at_dependencies(old);
  service.generation = entry.generation;
  rooms.probing.forget(service);
  configure(rooms, service);
  if (!service.owned()) {
    service.begin_anew();
    service.reset_figures(rooms.turn.now());
  }
  service.restart_required = service.runs_another_program();
  rooms.turn.emit(EventType::service_registered, service, "replace");
  if (!service.owned()) rooms.drive.feed(service, {.kind = Input::Kind::checks_anew});
  const bool new_budget = old.process != service.spec->process || !(old.restart == service.spec->restart);
  rooms.drive.feed(service, {.kind = Input::Kind::plan_changed, .flag = new_budget});
  rooms.drive.refresh_status(service);
  bring_in(rooms, service);
}

// Restarts the service if it runs something else than what is configured now.
void restart_where_required(const Registration& rooms, ServiceState& service) AZORA_CONTROL {
  if (!service.restart_required || !service.alive() || service.wanted != Desired::up) return;
  if (rooms.fleet.running()) rooms.drive.feed(service, {.kind = Input::Kind::restart, .cause = Cause::op});
}

// From now on no reader finds the service. Its state stays until its process is proven gone. The ids in `more` wait for
// that, and so does its own id.
void leave(const Registration& rooms, ServiceState& service, const std::vector<std::string>& more = {}) AZORA_CONTROL {
  rooms.turn.set_standing(service, {Tier::excluded, Exclusion::gone});
  rooms.turn.pool_remove(service.serial);
  rooms.admission.quit(service.serial);
  rooms.probing.remove(service);
  rooms.turn.drop_name(service);
  rooms.drive.look_at_dependencies(*service.spec);
  rooms.fleet.begin_leaving(service, more);
  if (service.machine.lifecycle != Lifecycle::idle && service.owned()) {
    rooms.drive.feed(service, {.kind = Input::Kind::desire, .desired = Desired::down, .cause = Cause::op});
  } else {
    rooms.drive.finish_leaving(service);
  }
}

// Removes a service that the registry does not have any more.
void retire(const Registration& rooms, const Instance& instance,
            const std::vector<std::string>& more = {}) AZORA_CONTROL {
  ServiceState& service = *rooms.fleet.by_serial(instance.serial);
  const std::string id = *service.id;
  rooms.turn.emit(EventType::service_unregistered, service, "unregister");
  rooms.turn.remove_view(id, service.order);
  rooms.waiters.wake(id);
  leave(rooms, service, more);
  rooms.drive.evaluate_dependents(id);
}

// Instances that the entry no longer has leave. New instances wait until these are gone, because they may have the same
// port.
void rescale(const Registration& rooms, const registry::Registry::Change& change) AZORA_CONTROL {
  std::vector<std::string> added;
  for (std::size_t i = 0; i < change.replaced.size(); ++i) {
    if (change.replaced[i] == nullptr) added.push_back(change.entry->instances[i].spec->id);
  }
  for (const Instance& one : change.removed) retire(rooms, one, added);
}

// Gives the service with that serial the configuration that the registry has now; `before` is its former one.
void reconfigure(const Registration& rooms, const Entry& entry, const Instance& instance,
                 const ServiceSpec& before) AZORA_CONTROL {
  ServiceState& service = *rooms.fleet.by_serial(instance.serial);
  if (instance.spec->action == before.action) return replace(rooms, service, entry, instance.spec);
  // The same name now means another kind of service: the old service leaves, the new one begins with a fresh state.
  const std::string id = instance.spec->id;
  rooms.fleet.renumber(id);
  leave(rooms, service);
  add(rooms, entry, *rooms.fleet.registry().find_service(id));
}

}  // namespace

void configure(const Registration& rooms, ServiceState& service, std::optional<health::Ordinal> place) {
  if (service.spec->endpoint) {
    rooms.turn.pool_put(service);
  } else {
    rooms.turn.pool_remove(service.serial);
  }
  rooms.turn.set_standing(service, standing_of(service, rooms.fleet.watched()));
  join_permits(rooms, service);
  rooms.probing.configure(service, place);
}

Result<std::vector<SpecPtr>> specs_of(const Fleet& fleet, std::vector<Request> requests) {
  const auto owned = [&fleet](std::string_view name) {
    control_thread.assert_held();
    const registry::Entry* entry = fleet.registry().find(name);
    return entry == nullptr ? nullptr : owned_entry(entry->spec);
  };
  std::vector<SpecPtr> specs;
  for (Request& request : requests) {
    Result<Request> now = brought_up_to_date(std::move(request), owned);
    if (!now) return std::move(now).error();
    specs.insert(specs.end(), now.value().specs.begin(), now.value().specs.end());
  }
  return specs;
}

Result<void> on_register(const Registration& rooms, std::vector<SpecPtr> specs, Apply apply) {
  if (Result<void> fine = rooms.fleet.check(specs); !fine) return fine;
  const Turn::OneTime one(rooms.turn);
  const std::vector<registry::Registry::Change> changes = rooms.fleet.put(specs);
  for (const auto& change : changes) {
    rooms.turn.show_entry(*change.entry);
    rooms.turn.mark_entry(change.entry->spec->id);
    rescale(rooms, change);
  }
  for (const auto& [entry, replaced, removed] : changes) {
    for (std::size_t i = 0; i < replaced.size(); ++i) {
      if (replaced[i]) {
        reconfigure(rooms, *entry, entry->instances[i], *replaced[i]);
        if (apply == Apply::restart) restart_where_required(rooms, *rooms.fleet.by_serial(entry->instances[i].serial));
      } else {
        add(rooms, *entry, entry->instances[i]);
      }
    }
  }
  rooms.turn.membership_changed();
  rooms.drive.run_to_fixpoint();
  return {};
}

bool on_unregister(const Registration& rooms, std::string_view name) {
  const std::vector<Instance> going = rooms.fleet.unregister(name);
  if (going.empty()) return false;
  const std::string& entry = going.front().spec->entry_id();
  rooms.turn.mark_entry(entry);
  if (const Entry* left = rooms.fleet.registry().find(entry)) {
    rooms.turn.show_entry(*left);
  } else {
    rooms.turn.hide_entry(entry);
  }
  for (const Instance& one : going) retire(rooms, one);
  rooms.drive.run_to_fixpoint();
  return true;
}

}  // namespace azora::orchestrator
