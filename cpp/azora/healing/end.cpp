// What follows an end: stop, sweep, then the decision between rest, another attempt and giving up.
#include <algorithm>
#include <limits>

#include "azora/healing/life.hpp"

namespace azora::healing {

void Life::stop(Cause cause) {
  const bool planned = cause == Cause::op || cause == Cause::shutdown;
  if (planned) {
    m_.cause = cause;
    m_.failing = false;
    mark_down();
  } else {
    blame(cause);
  }
  enter(Lifecycle::stopping, now_ + plan_.stop_timeout);
  act(Action::Kind::send_stop);
}

// A failure by `cause`: the first one of an episode is what a later restart is told to be for.
void Life::blame(Cause cause) {
  m_.cause = cause;
  m_.failing = true;
  m_.failed_at = now_;
  if (m_.start_cause == Cause::none) m_.start_cause = cause;
  mark_down();
}

void Life::mark_down() {
  if (!m_.down_since) m_.down_since = now_;
}

// Main is dead; nothing new starts before the last descendant is proven gone.
void Life::sweep(bool kill) {
  enter(Lifecycle::sweep, now_ + plan_.restart.kill_timeout);
  if (kill) act(Action::Kind::send_kill);
}

// Nothing of the incarnation is left.
void Life::gone() {
  const bool planned = m_.cause == Cause::op || m_.cause == Cause::shutdown;
  const bool again = m_.restart_asked;
  m_.restart_asked = false;
  if (m_.desired != Desired::up) {
    const Cause cause = m_.cause;
    planned ? end_episode() : forget_episode();
    enter(Lifecycle::idle);
    if (planned) tell(Notice::Kind::stopped, cause);
    return;
  }
  if (again && planned) {
    const auto down_since = m_.down_since;
    planned_start(Cause::op);
    m_.down_since = down_since;
    return;
  }
  if (again) return fresh_start(Cause::op);
  if (planned) return planned_start(Cause::none);
  if (m_.cause == Cause::clean && plan_.restart.on != RestartOn::always) {
    forget_episode();
    m_.cause = Cause::clean;
    enter(Lifecycle::done);
    return tell(Notice::Kind::stopped, Cause::clean);
  }
  if (m_.cause == Cause::clean && m_.start_cause == Cause::none) m_.start_cause = Cause::clean;
  fail();
}

void Life::fail() {
  if (m_.desired != Desired::up) {
    // A callback's attempt ended while hands are to be kept off: its service is watched again.
    forget_episode();
    return enter(Lifecycle::ready);
  }
  m_.failing = true;
  const SteadyTime failed_at = m_.failed_at.value_or(now_);
  prune_restarts();
  const RestartPolicy& policy = plan_.restart;
  const Millis base = policy.delay.value_or(Millis(0));
  const Millis floor = m_.flapping ? std::max(base, policy.max_delay) : base;
  m_.earliest = failed_at + floor;
  if (!retries()) return give_up();
  if (!m_.deps_ok) {
    // Explained: it costs nothing and waits for the dependency. A single try keeps its spacing.
    if (m_.half_open) m_.earliest = std::max(*m_.earliest, failed_at + kEvidenceSpacing);
    return gate();
  }
  const bool spent = policy.max_restarts >= 0 && m_.attempts >= policy.max_restarts;
  if (m_.half_open || spent) return give_up();
  const int attempt = m_.attempts + 1;
  m_.last_delay = std::max(floor, backoff_delay(policy, attempt));
  const SteadyTime due = failed_at + m_.last_delay +
                         jitter(m_.last_delay, plan_.jitter_key, m_.incarnation, attempt);
  if (due <= now_) return spend();
  enter(Lifecycle::backoff, due);
  m_.next_attempt = due;
}

// One more failure restart of this episode.
void Life::spend() {
  if (m_.attempts < std::numeric_limits<int>::max()) ++m_.attempts;
  gate();
}

// BACKOFF: a reason to try sooner, never sooner than restartDelay.
void Life::hasten() {
  if (!m_.earliest || *m_.earliest <= now_) return spend();
  if (m_.deadline && *m_.deadline <= *m_.earliest) return;
  m_.deadline = m_.earliest;
  m_.next_attempt = m_.earliest;
}

void Life::give_up() {
  m_.half_open = false;
  enter(Lifecycle::failed);
  if (!m_.announced_failed) tell(Notice::Kind::failed, m_.cause, m_.attempts);
  m_.announced_failed = true;
  plan_retry();
}

void Life::half_open() {
  if (m_.evidence_pending) m_.last_evidence = now_;
  m_.half_open = true;
  gate();
}

// FAILED: when to try once more without any evidence; spread by +-25 %.
void Life::plan_retry() {
  m_.deadline.reset();
  m_.next_attempt.reset();
  const Millis interval = plan_.restart.failed_retry_interval;
  if (!retries() || interval <= Millis(0)) return;
  const Millis spread = jitter(interval, plan_.jitter_key, m_.incarnation, m_.attempts);
  m_.deadline = now_ + interval - interval / 4 + 2 * spread;
  m_.next_attempt = m_.deadline;
}

void Life::prune_restarts() {
  auto& recent = m_.recent_restarts;
  const auto limit = static_cast<std::size_t>(std::max(plan_.restart.flap_limit, 0));
  std::erase_if(recent, [this](SteadyTime at) { return at + kFlapWindow <= now_; });
  // More than limit + 1 of them answer no further question.
  if (recent.size() > limit + 1) {
    recent.erase(recent.begin(), recent.end() - static_cast<std::ptrdiff_t>(limit + 1));
  }
  if (recent.size() <= limit) m_.flapping = false;
}

// Whether anything but an operator may start it again after a failure.
bool Life::retries() const {
  return plan_.restart.on != RestartOn::never && plan_.restart.max_restarts != 0;
}

}  // namespace azora::healing
