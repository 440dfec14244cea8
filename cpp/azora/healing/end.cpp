// What follows an end: stop, sweep, then the decision between rest, another attempt and giving up.
#include <algorithm>
#include <limits>

#include "azora/healing/stepper.hpp"

namespace azora::healing {

void Stepper::stop(Cause cause) {
  if (is_planned(cause)) {
    m_.episode.cause = cause;
    m_.episode.failing = false;
    mark_down();
    end_our_kill();
  } else {
    blame(cause);
  }
  enter(Lifecycle::stopping, now_ + plan_.stop_timeout);
  m_.timers.clock = now_;
  act(Action::Kind::send_stop);
}

// A failure by `cause`. The first one of an episode is the cause that a later restart reports.
void Stepper::blame(Cause cause) {
  // Not ready in time after our kill is still down by it: where restarts do not help, no other member is killed.
  if (cause != Cause::liveness && cause != Cause::start_timeout) end_our_kill();
  m_.episode.cause = cause;
  m_.episode.failing = true;
  m_.episode.failed_at = now_;
  if (m_.episode.start_cause == Cause::none) m_.episode.start_cause = cause;
  mark_down();
}

void Stepper::mark_down() {
  if (!m_.episode.down_since) m_.episode.down_since = now_;
}

// It is down for a reason of its own from here on, so that another member of its group may be killed.
void Stepper::end_our_kill() {
  if (m_.holds.permit) act(Action::Kind::drop_permit);
  m_.holds.permit = false;
}

// Main has ended; nothing new starts before the last descendant is proven gone. Until then they have what is left of
// the time to stop (R53).
void Stepper::sweep() {
  const bool killed = in(Lifecycle::killing) || in(Lifecycle::stuck);
  const auto stop_began = in(Lifecycle::stopping) ? m_.timers.clock : OptionalTime();
  SteadyTime until = now_ + plan_.restart.kill_timeout;
  if (in(Lifecycle::stopping)) {
    until = m_.timers.deadline.value_or(now_);
  } else if (!killed) {
    until = now_ + plan_.orphan_timeout;
  }
  enter(Lifecycle::sweep, until);
  m_.timers.clock = stop_began;
  if (killed) act(Action::Kind::send_kill);
}

// Nothing of the incarnation is left.
void Stepper::ended() {
  const bool planned = is_planned(m_.episode.cause);
  const bool again = m_.restart_asked;
  m_.restart_asked = false;
  if (hands_off() && !planned && is_end_of_job()) return finish_job();
  if (m_.desired != Desired::up) {
    const Cause cause = m_.episode.cause;
    planned ? end_episode() : forget_episode();
    enter(owned() ? Lifecycle::idle : Lifecycle::ready);
    if (planned) notice(Notice::Kind::stopped, cause);
    return;
  }
  if (again && planned) {
    const Machine::Episode before = m_.episode;
    const bool told_failed = m_.told.failed;
    const bool along = before.cause == Cause::dependency;
    planned_start(along ? Cause::dependency : Cause::op);
    m_.episode.down_since = before.down_since;
    if (along) {
      // No operator took it in hand: a single try out of FAILED remains one.
      m_.episode.half_open = before.half_open;
      m_.told.failed = told_failed;
    }
    return;
  }
  if (again) return fresh_start(Cause::op);
  if (planned) return planned_start(Cause::none);
  if (is_end_of_job()) return finish_job();
  if (m_.episode.cause == Cause::clean && m_.episode.start_cause == Cause::none) m_.episode.start_cause = Cause::clean;
  fail();
}

// It ended with 0, and its policy lets it rest then.
bool Stepper::is_end_of_job() const {
  return m_.episode.cause == Cause::clean && plan_.restart.on != RestartOn::always;
}

void Stepper::finish_job() {
  forget_episode();
  m_.episode.cause = Cause::clean;
  enter(Lifecycle::done);
  notice(Notice::Kind::stopped, Cause::clean);
}

void Stepper::fail() {
  if (m_.desired != Desired::up) {
    // An action's attempt ended while hands are to be kept off: its service is watched again.
    forget_episode();
    return enter(Lifecycle::ready);
  }
  m_.episode.failing = true;
  const SteadyTime failed_at = m_.episode.failed_at.value_or(now_);
  const RestartPolicy& policy = plan_.restart;
  const Millis floor = least_delay();
  m_.episode.earliest = failed_at + floor;
  if (!retries()) return give_up();
  if (!m_.deps_ok) {
    // Explained: it costs nothing and waits for the dependency. A single try keeps its spacing.
    if (m_.episode.half_open) m_.episode.earliest = std::max(*m_.episode.earliest, failed_at + kEvidenceSpacing);
    return gate();
  }
  const bool spent = policy.max_restarts >= 0 && m_.budget.attempts >= policy.max_restarts;
  if (m_.episode.half_open || spent) return give_up();
  const int attempt = m_.budget.attempts + 1;
  m_.budget.last_delay = std::max(floor, backoff_delay(policy, attempt));
  const SteadyTime due = failed_at + m_.budget.last_delay +
                         jitter(m_.budget.last_delay, plan_.jitter_key, m_.incarnation, attempt);
  if (due <= now_) return spend();
  enter(Lifecycle::backoff, due);
  m_.timers.next_attempt = due;
}

// No restart by ourselves comes sooner than this after a failure.
Millis Stepper::least_delay() {
  prune_restarts();
  const Millis base = plan_.restart.delay.value_or(Millis(0));
  return m_.budget.flapping ? std::max(base, plan_.restart.max_delay) : base;
}

// One more failure restart of this episode.
void Stepper::spend() {
  if (m_.budget.attempts < std::numeric_limits<int>::max()) ++m_.budget.attempts;
  gate();
}

// BACKOFF: a reason to try sooner, never sooner than restartDelay.
void Stepper::hasten() {
  if (!m_.episode.earliest || *m_.episode.earliest <= now_) return spend();
  if (m_.timers.deadline && *m_.timers.deadline <= *m_.episode.earliest) return;
  m_.timers.deadline = m_.episode.earliest;
  m_.timers.next_attempt = m_.episode.earliest;
}

void Stepper::give_up() {
  m_.episode.half_open = false;
  enter(Lifecycle::failed);
  if (!m_.told.failed) notice(Notice::Kind::failed, m_.episode.cause, m_.budget.attempts);
  m_.told.failed = true;
  plan_retry();
}

void Stepper::half_open() {
  if (m_.episode.evidence_pending) m_.episode.last_evidence = now_;
  m_.episode.half_open = true;
  gate();
}

// FAILED: when to try once more without any evidence; spread by +-25 %.
void Stepper::plan_retry() {
  m_.timers.deadline.reset();
  m_.timers.next_attempt.reset();
  const Millis interval = plan_.restart.failed_retry_interval;
  if (!retries() || interval <= Millis(0)) return;
  const Millis spread = jitter(interval, plan_.jitter_key, m_.incarnation, m_.budget.attempts);
  m_.timers.deadline = now_ + interval - interval / 4 + 2 * spread;
  m_.timers.next_attempt = m_.timers.deadline;
}

void Stepper::prune_restarts() {
  auto& recent = m_.budget.recent;
  const auto limit = static_cast<std::size_t>(std::max(plan_.restart.flap_limit, 0));
  std::erase_if(recent, [this](SteadyTime at) { return at + kFlapWindow <= now_; });
  // More than limit + 1 of them answer no further question.
  if (recent.size() > limit + 1) {
    recent.erase(recent.begin(), recent.end() - static_cast<std::ptrdiff_t>(limit + 1));
  }
  if (recent.size() <= limit) m_.budget.flapping = false;
}

// Whether anything but an operator may start it again after a failure.
bool Stepper::retries() const {
  return plan_.restart.on != RestartOn::never && plan_.restart.max_restarts != 0;
}

}  // namespace azora::healing
