#include "azora/orchestrator/reactions/on_command.hpp"

#include <algorithm>
#include <utility>

#include "azora/model/service_name.hpp"
#include "azora/orchestrator/owner_changes.hpp"

namespace azora::orchestrator {

using healing::Cause;
using healing::Input;

namespace {

Error url_only(std::string_view id) {
  return {ErrorCode::healing_unavailable,
          "service '" + std::string(id) + "' has only a URL, so Azora cannot start, stop or restart it; give it a "
          "process or a restart action in the configuration file or from Python",
          {}};
}

void carry_out(Turn& turn, Drive& drive, ServiceState& service, Verb verb) AZORA_CONTROL {
  service.wanted = verb == Verb::stop ? Desired::down : Desired::up;
  service.waits_to_stop = false;
  turn.mark_dirty(service);
  turn.mark_durable(service.serial);
  if (service.held_back) return;  // it is started when the former service of its id is gone
  switch (verb) {
    case Verb::start:
      return drive.feed(service, {.kind = Input::Kind::desire, .desired = Desired::up, .cause = Cause::op});
    case Verb::stop:
      return drive.feed(service, {.kind = Input::Kind::desire, .desired = Desired::down, .cause = Cause::op});
    case Verb::restart:
      return drive.feed(service, {.kind = Input::Kind::restart, .cause = Cause::op});
  }
}

// True for a finished job that meets all dependencies of the services that start now: it need not run again (R55).
bool is_as_needed(const Fleet& fleet, std::string_view root, const ServiceState& job) AZORA_CONTROL {
  if (job.machine.lifecycle != Lifecycle::done) return false;
  std::vector<std::string> started = fleet.graph().all_dependencies(root);
  started.emplace_back(root);
  return std::all_of(started.begin(), started.end(), [&](const std::string& name) {
    control_thread.assert_held();
    const registry::Entry* entry = fleet.registry().find(entry_of(name));
    if (entry == nullptr) return true;
    const auto& needs = entry->spec->dependencies;
    return std::all_of(needs.begin(), needs.end(), [&](const Dependency& need) {
      control_thread.assert_held();
      return need.strength != Strength::hard || !names_service(need.id, *job.id) || fleet.satisfied(need);
    });
  });
}

void raise_again(Fleet& fleet, Turn& turn, Drive& drive, const std::vector<std::uint64_t>& serials) AZORA_CONTROL {
  for (const std::uint64_t serial : serials) {
    ServiceState* service = fleet.by_serial(serial);
    if (service == nullptr || service->leaving || service->wanted != Desired::up) continue;
    carry_out(turn, drive, *service, Verb::restart);
  }
}

}  // namespace

void leave_alone(Fleet& fleet, Turn& turn, Verbs& verbs, Drive& drive, ServiceState& service) {
  service.waits_to_stop = false;
  turn.mark_durable(service.serial);
  raise_again(fleet, turn, drive, verbs.drop(service.serial));
  for (const std::uint64_t serial : verbs.release(service.serial)) turn.mark_durable(serial);
}

void run_staged(Fleet& fleet, Turn& turn, Verbs& verbs, Drive& drive) {
  const auto runs = [&fleet](std::uint64_t serial) {
    control_thread.assert_held();
    const ServiceState* service = fleet.by_serial(serial);
    return service != nullptr && service->alive();
  };
  while (const std::optional<StagedVerb> due = verbs.take_due(runs)) {
    turn.mark_durable(due->serial);
    ServiceState* service = fleet.by_serial(due->serial);
    if (service != nullptr && !service->leaving) {
      const Desired wanted = service->wanted;
      carry_out(turn, drive, *service, due->verb);
      service->wanted = due->verb == Verb::stop ? wanted : Desired::up;
    }
    raise_again(fleet, turn, drive, due->raise);
  }
}

Result<VerbAnswer> on_command(Fleet& fleet, Turn& turn, Verbs& verbs, Drive& drive, const Command& command) {
  const std::vector<ServiceState*> targets = fleet.services(command.name);
  if (targets.empty()) return Error{ErrorCode::unknown_service, "Service not found", {}};
  if (!targets.front()->acts()) return url_only(command.name);
  if (!fleet.running()) return Error{ErrorCode::not_running, "the orchestrator is stopped; start it first", {}};
  const Verb verb = command.verb;
  VerbAnswer answer;
  answer.service_id = command.name;
  std::vector<ServiceState*> first;  // dependents that are stopped, too; the one to stop first comes first
  for (ServiceState* other : fleet.all_dependents(command.name)) {
    if (!other->alive() || other->maintained()) continue;  // maintained: only by its own name
    answer.affected.push_back(*other->id);
    if (command.dependents && verb != Verb::start) first.push_back(other);
  }
  // A newer verb replaces the one that waits, and the services that were stopped for the older verb are started again.
  const auto drop = [&](std::uint64_t serial) AZORA_CONTROL {
    turn.mark_durable(serial);
    raise_again(fleet, turn, drive, verbs.drop(serial));
  };
  if (command.dependencies && verb == Verb::start) {
    for (const std::string& name : fleet.graph().all_dependencies(command.name)) {
      for (ServiceState* other : fleet.services(name)) {
        if (!other->owned() || other->maintained() || is_as_needed(fleet, command.name, *other)) continue;
        drop(other->serial);
        carry_out(turn, drive, *other, Verb::start);
      }
    }
  }
  const auto stage = [&](ServiceState& one, Desired wanted, StagedVerb staged) AZORA_CONTROL {
    one.wanted = wanted;
    turn.mark_dirty(one);
    turn.mark_durable(one.serial);
    if (!staged.after.empty() && staged.verb == Verb::stop) {
      // Until its verb is due it runs on, but we do not start it again.
      one.waits_to_stop = true;
      drive.feed(one, {.kind = Input::Kind::desire, .desired = Desired::hold, .cause = Cause::op});
    }
    verbs.stage(std::move(staged));
    run_staged(fleet, turn, verbs, drive);
  };
  for (ServiceState* target : targets) {
    drop(target->serial);
    if (verb == Verb::stop) continue;
    undo_drain(fleet, turn, *target);
    end_maintenance(fleet, turn, *target, "operator");
  }
  std::vector<std::uint64_t> along;
  for (ServiceState* one : first) {
    drop(one->serial);
    along.push_back(one->serial);
    stage(*one, verb == Verb::restart ? Desired::up : Desired::down,
          {.serial = one->serial, .verb = Verb::stop, .after = fleet.living_dependents(*one)});
  }
  for (ServiceState* target : targets) {
    // Waits for all dependents: one in between may be down already. The last target starts them again.
    const bool raises = verb == Verb::restart && target == targets.back();
    stage(*target, verb == Verb::stop ? Desired::down : Desired::up,
          {.serial = target->serial,
           .verb = verb,
           .after = along,
           .raise = raises ? along : std::vector<std::uint64_t>{}});
    answer.incarnation = std::max(answer.incarnation, target->machine.incarnation);
  }
  answer.seq = turn.head();
  return answer;
}

}  // namespace azora::orchestrator
