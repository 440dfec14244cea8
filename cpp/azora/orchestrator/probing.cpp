#include "azora/orchestrator/probing.hpp"

#include <utility>

#include "azora/base/hash.hpp"

namespace azora::orchestrator {
namespace {

// Points to a part of the spec, and keeps the spec alive as long as a probe needs it.
std::shared_ptr<const ProbeTarget> target_of(const SpecPtr& spec) {
  if (!check_kind(spec->target.kind).asks || !spec->endpoint) return nullptr;
  return {spec, &spec->target};
}

health::ProbePlan plan_of(const ServiceSpec& spec) {
  return {.target_key = hash_bytes(spec.target.host, spec.target.port),
          .interval = spec.probe->interval,
          .start_interval = spec.probe->start_interval,
          .priority = spec.priority};
}

// The first check uses its service's serial as key. A later check of this service never gets a key of another service.
health::Serial check_serial(const ServiceState& service, std::size_t index) {
  constexpr int kIndexShift = 48;
  return service.serial | static_cast<health::Serial>(index) << kIndexShift;
}

health::Mode mode_of(const ServiceState& service, const health::Check& check) {
  switch (service.machine.lifecycle) {
    case Lifecycle::adopt:
      if (service.own->adopting) return health::Mode::paused;  // first it must be known what runs
      [[fallthrough]];
    case Lifecycle::watching:
    case Lifecycle::ready:
      return check.tracker.confirming(service.spec->probe) ? health::Mode::confirm : health::Mode::grid;
    case Lifecycle::starting:
      return service.owned() && !service.machine.timers.started ? health::Mode::paused : health::Mode::starting;
    case Lifecycle::idle:
      return health::Mode::paused;
    default:
      // If a service runs without us, a passing probe is evidence.
      return service.owned() ? health::Mode::paused : health::Mode::grid;
  }
}

}  // namespace

Probing::Probing(Loop& loop, health::Prober& prober, Fleet& fleet, Turn& turn, std::size_t fd_limit)
    : prober_(prober),
      fleet_(fleet),
      turn_(turn),
      scheduler_(health::SchedulerOptions{.fd_limit = fd_limit}),
      timer_(loop, scheduler_, guard_, [this](const std::vector<health::CheckKey>& due) {
        control_thread.assert_held();
        ask(due);
      }) {}

void Probing::configure(ServiceState& service, std::optional<health::Ordinal> place) {
  const SteadyTime now = turn_.now().steady;
  service.checks.front().target = target_of(service.spec);
  for (std::size_t index = 0; index < service.checks.size(); ++index) {
    health::Check& check = service.checks[index];
    check.mode = health::Mode::paused;
    if (check.target == nullptr) {
      drop(check);
    } else if (check.key.serial == 0) {
      check.key = scheduler_.add(check_serial(service, index), plan_of(*service.spec), now, check.mode,
                                 index == 0 ? place : std::nullopt);
      set_owner(service, index);
    } else {
      scheduler_.update(check.key, plan_of(*service.spec), now);
      scheduler_.set_mode(check.key, check.mode, now);
    }
  }
}

void Probing::set_owner(ServiceState& service, std::size_t index) {
  const health::CheckKey key = service.checks[index].key;
  if (key.slot >= owners_.size()) owners_.resize(key.slot + 1);
  owners_[key.slot] = {&service, index};
}

void Probing::drop(health::Check& check) {
  if (check.key.serial == 0) return;
  owners_[check.key.slot] = {};
  scheduler_.remove(std::exchange(check.key, {}));
}

void Probing::apply_mode(ServiceState& service) {
  const SteadyTime now = turn_.now().steady;
  for (health::Check& check : service.checks) {
    if (check.target == nullptr) continue;
    const bool runs = fleet_.running() && !service.leaving;
    const health::Mode mode = runs ? mode_of(service, check) : health::Mode::paused;
    if (mode == check.mode) continue;  // setting `starting` again would restart its growing distances
    const bool begins = check.mode == health::Mode::paused;
    check.mode = mode;
    scheduler_.set_mode(check.key, mode, now);
    if (begins) scheduler_.hurry(check.key, now);  // the first probe is sent at once, the next ones follow the grid
  }
}

void Probing::hurry(const ServiceState& service) {
  for (const health::Check& check : service.checks) scheduler_.hurry(check.key, turn_.now().steady);
}

void Probing::forget(const ServiceState& service) {
  for (const health::Check& check : service.checks) {
    if (check.key.serial != 0) prober_.forget(check.key);
  }
}

void Probing::remove(ServiceState& service) {
  forget(service);
  for (health::Check& check : service.checks) drop(check);
}

Probing::Answered Probing::take(const health::ProbeResult& result) {
  scheduler_.done(result.check(), result.ended);
  const Owner owner = owner_of(result.check());
  if (owner.service == nullptr) {
    counts_.stale.add();
    return {};
  }
  ServiceState& service = *owner.service;
  health::Check& check = service.checks[owner.index];
  const bool ended = check.mode == health::Mode::paused;  // after the question was sent
  if (result.incarnation != service.machine.incarnation ||
      result.generation != service.generation || ended || !fleet_.running() || service.leaving) {
    counts_.stale.add();
    return {&service, &check, false};
  }
  if (guard_.is_void(check.begun, result.ended, check.target->timeout, service.spec->probe->interval)) {
    counts_.dropped_late.add();
    return {&service, &check, false};
  }
  return {&service, &check, true};
}

void Probing::ask(const std::vector<health::CheckKey>& due) {
  const SteadyTime now = turn_.now().steady;
  for (const health::CheckKey& key : due) {
    const Owner owner = owner_of(key);
    const ServiceState& service = *owner.service;
    health::Check& check = owner.service->checks[owner.index];
    check.begun = now;
    counts_.asked.add();
    asks_.push_back({key.serial, key.slot, service.machine.incarnation, service.generation, check.target});
  }
}

// Leaves out checks whose process ended or whose configuration changed after they fell due.
void Probing::end_turn() {
  std::erase_if(asks_, [this](const health::ProbeRequest& ask) AZORA_CONTROL {
    const Owner owner = owner_of(ask.check());
    const bool current = owner.service != nullptr && owner.service->checks[owner.index].mode != health::Mode::paused &&
                         ask.incarnation == owner.service->machine.incarnation &&
                         ask.generation == owner.service->generation;
    if (!current) scheduler_.done(ask.check(), turn_.now().steady);
    return !current;
  });
  if (!asks_.empty()) prober_.ask(asks_);
  timer_.rearm();
  counts_.in_flight.set(scheduler_.in_flight());
  counts_.stalls.set(guard_.stalls());
}

}  // namespace azora::orchestrator
