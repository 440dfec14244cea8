// What leads to a start: the gate, admission's side effects, readiness and stability.
#include <algorithm>

#include "azora/healing/life.hpp"

namespace azora::healing {

// Every change of lifecycle passes here, so that no queue, slot or permit is left behind.
void Life::enter(Lifecycle state, std::optional<SteadyTime> deadline) {
  if (m_.admission_asked && state != Lifecycle::blocked) {
    m_.admission_asked = false;
    act(Action::Kind::drop_admission);
  }
  if (m_.slot_held && state != Lifecycle::starting) {
    m_.slot_held = false;
    act(Action::Kind::release_slot);
  }
  // Our kill is over when the service is back, or when it stays away for another reason.
  const bool over = state == Lifecycle::ready || state == Lifecycle::idle ||
                    state == Lifecycle::done || state == Lifecycle::failed;
  if (m_.permit_asked || (m_.permit_held && over)) {
    m_.permit_asked = false;
    m_.permit_held = false;
    act(Action::Kind::drop_permit);
  }
  if (state != Lifecycle::ready) {
    m_.ready_since.reset();
    m_.announced_unavailable = false;
    m_.stable_since.reset();
  }
  m_.announced_blocked = false;
  m_.evidence_pending = false;
  m_.next_attempt.reset();
  m_.lifecycle = state;
  m_.deadline = deadline;
}

void Life::gate() {
  enter(Lifecycle::blocked);
  consider();
}

// BLOCKED: what holds the start now?
void Life::consider() {
  m_.deadline.reset();
  m_.next_attempt.reset();
  if (!m_.deps_ok) {
    if (m_.admission_asked) act(Action::Kind::drop_admission);
    m_.admission_asked = false;
    if (m_.permit_held) act(Action::Kind::drop_permit);
    m_.permit_held = false;
    if (!m_.announced_blocked) tell(Notice::Kind::blocked, Cause::dependency);
    m_.announced_blocked = true;
    return;
  }
  if (m_.action_running) return;
  if (m_.earliest && now_ < *m_.earliest) {
    m_.deadline = m_.earliest;
    m_.next_attempt = m_.earliest;
    return;
  }
  if (!m_.admission_asked) act(Action::Kind::ask_admission);
  m_.admission_asked = true;
}

// An operator's word or a new plan: budget anew, no waiting time; another end in FAILED is told again.
void Life::fresh_start(Cause cause) {
  const bool failing = m_.failing;
  const auto down_since = m_.down_since;
  forget_episode();
  m_.start_cause = cause;
  if (cause != Cause::none) {
    m_.failing = failing;
    m_.down_since = down_since;
  }
  gate();
}

// After a planned end, which never touches the budget (I10).
void Life::planned_start(Cause cause) {
  end_episode();
  m_.start_cause = cause;
  gate();
}

// The flap detector looks at failure restarts of the last hour, whatever the budget says of them.
void Life::count_restart() {
  const int limit = plan_.restart.flap_limit;
  if (limit <= 0) return;
  m_.recent_restarts.push_back(now_);
  prune_restarts();
  if (m_.flapping || std::ssize(m_.recent_restarts) <= limit) return;
  m_.flapping = true;
  tell(Notice::Kind::flapping, m_.cause, m_.attempts);
}

void Life::become_ready(bool healthy) {
  const bool restarted = m_.ever_started && m_.start_cause != Cause::none;
  enter(Lifecycle::ready);
  m_.ready_since = now_;
  tell(Notice::Kind::readiness, Cause::none);
  if (restarted) {
    ++m_.restart_count;
    const auto downtime = m_.down_since ? to_millis(now_ - *m_.down_since).count() : 0;
    tell(Notice::Kind::restarted, m_.start_cause, m_.start_cause == Cause::op ? 0 : m_.attempts, downtime);
  }
  m_.failing = false;
  m_.half_open = false;
  m_.announced_failed = false;
  m_.cause = Cause::none;
  m_.start_cause = Cause::none;
  m_.down_since.reset();
  m_.earliest.reset();
  watch_stability(healthy);
}

// Well again without us. What the episode spent stays spent until it is stable (semantics 24).
void Life::come_back() {
  end_episode();
  enter(Lifecycle::ready);
  tell(Notice::Kind::readiness, Cause::none);
}

void Life::forget_episode() {
  m_.attempts = 0;
  m_.last_delay = Millis(0);
  end_episode();
}

void Life::end_episode() {
  m_.failing = false;
  m_.half_open = false;
  m_.announced_failed = false;
  m_.cause = Cause::none;
  m_.start_cause = Cause::none;
  m_.down_since.reset();
  m_.earliest.reset();
  m_.last_evidence.reset();
}

// READY: the budget is given back after stableAfter of uninterrupted health.
void Life::watch_stability(bool healthy) {
  if (!healthy) {
    m_.stable_since.reset();
  } else if (!m_.stable_since) {
    m_.stable_since = now_;
  }
  m_.deadline.reset();
  if (m_.stable_since && m_.attempts > 0) m_.deadline = *m_.stable_since + stable_after();
}

Millis Life::stable_after() const {
  if (plan_.restart.stable_after) return *plan_.restart.stable_after;
  return std::max({Millis(60'000), 2 * m_.last_delay, 2 * plan_.interval});
}

}  // namespace azora::healing
