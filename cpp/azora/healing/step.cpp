// What each input means in each lifecycle. transitions.hpp draws the outcome.
#include <algorithm>
#include <utility>

#include "azora/healing/stepper.hpp"

namespace azora::healing {

Step step(Machine& machine, const Plan& plan, const Input& input, SteadyTime now) {
  return Stepper(machine, plan, now).apply(input);
}

Step Stepper::apply(const Input& input) {
  using Kind = Input::Kind;
  if (!plan_.action.acts) {
    watch(input);
    return std::move(step_);
  }
  switch (input.kind) {
    case Kind::desire: desire(input.desired, input.cause); break;
    case Kind::restart: input.cause == Cause::dependency ? restart_along() : operator_restart(); break;
    case Kind::deps: deps(input.flag); break;
    case Kind::admitted: admitted(); break;
    case Kind::slot_expired: slot_expired(); break;
    case Kind::adopted: adopted(input.incarnation, input.flag); break;
    case Kind::faltered: faltered(input.flag); break;
    case Kind::permitted: permitted(); break;
    case Kind::timer: timer(); break;
    case Kind::evidence: evidence(); break;
    case Kind::plan_changed: plan_changed(input.flag); break;
    case Kind::checks_anew: checks_anew(); break;
    case Kind::launched:
    case Kind::launch_failed:
    case Kind::exited:
    case Kind::swept:
    case Kind::lost:
    case Kind::ready:
    case Kind::passed:
    case Kind::liveness_failed:
      if (input.incarnation == m_.incarnation) apply_current(input);
      break;
  }
  return std::move(step_);
}

// Inputs that belong to one incarnation; it is the current one.
void Stepper::apply_current(const Input& input) {
  using Kind = Input::Kind;
  const bool exits = plan_.action.tells_exits;
  switch (input.kind) {
    case Kind::launched: return launched();
    case Kind::launch_failed: return launch_failed();
    case Kind::exited: return exits ? exited(input.flag, input.cause) : void();
    case Kind::swept: return owned() && ending() ? ended() : void();
    case Kind::lost: return exits ? lost(input.flag) : void();
    case Kind::ready: return passed(input.flag, true);
    case Kind::passed: return passed(input.flag, false);
    case Kind::liveness_failed: return liveness_failed();
    default: return;
  }
}

// Without an action there is nothing that could heal the service; that is noticed once per unhealthy episode.
void Stepper::watch(const Input& input) {
  switch (input.kind) {
    case Input::Kind::desire: m_.desired = input.desired; break;
    case Input::Kind::deps: m_.deps_ok = input.flag; break;
    case Input::Kind::ready:
    case Input::Kind::passed:
      if (input.flag) m_.told.unavailable = false;
      break;
    case Input::Kind::checks_anew: m_.told.unavailable = false; break;
    case Input::Kind::liveness_failed:
      if (!m_.told.unavailable) notice(Notice::Kind::healing_unavailable, Cause::liveness);
      m_.told.unavailable = true;
      break;
    default: break;
  }
}

void Stepper::desire(Desired desired, Cause cause) {
  m_.desired = desired;
  if (desired == Desired::down) return desire_down(cause);
  if (desired == Desired::hold) return desire_hold();
  switch (m_.lifecycle) {
    case Lifecycle::idle:
      if (owned()) return planned_start(Cause::none);
      forget_episode();
      return enter(Lifecycle::ready);  // it is not run by us; its checks say how it is
    case Lifecycle::done:
      if (cause == Cause::op) fresh_start(Cause::none);
      return;
    case Lifecycle::blocked:
    case Lifecycle::backoff:
    case Lifecycle::failed:
      if (cause == Cause::op) fresh_start(m_.episode.failing ? Cause::op : m_.episode.start_cause);
      return;
    default: return;
  }
}

// Hands off: what runs goes on, what waits to start does not. A job that is done stays done.
void Stepper::desire_hold() {
  m_.restart_asked = false;
  drop_permit_request();
  if (running() || ending() || (owned() && in(Lifecycle::done))) return;
  forget_episode();
  enter(owned() ? Lifecycle::idle : Lifecycle::ready);
}

// Goes before everything else: what waits is cancelled at once, what runs is stopped.
void Stepper::desire_down(Cause cause) {
  if (cause == Cause::none) cause = Cause::op;
  m_.restart_asked = false;
  if (owned() && running()) return stop(cause);
  if (owned() && ending()) {
    m_.episode.cause = cause;
    m_.episode.failing = false;
    return;
  }
  if (in(Lifecycle::idle)) return;
  forget_episode();
  const bool at_rest = in(Lifecycle::done) || !owned();
  enter(Lifecycle::idle);
  if (!at_rest) notice(Notice::Kind::stopped, cause);
}

void Stepper::operator_restart() {
  m_.desired = Desired::up;
  if (owned() && (running() || ending())) {
    m_.restart_asked = true;
    if (running()) stop(Cause::op);
    return;
  }
  // An action that runs or is being verified is already the restart that is asked for.
  if (in(Lifecycle::starting)) return;
  mark_down();
  fresh_start(Cause::op);
}

// What it needs was restarted. What does not run is started after that anyway, or not at all.
void Stepper::restart_along() {
  if (m_.desired != Desired::up) return;
  if (owned() && running()) {
    m_.restart_asked = true;
    return stop(Cause::dependency);
  }
  if (owned() || !in(Lifecycle::ready)) return;
  mark_down();
  const auto down_since = m_.episode.down_since;
  planned_start(Cause::dependency);
  m_.episode.down_since = down_since;
}

void Stepper::deps(bool ok) {
  const bool back = ok && !m_.deps_ok;
  m_.deps_ok = ok;
  switch (m_.lifecycle) {
    case Lifecycle::blocked: return consider();
    case Lifecycle::backoff: return ok ? hasten() : gate();
    case Lifecycle::failed: return ok ? evidence() : void();
    case Lifecycle::starting:
    case Lifecycle::adopt:
      if (back) restart_start_clock();
      if (!ok) drop_permit_request();
      return;
    case Lifecycle::ready:
      // What the dependency explains is no reason to kill.
      if (!ok) drop_permit_request();
      return;
    default: return;
  }
}

void Stepper::admitted() {
  if (!in(Lifecycle::blocked) || !m_.holds.admission_request) {
    // The grant crossed our leaving of the queue: give the slot back.
    if (!m_.holds.slot) act(Action::Kind::release_slot);
    return;
  }
  m_.holds.admission_request = false;
  if (owned() && !m_.ever_started) m_.episode.start_cause = Cause::none;  // a first start restarts nothing
  ++m_.incarnation;
  m_.timers.started.reset();
  m_.episode.earliest.reset();
  if (m_.episode.failing) count_restart();
  enter(Lifecycle::starting);
  begin_start_clock();
  m_.holds.slot = true;
  m_.action_running = !owned();
  act(Action::Kind::launch);
}

void Stepper::slot_expired() {
  if (m_.holds.slot) act(Action::Kind::release_slot);
  m_.holds.slot = false;
}

void Stepper::passed(bool healthy, bool first) {
  switch (m_.lifecycle) {
    case Lifecycle::starting:
      if (m_.timers.started && (first || !owned())) become_ready(healthy);
      return;
    case Lifecycle::adopt: return become_ready(healthy);
    case Lifecycle::ready:
      drop_permit_request();
      if (healthy) {
        m_.episode.down_since.reset();
        m_.told.unavailable = false;
      }
      return watch_stability(healthy);
    case Lifecycle::blocked:
    case Lifecycle::backoff:
    case Lifecycle::failed:
    case Lifecycle::done:
      // Not ours to run: it came back by itself, nothing was restarted.
      if (owned()) return;
      come_back();
      return watch_stability(healthy);
    default: return;
  }
}

// The downtime of a later restart begins where the service left rotation, not where we act.
void Stepper::faltered(bool down) {
  if (!in(Lifecycle::ready)) return;
  if (down) mark_down();
  watch_stability(false);
}

void Stepper::liveness_failed() {
  if (!(in(Lifecycle::ready) || in(Lifecycle::adopt)) || m_.desired != Desired::up) return;
  mark_down();
  if (in(Lifecycle::ready)) watch_stability(false);
  if (plan_.restart.on == RestartOn::never || !m_.deps_ok) return;
  if (plan_.restart.max_restarts == 0) {
    // Alert only: what still runs is left alone.
    if (!m_.told.unavailable) notice(Notice::Kind::failed, Cause::liveness);
    m_.told.unavailable = true;
    return;
  }
  if (m_.holds.permit_request) return;
  m_.holds.permit_request = true;
  act(Action::Kind::ask_permit);
}

void Stepper::permitted() {
  if (!m_.holds.permit_request) {
    if (!m_.holds.permit) act(Action::Kind::drop_permit);  // the grant crossed our change of mind
    return;
  }
  m_.holds.permit_request = false;
  m_.holds.permit = true;
  if (owned()) return stop(Cause::liveness);
  blame(Cause::liveness);
  fail();
}

void Stepper::timer() {
  if (!m_.timers.deadline || now_ < *m_.timers.deadline) return;
  m_.timers.deadline.reset();
  switch (m_.lifecycle) {
    case Lifecycle::blocked: return consider();
    case Lifecycle::starting: return start_timed_out();
    case Lifecycle::adopt: return adoption_timed_out();
    case Lifecycle::ready:
      m_.budget.attempts = 0;
      m_.budget.last_delay = Millis(0);
      return;
    case Lifecycle::stopping:
    case Lifecycle::sweep:
      enter(Lifecycle::killing, now_ + plan_.restart.kill_timeout);
      m_.timers.clock = now_;
      return act(Action::Kind::send_kill);
    case Lifecycle::killing:
      enter(Lifecycle::stuck);
      return notice(Notice::Kind::stuck, m_.episode.cause);
    case Lifecycle::backoff: return spend();
    case Lifecycle::failed:
      if (!m_.deps_ok) {
        m_.episode.evidence_pending = false;
        return plan_retry();  // its recovery is evidence and comes by itself
      }
      return half_open();
    default: return;
  }
}

void Stepper::start_timed_out() {
  if (alive_is_ready()) return become_ready(true);
  if (!m_.deps_ok) return begin_start_clock();  // explained: left alone until the dependency is back
  if (owned() && hands_off()) return begin_start_clock();
  if (owned()) return stop(Cause::start_timeout);
  // It cannot be ended from here; what can be done is not to start a second one.
  if (m_.action_running) notice(Notice::Kind::stuck, Cause::start_timeout);
  blame(Cause::start_timeout);
  fail();
}

// Neither a passing check nor restartThreshold failures: what was ready before is trusted and its checks decide from
// here on; what was not has had the time that a start has.
void Stepper::adoption_timed_out() {
  if (alive_is_ready()) return become_ready(true);
  if (m_.well_before) return become_ready(false);
  if (!m_.deps_ok || hands_off()) return begin_start_clock();
  stop(Cause::start_timeout);
}

void Stepper::evidence() {
  if (in(Lifecycle::backoff)) return hasten();
  if (!in(Lifecycle::failed) || !retries() || !m_.deps_ok) return;
  SteadyTime due = now_;
  if (m_.episode.last_evidence) due = std::max(due, *m_.episode.last_evidence + kEvidenceSpacing);
  if (m_.episode.earliest) due = std::max(due, *m_.episode.earliest);
  m_.episode.evidence_pending = true;
  if (due <= now_) return half_open();
  if (m_.timers.deadline && *m_.timers.deadline < due) due = *m_.timers.deadline;
  m_.timers.deadline = due;
  m_.timers.next_attempt = due;
}

void Stepper::plan_changed(bool new_budget) {
  if (new_budget) {
    m_.budget.attempts = 0;
    m_.budget.last_delay = Millis(0);
  }
  switch (m_.lifecycle) {
    case Lifecycle::starting:
    case Lifecycle::adopt: m_.timers.deadline = start_deadline(); return;
    case Lifecycle::stopping:
    case Lifecycle::killing:
    case Lifecycle::sweep: return limit_stop();
    case Lifecycle::backoff: return new_budget ? hasten() : void();
    case Lifecycle::failed:
      if (!new_budget) return;
      return owned() ? fresh_start(m_.episode.start_cause) : evidence();
    case Lifecycle::ready: return watch_stability(m_.timers.stable_since.has_value());
    default: return;
  }
}

// A stop that is under way ends when the new plan says, counted from its signal. Who carries it out was told its time
// with that signal, and is told again when it is longer.
void Stepper::limit_stop() {
  if (!m_.timers.clock || !m_.timers.deadline) return;
  const bool killing = in(Lifecycle::killing);
  const SteadyTime until = *m_.timers.clock + (killing ? plan_.restart.kill_timeout : plan_.stop_timeout);
  const bool longer = until > *m_.timers.deadline;
  m_.timers.deadline = until;
  if (longer && !killing) act(Action::Kind::send_stop);
}

// The unhealthy episode that was noticed is over, and nothing is killed for checks that count no more.
void Stepper::checks_anew() {
  if (!in(Lifecycle::ready) && !in(Lifecycle::adopt)) return;
  m_.told.unavailable = false;
  drop_permit_request();
}

}  // namespace azora::healing
