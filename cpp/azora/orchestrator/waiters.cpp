#include "azora/orchestrator/waiters.hpp"

#include <utility>

namespace azora::orchestrator {
namespace {

Error late(const std::string& id, bool ready, const Waiters::Seen& seen) {
  std::string message = "service '" + id + "' is not " + (ready ? "ready" : "stopped") + " in time";
  if (seen.known) {
    message += ": it is " + std::string(wire_name(seen.lifecycle)) + ", " + std::string(wire_name(seen.status));
    if (!seen.last_error.empty()) message += " (" + seen.last_error + ")";
  }
  return {ErrorCode::timed_out, message, {}};
}

bool is_met(bool ready, const Waiters::Seen& seen) {
  // A restart that waits for dependents to end first is still to come, whatever it looks like now.
  if (seen.pending) return false;
  if (!ready) return !seen.alive && (seen.lifecycle == Lifecycle::idle || seen.lifecycle == Lifecycle::done);
  const bool answers = seen.status == HealthStatus::healthy || seen.status == HealthStatus::degraded;
  return answers && (seen.lifecycle == Lifecycle::ready || seen.lifecycle == Lifecycle::watching);
}

}  // namespace

Waiters::~Waiters() {
  for (const auto& [key, waiter] : waiters_) loop_.cancel(waiter.timer);
}

void Waiters::add(std::string id, bool ready, SteadyTime deadline, Done done) {
  const std::uint64_t key = ++last_key_;
  const TimerId timer = loop_.at(deadline, [this, key] {
    waiters_.at(key).late = true;
    woken_.push_back(key);  // the turn's end answers
  });
  by_id_[id].push_back(key);
  woken_.push_back(key);
  waiters_.emplace(key, Waiter{.id = std::move(id), .ready = ready, .timer = timer, .done = std::move(done)});
}

void Waiters::wake(const std::string& id) {
  if (by_id_.empty()) return;
  const auto found = by_id_.find(id);
  if (found != by_id_.end()) woken_.insert(woken_.end(), found->second.begin(), found->second.end());
}

std::vector<Waiters::Answer> Waiters::due(const Look& look) {
  std::vector<Answer> answers;
  for (const std::uint64_t key : std::exchange(woken_, {})) {
    const auto found = waiters_.find(key);
    if (found == waiters_.end()) continue;
    const Waiter& waiter = found->second;
    const Seen seen = look(waiter.id);
    Result<void> result;
    if (waiter.late) {
      result = late(waiter.id, waiter.ready, seen);
    } else if (!seen.known) {
      if (waiter.ready) result = Error{ErrorCode::unknown_service, "Service not found", {}};
    } else if (!is_met(waiter.ready, seen)) {
      continue;
    }
    answers.push_back([done = take(key).done, result = std::move(result)] { done(result); });
  }
  return answers;
}

std::vector<Waiters::Answer> Waiters::abandon(const Error& error) {
  std::vector<Answer> answers;
  while (!waiters_.empty()) {
    answers.push_back([done = take(waiters_.begin()->first).done, error] { done(error); });
  }
  return answers;
}

Waiters::Waiter Waiters::take(std::uint64_t key) {
  auto node = waiters_.extract(key);
  Waiter waiter = std::move(node.mapped());
  const auto others = by_id_.find(waiter.id);
  std::erase(others->second, key);
  if (others->second.empty()) by_id_.erase(others);
  loop_.cancel(waiter.timer);
  return waiter;
}

}  // namespace azora::orchestrator
