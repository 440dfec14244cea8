#include "azora/orchestrator/drive.hpp"

#include <utility>

#include "azora/base/check.hpp"
#include "azora/base/hash.hpp"
#include "azora/healing/transitions.hpp"
#include "azora/orchestrator/notices.hpp"
#include "azora/orchestrator/standing.hpp"

namespace azora::orchestrator {

using healing::Action;
using healing::Input;
using healing::Notice;

namespace {

healing::Plan plan_of(const ServiceSpec& spec) {
  healing::Plan plan;
  plan.action = {.acts = spec.action->acts,
                 .tells_exits = spec.action->tells_exits,
                 .can_stop = spec.action->can_stop,
                 .probes_verify = check_kind(spec.target.kind).asks};
  plan.restart = *spec.restart;
  plan.interval = spec.probe->interval;
  plan.start_timeout = spec.probe->start_timeout;
  if (spec.process) {
    plan.stop_timeout = spec.process->stop_timeout;
    plan.orphan_timeout = spec.process->orphan_timeout;
  }
  plan.jitter_key = hash_bytes(spec.id);
  return plan;
}

// The part of a machine that readers see.
struct Shown {
  Lifecycle lifecycle;
  healing::Cause cause;
  std::uint64_t incarnation;
  int restart_count;
  int attempts;
  bool failing;
  bool permit_asked;
  bool action_running;
  OptionalTime next_attempt;
  friend bool operator==(const Shown&, const Shown&) = default;
};

Shown shown_of(const healing::Machine& machine) {
  return {machine.lifecycle,
          machine.episode.cause,
          machine.incarnation,
          machine.restart_count,
          machine.budget.attempts,
          machine.episode.failing,
          machine.holds.permit_request,
          machine.action_running,
          machine.timers.next_attempt};
}

bool is_of_check(Input::Kind kind) {
  return kind == Input::Kind::passed || kind == Input::Kind::faltered || kind == Input::Kind::liveness_failed;
}

class Running {
 public:
  explicit Running(bool& flag) : flag_(flag) { flag_ = true; }
  ~Running() { flag_ = false; }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

 private:
  bool& flag_;
};

}  // namespace

void Drive::feed(ServiceState& service, const Input& input) {
  const Lifecycle before = service.machine.lifecycle;
  const Shown shown = shown_of(service.machine);
  const bool was_alive = service.alive();
  // Most checks change nothing that is stored, so the comparison pays for inputs of checks only.
  std::optional<healing::Machine> compared;
  if (is_of_check(input.kind) && turn_.stores()) compared = service.machine;
  const healing::Plan plan = plan_of(*service.spec);
  const healing::Step step = healing::step(service.machine, plan, input, turn_.now().steady);
  AZORA_ASSERT(healing::follows(plan, before, input, service.machine.lifecycle));
  fleet_.count_alive(was_alive, service.alive());
  if (was_alive && !service.alive()) look_at_dependencies(*service.spec);
  for (const Action& action : step.actions) perform(service, action);
  // serviceStarted comes before the events about the new state; all other events come after them.
  for (const Notice& notice : step.notices) {
    if (notice.kind == Notice::Kind::started) emit_notice(turn_, service, notice);
  }
  if (service.machine.lifecycle != before) entered(service, before);
  refresh_status(service);
  for (const Notice& notice : step.notices) {
    if (notice.kind != Notice::Kind::started) emit_notice(turn_, service, notice);
    if (notice.kind == Notice::Kind::restarted) restarted_.push_back(service.serial);
  }
  if (!is_of_check(input.kind) || (compared && *compared != service.machine)) turn_.mark_durable(service.serial);
  rearm(service);
  // An answer to a check can change only the machine, and most answers do not change even that.
  if (!is_of_check(input.kind) || shown != shown_of(service.machine)) turn_.mark_dirty(service);
  if (service.leaving && service.machine.lifecycle == Lifecycle::idle) finish_leaving(service);
  if (service.machine.lifecycle != before) queue_dependents(service);
  run_to_fixpoint();
}

void Drive::perform(ServiceState& service, const Action& action) {
  const std::uint64_t serial = service.serial;
  switch (action.kind) {
    case Action::Kind::ask_admission:
      admission_.enter(serial, fleet_.graph().rank(*service.id), service.spec->priority, turn_.now().steady);
      break;
    case Action::Kind::drop_admission: admission_.leave(serial); break;
    case Action::Kind::release_slot: admission_.release(serial); break;
    case Action::Kind::launch: launch(service, action.incarnation); break;
    case Action::Kind::send_stop:
      turn_.send(Send::to_stop({serial, action.incarnation}, service.spec));
      break;
    case Action::Kind::send_kill: turn_.send(Send::to_kill({serial, action.incarnation}, service.spec->action)); break;
    case Action::Kind::ask_permit: admission_.ask_permit(serial); break;
    case Action::Kind::drop_permit: admission_.drop_permit(serial); break;
  }
}

void Drive::launch(ServiceState& service, std::uint64_t incarnation) {
  turn_.send(Send::to_start({.run = {service.serial, incarnation},
                             .spec = service.spec,
                             .attempt = service.machine.budget.attempts,
                             .cause = std::string(wire_name(service.machine.episode.cause))}));
  if (!service.process()) return;
  service.restart_required = false;
  service.own->launched = service.spec;
  evidence_.launched(service);
}

// Carries a new lifecycle over to probes, trackers and the queues around the machine.
void Drive::entered(ServiceState& service, Lifecycle before) {
  const Lifecycle now = service.machine.lifecycle;
  turn_.set_standing(service, standing_of(service, fleet_.watched()));
  turn_.lists_changed();
  if (service.owned()) {
    if (now == Lifecycle::starting) {
      service.begin_starting();
      service.set_last_error({});
    } else if (before == Lifecycle::ready || before == Lifecycle::starting) {
      if (now != Lifecycle::ready) probing_.forget(service);
    }
  }
  if (now == Lifecycle::ready) {
    // The service became ready without an answer to a check: from here on failures count.
    for (health::Check& check : service.checks) {
      if (check.tracker.starting()) check.tracker.reset();
    }
  }
  if (now == Lifecycle::ready && !service.is_asked()) service.note_alive(turn_.now());
  if (now == Lifecycle::ready && service.own) service.own->action_error.clear();
  evidence_.set_failed(service.serial, now == Lifecycle::failed);
  probing_.apply_mode(service);
}

void Drive::refresh_status(ServiceState& service) {
  const HealthStatus status = status_of(service, fleet_.watched());
  if (status == service.status) return;
  const HealthStatus old = std::exchange(service.status, status);
  if (!service.leaving) {
    fleet_.count_status(old, status);
    turn_.set_standing(service, standing_of(service, fleet_.watched()));
    turn_.lists_changed();
    emit_status(turn_, service);
    if (status == HealthStatus::unhealthy) {
      const auto brake = admission_.turned_bad(service.serial, turn_.now().steady);
      if (brake) emit_brake(turn_, *brake);
      turn_.show_brakes(admission_.braking(turn_.now().steady));
    } else if (status != HealthStatus::unknown) {
      admission_.recovered(service.serial);
    }
  }
  turn_.mark_dirty(service);
  turn_.mark_durable(service.serial);
  queue_dependents(service);
}

void Drive::rearm(ServiceState& service) {
  if (service.machine.timers.deadline == service.deadline_armed) return;
  loop_.cancel(service.deadline_timer);
  service.deadline_timer = 0;
  service.deadline_armed = service.machine.timers.deadline;
  if (!service.deadline_armed) return;
  service.deadline_timer = loop_.at(*service.deadline_armed, [this, serial = service.serial] {
    control_thread.assert_held();
    ServiceState* found = fleet_.by_serial(serial);
    if (found == nullptr) return;
    found->deadline_timer = 0;
    found->deadline_armed.reset();
    feed(*found, {.kind = Input::Kind::timer});
  });
}

void Drive::run_to_fixpoint() {
  if (running_to_fixpoint_) return;
  const Running running(running_to_fixpoint_);  // reset also if a step throws, so the next turn can go on
  while (!restarted_.empty() || !changed_.empty()) {
    if (!restarted_.empty()) {
      const ServiceState* restarted = fleet_.by_serial(restarted_.front());
      restarted_.pop_front();
      if (restarted != nullptr) restart_along(*restarted);
      continue;
    }
    const ServiceState* changed = fleet_.by_serial(changed_.front());
    changed_.pop_front();
    if (changed == nullptr) continue;
    evaluate_dependents(std::string(*changed->id));
  }
}

void Drive::evaluate_dependents(std::string_view name) {
  for (const std::string& entry : fleet_.graph().dependents(name)) {
    const registry::Entry* known = fleet_.registry().find(entry);
    if (known == nullptr) continue;
    const std::vector<std::string> missing = unmet(*known->spec);  // one answer for all replicas
    for (ServiceState* service : fleet_.services(entry)) take_unmet(*service, missing);
  }
}

// Restarts the dependents whose owner wants them to restart together with this service (R66). Dependents do not feel
// the restart of one instance if enough other instances of its entry are ready.
void Drive::restart_along(const ServiceState& service) {
  if (!fleet_.running() || service.leaving) return;
  std::vector<std::string> entries;
  fleet_.graph().for_each_dependent(*service.id, [&](const std::string& entry, const Dependency& dependency) {
    control_thread.assert_held();
    const bool felt = dependency.id == *service.id || !fleet_.satisfied(dependency, service.serial);
    if (dependency.on_restart == OnRestart::restart && felt) entries.push_back(entry);
  });
  for (const std::string& entry : entries) {
    for (ServiceState* dependent : fleet_.services(entry)) {
      if (dependent->wanted != Desired::up || dependent->held_back) continue;
      feed(*dependent, {.kind = Input::Kind::restart, .cause = healing::Cause::dependency});
    }
  }
}

void Drive::evaluate_dependencies(ServiceState& service) { take_unmet(service, unmet(*service.spec)); }

std::vector<std::string> Drive::unmet(const ServiceSpec& spec) const {
  std::vector<std::string> ids;
  for (const Dependency& dependency : spec.dependencies) {
    if (dependency.strength == Strength::hard && !fleet_.satisfied(dependency)) ids.push_back(dependency.id);
  }
  return ids;
}

void Drive::take_unmet(ServiceState& service, std::vector<std::string> unmet) {
  const bool changed = unmet != service.blocked_by.get();
  service.blocked_by = std::move(unmet);
  if (changed) turn_.mark_dirty(service);
  const bool ok = service.blocked_by.empty();
  if (ok == service.machine.deps_ok) return;
  if (ok) {
    // The missing dependency explained its failures. From here on its own answers count, and the next check comes soon.
    for (health::Check& check : service.checks) check.tracker.forgive();
    probing_.apply_mode(service);
  }
  feed(service, {.kind = Input::Kind::deps, .flag = ok});
}

void Drive::bring_up(ServiceState& service) {
  probing_.apply_mode(service);
  probing_.hurry(service);  // the first check is due at once, the later ones follow the grid
  const bool may_start = !service.held_back && !service.waits_to_stop;
  const bool differs = service.acts() || service.machine.desired != service.wanted;
  if (fleet_.running() && may_start && differs && service.wanted != Desired::down) {
    feed(service, {.kind = Input::Kind::desire, .desired = service.wanted});
  }
}

void Drive::look_at_dependencies(const ServiceSpec& spec) {
  if (!shutdown_.under_way()) return;
  for (const Dependency& dependency : spec.dependencies) {
    fleet_.for_each_of(dependency.id, [this](const ServiceState& service) { shutdown_.look_at(service.serial); });
  }
}

void Drive::take_up(const ServiceState& service) {
  if (service.machine.holds.permit) admission_.keep_permit(service.serial);
  evidence_.set_failed(service.serial, service.machine.lifecycle == Lifecycle::failed);
}

void Drive::finish_leaving(ServiceState& service) {
  const std::uint64_t serial = service.serial;
  turn_.mark_durable(serial);
  if (service.acts()) turn_.send(Send::to_forget(serial, service.spec->action));
  admission_.leave(serial);
  admission_.release(serial);
  loop_.cancel(service.deadline_timer);
  evidence_.set_failed(serial, false);
  for (const std::string& id : fleet_.end_leaving(service)) {
    if (ServiceState* waiting = fleet_.find(id)) {
      waiting->held_back = false;
      turn_.mark_dirty(*waiting);  // the reason why it does not run has changed
      bring_up(*waiting);
    }
  }
}

}  // namespace azora::orchestrator
