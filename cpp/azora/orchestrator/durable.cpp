#include "azora/orchestrator/durable.hpp"

#include <algorithm>
#include <array>
#include <type_traits>
#include <utility>

namespace azora::orchestrator {
namespace {

using healing::Cause;
using healing::Machine;
using store::Distance;
using store::MachineRecord;
using store::OptionalDistance;

// Pairs every field of the machine with its row, once for both directions. The binding names all fields, so a field
// that is added to the machine does not compile until it is named and paired here.
template <typename Visit>
void pair_up(auto& machine, auto& record, Visit&& visit) {
  auto& [lifecycle, desired, incarnation, restart_count, deps_ok, ever_started, restart_asked, action_running,
         well_before, told, holds, budget, episode, timers] = machine;
  auto& [failed, unavailable, blocked] = told;
  auto& [admission_request, slot, permit_request, permit] = holds;
  auto& [attempts, last_delay, flapping, recent] = budget;
  auto& [cause, start_cause, failing, half_open, evidence_pending, down_since, failed_at, earliest, last_evidence] = episode;
  auto& [deadline, next_attempt, clock, started, stable_since] = timers;
  visit(lifecycle, record.lifecycle);
  visit(desired, record.desired);
  visit(incarnation, record.incarnation);
  visit(restart_count, record.restart_count);
  visit(deps_ok, record.deps_ok);
  visit(ever_started, record.ever_started);
  visit(restart_asked, record.restart_asked);
  visit(action_running, record.action_running);
  visit(well_before, record.well_before);
  visit(failed, record.told_failed);
  visit(unavailable, record.told_unavailable);
  visit(blocked, record.told_blocked);
  visit(admission_request, record.admission_request);
  visit(slot, record.slot);
  visit(permit_request, record.permit_request);
  visit(permit, record.permit);
  visit(attempts, record.attempts);
  visit(last_delay, record.last_delay);
  visit(flapping, record.flapping);
  visit(recent, record.recent_restarts);
  visit(cause, record.cause);
  visit(start_cause, record.start_cause);
  visit(failing, record.failing);
  visit(half_open, record.half_open);
  visit(evidence_pending, record.evidence_pending);
  visit(down_since, record.down_since);
  visit(failed_at, record.failed_at);
  visit(earliest, record.earliest);
  visit(last_evidence, record.last_evidence);
  visit(deadline, record.deadline);
  visit(next_attempt, record.next_attempt);
  visit(clock, record.clock);
  visit(started, record.started);
  visit(stable_since, record.stable_since);
}

template <typename T>
concept Plain = std::is_arithmetic_v<T> || std::is_same_v<T, Lifecycle> || std::is_same_v<T, Desired>;

struct ToRecord {
  SteadyTime now;
  template <Plain T>
  void operator()(const T& from, T& to) const {
    to = from;
  }
  void operator()(Cause from, std::string& to) const { to = wire_name(from); }
  void operator()(Millis from, Nanos& to) const { to = from; }
  void operator()(const OptionalTime& from, OptionalDistance& to) const {
    to = from ? OptionalDistance(*from - now) : std::nullopt;
  }
  void operator()(const std::vector<SteadyTime>& from, std::vector<Distance>& to) const {
    to.clear();
    for (const SteadyTime at : from) to.push_back(at - now);
  }
};

struct FromRecord {
  SteadyTime written;  // when the record was written, on today's steady clock
  std::string fault;

  template <Plain T>
  void operator()(T& to, const T& from) {
    to = from;
  }
  void operator()(Cause& to, const std::string& from) {
    constexpr std::uint8_t kMore = 64;  // there will be fewer causes than this
    for (std::uint8_t i = 0; i < kMore; ++i) {
      to = static_cast<Cause>(i);
      if (wire_name(to) == from) return;
    }
    to = Cause::none;
    fault = "the cause \"" + from + "\" is not known";
  }
  void operator()(Millis& to, Nanos from) { to = std::chrono::duration_cast<Millis>(from); }
  void operator()(OptionalTime& to, const OptionalDistance& from) {
    to = from ? OptionalTime(written + *from) : OptionalTime();
  }
  void operator()(std::vector<SteadyTime>& to, const std::vector<Distance>& from) {
    to.clear();
    for (const Distance distance : from) to.push_back(written + distance);
  }
};

// When the record was written, on today's steady clock. A wall clock that was set back does not make this later than
// now, so no moment is further away than it was then. A wall clock that was set forward makes future moments due.
SteadyTime moment_of_writing(Now now, WallTime written) {
  constexpr std::int64_t kCentury = 100LL * 366 * 24 * 3600 * 1000;
  return now.steady - Millis(std::clamp<std::int64_t>(now.wall.ms - written.ms, 0, kCentury));
}

constexpr std::array kVerbs = {std::pair(Verb::start, std::string_view("start")), std::pair(Verb::stop, std::string_view("stop")),
                               std::pair(Verb::restart, std::string_view("restart"))};

Error unusable(const store::ServiceRecord& record, const std::string& what) {
  return {ErrorCode::storage_failed, "stored service \"" + std::to_string(record.serial) + "\" (" + record.id + "): " + what, {}};
}

}  // namespace

MachineRecord record_of(const Machine& machine, SteadyTime now) {
  MachineRecord record;
  pair_up(machine, record, ToRecord{now});
  return record;
}

Result<Machine> machine_of(const MachineRecord& record, Now now, WallTime written) {
  Machine machine;
  FromRecord from{moment_of_writing(now, written), {}};
  pair_up(machine, record, from);
  if (!from.fault.empty()) return Error{ErrorCode::storage_failed, std::move(from.fault), {}};
  return machine;
}

store::ServiceRecord record_of(const ServiceFacts& facts, Now now) {
  const ServiceState& service = facts.service;
  store::ServiceRecord record;
  record.written = now.wall;
  record.serial = service.serial;
  record.id = *service.id;
  record.order = service.order;
  record.generation = service.generation;
  record.wanted = service.wanted;
  record.leaving = service.leaving;
  if (service.leaving) record.leaving_source = service.spec->source();
  record.waiting_ids = service.waiting_ids;
  record.restart_required = service.restart_required;
  record.status = service.status;
  record.start_time = service.start_time;
  record.ordinal = facts.ordinal;
  if (service.own) {
    const OwnFacts& own = *service.own;
    if (const auto& exit = own.last_exit) record.last_exit = {exit->code, exit->signal, exit->oom, exit->at, exit->left_pid};
    record.executable_stamp = own.executable_stamp;
  }
  if (facts.staged != nullptr) {
    const auto* word = std::find_if(kVerbs.begin(), kVerbs.end(), [&](const auto& one) { return one.first == facts.staged->verb; });
    record.staged = store::StagedRecord{std::string(word->second), facts.staged->after, facts.staged->raise};
  }
  if (service.owner) {
    if (const auto& drain = service.owner->drain) record.drain = {drain->then, drain->since, drain->timeout, drain->done};
    if (const auto& maintenance = service.owner->maintenance) {
      record.maintenance = {maintenance->reason, maintenance->since, maintenance->until};
    }
  }
  record.machine = record_of(service.machine, now.steady);
  return record;
}

std::uint64_t durable_print(const ServiceFacts& facts) { return fingerprint(record_of(facts, Now{})); }

Result<void> restore(ServiceState& service, const store::ServiceRecord& record, Now now) {
  Result<Machine> machine = machine_of(record.machine, now, record.written);
  if (!machine) return unusable(record, machine.error().message);
  service.serial = record.serial;
  service.id = std::make_shared<const std::string>(record.id);
  service.order = record.order;
  service.generation = record.generation;
  service.wanted = record.wanted;
  service.leaving = record.leaving;
  service.waiting_ids = record.waiting_ids;
  service.waits_to_stop = record.staged && record.staged->verb == "stop";
  OwnerState owner;
  if (const auto& drain = record.drain) owner.drain = {drain->then, drain->since, to_millis(drain->timeout), drain->done};
  if (const auto& maintenance = record.maintenance) {
    owner.maintenance = {maintenance->reason, maintenance->since, maintenance->until};
  }
  service.owner = owner.empty() ? Boxed<OwnerState>() : Boxed<OwnerState>(std::move(owner));
  service.restart_required = record.restart_required;
  service.status = record.status;
  for (health::Check& check : service.checks) check.tracker.reset_adopted(record.status);
  service.start_time = record.start_time;
  service.start_steady = moment_of_writing(now, record.start_time);
  if (service.acts()) {
    service.own = OwnFacts{};
    if (const auto& exit = record.last_exit) {
      service.own->last_exit = ExitView{
          .code = exit->code, .signal = exit->signal, .oom = exit->oom, .at = exit->at, .left_pid = exit->left_pid};
    }
    service.own->executable_stamp = record.executable_stamp;
  }
  service.machine = std::move(machine).value();
  return {};
}

Result<std::optional<StagedVerb>> staged_of(const store::ServiceRecord& record) {
  if (!record.staged) return std::optional<StagedVerb>();
  const auto* found = std::find_if(kVerbs.begin(), kVerbs.end(), [&](const auto& one) { return one.second == record.staged->verb; });
  if (found == kVerbs.end()) return unusable(record, "the verb \"" + record.staged->verb + "\" is not known");
  return std::optional(StagedVerb{.serial = record.serial, .verb = found->first, .after = record.staged->after, .raise = record.staged->raise});
}

store::EntryRecord entry_record_of(const registry::Entry& entry, std::string_view actor) {
  const ServiceSpec& spec = *entry.spec;
  return {.name = spec.id,
          .source = spec.source(),
          .origin = spec.origin,
          .callable = spec.action == &kCallableAction,
          .actor = std::string(actor),
          .generation = entry.generation,
          .order = entry.order};
}

}  // namespace azora::orchestrator
