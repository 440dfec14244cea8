#include "azora/orchestrator/reactions/on_action.hpp"

#include <utility>

#include "azora/orchestrator/notices.hpp"

namespace azora::orchestrator {

using healing::Input;

namespace {

constexpr Standing kStopped{Tier::excluded, Exclusion::stopped};

// The service whose current run this is; null: none.
ServiceState* current(Fleet& fleet, Run run) AZORA_CONTROL {
  ServiceState* service = fleet.by_serial(run.serial);
  const bool same = service != nullptr && service->own && service->machine.incarnation == run.incarnation;
  return same ? service : nullptr;
}

// True while the answer to our start still matters: the run has neither begun nor ended.
bool is_awaited(const healing::Machine& machine) {
  if (machine.timers.started) return false;
  switch (machine.lifecycle) {
    case Lifecycle::starting:
    case Lifecycle::stopping:
    case Lifecycle::killing:
    case Lifecycle::stuck:
      return true;
    default:
      return false;
  }
}

// If the service runs without us, its checks go on, so the error of its action is kept apart from their error. A start
// that is refused during a planned stop is not a failure, because nothing is wrong with the service.
void on_refused(Drive& drive, ServiceState& service, std::string reason) AZORA_CONTROL {
  if (service.owned()) {
    const bool fails = service.machine.lifecycle == Lifecycle::starting || service.machine.episode.failing;
    if (fails) service.set_last_error(std::move(reason));
  } else {
    service.own->action_error = std::string(service.spec->action->name) + ": " + reason;
  }
  drive.feed(service, {.kind = Input::Kind::launch_failed, .incarnation = service.machine.incarnation});
}

// A run of an owned service has begun. It is new, and no check was asked of it before.
void on_begun(Probing& probing, Drive& drive, ServiceState& service, const Now& at) AZORA_CONTROL {
  service.own->process_started = at.wall;
  service.start_time = at.wall;
  service.start_steady = at.steady;
  service.figures->set_usage(std::nullopt, std::nullopt);
  drive.feed(service, {.kind = Input::Kind::launched, .incarnation = service.machine.incarnation});
  probing.apply_mode(service);
}

// The action of a service that runs without us has finished. If this comes too late there is nothing to verify, and its
// checks go on as they are.
void on_helped(Probing& probing, Drive& drive, ServiceState& service) AZORA_CONTROL {
  service.own->action_error.clear();
  const bool was_started = service.machine.timers.started.has_value();
  drive.feed(service, {.kind = Input::Kind::launched, .incarnation = service.machine.incarnation});
  const healing::Machine& machine = service.machine;
  const bool verified_now = !was_started && machine.timers.started && machine.lifecycle == Lifecycle::starting;
  if (!verified_now) return;
  service.begin_starting();
  for (health::Check& check : service.checks) check.mode = health::Mode::paused;  // its growing distances start again
  probing.apply_mode(service);
}

// It was being started when the former orchestrator ended, and we adopted it before it ran.
void on_begun_meanwhile(Turn& turn, Drive& drive, ServiceState& service, const actions::ActionResult& result) AZORA_CONTROL {
  if (!result.ok) {
    service.set_last_error(result.reason);
    return drive.feed(service, {.kind = Input::Kind::lost, .incarnation = service.machine.incarnation});
  }
  service.own->pid = result.pid;
  if (result.started) service.own->process_started = result.started->wall;
  turn.mark_dirty(service);
}

}  // namespace

void on_action_done(Fleet& fleet, Turn& turn, Probing& probing, Drive& drive, Run run, actions::ActionResult result) {
  ServiceState* service = current(fleet, run);
  if (service == nullptr) return;
  if (service->machine.lifecycle == Lifecycle::adopt) return on_begun_meanwhile(turn, drive, *service, result);
  if (service->owned() && !is_awaited(service->machine)) return;
  if (!result.ok) return on_refused(drive, *service, std::move(result.reason));
  service->own->pid = result.pid;
  if (!service->owned()) return on_helped(probing, drive, *service);
  on_begun(probing, drive, *service, result.started ? *result.started : drive.now());
}

void on_action_warning(Fleet& fleet, Run run, std::string reason) {
  if (ServiceState* service = current(fleet, run)) service->own->warning = std::move(reason);
}

void on_action_exited(Fleet& fleet, Turn& turn, Drive& drive, Run run, const ExitView& exit) {
  ServiceState* service = current(fleet, run);
  if (service == nullptr) return;
  // The service leaves rotation before any reader can see the exit.
  turn.set_standing(*service, kStopped);
  const Lifecycle state = service->machine.lifecycle;
  // The planned end of a service stays planned when it was STUCK before it died. If it ended before our stop reached
  // it, because the keeper was away, it ended by itself.
  const bool planned = !exit.by_itself && (state == Lifecycle::stopping || state == Lifecycle::killing ||
                                           state == Lifecycle::stuck);
  const bool clean = exit.code == 0;
  const bool oom = exit.oom.value_or(false);
  auto detail = std::make_unique<EventDetail>();
  detail->pid = service->own->pid;
  detail->has_exit = true;
  detail->code = exit.code;
  detail->signal = exit.signal;
  detail->oom = exit.oom;
  service->own->adopting = false;
  service->own->last_exit = exit;
  if (planned) service->own->last_exit->left_pid.reset();
  service->own->pid.reset();
  service->own->process_started.reset();
  service->own->warning.clear();
  // If the policy is "always", exit 0 is an error like any other.
  if (!planned && (!clean || service->spec->restart->on == RestartOn::always)) {
    service->set_last_error(oom           ? "killed for lack of memory (process.memoryLimit)"
                            : exit.signal ? "killed by " + signal_name(*exit.signal)
                                          : "exited with code " + std::to_string(exit.code.value_or(-1)));
  }
  if (service->own->last_exit->left_pid) {
    detail->reason = daemonizing_text(*service->own->last_exit->left_pid);
    service->set_last_error(detail->reason);
  }
  for (health::Check& check : service->checks) check.tracker.exited();
  const EventCause cause = planned ? event_cause(service->machine.episode.cause)
                           : clean ? EventCause("clean")
                           : oom   ? EventCause("oom")
                                   : EventCause("crash");
  turn.emit(EventType::service_exited, *service, cause, std::move(detail));
  drive.feed(*service, {.kind = Input::Kind::exited,
                        .cause = planned ? healing::Cause::none
                                 : clean ? healing::Cause::clean
                                 : oom   ? healing::Cause::oom
                                         : healing::Cause::crash,
                        .flag = clean,
                        .incarnation = run.incarnation});
}

void on_action_swept(Fleet& fleet, Drive& drive, Run run) {
  ServiceState* service = current(fleet, run);
  if (service != nullptr) drive.feed(*service, {.kind = Input::Kind::swept, .incarnation = run.incarnation});
}

void on_action_lost(Fleet& fleet, Turn& turn, Drive& drive, Run run, std::string reason) {
  ServiceState* service = current(fleet, run);
  if (service == nullptr) return;
  turn.set_standing(*service, kStopped);
  service->own->adopting = false;
  const bool never_ran = std::exchange(service->own->never_ran, false);
  if (never_ran) return drive.feed(*service, {.kind = Input::Kind::lost, .flag = true, .incarnation = run.incarnation});
  service->set_last_error(std::move(reason));
  auto detail = std::make_unique<EventDetail>();
  detail->pid = std::exchange(service->own->pid, std::nullopt);
  detail->has_exit = true;
  service->own->last_exit = ExitView{.at = turn.now().wall};
  service->own->process_started.reset();
  detail->reason = service->last_error();
  turn.emit(EventType::service_exited, *service, "lost", std::move(detail));
  for (health::Check& check : service->checks) check.tracker.exited();
  drive.feed(*service, {.kind = Input::Kind::lost, .incarnation = run.incarnation});
}

}  // namespace azora::orchestrator
