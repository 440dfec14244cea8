// What leads to a start: the gate, admission's side effects, readiness and stability.
#include <algorithm>

#include "azora/healing/stepper.hpp"

namespace azora::healing {

// Every change of lifecycle passes here, so that no queue, slot or permit is left behind.
void Stepper::enter(Lifecycle state, std::optional<SteadyTime> deadline) {
  if (m_.holds.admission_request && state != Lifecycle::blocked) {
    m_.holds.admission_request = false;
    act(Action::Kind::drop_admission);
  }
  if (m_.holds.slot && state != Lifecycle::starting) {
    m_.holds.slot = false;
    act(Action::Kind::release_slot);
  }
  // Our kill is over when the service is back, or when it stays down for another reason. An action that has not returned
  // by then was given up on before: until startTimeout no check that passes makes it READY.
  const bool over = state == Lifecycle::ready || state == Lifecycle::idle ||
                    state == Lifecycle::done || state == Lifecycle::failed;
  if (m_.holds.permit_request || (m_.holds.permit && over)) {
    m_.holds.permit_request = false;
    m_.holds.permit = false;
    act(Action::Kind::drop_permit);
  }
  if (state != Lifecycle::ready) {
    m_.told.unavailable = false;
    m_.timers.stable_since.reset();
  }
  m_.told.blocked = false;
  m_.episode.evidence_pending = false;
  m_.well_before = false;
  m_.timers.clock.reset();
  m_.timers.next_attempt.reset();
  m_.lifecycle = state;
  m_.timers.deadline = deadline;
}

void Stepper::gate() {
  enter(Lifecycle::blocked);
  consider();
}

// BLOCKED: what holds the start now?
void Stepper::consider() {
  m_.timers.deadline.reset();
  m_.timers.next_attempt.reset();
  if (!m_.deps_ok) {
    if (m_.holds.admission_request) act(Action::Kind::drop_admission);
    m_.holds.admission_request = false;
    end_our_kill();
    if (!m_.told.blocked) notice(Notice::Kind::blocked, Cause::dependency);
    m_.told.blocked = true;
    return;
  }
  if (m_.action_running) return end_our_kill();  // it may never return, and no other member waits for that
  if (m_.episode.earliest && now_ < *m_.episode.earliest) {
    m_.timers.deadline = m_.episode.earliest;
    m_.timers.next_attempt = m_.episode.earliest;
    return;
  }
  if (!m_.holds.admission_request) act(Action::Kind::ask_admission);
  m_.holds.admission_request = true;
}

// An operator's verb or a new plan: budget anew, no waiting time; another entry into FAILED is noticed again.
void Stepper::fresh_start(Cause cause) {
  const bool failing = m_.episode.failing;
  const auto down_since = m_.episode.down_since;
  forget_episode();
  m_.episode.start_cause = cause;
  if (cause != Cause::none) {
    m_.episode.failing = failing;
    m_.episode.down_since = down_since;
  }
  gate();
}

// After a planned end, which never touches the budget (I10).
void Stepper::planned_start(Cause cause) {
  end_episode();
  m_.episode.start_cause = cause;
  gate();
}

// The flap detector looks at failure restarts of the last hour, whatever the budget says of them.
void Stepper::count_restart() {
  const int limit = plan_.restart.flap_limit;
  if (limit <= 0) return;
  m_.budget.recent.push_back(now_);
  prune_restarts();
  if (m_.budget.flapping || std::ssize(m_.budget.recent) <= limit) return;
  m_.budget.flapping = true;
  notice(Notice::Kind::flapping, m_.episode.cause, m_.budget.attempts);
}

// How long an incarnation may take to be ready counts from its launch, and again from its exec.
void Stepper::begin_start_clock() {
  m_.timers.clock = now_;
  m_.timers.deadline = start_deadline();
}

// A dependency is back: what it explained counts no more. How long it has been alive is not the dependency's business.
void Stepper::restart_start_clock() {
  if (!alive_is_ready()) begin_start_clock();
}

// A service without checks: what has run for a second is ready.
bool Stepper::alive_is_ready() const { return owned() && !plan_.action.probes_verify && m_.timers.started; }

SteadyTime Stepper::start_deadline() const {
  return m_.timers.clock.value_or(now_) + (alive_is_ready() ? kAliveIsReady : plan_.start_timeout);
}

void Stepper::become_ready(bool healthy) {
  const bool restarted = m_.ever_started && m_.episode.start_cause != Cause::none;
  enter(Lifecycle::ready);
  notice(Notice::Kind::readiness, Cause::none);
  if (restarted) {
    ++m_.restart_count;
    const auto downtime = m_.episode.down_since ? to_millis(now_ - *m_.episode.down_since).count() : 0;
    const int attempt = is_planned(m_.episode.start_cause) ? 0 : m_.budget.attempts;
    notice(Notice::Kind::restarted, m_.episode.start_cause, attempt, downtime);
  }
  close_episode();
  watch_stability(healthy);
}

// Well again without us. What the episode spent stays spent until it is stable.
void Stepper::come_back() {
  end_episode();
  enter(Lifecycle::ready);
  notice(Notice::Kind::readiness, Cause::none);
}

void Stepper::forget_episode() {
  m_.budget.attempts = 0;
  m_.budget.last_delay = Millis(0);
  end_episode();
}

// Over, and the next failure is another one.
void Stepper::end_episode() {
  close_episode();
  m_.episode.last_evidence.reset();
}

// Made good: nothing of it explains or delays what comes, but tries on evidence keep their distance.
void Stepper::close_episode() {
  m_.episode = {.last_evidence = m_.episode.last_evidence};
  m_.told.failed = false;
}

// READY: the budget is given back after stableAfter of uninterrupted health.
void Stepper::watch_stability(bool healthy) {
  if (!healthy) {
    m_.timers.stable_since.reset();
  } else if (!m_.timers.stable_since) {
    m_.timers.stable_since = now_;
  }
  m_.timers.deadline.reset();
  if (m_.timers.stable_since && m_.budget.attempts > 0) m_.timers.deadline = *m_.timers.stable_since + stable_after();
}

void Stepper::drop_permit_request() {
  if (m_.holds.permit_request) act(Action::Kind::drop_permit);
  m_.holds.permit_request = false;
}

Millis Stepper::stable_after() const {
  if (plan_.restart.stable_after) return *plan_.restart.stable_after;
  return std::max({Millis(60'000), 2 * m_.budget.last_delay, 2 * plan_.interval});
}

}  // namespace azora::healing
