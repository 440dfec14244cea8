#include "azora/orchestrator/waiters.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "azora/model/service_name.hpp"

namespace azora::orchestrator {
namespace {

std::string_view word_of(Goal goal) {
  switch (goal) {
    case Goal::stopped: return "stopped";
    case Goal::ready: return "ready";
    case Goal::drained: return "drained";
  }
  return "ready";
}

bool is_met(Goal goal, const Waiters::Seen& seen) {
  if (goal == Goal::drained) return !seen.draining;
  // A restart may wait until dependents have ended. Until it is done, the present state does not count.
  if (seen.pending) return false;
  if (goal == Goal::stopped) return !seen.alive && (seen.lifecycle == Lifecycle::idle || seen.lifecycle == Lifecycle::done);
  if (seen.done_job) return true;
  const bool answers = seen.status == HealthStatus::healthy || seen.status == HealthStatus::degraded;
  return answers && (seen.lifecycle == Lifecycle::ready || seen.lifecycle == Lifecycle::watching);
}

// The services that must meet the condition: an instance that is wanted down does not have to be ready.
std::vector<Waiters::Seen> asked(Goal goal, std::vector<Waiters::Seen> seen) {
  const auto down = [](const Waiters::Seen& one) { return one.wanted_down; };
  if (goal == Goal::ready && !std::all_of(seen.begin(), seen.end(), down)) std::erase_if(seen, down);
  return seen;
}

Error late(const std::string& name, Goal goal, const std::vector<Waiters::Seen>& seen) {
  std::string message = "service '" + name + "' is not " + std::string(word_of(goal)) + " in time";
  const auto open = std::find_if(seen.begin(), seen.end(), [&](const auto& one) { return !is_met(goal, one); });
  if (open != seen.end()) {
    const auto met = std::count_if(seen.begin(), seen.end(), [&](const auto& one) { return is_met(goal, one); });
    const std::string share = std::to_string(met) + " of " + std::to_string(seen.size()) + " instances are, ";
    message += ": " + (seen.size() > 1 ? share + open->id : "it") + " is " + std::string(wire_name(open->lifecycle)) +
               ", " + std::string(wire_name(open->status));
    if (!open->last_error.empty()) message += " (" + open->last_error + ")";
  }
  return {ErrorCode::timed_out, message, {}};
}

// The error if one of the services that must be ready cannot become so.
std::optional<Error> in_vain(const std::string& name, const std::vector<Waiters::Seen>& seen) {
  const auto found = std::find_if(seen.begin(), seen.end(), [](const Waiters::Seen& one) {
    return !one.not_coming.empty() && !one.pending;
  });
  if (found == seen.end()) return std::nullopt;
  return Error{ErrorCode::not_coming, "service '" + name + "' will not be ready: " + found->id + " " + found->not_coming, {}};
}

}  // namespace

Waiters::~Waiters() {
  for (const auto& [key, waiter] : waiters_) loop_.cancel(waiter.timer);
}

std::uint64_t Waiters::add(std::string name, Goal goal, SteadyTime deadline, Done done, SteadyTime horizon) {
  control_thread.assert_held();
  const std::uint64_t key = ++last_key_;
  const TimerId timer = loop_.at(deadline, [this, key] {
    control_thread.assert_held();
    waiters_.at(key).late = true;
    woken_.push_back(key);  // the end of the turn answers
  });
  by_name_[name].push_back(key);
  woken_.push_back(key);
  waiters_.emplace(key, Waiter{.name = std::move(name), .goal = goal, .timer = timer, .horizon = std::max(deadline, horizon), .done = std::move(done)});
  return key;
}

void Waiters::cancel(std::uint64_t key) {
  control_thread.assert_held();
  if (waiters_.contains(key)) take(key);
}

void Waiters::wake(const std::string& id) {
  control_thread.assert_held();
  if (by_name_.empty()) return;
  const std::string entry(entry_of(id));
  for (const std::string* name : {&id, &entry}) {
    if (name == &entry && entry == id) continue;
    const auto found = by_name_.find(*name);
    if (found != by_name_.end()) woken_.insert(woken_.end(), found->second.begin(), found->second.end());
  }
}

void Waiters::wake_all() {
  control_thread.assert_held();
  for (const auto& [key, waiter] : waiters_) woken_.push_back(key);
}

std::vector<Waiters::Answer> Waiters::due(const Look& look) {
  control_thread.assert_held();
  std::vector<Answer> answers;
  for (const std::uint64_t key : std::exchange(woken_, {})) {
    const auto found = waiters_.find(key);
    if (found == waiters_.end()) continue;
    const Waiter& waiter = found->second;
    if (abandoned_) {
      answers.push_back([done = take(key).done, error = *abandoned_] { done(error); });
      continue;
    }
    const std::vector<Seen> seen = asked(waiter.goal, look(waiter.name, waiter.horizon));
    Result<void> result;
    std::optional<Error> vain = waiter.goal == Goal::ready ? in_vain(waiter.name, seen) : std::nullopt;
    if (vain) {
      result = *std::move(vain);
    } else if (waiter.late) {
      result = late(waiter.name, waiter.goal, seen);
    } else if (seen.empty()) {
      if (waiter.goal == Goal::ready) result = Error{ErrorCode::unknown_service, "Service not found", {}};
    } else if (!std::all_of(seen.begin(), seen.end(), [&](const Seen& one) { return is_met(waiter.goal, one); })) {
      continue;
    }
    answers.push_back([done = take(key).done, result = std::move(result)] { done(result); });
  }
  return answers;
}

std::vector<Waiters::Answer> Waiters::abandon(Error error) {
  control_thread.assert_held();
  std::vector<Answer> answers;
  while (!waiters_.empty()) {
    answers.push_back([done = take(waiters_.begin()->first).done, error] { done(error); });
  }
  abandoned_ = std::move(error);
  return answers;
}

Waiters::Waiter Waiters::take(std::uint64_t key) {
  auto node = waiters_.extract(key);
  Waiter waiter = std::move(node.mapped());
  const auto others = by_name_.find(waiter.name);
  std::erase(others->second, key);
  if (others->second.empty()) by_name_.erase(others);
  loop_.cancel(waiter.timer);
  return waiter;
}

}  // namespace azora::orchestrator
