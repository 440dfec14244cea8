// One machine's step and what follows from it: actions, notices, status, then everybody it concerns.
#include <algorithm>

#include "azora/base/hash.hpp"
#include "azora/orchestrator/core.hpp"

namespace azora::orchestrator {

using healing::Action;
using healing::Cause;
using healing::Input;
using healing::Notice;

namespace {
constexpr Millis kSlotHold{5'000};         // a start slot is free after this, ready or not
constexpr Millis kEvidenceLook{1'000};     // how often a FAILED service's executable is looked at
constexpr Millis kPermitLook{1'000};       // how often refused kills ask again

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
  plan.probes = spec.target.kind != ProbeKind::process;
  plan.jitter_key = hash_bytes(spec.id);
  return plan;
}
}  // namespace

void Core::feed(ServiceState& service, const Input& input) {
  const Lifecycle before = service.machine.lifecycle;
  const bool was_alive = service.alive();
  const std::uint64_t serial = service.serial;
  const healing::Step step = healing::step(service.machine, plan_of(*service.spec), input, time_now().steady);
  alive_ += service.alive() ? 1U : 0U;
  alive_ -= was_alive ? 1U : 0U;
  if (was_alive && !service.alive()) look_to_stop(*service.spec);
  for (const Action& action : step.actions) perform(service, action);
  // serviceStarted belongs before what the new state means; all else after (semantics 35).
  for (const Notice& notice : step.notices) {
    if (notice.kind == Notice::Kind::started) tell(service, notice);
  }
  if (service.machine.lifecycle != before) after_step(service, before);
  refresh_status(service);
  for (const Notice& notice : step.notices) {
    if (notice.kind != Notice::Kind::started) tell(service, notice);
  }
  rearm(service);
  mark(service);
  if (service.leaving && service.machine.lifecycle == Lifecycle::idle) finish_leaving(service);
  if (services_.contains(serial) && service.machine.lifecycle != before) unsettled_.push_back(serial);
  settle();
}

void Core::perform(ServiceState& service, const Action& action) {
  const std::uint64_t serial = service.serial;
  const std::uint64_t incarnation = action.incarnation;
  switch (action.kind) {
    case Action::Kind::ask_admission:
      bucket_.enter(serial, graph_.rank(*service.id), service.spec->priority, time_now().steady);
      break;
    case Action::Kind::drop_admission:
      bucket_.leave(serial);
      break;
    case Action::Kind::release_slot:
      bucket_.release(serial);
      loop_.cancel(service.slot_timer);
      service.slot_timer = 0;
      break;
    case Action::Kind::launch:
      if (service.process()) {
        keeper::Launch launch{.serial = serial,
                              .incarnation = incarnation,
                              .id = *service.id,
                              .port = service.spec->target.port,
                              .spec = *service.spec->process};
        sends_.push_back([this, launch = std::move(launch)] { keeper_.launch(launch); });
        service.restart_required = false;
        service.own->executable_stamp.reset();
        look_at_files(service);
      } else if (callback_sink_) {
        CallbackRequest request{serial, *service.id, incarnation, service.machine.attempts,
                                std::string(wire_name(service.machine.cause))};
        sends_.push_back([this, request = std::move(request)] { callback_sink_(request); });
      }
      break;
    case Action::Kind::send_stop:
      sends_.push_back([this, serial, incarnation, signal = service.spec->process->stop_signal] {
        keeper_.stop(serial, incarnation, signal);
      });
      break;
    case Action::Kind::send_kill:
      sends_.push_back([this, serial, incarnation] { keeper_.kill(serial, incarnation); });
      break;
    case Action::Kind::ask_permit:
      wants_permit_.insert(serial);
      permits_moved_ = true;
      break;
    case Action::Kind::drop_permit:
      wants_permit_.erase(serial);
      permits_.release(serial);
      permits_moved_ = true;
      break;
  }
}

void Core::tell(ServiceState& service, const Notice& notice) {
  auto detail = std::make_unique<EventDetail>();
  const std::string_view cause = wire_name(notice.cause);
  switch (notice.kind) {
    case Notice::Kind::started:
      detail->pid = service.own->pid;
      emit(EventType::service_started, service, cause, std::move(detail));
      break;
    case Notice::Kind::stopped:
      emit(EventType::service_stopped, service, cause);
      break;
    case Notice::Kind::restarted:
      detail->attempt = notice.attempt;
      detail->max_restarts = service.spec->restart.max_restarts;
      detail->downtime_ms = notice.downtime_ms;
      if (!service.process()) {
        service.start_time = time_now().wall;
        service.start_steady = time_now().steady;
      }
      emit(EventType::service_restarted, service, cause, std::move(detail));
      break;
    case Notice::Kind::failed:
      detail->attempt = notice.attempt;
      detail->max_restarts = service.spec->restart.max_restarts;
      detail->reason = service.trouble();
      emit(EventType::service_failed, service, cause, std::move(detail));
      break;
    case Notice::Kind::blocked:
      detail->blocked_by = service.blocked_by;
      emit(EventType::service_blocked, service, cause, std::move(detail));
      break;
    case Notice::Kind::stuck:
      emit(EventType::service_stuck, service, cause);
      break;
    case Notice::Kind::flapping:
      emit(EventType::service_flapping, service, cause);
      break;
    case Notice::Kind::healing_unavailable:
      detail->reason = "the service has only a URL: nothing here can restart it";
      emit(EventType::healing_unavailable, service, cause, std::move(detail));
      break;
    case Notice::Kind::readiness:
      break;
  }
}

// What entering a lifecycle means for probes, trackers and the queues around the machine.
void Core::after_step(ServiceState& service, Lifecycle before) {
  const Lifecycle now = service.machine.lifecycle;
  publish_standing(service);
  ++board_.list_version;
  if (service.process()) {
    if (now == Lifecycle::starting) {
      service.tracker.reset_starting();
      service.set_last_error({});
    } else if (before == Lifecycle::ready || before == Lifecycle::starting) {
      if (now != Lifecycle::ready) prober_.forget(service.serial);
    }
  }
  if (now == Lifecycle::ready && service.target == nullptr) note_alive(service);
  if (now == Lifecycle::ready && service.own) service.own->action_error.clear();
  if (now == Lifecycle::failed) {
    failed_.insert(service.serial);
  } else {
    failed_.erase(service.serial);
  }
  apply_probe_mode(service);
}

void Core::refresh_status(ServiceState& service) {
  HealthStatus status = HealthStatus::unknown;
  const healing::Machine& machine = service.machine;
  if (running_) {
    switch (machine.lifecycle) {
      case Lifecycle::watching:
      case Lifecycle::adopt:
        status = service.tracker.status();
        break;
      case Lifecycle::ready:
        status = service.target ? service.tracker.status() : HealthStatus::healthy;
        break;
      case Lifecycle::backoff:
      case Lifecycle::failed:
      case Lifecycle::stuck:
        status = HealthStatus::unhealthy;
        break;
      case Lifecycle::starting:
        // A callable's service is asked all the while: what it says counts.
        if (!service.process()) status = service.tracker.status();
        break;
      case Lifecycle::stopping:
      case Lifecycle::killing:
      case Lifecycle::sweep:
      case Lifecycle::blocked:
        if (machine.failing) status = HealthStatus::unhealthy;
        break;
      case Lifecycle::idle:
      case Lifecycle::done:
        break;
    }
  }
  if (status == service.status) return;
  const HealthStatus old = std::exchange(service.status, status);
  if (!service.leaving) {
    board_.healthy += (status == HealthStatus::healthy ? 1U : 0U);
    board_.healthy -= (old == HealthStatus::healthy ? 1U : 0U);
    board_.unhealthy += (status == HealthStatus::unhealthy ? 1U : 0U);
    board_.unhealthy -= (old == HealthStatus::unhealthy ? 1U : 0U);
    publish_standing(service);
    ++board_.list_version;
    auto detail = std::make_unique<EventDetail>();
    detail->reason = service.trouble();
    const std::string_view cause = machine.cause == Cause::none ? "health" : wire_name(machine.cause);
    if (status == HealthStatus::healthy) emit(EventType::service_healthy, service, "health");
    if (status == HealthStatus::degraded) {
      emit(EventType::service_degraded, service, "health", std::move(detail));
    } else if (status == HealthStatus::unhealthy) {
      emit(EventType::service_unhealthy, service, service.ours() ? cause : "health", std::move(detail));
    }
    const auto brake = permits_.set_bad(service.serial, status == HealthStatus::unhealthy, time_now().steady);
    if (brake) tell_brake(*brake);
  }
  mark(service);
  unsettled_.push_back(service.serial);
}

void Core::tell_brake(const healing::KillPermits::Brake& brake) {
  const std::string whom = brake.group.empty() ? "services" : "members of group '" + brake.group + "'";
  auto detail = std::make_unique<EventDetail>();
  detail->reason = std::to_string(brake.bad) + " of " + std::to_string(brake.members) + " " + whom +
                   " turned bad at once; none of them is restarted for failed checks until it is quiet";
  Event event;
  event.time = time_now().wall;
  event.type = EventType::mass_unhealthy;
  event.cause = "liveness";
  event.actor = "orchestrator";
  event.detail = std::move(detail);
  publisher_.append(std::move(event));
}

void Core::rearm(ServiceState& service) {
  if (service.machine.deadline == service.deadline_armed) return;
  loop_.cancel(service.deadline_timer);
  service.deadline_timer = 0;
  service.deadline_armed = service.machine.deadline;
  if (!service.deadline_armed) return;
  service.deadline_timer = loop_.at(*service.deadline_armed, [this, serial = service.serial] {
    ServiceState* found = by_serial(serial);
    if (found == nullptr) return;
    found->deadline_timer = 0;
    found->deadline_armed.reset();
    feed(*found, {.kind = Input::Kind::timer});
  });
}

// Lets every consequence happen, breadth first, until nothing moves.
void Core::settle() {
  if (settling_) return;
  settling_ = true;
  while (true) {
    if (!unsettled_.empty()) {
      const std::uint64_t serial = unsettled_.front();
      unsettled_.pop_front();
      const ServiceState* changed = by_serial(serial);
      if (changed == nullptr) continue;
      for (const std::string& dependent : graph_.dependents(*changed->id)) {
        if (ServiceState* service = find(dependent)) evaluate_dependencies(*service);
      }
      continue;
    }
    break;
  }
  settling_ = false;
}

void Core::evaluate_dependencies(ServiceState& service) {
  std::vector<std::string> unmet;
  for (const Dependency& dependency : service.spec->dependencies) {
    if (dependency.strength == Strength::hard && !satisfied(dependency)) unmet.push_back(dependency.id);
  }
  const bool changed = unmet != service.blocked_by;
  service.blocked_by = std::move(unmet);
  if (changed) mark(service);
  const bool ok = service.blocked_by.empty();
  if (ok == service.machine.deps_ok) return;
  if (ok) {
    // It had its reasons; what counts is what it answers from here on, and that is asked soon.
    service.tracker.forgive();
    apply_probe_mode(service);
  }
  feed(service, {.kind = Input::Kind::deps, .flag = ok});
}

bool Core::satisfied(const Dependency& dependency) const {
  const ServiceState* service = find(dependency.id);
  if (service == nullptr) return false;
  const bool up = service->ours() ? service->machine.lifecycle == Lifecycle::ready
                                  : service->status == HealthStatus::healthy ||
                                        service->status == HealthStatus::degraded;
  switch (dependency.condition) {
    case Condition::started: return up;
    case Condition::healthy: return up && service->status == HealthStatus::healthy;
    case Condition::completed: return service->machine.lifecycle == Lifecycle::done;
  }
  return false;
}

void Core::admit() {
  loop_.cancel(bucket_timer_);
  bucket_timer_ = 0;
  const SteadyTime now = time_now().steady;
  while (const std::optional<std::uint64_t> serial = bucket_.grant(now)) {
    ServiceState* service = by_serial(*serial);
    if (service == nullptr) {
      bucket_.release(*serial);
      continue;
    }
    loop_.cancel(service->slot_timer);
    service->slot_timer = loop_.at(now + kSlotHold, [this, held = *serial] {
      if (ServiceState* found = by_serial(held)) {
        found->slot_timer = 0;
        feed(*found, {.kind = Input::Kind::slot_expired});
      }
    });
    feed(*service, {.kind = Input::Kind::admitted});
  }
  if (const std::optional<SteadyTime> next = bucket_.next(now)) {
    bucket_timer_ = loop_.at(*next, [this] { bucket_timer_ = 0; });  // the turn's end admits
  }
}

void Core::grant_permits() {
  if (wants_permit_.empty() || !std::exchange(permits_moved_, false)) return;
  const SteadyTime now = time_now().steady;
  const std::vector<std::uint64_t> asking(wants_permit_.begin(), wants_permit_.end());
  for (const std::uint64_t serial : asking) {
    ServiceState* service = by_serial(serial);
    if (service == nullptr) {
      wants_permit_.erase(serial);
      continue;
    }
    if (!permits_.permit(serial, now)) continue;
    wants_permit_.erase(serial);
    feed(*service, {.kind = Input::Kind::permitted});
  }
  if (!wants_permit_.empty() && permit_timer_ == 0) {
    permit_timer_ = loop_.at(now + kPermitLook, [this] {
      permit_timer_ = 0;
      permits_moved_ = true;  // the turn's end grants
    });
  }
}

// FAILED is left on evidence: a changed file of argv is such (semantics 24).
void Core::watch_failed() {
  if (failed_.empty() || failed_timer_ != 0 || !file_stamp_) return;
  failed_timer_ = loop_.at(time_now().steady + kEvidenceLook, [this] {
    failed_timer_ = 0;
    const std::vector<std::uint64_t> serials(failed_.begin(), failed_.end());
    for (const std::uint64_t serial : serials) {
      const ServiceState* service = by_serial(serial);
      if (service != nullptr && service->process()) look_at_files(*service);
    }
  });
}

// The first look of an incarnation says what was started; in FAILED, what differs from it is worth a try.
void Core::look_at_files(const ServiceState& service) {
  if (!file_stamp_) return;
  file_stamp_(*service.spec->process, [this, serial = service.serial,
                                       incarnation = service.machine.incarnation](std::vector<std::uint64_t> stamp) {
    ServiceState* found = by_serial(serial);
    if (found == nullptr || found->machine.incarnation != incarnation) return;
    if (!found->own->executable_stamp) {
      found->own->executable_stamp = std::move(stamp);
    } else if (found->machine.lifecycle == Lifecycle::failed && *found->own->executable_stamp != stamp) {
      feed(*found, {.kind = Input::Kind::evidence, .cause = Cause::evidence});
    }
  });
}

}  // namespace azora::orchestrator
