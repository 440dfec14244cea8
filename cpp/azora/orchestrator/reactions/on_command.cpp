// Who is registered: register, overwrite, unregister. Refused whole or done whole.
#include <algorithm>
#include <map>

#include "azora/base/hash.hpp"
#include "azora/orchestrator/core.hpp"

namespace azora::orchestrator {

using healing::Cause;
using healing::Input;

namespace {

// A part of the spec, which lives as long as somebody asks.
std::shared_ptr<const ProbeTarget> target_of(const SpecPtr& spec) {
  if (spec->target.kind == ProbeKind::process || !spec->endpoint) return nullptr;
  return {spec, &spec->target};
}

health::ProbePlan probe_plan_of(const ServiceSpec& spec) {
  return {.target_key = hash_bytes(spec.target.host, spec.target.port),
          .interval = spec.probe.interval,
          .start_interval = spec.probe.start_interval,
          .priority = spec.priority};
}

bool is_replica(const std::string& id) { return id.find('@') != std::string::npos; }

// What the user called it: "orders" for "orders@2".
std::string entry_id(const std::string& id) { return id.substr(0, id.find('@')); }

}  // namespace

ServiceState* Core::find(std::string_view id) {
  const registry::Entry* entry = registry_.find(id);
  return entry == nullptr ? nullptr : by_serial(entry->serial);
}

const ServiceState* Core::find(std::string_view id) const { return const_cast<Core*>(this)->find(id); }

ServiceState* Core::by_serial(std::uint64_t serial) { return services_.find(serial); }

const ServiceState* Core::by_serial(std::uint64_t serial) const { return services_.find(serial); }

Result<std::uint64_t> Core::register_many(std::vector<SpecPtr> specs, std::string_view actor) {
  if (Result<void> fine = registry_.check(specs); !fine) return std::move(fine).error();
  if (Result<void> fine = graph_.check(specs); !fine) return std::move(fine).error();
  const OneTime one(*this);
  actor_ = actor;
  std::vector<registry::DependencyGraph::Item> items;
  std::vector<std::pair<const registry::Entry*, SpecPtr>> put;
  for (SpecPtr& spec : specs) {
    const registry::Registry::Put done = registry_.put(std::move(spec));
    items.push_back({done.entry->spec, done.entry->order});
    put.emplace_back(done.entry, done.replaced);
  }
  graph_.put(items);
  retire_replicas(put);
  for (const auto& [entry, replaced] : put) {
    ServiceState* old = replaced ? by_serial(entry->serial) : nullptr;
    if (old != nullptr && entry->spec->action == replaced->action) {
      replace(*old, *entry, *replaced);
    } else {
      if (old != nullptr) {
        // Another kind of service under the same name: the old one leaves, the new one begins from nothing.
        registry_.renumber(entry->spec->id);
        leave(*old);
      }
      add(*entry);
    }
  }
  board_changed_ = true;
  ++board_.list_version;
  settle();
  actor_ = "orchestrator";
  return publisher_.head();
}

// An entry that was written again with another number of replicas: what it stands for no more goes, and what it
// stands for now under new names waits until then, since it may have the same port.
void Core::retire_replicas(const std::vector<std::pair<const registry::Entry*, SpecPtr>>& put) {
  std::map<std::string, std::vector<std::pair<std::string, bool>>> entries;  // its services, and which are new
  for (const auto& [entry, replaced] : put) {
    const std::string& id = entry->spec->id;
    if (entry->spec->origin == Origin::rest) continue;  // knows nothing of replicas
    if (is_replica(id) || replicas_.contains(id)) entries[entry_id(id)].emplace_back(id, replaced == nullptr);
  }
  for (const auto& [name, services] : entries) {
    const auto stays = [&services = services](const std::string& id) {
      return std::any_of(services.begin(), services.end(), [&](const auto& one) { return one.first == id; });
    };
    std::vector<std::string> heirs;
    for (const auto& [id, is_new] : services) {
      if (is_new) heirs.push_back(id);
    }
    std::vector<ServiceState*> going;
    if (ServiceState* single = find(name); single != nullptr && !stays(name)) going.push_back(single);
    if (const auto found = replicas_.find(name); found != replicas_.end()) {
      for (const std::uint64_t serial : found->second) {
        ServiceState* replica = by_serial(serial);
        if (!stays(*replica->id)) going.push_back(replica);
      }
    }
    // The highest index first.
    std::sort(going.begin(), going.end(), [](const auto* a, const auto* b) { return a->order > b->order; });
    for (ServiceState* service : going) remove(*service, heirs);
  }
}

void Core::add(const registry::Entry& entry) {
  ServiceState& service = services_[entry.serial];
  service.serial = entry.serial;
  service.order = entry.order;
  service.generation = entry.generation;
  service.spec = entry.spec;
  if (service.ours()) service.own = OwnFacts{};
  service.id = std::make_shared<const std::string>(entry.spec->id);
  const Now now = time_now();
  service.last_check = now.wall;
  service.start_time = now.wall;
  service.start_steady = now.steady;
  service.held_back = leaving_.contains(*service.id);
  if (is_replica(*service.id)) replicas_[entry_id(*service.id)].insert(service.serial);
  configure(service);
  service.machine.lifecycle = service.process() ? Lifecycle::idle
                              : service.ours()  ? Lifecycle::ready
                                                : Lifecycle::watching;
  if (!service.process()) service.machine.desired = Desired::up;
  emit(EventType::service_registered, service, "register");
  evaluate_dependencies(service);
  bring_up(service);
  mark(service);
  unsettled_.push_back(service.serial);
}

void Core::configure(ServiceState& service) {
  service.target = target_of(service.spec);
  if (service.spec->endpoint) publisher_.pool_put(service.serial, service.spec);
  if (!service.spec->endpoint) publisher_.pool_remove(service.serial);
  publish_standing(service);
  join_permits(service);
  if (service.target) {
    service.probe_mode = health::Mode::paused;
    scheduler_.add(service.serial, probe_plan_of(*service.spec), time_now().steady, service.probe_mode);
  } else {
    scheduler_.remove(service.serial);
  }
}

// A service without explicit group is alone, unless others name a group that bears its id (semantics 41).
void Core::join_permits(ServiceState& service) {
  const auto put = [this](const ServiceState& one, const std::string& group) {
    permits_.put(one.serial, group, one.status == HealthStatus::unhealthy, one.spec->probe.interval);
  };
  const ServiceSpec& spec = *service.spec;
  const bool shared = spec.explicit_group || registry_.pool_kind(spec.group) == registry::PoolKind::group;
  put(service, shared ? spec.group : std::string());
  if (!spec.explicit_group) return;
  const ServiceState* bearer = find(spec.group);
  if (bearer != nullptr && !bearer->spec->explicit_group) put(*bearer, spec.group);
}

void Core::bring_up(ServiceState& service) {
  apply_probe_mode(service);
  scheduler_.hurry(service.serial, time_now().steady);  // the first check is at once, the grid comes after it
  if (running_ && service.process() && !service.held_back && service.wanted == Desired::up) {
    feed(service, {.kind = Input::Kind::desire, .desired = Desired::up});
  }
}

// Overwrites the configuration of a registered service (semantics 28).
void Core::replace(ServiceState& service, const registry::Entry& entry, const ServiceSpec& old) {
  look_to_stop(old);
  service.spec = entry.spec;
  service.generation = entry.generation;
  prober_.forget(service.serial);
  configure(service);
  const Now now = time_now();
  if (!service.process()) {
    service.begin_anew();
    service.start_time = now.wall;
    service.start_steady = now.steady;
    service.last_check = now.wall;
    service.machine.restart_count = 0;
    service.uptime_ms = 0;
    service.response_ms = 0;
    service.remarks.reset();
  } else if (service.alive() && old.process && *old.process != *service.spec->process) {
    service.restart_required = true;
  }
  emit(EventType::service_registered, service, "replace");
  if (old.process != service.spec->process || !(old.restart == service.spec->restart)) {
    feed(service, {.kind = Input::Kind::plan_changed});
  }
  refresh_status(service);
  evaluate_dependencies(service);
  bring_up(service);
  mark(service);
  unsettled_.push_back(service.serial);
}

Result<bool> Core::unregister(std::string_view id, std::string_view actor) {
  ServiceState* service = find(id);
  const auto replicas = replicas_.find(std::string(id));
  if (service == nullptr && replicas == replicas_.end()) return false;
  actor_ = actor;
  if (service != nullptr) {
    remove(*service);
  } else {
    // The entry that they all come from, the highest index first.
    const std::vector<std::uint64_t> serials(replicas->second.rbegin(), replicas->second.rend());
    for (const std::uint64_t serial : serials) remove(*by_serial(serial));
  }
  settle();
  actor_ = "orchestrator";
  return true;
}

void Core::remove(ServiceState& service, const std::vector<std::string>& heirs) {
  const std::string id = *service.id;
  emit(EventType::service_unregistered, service, "unregister");
  registry_.erase(id);
  graph_.erase(id);
  board_.by_id = board_.by_id.erase(id);
  board_.in_order = board_.in_order.erase(service.order);
  board_changed_ = true;
  ++board_.list_version;
  wake(id);
  leave(service, heirs);
  for (const std::string& dependent : graph_.dependents(id)) {
    if (ServiceState* other = find(dependent)) evaluate_dependencies(*other);
  }
}

// Nobody finds it any more; it stays until its process is proven gone.
void Core::leave(ServiceState& service, const std::vector<std::string>& heirs) {
  board_.healthy -= service.status == HealthStatus::healthy ? 1U : 0U;
  board_.unhealthy -= service.status == HealthStatus::unhealthy ? 1U : 0U;
  publisher_.set_standing(service.serial, {Tier::excluded, Exclusion::gone}, service.machine.incarnation);
  publisher_.pool_remove(service.serial);
  permits_.remove(service.serial);
  wants_permit_.erase(service.serial);
  permits_moved_ = true;
  prober_.forget(service.serial);
  scheduler_.remove(service.serial);
  look_to_stop(*service.spec);
  service.leaving = true;
  service.wanted = Desired::down;
  service.heirs = {*service.id};
  service.heirs.insert(service.heirs.end(), heirs.begin(), heirs.end());
  for (const std::string& id : service.heirs) leaving_[id].push_back(service.serial);
  if (const auto found = replicas_.find(entry_id(*service.id)); found != replicas_.end()) {
    found->second.erase(service.serial);
    if (found->second.empty()) replicas_.erase(found);
  }
  if (service.machine.lifecycle != Lifecycle::idle && service.process()) {
    feed(service, {.kind = Input::Kind::desire, .desired = Desired::down, .cause = Cause::op});
  } else {
    finish_leaving(service);
  }
}

// The last process of an unregistered service is proven gone.
void Core::finish_leaving(ServiceState& service) {
  const std::uint64_t serial = service.serial;
  if (service.process()) sends_.push_back([this, serial] { keeper_.forget(serial); });
  bucket_.leave(serial);
  bucket_.release(serial);
  loop_.cancel(service.deadline_timer);
  loop_.cancel(service.slot_timer);
  failed_.erase(serial);
  // The caller may still hold the reference: it goes at the end of the turn.
  answers_.push_back([this, serial] { services_.erase(serial); });
  for (const std::string& id : std::vector<std::string>(service.heirs)) {
    auto& serials = leaving_[id];
    std::erase(serials, serial);
    if (!serials.empty()) continue;
    leaving_.erase(id);
    if (ServiceState* heir = find(id)) {
      heir->held_back = false;
      bring_up(*heir);
    }
  }
}

}  // namespace azora::orchestrator
