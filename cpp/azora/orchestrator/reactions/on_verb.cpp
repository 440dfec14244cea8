// start, stop and restart (semantics 27). With dependents each is told after those that need it have ended.
#include <algorithm>
#include <utility>

#include "azora/orchestrator/core.hpp"

namespace azora::orchestrator {

using healing::Cause;
using healing::Input;

namespace {

Error url_only(std::string_view id) {
  return {ErrorCode::healing_unavailable,
          "service '" + std::string(id) + "' has only a URL: there is nothing here that could start, stop or "
          "restart it; give it a process or restart action in the configuration file or from Python",
          {}};
}

}  // namespace

Result<VerbAnswer> Core::command(Verb verb, std::string_view id, bool dependents, bool dependencies,
                                 std::string_view actor) {
  ServiceState* service = find(id);
  if (service == nullptr) return Error{ErrorCode::unknown_service, "Service not found", {}};
  if (!service->ours()) return url_only(id);
  if (!running_) return Error{ErrorCode::not_running, "the orchestrator is stopped; start it first", {}};
  actor_ = actor;
  VerbAnswer answer;
  answer.service_id = *service->id;
  std::vector<ServiceState*> first;  // dependents that are taken along, those to end first come first
  for (const std::string& name : graph_.all_dependents(id)) {
    ServiceState* other = find(name);
    if (other == nullptr || !other->alive()) continue;
    answer.affected.push_back(name);
    if (dependents && verb != Verb::start) first.push_back(other);
  }
  if (dependencies && verb == Verb::start) {
    for (const std::string& name : graph_.all_dependencies(id)) {
      ServiceState* other = find(name);
      if (other != nullptr && other->process()) tell_verb(*other, Verb::start);
    }
  }
  drop_staged(service->serial);
  std::vector<std::uint64_t> along;
  for (ServiceState* one : first) {
    drop_staged(one->serial);
    along.push_back(one->serial);
    stage({one->serial, Verb::stop, living_dependents(*one), {}, verb == Verb::restart ? Desired::up : Desired::down});
  }
  // After all of them, not only its direct ones: one between may be down already.
  const std::vector<std::uint64_t> raise = verb == Verb::restart ? along : std::vector<std::uint64_t>{};
  stage({service->serial, verb, along, raise, verb == Verb::stop ? Desired::down : Desired::up});
  actor_ = "orchestrator";
  answer.incarnation = service->machine.incarnation;
  answer.seq = publisher_.head();
  return answer;
}

// Direct dependents that run and are themselves on their way down.
std::vector<std::uint64_t> Core::living_dependents(const ServiceState& service) const {
  std::vector<std::uint64_t> serials;
  graph_.for_each_dependent(*service.id, [&](const std::string& name, const Dependency& dependency) {
    const ServiceState* other = find(name);
    if (dependency.strength == Strength::hard && other != nullptr && other->alive()) serials.push_back(other->serial);
  });
  return serials;
}

void Core::stage(Staged staged) {
  ServiceState* service = by_serial(staged.serial);
  service->wanted = staged.wanted;
  mark(*service);
  // Until its turn comes it goes on, but is not started again by us.
  if (!staged.after.empty() && staged.verb == Verb::stop) {
    feed(*service, {.kind = Input::Kind::desire, .desired = Desired::hold, .cause = Cause::op});
  }
  staged_.push_back(std::move(staged));
  run_staged();
}

// A newer verb takes the place of one that waits; whoever was stopped for that one comes back.
void Core::drop_staged(std::uint64_t serial) {
  std::vector<std::uint64_t> raise;
  std::erase_if(staged_, [&](Staged& one) {
    if (one.serial == serial) raise.insert(raise.end(), one.raise.begin(), one.raise.end());
    return one.serial == serial;
  });
  for (const std::uint64_t each : raise) raise_again(each);
}

bool Core::is_staged(std::uint64_t serial) const {
  return std::any_of(staged_.begin(), staged_.end(), [serial](const Staged& one) { return one.serial == serial; });
}

void Core::raise_again(std::uint64_t serial) {
  ServiceState* service = by_serial(serial);
  if (service != nullptr && !service->leaving && service->wanted == Desired::up) tell_verb(*service, Verb::restart);
}

// Tells everybody whose time has come.
void Core::run_staged() {
  for (std::size_t i = 0; i < staged_.size();) {
    const bool waits = std::any_of(staged_[i].after.begin(), staged_[i].after.end(), [this](std::uint64_t serial) {
      const ServiceState* other = by_serial(serial);
      return other != nullptr && other->alive();
    });
    if (waits) {
      ++i;
      continue;
    }
    const Staged due = std::move(staged_[i]);
    staged_.erase(staged_.begin() + static_cast<std::ptrdiff_t>(i));
    ServiceState* service = by_serial(due.serial);
    if (service != nullptr && !service->leaving) {
      const Desired wanted = service->wanted;
      tell_verb(*service, due.verb);
      service->wanted = due.verb == Verb::stop ? wanted : Desired::up;
    }
    for (const std::uint64_t each : due.raise) raise_again(each);
    i = 0;  // those raised or stopped may be what an earlier one waits for
  }
}

void Core::tell_verb(ServiceState& service, Verb verb) {
  service.wanted = verb == Verb::stop ? Desired::down : Desired::up;
  mark(service);
  if (service.held_back) return;  // comes up when the former bearer of its id is gone
  switch (verb) {
    case Verb::start:
      feed(service, {.kind = Input::Kind::desire, .desired = Desired::up, .cause = Cause::op});
      break;
    case Verb::stop:
      feed(service, {.kind = Input::Kind::desire, .desired = Desired::down, .cause = Cause::op});
      break;
    case Verb::restart:
      feed(service, {.kind = Input::Kind::restart, .cause = Cause::op});
      break;
  }
}

}  // namespace azora::orchestrator
