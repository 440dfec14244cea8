// Who waits for a service to be ready or stopped. A waiter is looked at when its service changed.
#include <utility>

#include "azora/orchestrator/core.hpp"

namespace azora::orchestrator {

void Core::wait_for(std::string id, bool ready, SteadyTime deadline, std::function<void(Result<void>)> done) {
  const std::uint64_t key = ++last_waiter_;
  const TimerId timer = loop_.at(deadline, [this, key] {
    Waiter waiter = take_waiter(key);
    const ServiceState* service = find(waiter.id);
    std::string message = "service '" + waiter.id + "' is not " + (waiter.ready ? "ready" : "stopped") + " in time";
    if (service != nullptr) {
      message += ": it is " + std::string(wire_name(service->machine.lifecycle)) + ", " +
                 std::string(wire_name(service->status));
      if (!service->last_error().empty()) message += " (" + service->last_error() + ")";
    }
    answers_.push_back([done = std::move(waiter.done), message = std::move(message)] {
      done(Error{ErrorCode::timed_out, message, {}});
    });
  });
  waiting_for_[id].push_back(key);
  woken_.push_back(key);
  waiters_.emplace(key, Waiter{std::move(id), ready, timer, std::move(done)});
}

void Core::wake(const std::string& id) {
  const auto found = waiting_for_.find(id);
  if (found != waiting_for_.end()) woken_.insert(woken_.end(), found->second.begin(), found->second.end());
}

Core::Waiter Core::take_waiter(std::uint64_t key) {
  auto node = waiters_.extract(key);
  Waiter waiter = std::move(node.mapped());
  const auto others = waiting_for_.find(waiter.id);
  std::erase(others->second, key);
  if (others->second.empty()) waiting_for_.erase(others);
  loop_.cancel(waiter.timer);
  return waiter;
}

void Core::abandon_waiters() {
  while (!waiters_.empty()) {
    answers_.push_back([done = take_waiter(waiters_.begin()->first).done] {
      done(Error{ErrorCode::closed, "the orchestrator was closed meanwhile", {}});
    });
  }
  answer_stop(living_processes());
}

void Core::check_waiters() {
  for (const std::uint64_t key : std::exchange(woken_, {})) {
    const auto found = waiters_.find(key);
    if (found == waiters_.end()) continue;
    const ServiceState* service = find(found->second.id);
    if (service == nullptr) {
      const Waiter waiter = take_waiter(key);
      if (waiter.ready) {
        waiter.done(Error{ErrorCode::unknown_service, "Service not found", {}});
      } else {
        waiter.done({});
      }
      continue;
    }
    const Lifecycle state = service->machine.lifecycle;
    const bool answers = service->status == HealthStatus::healthy || service->status == HealthStatus::degraded;
    const bool met = found->second.ready ? answers && (state == Lifecycle::ready || state == Lifecycle::watching)
                                         : !service->alive() && (state == Lifecycle::idle || state == Lifecycle::done);
    // A restart that waits for dependents to end first is still to come, whatever it looks like now.
    if (met && !is_staged(service->serial)) take_waiter(key).done({});
  }
}

}  // namespace azora::orchestrator
