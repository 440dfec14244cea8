// From a due time to a verdict, and from a verdict to what healing hears.
#include <algorithm>

#include "azora/orchestrator/core.hpp"

namespace azora::orchestrator {

using healing::Input;

void Core::ask(const std::vector<health::Serial>& serials) {
  const SteadyTime now = time_now().steady;
  for (const health::Serial serial : serials) {
    ServiceState* service = by_serial(serial);
    if (service == nullptr || service->target == nullptr) {
      scheduler_.remove(serial);
      continue;
    }
    service->probe_begun = now;
    ++probes_asked_;
    asks_.push_back({serial, service->machine.incarnation, service->generation, service->target});
  }
}

void Core::on_results(std::vector<health::ProbeResult> results) {
  const OneTime one(*this);
  for (const health::ProbeResult& result : results) on_result(result);
}

void Core::on_result(const health::ProbeResult& result) {
  ServiceState* service = by_serial(result.serial);
  if (service == nullptr) return;
  scheduler_.done(result.serial, result.ended);
  if (result.incarnation != service->machine.incarnation || result.generation != service->generation || !running_ ||
      service->leaving) {
    ++results_stale_;
    apply_probe_mode(*service);
    return;
  }
  const ProbeSpec& probe = service->spec->probe;
  if (guard_.is_void(service->probe_begun, result.ended, service->spec->target.timeout, probe.interval)) {
    ++results_void_;
    apply_probe_mode(*service);
    return;
  }
  const health::Verdict verdict = health::judge(result, probe);
  const health::TrackerStep step = service->tracker.apply(verdict, probe);
  if (step.counted) {
    const Now now = time_now();
    service->last_check = now.wall;
    service->response_ms = std::chrono::duration_cast<Millis>(result.latency).count();
    service->set_last_error(health::explain(result, probe));
    if (verdict == health::Verdict::pass) {
      service->uptime_ms = to_millis(now.steady - service->start_steady).count();
      service->set_figures(result.cpu, result.memory);
    }
    emit_check(*service, verdict);
    mark(*service);
  } else if (verdict == health::Verdict::fail) {
    service->set_last_error(health::explain(result, probe));  // for `why` while it starts
    mark(*service);
  }
  const bool answers = verdict == health::Verdict::pass || verdict == health::Verdict::warn;
  if (service->machine.lifecycle == Lifecycle::starting && answers && !service->tracker.starting()) {
    feed(*service, {.kind = Input::Kind::ready,
                    .flag = verdict == health::Verdict::pass,
                    .incarnation = service->machine.incarnation});
  } else if (step.restart_due) {
    refresh_status(*service);
    feed(*service, {.kind = Input::Kind::liveness_failed, .incarnation = service->machine.incarnation});
  } else if (answers) {
    refresh_status(*service);
    feed(*service, {.kind = Input::Kind::passed,
                    .flag = service->tracker.status() == HealthStatus::healthy,
                    .incarnation = service->machine.incarnation});
  } else {
    refresh_status(*service);
    if (service->status != HealthStatus::healthy) {
      feed(*service, {.kind = Input::Kind::faltered, .flag = service->status == HealthStatus::unhealthy});
    }
    settle();
  }
  if (by_serial(result.serial) == service) apply_probe_mode(*service);
}

void Core::emit_check(const ServiceState& service, health::Verdict verdict) {
  Event event = event_of(EventType::health_check, service, "probe");
  event.check_status = verdict == health::Verdict::pass   ? HealthStatus::healthy
                       : verdict == health::Verdict::warn ? HealthStatus::degraded
                                                          : HealthStatus::unhealthy;
  event.response_ms = static_cast<std::int32_t>(std::min<std::int64_t>(service.response_ms, INT32_MAX));
  if (!service.last_error().empty()) {
    auto detail = std::make_unique<EventDetail>();
    detail->reason = service.last_error();
    event.detail = std::move(detail);
  }
  publisher_.append(std::move(event));
}

// A `process` check is answered by its being alive (semantics 19): uptime as of now.
void Core::note_alive(ServiceState& service) {
  const Now now = time_now();
  service.last_check = now.wall;
  service.uptime_ms = to_millis(now.steady - service.start_steady).count();
}

// Where on the schedule the service belongs now. Probes never run against a dead incarnation.
void Core::apply_probe_mode(ServiceState& service) {
  if (service.target == nullptr) return;
  health::Mode mode = health::Mode::paused;
  if (running_ && !service.leaving) {
    switch (service.machine.lifecycle) {
      case Lifecycle::watching:
      case Lifecycle::adopt:
      case Lifecycle::ready:
        mode = service.tracker.confirming(service.spec->probe) ? health::Mode::confirm : health::Mode::grid;
        break;
      case Lifecycle::starting:
        if (service.process() && !service.own->pid) break;
        mode = health::Mode::starting;
        break;
      case Lifecycle::failed:
      case Lifecycle::backoff:
        // A passing probe is evidence where we do not own the process.
        if (!service.process()) mode = health::Mode::grid;
        break;
      default:
        if (!service.process() && service.machine.lifecycle != Lifecycle::idle) mode = health::Mode::grid;
        break;
    }
  }
  if (mode == service.probe_mode) return;  // `starting` said twice would begin its distances anew
  const bool begins = service.probe_mode == health::Mode::paused;
  service.probe_mode = mode;
  const SteadyTime now = time_now().steady;
  scheduler_.set_mode(service.serial, mode, now);
  if (begins) scheduler_.hurry(service.serial, now);  // the first question is asked at once, the next ones on the grid
}

}  // namespace azora::orchestrator
