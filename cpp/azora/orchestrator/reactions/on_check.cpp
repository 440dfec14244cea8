#include "azora/orchestrator/reactions/on_check.hpp"

#include <algorithm>
#include <utility>

#include "azora/health/judge.hpp"

namespace azora::orchestrator {

using healing::Input;

namespace {

void emit_check(Turn& turn, const ServiceState& service, health::Verdict verdict,
                std::int64_t response_ms) AZORA_CONTROL {
  turn.emit(events::Check{
      .serial = service.serial,
      .incarnation = service.machine.incarnation,
      .time = turn.now().wall,
      .response_ms = static_cast<std::int32_t>(std::min<std::int64_t>(response_ms, INT32_MAX)),
      .status = verdict == health::Verdict::pass   ? HealthStatus::healthy
                : verdict == health::Verdict::warn ? HealthStatus::degraded
                                                   : HealthStatus::unhealthy,
      .reason = service.last_error()});
}

// Updates the figures and the last error of the service after a verdict.
void note(Turn& turn, ServiceState& service, const health::Check& check, const health::ProbeResult& result,
          health::Verdict verdict, bool counted) AZORA_CONTROL {
  const ProbeSpec& probe = service.spec->probe;
  if (counted) {
    const Now now = turn.now();
    const std::int64_t response_ms = to_millis(result.latency).count();
    const bool passed = verdict == health::Verdict::pass;
    service.set_last_error(health::explain(result, *check.target, probe));
    if (passed) service.figures->set_body(result.cpu, result.memory);
    service.figures->checked(now.wall, response_ms, service.error_count(),
                             passed ? std::optional(service.uptime_ms(now)) : std::nullopt);
    emit_check(turn, service, verdict, response_ms);
  } else if (verdict == health::Verdict::fail || result.outcome == health::Outcome::unresolved) {
    // `why` shows this: the service is starting, or its name has no address.
    service.set_last_error(health::explain(result, *check.target, probe));
  }
}

void on_result(Turn& turn, Drive& drive, ServiceState& service, health::Check& check,
               const health::ProbeResult& result, health::Verdict verdict) AZORA_CONTROL {
  const ProbeSpec& probe = service.spec->probe;
  const health::TrackerStep step = check.tracker.apply(verdict, probe);
  note(turn, service, check, result, verdict, step.counted);
  const health::Combined health = service.health();
  const std::uint64_t incarnation = service.machine.incarnation;
  const bool answers = verdict == health::Verdict::pass || verdict == health::Verdict::warn;
  if (service.machine.lifecycle == Lifecycle::starting && answers && health.ready) {
    const bool passed = verdict == health::Verdict::pass;
    drive.feed(service, {.kind = Input::Kind::ready, .flag = passed, .incarnation = incarnation});
  } else if (health.restart_due) {
    drive.refresh_status(service);
    drive.feed(service, {.kind = Input::Kind::liveness_failed, .incarnation = incarnation});
  } else if (answers) {
    drive.refresh_status(service);
    const bool healthy = health.status == HealthStatus::healthy;
    drive.feed(service, {.kind = Input::Kind::passed, .flag = healthy, .incarnation = incarnation});
  } else {
    drive.refresh_status(service);
    if (service.status != HealthStatus::healthy) {
      drive.feed(service, {.kind = Input::Kind::faltered, .flag = service.status == HealthStatus::unhealthy});
    }
    drive.run_to_fixpoint();
  }
}

}  // namespace

void on_check_results(Turn& turn, Probing& probing, Ownership& ownership, Drive& drive,
                      const std::vector<health::ProbeResult>& results) {
  const Turn::OneTime one(turn);
  for (const health::ProbeResult& result : results) {
    const Probing::Answered answered = probing.take(result);
    if (answered.service == nullptr) continue;
    const health::Verdict verdict = health::judge(result, answered.service->spec->probe);
    const bool counts = answered.believed && !ownership.holds(*answered.service, result, verdict);
    if (counts) on_result(turn, drive, *answered.service, *answered.check, result, verdict);
    probing.apply_mode(*answered.service);
  }
}

void on_settled_result(Turn& turn, Probing& probing, Drive& drive, ServiceState& service, health::Check& check,
                       const health::ProbeResult& result) {
  on_result(turn, drive, service, check, result, health::judge(result, service.spec->probe));
  probing.apply_mode(service);
}

}  // namespace azora::orchestrator
