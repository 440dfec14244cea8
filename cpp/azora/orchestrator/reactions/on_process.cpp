#include "azora/orchestrator/reactions/on_process.hpp"

#include <utility>

#include "azora/orchestrator/notices.hpp"

namespace azora::orchestrator {

using healing::Input;

namespace {

ServiceState* current(Fleet& fleet, Run run) {
  ServiceState* service = fleet.by_serial(run.serial);
  return service != nullptr && service->machine.incarnation == run.incarnation ? service : nullptr;
}

constexpr Standing kStopped{Tier::excluded, Exclusion::stopped};

}  // namespace

void on_started(Fleet& fleet, Probing& probing, Drive& drive, Run run, int pid, Now at) {
  ServiceState* service = current(fleet, run);
  if (service == nullptr) return;
  service->own->pid = pid;
  service->own->process_started = at.wall;
  service->start_time = at.wall;
  service->start_steady = at.steady;
  service->figures->set_usage(std::nullopt, std::nullopt);
  drive.feed(*service, {.kind = Input::Kind::launched, .incarnation = run.incarnation});
  probing.apply_mode(*service);
}

void on_start_failed(Fleet& fleet, Drive& drive, Run run, std::string reason) {
  ServiceState* service = current(fleet, run);
  if (service == nullptr) return;
  service->set_last_error(std::move(reason));
  drive.feed(*service, {.kind = Input::Kind::launch_failed, .incarnation = run.incarnation});
}

void on_exited(Fleet& fleet, Turn& turn, Drive& drive, Run run, const keeper::Exit& exit) {
  ServiceState* service = current(fleet, run);
  if (service == nullptr) return;
  // Out of rotation before the exit can be read.
  turn.set_standing(*service, kStopped);
  const Lifecycle state = service->machine.lifecycle;
  // One that could not be killed in time ends as what it was stuck in.
  const bool planned =
      state == Lifecycle::stopping || state == Lifecycle::killing || state == Lifecycle::stuck;
  const bool clean = exit.code == 0;
  const bool oom = exit.oom.value_or(false);
  auto detail = std::make_unique<EventDetail>();
  detail->pid = service->own->pid;
  detail->has_exit = true;
  detail->code = exit.code;
  detail->signal = exit.signal;
  detail->oom = exit.oom;
  service->own->last_exit = ExitView{exit.code, exit.signal, exit.oom, exit.at};
  service->own->pid.reset();
  service->own->process_started.reset();
  service->own->warning.clear();
  // Where exit 0 is no reason to rest it is an error like others.
  if (!planned && (!clean || service->spec->restart.on == RestartOn::always)) {
    service->set_last_error(oom           ? "killed for want of memory (process.memoryLimit)"
                            : exit.signal ? "killed by " + signal_name(*exit.signal)
                                          : "exited with code " + std::to_string(exit.code.value_or(-1)));
  }
  for (health::Check& check : service->checks) check.tracker.exited();
  const EventCause cause = planned ? event_cause(service->machine.episode.cause)
                           : clean ? EventCause("clean")
                           : oom   ? EventCause("oom")
                                   : EventCause("crash");
  turn.emit(EventType::service_exited, *service, cause, std::move(detail));
  drive.feed(*service, {.kind = Input::Kind::exited,
                        .cause = oom ? healing::Cause::oom : healing::Cause::crash,
                        .flag = clean,
                        .incarnation = run.incarnation});
}

void on_warning(Fleet& fleet, Run run, std::string reason) {
  ServiceState* service = current(fleet, run);
  if (service != nullptr && service->own) service->own->warning = std::move(reason);
}

void on_swept(Fleet& fleet, Drive& drive, Run run) {
  ServiceState* service = current(fleet, run);
  if (service != nullptr) drive.feed(*service, {.kind = Input::Kind::swept, .incarnation = run.incarnation});
}

void on_lost(Fleet& fleet, Turn& turn, Drive& drive, Run run, std::string reason) {
  ServiceState* service = current(fleet, run);
  if (service == nullptr) return;
  turn.set_standing(*service, kStopped);
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

std::uint64_t on_log_dropped(Fleet& fleet, Turn& turn, std::uint64_t serial, std::uint64_t lines) {
  ServiceState* service = fleet.by_serial(serial);
  if (service == nullptr || !service->own) return 0;
  const std::uint64_t before = std::exchange(service->own->log_dropped, lines);
  turn.mark_dirty(*service);
  return lines > before ? lines - before : lines;  // a new shim counts from 0
}

void on_usage(Fleet& fleet, Turn& turn, std::string_view id, std::uint64_t incarnation, double cpu_percent,
              std::int64_t rss_bytes) {
  ServiceState* service = fleet.find(id);
  if (service == nullptr || incarnation != service->machine.incarnation) return;
  if (!service->own || !service->own->pid) return;
  service->figures->set_usage(cpu_percent, rss_bytes);
  const bool by_process_alone = !service->is_asked();
  if (by_process_alone && service->machine.lifecycle == Lifecycle::ready) service->note_alive(turn.now());
}

}  // namespace azora::orchestrator
