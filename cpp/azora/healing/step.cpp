// What each input means in each lifecycle.
#include <algorithm>
#include <utility>

#include "azora/healing/life.hpp"

namespace azora::healing {

Step step(Machine& machine, const Plan& plan, const Input& input, SteadyTime now) {
  return Life(machine, plan, now).take(input);
}

Step Life::take(const Input& input) {
  using Kind = Input::Kind;
  if (plan_.action == ActionKind::none) {
    watch(input);
    return std::move(step_);
  }
  const bool current = input.incarnation == m_.incarnation;
  switch (input.kind) {
    case Kind::desire: desire(input.desired, input.cause); break;
    case Kind::restart: operator_restart(); break;
    case Kind::deps: deps(input.flag); break;
    case Kind::admitted: admitted(); break;
    case Kind::slot_expired:
      if (m_.slot_held) act(Action::Kind::release_slot);
      m_.slot_held = false;
      break;
    case Kind::launched: if (current) launched(); break;
    case Kind::launch_failed: if (current) launch_failed(); break;
    case Kind::exited: if (current && process()) exited(input.flag); break;
    case Kind::swept: if (current && process() && ending()) gone(); break;
    case Kind::lost: if (current && process()) lost(); break;
    case Kind::ready: if (current) passed(input.flag, true); break;
    case Kind::passed: if (current) passed(input.flag, false); break;
    case Kind::faltered: faltered(input.flag); break;
    case Kind::liveness_failed: if (current) liveness_failed(); break;
    case Kind::permitted: permitted(); break;
    case Kind::timer: timer(); break;
    case Kind::evidence: evidence(); break;
    case Kind::plan_changed: plan_changed(); break;
  }
  return std::move(step_);
}

// Only watched: there is nothing here that could heal it, and that is said once per unhealthy episode.
void Life::watch(const Input& input) {
  switch (input.kind) {
    case Input::Kind::desire: m_.desired = input.desired; break;
    case Input::Kind::deps: m_.deps_ok = input.flag; break;
    case Input::Kind::ready:
    case Input::Kind::passed:
      if (input.flag) m_.announced_unavailable = false;
      break;
    case Input::Kind::liveness_failed:
      if (!m_.announced_unavailable) tell(Notice::Kind::healing_unavailable, Cause::liveness);
      m_.announced_unavailable = true;
      break;
    default: break;
  }
}

void Life::desire(Desired desired, Cause cause) {
  m_.desired = desired;
  if (desired == Desired::down) return desire_down(cause);
  if (desired == Desired::hold) {
    // Hands off: what runs goes on, what waits to start does not.
    m_.restart_asked = false;
    if (m_.permit_asked) act(Action::Kind::drop_permit);
    m_.permit_asked = false;
    if (running() || ending()) return;
    forget_episode();
    return enter(process() ? Lifecycle::idle : Lifecycle::ready);
  }
  switch (m_.lifecycle) {
    case Lifecycle::idle:
      if (process()) return planned_start(Cause::none);
      forget_episode();
      return enter(Lifecycle::ready);  // somebody else runs it; its probes will tell
    case Lifecycle::done:
      if (cause == Cause::op) fresh_start(Cause::none);
      return;
    case Lifecycle::blocked:
    case Lifecycle::backoff:
    case Lifecycle::failed:
      if (cause == Cause::op) fresh_start(m_.failing ? Cause::op : m_.start_cause);
      return;
    default: return;
  }
}

// Wins over everything: what waits is cancelled at once, what runs is stopped.
void Life::desire_down(Cause cause) {
  if (cause == Cause::none) cause = Cause::op;
  m_.restart_asked = false;
  if (process() && running()) return stop(cause);
  if (process() && ending()) {
    m_.cause = cause;
    m_.failing = false;
    return;
  }
  if (in(Lifecycle::idle)) return;
  forget_episode();
  const bool at_rest = in(Lifecycle::done) || !process();
  enter(Lifecycle::idle);
  if (!at_rest) tell(Notice::Kind::stopped, cause);
}

void Life::operator_restart() {
  m_.desired = Desired::up;
  if (process() && (running() || ending())) {
    m_.restart_asked = true;
    if (running()) stop(Cause::op);
    return;
  }
  // A callback that runs or is being verified is already the restart that is asked for.
  if (in(Lifecycle::starting)) return;
  mark_down();
  fresh_start(Cause::op);
}

void Life::deps(bool ok) {
  m_.deps_ok = ok;
  switch (m_.lifecycle) {
    case Lifecycle::blocked: return consider();
    case Lifecycle::backoff: return ok ? hasten() : gate();
    case Lifecycle::failed: return ok ? evidence() : void();
    case Lifecycle::ready:
      // What the dependency explains is no reason to kill.
      if (!ok && m_.permit_asked) {
        m_.permit_asked = false;
        act(Action::Kind::drop_permit);
      }
      return;
    default: return;
  }
}

void Life::admitted() {
  if (!in(Lifecycle::blocked) || !m_.admission_asked) {
    // The grant crossed our leaving of the queue: give the slot back.
    if (!m_.slot_held) act(Action::Kind::release_slot);
    return;
  }
  m_.admission_asked = false;
  if (process() && !m_.ever_started) m_.start_cause = Cause::none;  // nothing there to *re*start yet
  ++m_.incarnation;
  m_.started.reset();
  m_.earliest.reset();
  if (m_.failing) count_restart();
  enter(Lifecycle::starting, now_ + plan_.start_timeout);
  m_.slot_held = true;
  m_.action_running = !process();
  act(Action::Kind::launch);
}

void Life::launched() {
  m_.action_running = false;
  if (!process()) {
    m_.ever_started = true;
    if (in(Lifecycle::blocked)) return consider();
    if (!in(Lifecycle::starting) || m_.started) return;
    m_.started = now_;
    m_.deadline = now_ + plan_.start_timeout;
    if (!plan_.probes) become_ready(true);
    return;
  }
  if (m_.started || !(in(Lifecycle::starting) || in(Lifecycle::stopping) || in(Lifecycle::killing))) {
    return;
  }
  m_.started = now_;
  m_.ever_started = true;
  tell(Notice::Kind::started, m_.start_cause);
  if (in(Lifecycle::starting)) {
    m_.deadline = now_ + (plan_.probes ? plan_.start_timeout : kAliveIsReady);
  }
}

void Life::launch_failed() {
  m_.action_running = false;
  if (!process()) {
    if (in(Lifecycle::blocked)) return consider();
    if (!in(Lifecycle::starting) || m_.started) return;
    blame(Cause::start_failed);
    return fail();
  }
  if (m_.started || in(Lifecycle::sweep) || !(running() || ending())) return;
  if (running()) blame(Cause::start_failed);
  m_.failed_at = now_;
  sweep(false);
}

void Life::exited(bool ok) {
  if (in(Lifecycle::sweep) || !(running() || ending())) return;
  if (running()) {
    if (ok) {
      m_.cause = Cause::clean;
      mark_down();
    } else {
      blame(Cause::crash);
    }
  }
  m_.failed_at = now_;
  sweep(true);
}

// The shim vanished and took everything along: an end nobody can explain.
void Life::lost() {
  if (!running() && !ending()) return;
  if (running()) blame(Cause::lost);
  m_.failed_at = now_;
  gone();
}

void Life::passed(bool healthy, bool first) {
  switch (m_.lifecycle) {
    case Lifecycle::starting:
      if (m_.started && (first || !process())) become_ready(healthy);
      return;
    case Lifecycle::adopt: return become_ready(healthy);
    case Lifecycle::ready:
      if (m_.permit_asked) {
        m_.permit_asked = false;
        act(Action::Kind::drop_permit);
      }
      if (healthy) {
        m_.down_since.reset();
        m_.announced_unavailable = false;
      }
      return watch_stability(healthy);
    case Lifecycle::blocked:
    case Lifecycle::backoff:
    case Lifecycle::failed:
      // Not ours to run: it came back by itself, nothing was restarted.
      if (process()) return;
      come_back();
      return watch_stability(healthy);
    default: return;
  }
}

// The downtime that a restart will tell of begins where nobody is sent any more, not where we act.
void Life::faltered(bool down) {
  if (!in(Lifecycle::ready)) return;
  if (down) mark_down();
  watch_stability(false);
}

void Life::liveness_failed() {
  if (!in(Lifecycle::ready) || m_.desired != Desired::up) return;
  mark_down();
  watch_stability(false);
  if (plan_.restart.on == RestartOn::never || !m_.deps_ok) return;
  if (plan_.restart.max_restarts == 0) {
    // Alert only: what still runs is left alone.
    if (!m_.announced_unavailable) tell(Notice::Kind::failed, Cause::liveness);
    m_.announced_unavailable = true;
    return;
  }
  if (m_.permit_asked) return;
  m_.permit_asked = true;
  act(Action::Kind::ask_permit);
}

void Life::permitted() {
  if (!in(Lifecycle::ready) || !m_.permit_asked) {
    if (!m_.permit_held) act(Action::Kind::drop_permit);  // the grant crossed our change of mind
    return;
  }
  m_.permit_asked = false;
  m_.permit_held = true;
  if (process()) return stop(Cause::liveness);
  blame(Cause::liveness);
  fail();
}

void Life::timer() {
  if (!m_.deadline || now_ < *m_.deadline) return;
  m_.deadline.reset();
  switch (m_.lifecycle) {
    case Lifecycle::blocked: return consider();
    case Lifecycle::starting:
      if (!process()) {
        // It cannot be ended from here; what can be done is not to call it twice.
        if (m_.action_running) tell(Notice::Kind::stuck, Cause::start_timeout);
        blame(Cause::start_timeout);
        return fail();
      }
      if (!plan_.probes && m_.started) return become_ready(true);
      return stop(Cause::start_timeout);
    case Lifecycle::ready:
      m_.attempts = 0;
      m_.last_delay = Millis(0);
      return;
    case Lifecycle::stopping:
    case Lifecycle::sweep:
      enter(Lifecycle::killing, now_ + plan_.restart.kill_timeout);
      return act(Action::Kind::send_kill);
    case Lifecycle::killing:
      enter(Lifecycle::stuck);
      return tell(Notice::Kind::stuck, m_.cause);
    case Lifecycle::backoff: return spend();
    case Lifecycle::failed:
      if (!m_.deps_ok) {
        m_.evidence_pending = false;
        return plan_retry();  // its recovery is evidence and comes by itself
      }
      return half_open();
    default: return;
  }
}

void Life::evidence() {
  if (in(Lifecycle::backoff)) return hasten();
  if (!in(Lifecycle::failed) || !retries() || !m_.deps_ok) return;
  SteadyTime due = now_;
  if (m_.last_evidence) due = std::max(due, *m_.last_evidence + kEvidenceSpacing);
  if (m_.earliest) due = std::max(due, *m_.earliest);
  m_.evidence_pending = true;
  if (due <= now_) return half_open();
  if (m_.deadline && *m_.deadline < due) due = *m_.deadline;
  m_.deadline = due;
  m_.next_attempt = due;
}

void Life::plan_changed() {
  m_.attempts = 0;
  m_.last_delay = Millis(0);
  switch (m_.lifecycle) {
    case Lifecycle::backoff: return hasten();
    case Lifecycle::failed: return process() ? fresh_start(m_.start_cause) : evidence();
    case Lifecycle::ready: return watch_stability(m_.stable_since.has_value());
    default: return;
  }
}

}  // namespace azora::healing
