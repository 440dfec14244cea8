#include "azora/orchestrator/admin_watch.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "azora/base/check.hpp"
#include "azora/orchestrator/owner_changes.hpp"
#include "azora/orchestrator/reactions/on_command.hpp"
#include "azora/orchestrator/standing.hpp"

namespace azora::orchestrator {
namespace {

constexpr std::int64_t kMostMs = 2'147'483'647;  // of any duration on the wire
constexpr std::int64_t kYear10000 = 253'402'300'800'000;  // in ms since 1970: the first moment that no ISO time spells

Error wrong(std::string message) { return {ErrorCode::invalid_argument, std::move(message), {}}; }

std::string leases_text(std::uint32_t leases) { return std::to_string(leases) + (leases == 1 ? " lease" : " leases"); }

}  // namespace

template <typename Change>
Result<VerbAnswer> AdminWatch::change(std::string_view name, EventActor actor, const Change& change) {
  if (const Error* trouble = rooms_.commits.trouble()) return *trouble;
  const std::vector<ServiceState*> targets = rooms_.fleet.services(name);
  if (targets.empty()) return Error{ErrorCode::unknown_service, "Service not found", {}};
  const Turn::ActingFor acting(rooms_.turn, actor);
  VerbAnswer answer;
  answer.service_id = name;
  for (ServiceState* service : targets) {
    if (change(*service)) answer.affected.push_back(*service->id);
    answer.incarnation = std::max(answer.incarnation, service->machine.incarnation);
  }
  rooms_.drive.run_to_fixpoint();
  arm();
  answer.seq = rooms_.turn.head();
  return answer;
}

Result<VerbAnswer> AdminWatch::drain(std::string_view name, const DrainWish& wish, EventActor actor) {
  control_thread.assert_held();
  if (wish.timeout < Millis(0) || wish.timeout.count() > kMostMs) {
    return wrong("timeoutMs: is " + std::to_string(wish.timeout.count()) + "; it must be from 0 to 2147483647");
  }
  const std::vector<ServiceState*> targets = rooms_.fleet.services(name);
  if (!targets.empty() && wish.then != DrainThen::keep && !targets.front()->acts()) {
    return Error{ErrorCode::healing_unavailable,
                 "service '" + std::string(name) + "' has only a URL, so Azora cannot " + std::string(wire_name(wish.then)) +
                     " it after the drain; leave `then` out, and it stays out of rotation until the drain is undone",
                 {}};
  }
  const Now now = rooms_.turn.now();
  return change(name, actor, [&](ServiceState& service) AZORA_CONTROL {
    begin_drain(rooms_.fleet, rooms_.turn, service, {.then = wish.then, .since = now.wall, .timeout = wish.timeout});
    draining_[service.serial] = {.first_look = now.steady + std::min(kLook, wish.timeout), .deadline = now.steady + wish.timeout};
    return true;
  });
}

Result<VerbAnswer> AdminWatch::undrain(std::string_view name, EventActor actor) {
  control_thread.assert_held();
  return change(name, actor, [&](ServiceState& service) AZORA_CONTROL { return undo_drain(rooms_.fleet, rooms_.turn, service); });
}

Result<VerbAnswer> AdminWatch::maintain(std::string_view name, const MaintenanceWish& wish, EventActor actor) {
  control_thread.assert_held();
  if (wish.reason.empty() || wish.reason.size() > kMostReason) {
    return wrong("reason: has " + std::to_string(wish.reason.size()) + " bytes; it must have 1 to " +
                 std::to_string(kMostReason) + ": say why nothing is to be done about the service");
  }
  const Now now = rooms_.turn.now();
  if (wish.until && wish.until->ms <= now.wall.ms) return wrong("until: is in the past; give a time to come, or leave it out");
  if (wish.until && wish.until->ms >= kYear10000) return wrong("until: is after the year 9999; leave it out instead");
  return change(name, actor, [&](ServiceState& service) AZORA_CONTROL {
    leave_alone(rooms_.fleet, rooms_.turn, rooms_.verbs, rooms_.drive, service);
    begin_maintenance(rooms_.fleet, rooms_.turn, rooms_.drive, service,
                      {.reason = wish.reason, .since = now.wall, .until = wish.until});
    if (wish.until) expiring_.insert(service.serial);
    return true;
  });
}

Result<VerbAnswer> AdminWatch::end_maintenance(std::string_view name, EventActor actor) {
  control_thread.assert_held();
  return change(name, actor, [&](ServiceState& service) AZORA_CONTROL {
    if (!orchestrator::end_maintenance(rooms_.fleet, rooms_.turn, service, "operator")) return false;
    rooms_.drive.bring_up(service);
    return true;
  });
}

void AdminWatch::restored() {
  const Now now = rooms_.turn.now();
  rooms_.fleet.for_each([&](std::uint64_t serial, const ServiceState& service) {
    control_thread.assert_held();
    if (service.leaving || !service.owner) return;
    if (service.owner->drains()) {
      // Never longer than it was to last, whatever the wall clock did.
      const Drain& drain = *service.owner->drain;
      const Millis passed(now.wall.ms - drain.since.ms);
      draining_[serial] = {.first_look = now.steady,
                           .deadline = now.steady + std::clamp(drain.timeout - passed, Millis(0), drain.timeout),
                           .blind = true};
    }
    if (service.maintained() && service.owner->maintenance->until) expiring_.insert(serial);
  });
  arm();
}

void AdminWatch::look() {
  look_at_maintenance();
  look_at_drains();
  rooms_.drive.run_to_fixpoint();
  arm();
}

void AdminWatch::look_at_drains() {
  const SteadyTime now = rooms_.turn.now().steady;
  std::vector<std::pair<std::uint64_t, bool>> over;  // in time?
  for (auto one = draining_.begin(); one != draining_.end();) {
    const ServiceState* service = rooms_.fleet.by_serial(one->first);
    if (service == nullptr || service->leaving || !service->owner || !service->owner->drains()) {
      one = draining_.erase(one);
      continue;
    }
    const Draining& draining = one->second;
    const bool back = !draining.blind && now >= draining.first_look && rooms_.turn.leases(*service) == 0;
    if (rooms_.fleet.running() && (back || now >= draining.deadline)) over.emplace_back(one->first, back);
    ++one;
  }
  for (const auto& [serial, in_time] : over) {
    draining_.erase(serial);
    if (ServiceState* service = rooms_.fleet.by_serial(serial)) end_drain(*service, in_time);
  }
}

void AdminWatch::end_drain(ServiceState& service, bool in_time) {
  const DrainThen then = service.owner->drain->then;
  const std::uint32_t left = rooms_.turn.leases(service);
  std::string reason = in_time ? "its leases are back" : "its time is over, " + leases_text(left) + " left";
  const EventCause cause = in_time ? EventCause("operator") : EventCause("expired");
  if (then == DrainThen::keep) return keep_drained(rooms_.turn, service, cause, reason);
  if (service.maintained()) {
    reason += "; it is under maintenance, so it stays out of rotation without a " + std::string(wire_name(then));
    return keep_drained(rooms_.turn, service, cause, reason);
  }
  leave_drain(rooms_.turn, service, cause, reason);
  const Command command{.verb = then == DrainThen::stop ? Verb::stop : Verb::restart, .name = *service.id};
  const Result<VerbAnswer> done = on_command(rooms_.fleet, rooms_.turn, rooms_.verbs, rooms_.drive, command);
  AZORA_ASSERT(done.ok());  // it acts, and the orchestrator runs
  rooms_.turn.set_standing(service, standing_of(service, rooms_.fleet.watched()));  // also where nothing had to be done
}

void AdminWatch::look_at_maintenance() {
  const WallTime now = rooms_.turn.now().wall;
  for (const std::uint64_t serial : std::vector<std::uint64_t>(expiring_.begin(), expiring_.end())) {
    ServiceState* service = rooms_.fleet.by_serial(serial);
    const bool expires = service != nullptr && !service->leaving && service->maintained() && service->owner->maintenance->until;
    if (expires && service->owner->maintenance->until->ms > now.ms) continue;
    expiring_.erase(serial);
    if (expires && orchestrator::end_maintenance(rooms_.fleet, rooms_.turn, *service, "expired")) rooms_.drive.bring_up(*service);
  }
}

void AdminWatch::arm() {
  rooms_.loop.cancel(std::exchange(timer_, 0));
  const Now now = rooms_.turn.now();
  OptionalTime next;
  const auto at = [&next](SteadyTime time) {
    if (!next || time < *next) next = time;
  };
  for (const auto& [serial, draining] : draining_) {
    const SteadyTime soon = now.steady + (rooms_.fleet.running() && !draining.blind ? kLook : Millis(1'000));
    at(rooms_.fleet.running() ? std::min(soon, std::max(now.steady, draining.deadline)) : soon);
  }
  for (const std::uint64_t serial : expiring_) {
    const ServiceState* service = rooms_.fleet.by_serial(serial);
    if (service == nullptr || !service->maintained() || !service->owner->maintenance->until) continue;
    const Millis left(service->owner->maintenance->until->ms - now.wall.ms);
    at(now.steady + std::clamp(left, Millis(0), kLongestSleep));
  }
  if (!next) return;
  timer_ = rooms_.loop.at(*next, [this] {
    control_thread.assert_held();
    timer_ = 0;
    look();
  });
}

}  // namespace azora::orchestrator
