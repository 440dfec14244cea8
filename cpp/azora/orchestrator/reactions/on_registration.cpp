#include "azora/orchestrator/reactions/on_registration.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "azora/orchestrator/standing.hpp"

namespace azora::orchestrator {

using healing::Cause;
using healing::Input;

namespace {

using Put = registry::Registry::Put;

// A service without explicit group is alone, unless others name a group of its id.
void join_permits(const Registration& rooms, const ServiceState& service) {
  const auto join = [&](const ServiceState& one, const std::string& group) {
    rooms.admission.join(one.serial, group, one.status == HealthStatus::unhealthy, one.spec->probe.interval);
  };
  const ServiceSpec& spec = *service.spec;
  const bool shared = spec.explicit_group || rooms.fleet.registry().pool_kind(spec.group) == registry::PoolKind::group;
  join(service, shared ? spec.group : std::string());
  if (!spec.explicit_group) return;
  const ServiceState* owner = rooms.fleet.find(spec.group);
  if (owner != nullptr && !owner->spec->explicit_group) join(*owner, spec.group);
}

// Pools, permits and checks follow its configuration.
void configure(const Registration& rooms, ServiceState& service) {
  if (service.spec->endpoint) {
    rooms.turn.pool_put(service);
  } else {
    rooms.turn.pool_remove(service.serial);
  }
  rooms.turn.set_standing(service, standing_of(service, rooms.fleet.watched()));
  join_permits(rooms, service);
  rooms.probing.configure(service);
}

void bring_in(const Registration& rooms, ServiceState& service) {
  rooms.drive.evaluate_dependencies(service);
  rooms.drive.bring_up(service);
  rooms.turn.mark_dirty(service);
  rooms.drive.queue_dependents(service);
}

void add(const Registration& rooms, const registry::Entry& entry) {
  ServiceState& service = rooms.fleet.add(entry, rooms.turn.now());
  configure(rooms, service);
  rooms.turn.emit(EventType::service_registered, service, "register");
  bring_in(rooms, service);
}

// Overwrites the configuration of a registered service.
void replace(const Registration& rooms, ServiceState& service, const registry::Entry& entry, const ServiceSpec& old) {
  rooms.drive.look_at_dependencies(old);
  service.spec = entry.spec;
  service.generation = entry.generation;
  rooms.probing.forget(service);
  configure(rooms, service);
  if (!service.process()) {
    service.begin_anew();
    service.reset_figures(rooms.turn.now());
  } else if (service.alive() && old.process && *old.process != *service.spec->process) {
    service.restart_required = true;
  }
  rooms.turn.emit(EventType::service_registered, service, "replace");
  if (old.process != service.spec->process || !(old.restart == service.spec->restart)) {
    rooms.drive.feed(service, {.kind = Input::Kind::plan_changed});
  }
  rooms.drive.refresh_status(service);
  bring_in(rooms, service);
}

// What runs is not what is configured now.
void restart_where_required(const Registration& rooms, ServiceState& service) {
  if (!service.restart_required || !service.alive() || service.wanted != Desired::up) return;
  if (rooms.fleet.running()) rooms.drive.feed(service, {.kind = Input::Kind::restart, .cause = Cause::op});
}

// No reader finds it any more; it stays until its process is proven gone. `more` are ids that wait for that besides
// its own.
void leave(const Registration& rooms, ServiceState& service, const std::vector<std::string>& more = {}) {
  rooms.turn.set_standing(service, {Tier::excluded, Exclusion::gone});
  rooms.turn.pool_remove(service.serial);
  rooms.admission.quit(service.serial);
  rooms.probing.remove(service);
  rooms.drive.look_at_dependencies(*service.spec);
  rooms.fleet.begin_leaving(service, more);
  if (service.machine.lifecycle != Lifecycle::idle && service.process()) {
    rooms.drive.feed(service, {.kind = Input::Kind::desire, .desired = Desired::down, .cause = Cause::op});
  } else {
    rooms.drive.finish_leaving(service);
  }
}

void remove(const Registration& rooms, ServiceState& service, const std::vector<std::string>& more = {}) {
  const std::string id = *service.id;
  rooms.turn.emit(EventType::service_unregistered, service, "unregister");
  rooms.fleet.unregister(id);
  rooms.turn.remove_view(id, service.order);
  rooms.waiters.wake(id);
  leave(rooms, service, more);
  for (const std::string& dependent : rooms.fleet.graph().dependents(id)) {
    if (ServiceState* other = rooms.fleet.find(dependent)) rooms.drive.evaluate_dependencies(*other);
  }
}

// An entry that was written again with another number of replicas: what it stands for no more goes, and what it
// stands for now under new names waits until then, since it may have the same port.
void retire_replicas(const Registration& rooms, const std::vector<Put>& put) {
  std::map<std::string, std::vector<std::pair<std::string, bool>>> entries;  // its services, and which are new
  for (const Put& one : put) {
    const std::string& id = one.entry->spec->id;
    if (one.entry->spec->origin == Origin::rest) continue;  // knows nothing of replicas
    if (is_replica(id) || rooms.fleet.has_replicas(id)) entries[entry_id(id)].emplace_back(id, one.replaced == nullptr);
  }
  for (const auto& [name, services] : entries) {
    const auto stays = [&services = services](const std::string& id) {
      return std::any_of(services.begin(), services.end(), [&](const auto& one) { return one.first == id; });
    };
    std::vector<std::string> added;
    for (const auto& [id, is_new] : services) {
      if (is_new) added.push_back(id);
    }
    std::vector<ServiceState*> going = rooms.fleet.replicas_of(name);
    if (ServiceState* single = rooms.fleet.find(name)) going.push_back(single);
    std::erase_if(going, [&](const ServiceState* service) { return stays(*service->id); });
    // The highest index first.
    std::sort(going.begin(), going.end(), [](const auto* a, const auto* b) { return a->order > b->order; });
    for (ServiceState* service : going) remove(rooms, *service, added);
  }
}

}  // namespace

Result<void> on_register(const Registration& rooms, std::vector<SpecPtr> specs, Apply apply) {
  if (Result<void> fine = rooms.fleet.check(specs); !fine) return fine;
  const Turn::OneTime one(rooms.turn);
  const std::vector<Put> put = rooms.fleet.put(std::move(specs));
  retire_replicas(rooms, put);
  for (const auto& [entry, replaced] : put) {
    ServiceState* old = replaced ? rooms.fleet.by_serial(entry->serial) : nullptr;
    if (old != nullptr && entry->spec->action == replaced->action) {
      replace(rooms, *old, *entry, *replaced);
      if (apply == Apply::restart) restart_where_required(rooms, *old);
      continue;
    }
    if (old != nullptr) {
      // Another kind of service under the same name: the old one leaves, the new one begins from nothing.
      rooms.fleet.renumber(entry->spec->id);
      leave(rooms, *old);
    }
    add(rooms, *entry);
  }
  rooms.turn.membership_changed();
  rooms.drive.run_to_fixpoint();
  return {};
}

bool on_unregister(const Registration& rooms, std::string_view id) {
  std::vector<ServiceState*> going;
  if (ServiceState* service = rooms.fleet.find(id)) {
    going.push_back(service);
  } else {
    // The entry that they all come from, the highest index first.
    going = rooms.fleet.replicas_of(std::string(id));
    std::reverse(going.begin(), going.end());
  }
  for (ServiceState* service : going) remove(rooms, *service);
  rooms.drive.run_to_fixpoint();
  return !going.empty();
}

}  // namespace azora::orchestrator
