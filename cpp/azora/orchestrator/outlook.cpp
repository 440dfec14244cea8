#include "azora/orchestrator/outlook.hpp"

#include <unordered_map>

#include "azora/orchestrator/reads/ended.hpp"

namespace azora::orchestrator {
namespace {

std::string in_brackets(const std::string& trouble) { return trouble.empty() ? "" : " (" + trouble + ")"; }

class Outlook {
 public:
  Outlook(const Fleet& fleet, SteadyTime deadline) : fleet_(fleet), deadline_(deadline) {}

  // Each service is examined once, however many other services need it.
  const std::string& of(const ServiceState& service) AZORA_CONTROL {
    const auto [known, fresh] = known_.try_emplace(service.serial);
    if (!fresh) return known->second;
    std::string why = look_at(service);
    return known_[service.serial] = std::move(why);
  }

 private:
  std::string look_at(const ServiceState& service) AZORA_CONTROL {
    if (service.wanted == Desired::down && fleet_.running()) return "is stopped, or about to be, and has to be started";
    const bool left_alone = service.wanted == Desired::hold && service.machine.lifecycle == Lifecycle::idle;
    if (left_alone) return "is under maintenance, and nothing starts it before that ends";
    switch (service.machine.lifecycle) {
      case Lifecycle::failed: return of_failed(service);
      case Lifecycle::backoff: return of_backoff(service);
      case Lifecycle::blocked: return of_blocked(service);
      case Lifecycle::done: {
        if (is_done_job(service)) return {};
        const auto& exit = service.own->last_exit;
        return ended_words(exit ? &*exit : nullptr, service.spec->restart->on);
      }
      default: return {};
    }
  }

  std::string of_failed(const ServiceState& service) const {
    const OptionalTime& next = service.machine.timers.next_attempt;
    if (next && *next <= deadline_) return {};
    const RestartPolicy& policy = *service.spec->restart;
    std::string why = "failed" + in_brackets(service.trouble());
    if (policy.on == RestartOn::never) return why + " and is not started again, since its restartPolicy is never";
    if (policy.max_restarts == 0) return why + " and is not started again, since its maxRestarts is 0";
    return why + " and its restart budget is used up; " +
           (next ? "the next single attempt comes after the end of this wait" : "no further attempt is planned");
  }

  // A service that runs without us may answer again at any time, even while its action waits for the next attempt.
  std::string of_backoff(const ServiceState& service) const {
    const OptionalTime& next = service.machine.timers.next_attempt;
    if (!service.owned() || !next || *next <= deadline_) return {};
    return "failed" + in_brackets(service.trouble()) + " and its next restart comes after the end of this wait";
  }

  // It is in vain when too few instances of a dependency can still come.
  std::string of_blocked(const ServiceState& service) AZORA_CONTROL {
    for (const Dependency& dependency : service.spec->dependencies) {
      if (dependency.strength != Strength::hard || fleet_.satisfied(dependency)) continue;
      int possible = 0;
      bool registered = false;
      std::string why;
      fleet_.for_each_of(dependency.id, [&](const ServiceState& one) AZORA_CONTROL {
        registered = true;
        const std::string& its = of(one);
        // A finished job cannot meet "started" or "healthy" any more.
        const bool past = is_done_job(one) && dependency.condition != Condition::completed;
        if (its.empty() && !past) {
          ++possible;
        } else if (why.empty()) {
          why = *one.id + " " + (past ? "is done already" : its);
        }
      });
      if (registered && possible < dependency.min) return "waits for its dependency: " + why;
    }
    return {};
  }

  const Fleet& fleet_;
  SteadyTime deadline_;
  std::unordered_map<std::uint64_t, std::string> known_;
};

}  // namespace

std::string why_not_coming(const Fleet& fleet, const ServiceState& service, SteadyTime deadline) {
  return Outlook(fleet, deadline).of(service);
}

bool is_done_job(const ServiceState& service) {
  return service.machine.lifecycle == Lifecycle::done && !service.spec->endpoint;
}

Waiters::Seen seen_of(const Fleet& fleet, const ServiceState& service, bool pending, SteadyTime horizon) {
  const bool draining = service.owner && service.owner->drains();
  return {.id = *service.id,
          .wanted_down = service.wanted == Desired::down,
          .alive = service.alive(),
          .pending = pending || (draining && service.owner->drain->then != DrainThen::keep),
          .draining = draining,
          .done_job = is_done_job(service),
          .not_coming = why_not_coming(fleet, service, horizon),
          .lifecycle = service.machine.lifecycle,
          .status = service.status,
          .last_error = service.last_error()};
}

void wake(Waiters& waiters, const std::vector<ServiceState*>& changed) {
  if (waiters.empty()) return;
  for (const ServiceState* service : changed) {
    waiters.wake(*service->id);
    const Lifecycle lifecycle = service->machine.lifecycle;
    if (lifecycle == Lifecycle::failed || lifecycle == Lifecycle::done || lifecycle == Lifecycle::backoff ||
        service->wanted == Desired::down) {
      waiters.wake_all();
    }
  }
}

}  // namespace azora::orchestrator
