// Who is registered: register, overwrite, unregister. Refused whole or done whole.
#include <algorithm>

#include "azora/base/hash.hpp"
#include "azora/orchestrator/core.hpp"

namespace azora::orchestrator {

using healing::Cause;
using healing::Input;

namespace {

std::shared_ptr<const health::ProbeTarget> target_of(const ServiceSpec& spec) {
  if (spec.probe.kind == ProbeKind::process || !spec.endpoint) return nullptr;
  auto target = std::make_shared<health::ProbeTarget>();
  target->kind = spec.probe.kind;
  target->scheme = spec.endpoint->scheme;
  target->host = spec.endpoint->host;
  target->port = spec.endpoint->port;
  target->path = spec.endpoint->base_path + spec.probe.path;
  target->method = spec.probe.method;
  target->headers = spec.probe.headers;
  target->timeout = spec.probe.timeout;
  return target;
}

healing::Plan plan_of(const ServiceSpec& spec) {
  healing::Plan plan;
  plan.action = spec.action;
  plan.restart = spec.restart;
  plan.interval = spec.probe.interval;
  plan.start_timeout = spec.probe.start_timeout;
  if (spec.process) {
    plan.stop_timeout = spec.process->stop_timeout;
    plan.stop_signal = spec.process->stop_signal;
  }
  plan.probes = spec.probe.kind != ProbeKind::process;
  plan.jitter_key = hash_bytes(spec.id);
  return plan;
}

health::ProbePlan probe_plan_of(const ServiceSpec& spec) {
  return {.target_key = hash_bytes(spec.endpoint->host, spec.endpoint->port),
          .interval = spec.probe.interval,
          .start_interval = spec.probe.start_interval,
          .priority = spec.priority};
}

}  // namespace

ServiceState* Core::find(std::string_view id) {
  const registry::Entry* entry = registry_.find(id);
  return entry == nullptr ? nullptr : by_serial(entry->serial);
}

const ServiceState* Core::find(std::string_view id) const { return const_cast<Core*>(this)->find(id); }

ServiceState* Core::by_serial(std::uint64_t serial) {
  const auto found = services_.find(serial);
  return found == services_.end() ? nullptr : found->second.get();
}

const ServiceState* Core::by_serial(std::uint64_t serial) const { return const_cast<Core*>(this)->by_serial(serial); }

Result<std::uint64_t> Core::register_many(std::vector<SpecPtr> specs, std::string_view actor) {
  if (Result<void> fine = registry_.check(specs); !fine) return std::move(fine).error();
  if (Result<void> fine = graph_.check(specs); !fine) return std::move(fine).error();
  actor_ = actor;
  std::vector<registry::DependencyGraph::Item> items;
  std::vector<std::pair<const registry::Entry*, SpecPtr>> put;
  for (SpecPtr& spec : specs) {
    const registry::Registry::Put done = registry_.put(std::move(spec));
    items.push_back({done.entry->spec, done.entry->order});
    put.emplace_back(done.entry, done.replaced);
  }
  graph_.put(items);
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

void Core::add(const registry::Entry& entry) {
  auto made = std::make_unique<ServiceState>();
  ServiceState& service = *made;
  service.serial = entry.serial;
  service.order = entry.order;
  service.generation = entry.generation;
  service.spec = entry.spec;
  service.id = std::make_shared<const std::string>(entry.spec->id);
  const Now now = loop_.now();
  service.registered_at = now.wall;
  service.last_check = now.wall;
  service.start_time = now.wall;
  service.start_steady = now.steady;
  services_.emplace(entry.serial, std::move(made));
  service.held_back = leaving_.contains(*service.id);
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
  service.plan = plan_of(*service.spec);
  service.target = target_of(*service.spec);
  if (service.spec->endpoint) publisher_.pool_put(service.serial, service.spec);
  if (!service.spec->endpoint) publisher_.pool_remove(service.serial);
  publish_standing(service);
  permits_.put(service.serial, service.spec->group, service.status == HealthStatus::unhealthy,
               service.spec->probe.interval);
  if (service.target) {
    service.probe_mode = health::Mode::paused;
    scheduler_.add(service.serial, probe_plan_of(*service.spec), loop_.now().steady, service.probe_mode);
  } else {
    scheduler_.remove(service.serial);
  }
}

void Core::bring_up(ServiceState& service) {
  apply_probe_mode(service);
  scheduler_.hurry(service.serial, loop_.now().steady);  // the first check is at once, the grid comes after it
  if (running_ && service.process() && !service.held_back && service.wanted == Desired::up) {
    feed(service, {.kind = Input::Kind::desire, .desired = Desired::up});
  }
}

// Overwrites the configuration of a registered service (semantics 28).
void Core::replace(ServiceState& service, const registry::Entry& entry, const ServiceSpec& old) {
  service.spec = entry.spec;
  service.generation = entry.generation;
  prober_.forget(service.serial);
  configure(service);
  const Now now = loop_.now();
  if (!service.process()) {
    service.tracker.reset();
    service.start_time = now.wall;
    service.start_steady = now.steady;
    service.last_check = now.wall;
    service.machine.restart_count = 0;
    service.uptime_ms = 0;
    service.response_ms = 0;
    service.last_error.clear();
    service.cpu.reset();
    service.memory.reset();
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
  if (service == nullptr) return false;
  actor_ = actor;
  remove(*service);
  settle();
  actor_ = "orchestrator";
  return true;
}

void Core::remove(ServiceState& service) {
  const std::string id = *service.id;
  emit(EventType::service_unregistered, service, "unregister");
  registry_.erase(id);
  graph_.erase(id);
  board_.by_id = board_.by_id.erase(id);
  board_.in_order = board_.in_order.erase(service.order);
  board_changed_ = true;
  ++board_.list_version;
  wake(id);
  leave(service);
  for (const std::string& dependent : graph_.dependents(id)) {
    if (ServiceState* other = find(dependent)) evaluate_dependencies(*other);
  }
}

// Nobody finds it any more; it stays until its process is proven gone.
void Core::leave(ServiceState& service) {
  board_.healthy -= service.status == HealthStatus::healthy ? 1U : 0U;
  board_.unhealthy -= service.status == HealthStatus::unhealthy ? 1U : 0U;
  publisher_.set_standing(service.serial, {Tier::excluded, Exclusion::gone}, service.machine.incarnation);
  publisher_.pool_remove(service.serial);
  permits_.remove(service.serial);
  wants_permit_.erase(service.serial);
  permits_moved_ = true;
  prober_.forget(service.serial);
  scheduler_.remove(service.serial);
  service.leaving = true;
  service.wanted = Desired::down;
  leaving_[*service.id].push_back(service.serial);
  if (service.machine.lifecycle != Lifecycle::idle && service.process()) {
    feed(service, {.kind = Input::Kind::desire, .desired = Desired::down, .cause = Cause::op});
  } else {
    finish_leaving(service);
  }
}

// The last process of an unregistered service is proven gone.
void Core::finish_leaving(ServiceState& service) {
  const std::uint64_t serial = service.serial;
  const std::string id = *service.id;
  if (service.process()) sends_.push_back([this, serial] { keeper_.forget(serial); });
  bucket_.leave(serial);
  bucket_.release(serial);
  loop_.cancel(service.deadline_timer);
  loop_.cancel(service.slot_timer);
  failed_.erase(serial);
  // The caller may still hold the reference: it goes at the end of the turn.
  answers_.push_back([this, serial] { services_.erase(serial); });
  auto& serials = leaving_[id];
  std::erase(serials, serial);
  if (!serials.empty()) return;
  leaving_.erase(id);
  if (ServiceState* heir = find(id)) {
    heir->held_back = false;
    bring_up(*heir);
  }
}

}  // namespace azora::orchestrator
