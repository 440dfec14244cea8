#include "azora/orchestrator/probing.hpp"

#include <utility>

#include "azora/base/hash.hpp"

namespace azora::orchestrator {
namespace {

// A part of the spec, which lives as long as a probe needs it.
std::shared_ptr<const ProbeTarget> target_of(const SpecPtr& spec) {
  if (spec->target.kind == ProbeKind::process || !spec->endpoint) return nullptr;
  return {spec, &spec->target};
}

health::ProbePlan plan_of(const ServiceSpec& spec) {
  return {.target_key = hash_bytes(spec.target.host, spec.target.port),
          .interval = spec.probe.interval,
          .start_interval = spec.probe.start_interval,
          .priority = spec.priority};
}

health::Mode mode_of(const ServiceState& service) {
  switch (service.machine.lifecycle) {
    case Lifecycle::watching:
    case Lifecycle::adopt:
    case Lifecycle::ready:
      return service.tracker.confirming(service.spec->probe) ? health::Mode::confirm : health::Mode::grid;
    case Lifecycle::starting:
      return service.process() && !service.own->pid ? health::Mode::paused : health::Mode::starting;
    case Lifecycle::idle:
      return health::Mode::paused;
    default:
      // A passing probe is evidence where we do not own the process.
      return service.process() ? health::Mode::paused : health::Mode::grid;
  }
}

}  // namespace

Probing::Probing(Loop& loop, health::Prober& prober, Fleet& fleet, Turn& turn, std::size_t fd_limit)
    : prober_(prober),
      fleet_(fleet),
      turn_(turn),
      scheduler_(health::SchedulerOptions{.fd_limit = fd_limit}),
      timer_(loop, scheduler_, guard_, [this](const std::vector<health::Serial>& serials) { ask(serials); }) {}

void Probing::configure(ServiceState& service) {
  service.target = target_of(service.spec);
  if (service.target) {
    service.probe_mode = health::Mode::paused;
    scheduler_.add(service.serial, plan_of(*service.spec), turn_.now().steady, service.probe_mode);
  } else {
    scheduler_.remove(service.serial);
  }
}

void Probing::apply_mode(ServiceState& service) {
  if (service.target == nullptr) return;
  const health::Mode mode = fleet_.running() && !service.leaving ? mode_of(service) : health::Mode::paused;
  if (mode == service.probe_mode) return;  // `starting` said twice would begin its distances anew
  const bool begins = service.probe_mode == health::Mode::paused;
  service.probe_mode = mode;
  const SteadyTime now = turn_.now().steady;
  scheduler_.set_mode(service.serial, mode, now);
  if (begins) scheduler_.hurry(service.serial, now);  // the first question is asked at once, the next ones on the grid
}

void Probing::hurry(const ServiceState& service) { scheduler_.hurry(service.serial, turn_.now().steady); }

void Probing::remove(std::uint64_t serial) {
  prober_.forget(serial);
  scheduler_.remove(serial);
}

bool Probing::accept(const health::ProbeResult& result) {
  scheduler_.done(result.serial, result.ended);
  const ServiceState& service = *fleet_.by_serial(result.serial);
  if (result.incarnation != service.machine.incarnation || result.generation != service.generation ||
      !fleet_.running() || service.leaving) {
    counts_.stale.add();
    return false;
  }
  if (guard_.is_void(service.probe_begun, result.ended, service.spec->target.timeout, service.spec->probe.interval)) {
    counts_.dropped_late.add();
    return false;
  }
  return true;
}

void Probing::ask(const std::vector<health::Serial>& serials) {
  const SteadyTime now = turn_.now().steady;
  for (const health::Serial serial : serials) {
    ServiceState* service = fleet_.by_serial(serial);
    if (service == nullptr || service->target == nullptr) {
      scheduler_.remove(serial);
      continue;
    }
    service->probe_begun = now;
    counts_.asked.add();
    asks_.push_back({serial, service->machine.incarnation, service->generation, service->target});
  }
}

// Without those whose process ended or whose configuration changed since they fell due.
void Probing::end_turn() {
  std::erase_if(asks_, [this](const health::ProbeRequest& ask) {
    const ServiceState* service = fleet_.by_serial(ask.serial);
    const bool current = service != nullptr && service->probe_mode != health::Mode::paused &&
                         ask.incarnation == service->machine.incarnation && ask.generation == service->generation;
    if (!current) scheduler_.done(ask.serial, turn_.now().steady);
    return !current;
  });
  if (!asks_.empty()) prober_.ask(std::exchange(asks_, {}));
  timer_.rearm();
  counts_.in_flight.set(scheduler_.in_flight());
  counts_.stalls.set(guard_.stalls());
}

}  // namespace azora::orchestrator
