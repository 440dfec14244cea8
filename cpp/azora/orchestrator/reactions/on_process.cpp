// What the keeper tells: facts about processes, each with its incarnation.
#include <utility>

#include "azora/orchestrator/core.hpp"

namespace azora::orchestrator {

using healing::Cause;
using healing::Input;

void Core::on_started(keeper::Serial serial, std::uint64_t incarnation, int pid, Now at) {
  ServiceState* service = by_serial(serial);
  if (service == nullptr || incarnation != service->machine.incarnation) return;
  service->own->pid = pid;
  service->own->process_started = at.wall;
  service->start_time = at.wall;
  service->start_steady = at.steady;
  service->own->cpu_percent.reset();
  service->own->rss_bytes.reset();
  feed(*service, {.kind = Input::Kind::launched, .incarnation = incarnation});
  apply_probe_mode(*service);
}

void Core::on_start_failed(keeper::Serial serial, std::uint64_t incarnation, std::string reason) {
  ServiceState* service = by_serial(serial);
  if (service == nullptr || incarnation != service->machine.incarnation) return;
  service->set_last_error(std::move(reason));
  feed(*service, {.kind = Input::Kind::launch_failed, .incarnation = incarnation});
}

void Core::on_exited(keeper::Serial serial, std::uint64_t incarnation, const keeper::Exit& exit) {
  ServiceState* service = by_serial(serial);
  if (service == nullptr || incarnation != service->machine.incarnation) return;
  // Out of rotation before anybody can read of the exit.
  publisher_.set_standing(serial, {Tier::excluded, Exclusion::stopped}, incarnation);
  const bool planned = service->machine.lifecycle == Lifecycle::stopping || service->machine.lifecycle == Lifecycle::killing;
  const bool clean = exit.code == 0;
  auto detail = std::make_unique<EventDetail>();
  detail->pid = service->own->pid;
  detail->has_exit = true;
  detail->code = exit.code;
  detail->signal = exit.signal;
  detail->oom = exit.oom;
  service->own->last_exit = ExitView{exit.code, exit.signal, exit.oom, exit.at};
  service->own->pid.reset();
  service->own->process_started.reset();
  // Where exit 0 is no reason to rest it is an error like others.
  if (!planned && (!clean || service->spec->restart.on == RestartOn::always)) {
    service->set_last_error(exit.signal ? "killed by " + signal_name(*exit.signal)
                                        : "exited with code " + std::to_string(exit.code.value_or(-1)));
  }
  service->tracker.exited();
  const std::string_view cause = planned ? wire_name(service->machine.cause) : clean ? "clean" : "crash";
  emit(EventType::service_exited, *service, cause, std::move(detail));
  feed(*service, {.kind = Input::Kind::exited, .flag = clean, .incarnation = incarnation});
}

void Core::on_swept(keeper::Serial serial, std::uint64_t incarnation) {
  ServiceState* service = by_serial(serial);
  if (service == nullptr || incarnation != service->machine.incarnation) return;
  feed(*service, {.kind = Input::Kind::swept, .incarnation = incarnation});
}

void Core::on_lost(keeper::Serial serial, std::uint64_t incarnation, std::string reason) {
  ServiceState* service = by_serial(serial);
  if (service == nullptr || incarnation != service->machine.incarnation) return;
  publisher_.set_standing(serial, {Tier::excluded, Exclusion::stopped}, incarnation);
  service->set_last_error(std::move(reason));
  auto detail = std::make_unique<EventDetail>();
  detail->pid = std::exchange(service->own->pid, std::nullopt);
  detail->has_exit = true;
  service->own->last_exit = ExitView{.at = loop_.now().wall};
  service->own->process_started.reset();
  detail->reason = service->last_error();
  emit(EventType::service_exited, *service, wire_name(Cause::lost), std::move(detail));
  service->tracker.exited();
  feed(*service, {.kind = Input::Kind::lost, .incarnation = incarnation});
}

void Core::on_log_dropped(keeper::Serial serial, std::uint64_t lines) {
  ServiceState* service = by_serial(serial);
  if (service == nullptr || !service->own) return;
  const std::uint64_t before = std::exchange(service->own->log_dropped, lines);
  log_dropped_ += lines > before ? lines - before : lines;  // a new shim counts from 0
  mark(*service);
}

void Core::on_link(bool, std::string) {}

void Core::callback_done(std::uint64_t serial, std::uint64_t incarnation, bool ok, const std::string& reason) {
  ServiceState* service = by_serial(serial);
  if (service == nullptr || !service->own || incarnation != service->machine.incarnation) return;
  if (!ok) {
    service->own->action_error = "restart callable: " + reason;
    feed(*service, {.kind = Input::Kind::launch_failed, .incarnation = incarnation});
    return;
  }
  service->own->action_error.clear();
  feed(*service, {.kind = Input::Kind::launched, .incarnation = incarnation});
  service->tracker.reset_starting();
  service->probe_mode = health::Mode::paused;  // its distances count from here
  apply_probe_mode(*service);
}

void Core::callback_failed(std::string reason) {
  auto detail = std::make_unique<EventDetail>();
  detail->reason = std::move(reason);
  Event event;
  event.time = loop_.now().wall;
  event.type = EventType::callback_failed;
  event.cause = "callback";
  event.actor = "python";
  event.detail = std::move(detail);
  publisher_.append(std::move(event));
}

void Core::set_usage(std::string_view id, std::uint64_t incarnation, double cpu_percent, std::int64_t rss_bytes) {
  ServiceState* service = find(id);
  if (service == nullptr || incarnation != service->machine.incarnation) return;
  if (!service->own || !service->own->pid) return;
  service->own->cpu_percent = cpu_percent;
  service->own->rss_bytes = rss_bytes;
  if (service->target == nullptr && service->machine.lifecycle == Lifecycle::ready) note_alive(*service);
  mark(*service);
}

}  // namespace azora::orchestrator
