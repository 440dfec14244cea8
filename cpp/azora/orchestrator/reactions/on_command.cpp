// What users ask for: register, unregister, start, stop, restart, wait. Refused whole or done whole.
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
    if (old != nullptr) {
      replace(*old, *entry, *replaced);
    } else {
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
  if (running_ && service.process() && !service.held_back && service.wanted == Desired::up) {
    feed(service, {.kind = Input::Kind::desire, .desired = Desired::up});
  }
}

// Overwrites the configuration of a registered service (semantics 28).
void Core::replace(ServiceState& service, const registry::Entry& entry, const ServiceSpec& old) {
  service.spec = entry.spec;
  service.generation = entry.generation;
  prober_.forget(service.serial);
  if (service.spec->action != old.action) {
    // Another kind of service under the same name: the old process leaves, the new one begins anew.
    if (service.alive()) {
      feed(service, {.kind = Input::Kind::desire, .desired = Desired::down, .cause = Cause::op});
    }
    if (!service.alive()) {
      const std::uint64_t incarnation = service.machine.incarnation;
      service.machine = {};
      service.machine.incarnation = incarnation;
      service.machine.lifecycle = service.process() ? Lifecycle::idle
                                  : service.ours()  ? Lifecycle::ready
                                                    : Lifecycle::watching;
      if (!service.process()) service.machine.desired = Desired::up;
    }
  }
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
  scheduler_.hurry(service.serial, now.steady);
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
  board_.healthy -= service.status == HealthStatus::healthy ? 1U : 0U;
  board_.unhealthy -= service.status == HealthStatus::unhealthy ? 1U : 0U;
  publisher_.set_standing(service.serial, {Tier::excluded, Exclusion::gone}, service.machine.incarnation);
  publisher_.pool_remove(service.serial);
  permits_.remove(service.serial);
  wants_permit_.erase(service.serial);
  prober_.forget(service.serial);
  scheduler_.remove(service.serial);
  emit(EventType::service_unregistered, service, "unregister");
  registry_.erase(id);
  graph_.erase(id);
  board_.by_id = board_.by_id.erase(id);
  board_.in_order = board_.in_order.erase(service.order);
  board_changed_ = true;
  ++board_.list_version;
  const std::uint64_t serial = service.serial;
  service.leaving = true;
  service.wanted = Desired::down;
  leaving_[id].push_back(serial);
  if (service.machine.lifecycle != Lifecycle::idle && service.process()) {
    feed(service, {.kind = Input::Kind::desire, .desired = Desired::down, .cause = Cause::op});
  } else {
    finish_leaving(service);
  }
  for (const std::string& dependent : graph_.dependents(id)) {
    if (ServiceState* other = find(dependent)) evaluate_dependencies(*other);
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

Result<VerbAnswer> Core::command(Verb verb, std::string_view id, bool dependents, bool dependencies,
                                 std::string_view actor) {
  ServiceState* service = find(id);
  if (service == nullptr) return Error{ErrorCode::unknown_service, "Service not found", {}};
  if (!service->ours()) {
    return Error{ErrorCode::healing_unavailable,
                 "service '" + std::string(id) + "' has only a URL: there is nothing here that could start, stop or "
                 "restart it; give it a process or restart action in the configuration file or from Python",
                 {}};
  }
  if (!running_) return Error{ErrorCode::not_running, "the orchestrator is stopped; start it first", {}};
  actor_ = actor;
  VerbAnswer answer;
  answer.service_id = *service->id;
  std::vector<ServiceState*> before;
  for (const std::string& name : graph_.all_dependents(id)) {
    ServiceState* other = find(name);
    if (other == nullptr || !other->alive()) continue;
    answer.affected.push_back(name);
    if (dependents && verb != Verb::start) before.push_back(other);
  }
  if (dependencies && verb == Verb::start) {
    for (const std::string& name : graph_.all_dependencies(id)) {
      ServiceState* other = find(name);
      if (other == nullptr || !other->process()) continue;
      other->wanted = Desired::up;
      feed(*other, {.kind = Input::Kind::desire, .desired = Desired::up, .cause = Cause::op});
    }
  }
  before.push_back(service);
  for (ServiceState* one : before) {
    if (verb == Verb::stop) {
      one->wanted = Desired::down;
      feed(*one, {.kind = Input::Kind::desire, .desired = Desired::down, .cause = Cause::op});
    } else if (verb == Verb::start) {
      one->wanted = Desired::up;
      feed(*one, {.kind = Input::Kind::desire, .desired = Desired::up, .cause = Cause::op});
    } else {
      one->wanted = Desired::up;
      feed(*one, {.kind = Input::Kind::restart, .cause = Cause::op});
    }
    mark(*one);
  }
  actor_ = "orchestrator";
  answer.incarnation = service->machine.incarnation;
  answer.seq = publisher_.head();
  return answer;
}

void Core::wait_for(std::string id, bool ready, std::uint64_t not_before_seq, SteadyTime deadline,
                    std::function<void(Result<void>)> done) {
  const std::uint64_t key = ++last_waiter_;
  const TimerId timer = loop_.at(deadline, [this, key] {
    const auto found = waiters_.find(key);
    if (found == waiters_.end()) return;
    Waiter waiter = std::move(found->second);
    waiters_.erase(found);
    const ServiceState* service = find(waiter.id);
    std::string message = "service '" + waiter.id + "' is not " + (waiter.ready ? "ready" : "stopped") + " in time";
    if (service != nullptr) {
      message += ": it is " + std::string(wire_name(service->machine.lifecycle)) + ", " +
                 std::string(wire_name(service->status));
      if (!service->last_error.empty()) message += " (" + service->last_error + ")";
    }
    answers_.push_back([done = std::move(waiter.done), message = std::move(message)] {
      done(Error{ErrorCode::timed_out, message, {}});
    });
  });
  waiters_.emplace(key, Waiter{std::move(id), ready, not_before_seq, timer, std::move(done)});
}

void Core::abandon_waiters() {
  for (auto& [key, waiter] : waiters_) {
    loop_.cancel(waiter.timer);
    answers_.push_back([done = std::move(waiter.done)] {
      done(Error{ErrorCode::closed, "the orchestrator was closed meanwhile", {}});
    });
  }
  waiters_.clear();
  if (auto answer = std::exchange(stop_done_, nullptr)) {
    loop_.cancel(stop_timer_);
    answers_.push_back([answer = std::move(answer)] { answer({}); });
  }
}

void Core::check_waiters() {
  std::vector<Waiter> over;
  for (auto at = waiters_.begin(); at != waiters_.end();) {
    const ServiceState* service = find(at->second.id);
    bool met = false;
    if (service != nullptr) {
      const Lifecycle state = service->machine.lifecycle;
      const bool answers = service->status == HealthStatus::healthy || service->status == HealthStatus::degraded;
      met = at->second.ready ? answers && (state == Lifecycle::ready || state == Lifecycle::watching)
                             : !service->alive() && (state == Lifecycle::idle || state == Lifecycle::done);
    }
    if (!met && service != nullptr) {
      ++at;
      continue;
    }
    over.push_back(std::move(at->second));
    at = waiters_.erase(at);
  }
  for (Waiter& waiter : over) {
    loop_.cancel(waiter.timer);
    if (find(waiter.id) != nullptr || !waiter.ready) {
      waiter.done({});
    } else {
      waiter.done(Error{ErrorCode::unknown_service, "Service not found", {}});
    }
  }
}

}  // namespace azora::orchestrator
