// The step itself: one function per input, each a switch over the lifecycles it means something in.
#include <algorithm>

#include "azora/healing/machine.hpp"

namespace azora::healing {
namespace {

constexpr Millis kAliveIsReady{1'000};     // a service without probes is ready after so long alive
constexpr Millis kEvidenceGap{30'000};     // between tries on evidence out of one FAILED
constexpr Millis kFlapWindow{3'600'000};

class Stepper {
 public:
  Stepper(Machine& machine, const Plan& plan, SteadyTime now) : m_(machine), plan_(plan), now_(now) {}

  Step run(const Input& input) {
    using K = Input::Kind;
    switch (input.kind) {
      case K::desire: input.desired == Desired::up ? want_up(input.cause) : want_down(input.cause); break;
      case K::restart: operator_restart(); break;
      case K::deps: dependencies(input.flag); break;
      case K::admitted: admitted(); break;
      case K::slot_expired: release_slot(); break;
      case K::launched: if (current(input)) launched(); break;
      case K::launch_failed: if (current(input)) launch_failed(); break;
      case K::exited: if (current(input)) exited(input.flag); break;
      case K::swept: if (current(input) && m_.lifecycle == Lifecycle::sweep) decide(); break;
      case K::lost: if (current(input)) lost(); break;
      case K::ready: if (current(input) && m_.lifecycle == Lifecycle::starting) become_ready(); break;
      case K::passed: passed(input.flag); break;
      case K::faltered: stop_settling(); break;
      case K::liveness_failed: liveness_failed(); break;
      case K::permitted: permitted(); break;
      case K::timer: timer(); break;
      case K::evidence: evidence(input.cause == Cause::none ? Cause::evidence : input.cause); break;
      case K::plan_changed: plan_changed(); break;
    }
    return std::move(out_);
  }

 private:
  bool ours() const { return plan_.action != ActionKind::none; }
  bool process() const { return plan_.action == ActionKind::process; }
  bool current(const Input& input) const { return input.incarnation == m_.incarnation; }
  bool running() const { return m_.lifecycle == Lifecycle::starting || m_.lifecycle == Lifecycle::ready; }
  bool ending() const {
    return m_.lifecycle == Lifecycle::stopping || m_.lifecycle == Lifecycle::killing ||
           m_.lifecycle == Lifecycle::stuck || m_.lifecycle == Lifecycle::sweep;
  }
  bool retries() const { return plan_.restart.on != RestartOn::never && plan_.restart.max_restarts != 0; }

  void act(Action::Kind kind) { out_.actions.push_back({kind, m_.incarnation}); }
  void notice(Notice::Kind kind, Cause cause) { out_.notices.push_back({kind, cause, m_.attempts, 0}); }
  void enter(Lifecycle state, std::optional<SteadyTime> deadline = std::nullopt) {
    m_.lifecycle = state;
    m_.deadline = deadline;
    if (state != Lifecycle::backoff && state != Lifecycle::failed) m_.next_attempt.reset();
  }
  void release_slot() {
    if (!m_.slot_held) return;
    m_.slot_held = false;
    act(Action::Kind::release_slot);
  }
  void drop_admission() {
    if (!m_.admission_asked) return;
    m_.admission_asked = false;
    act(Action::Kind::drop_admission);
  }
  void drop_permit() {
    if (!m_.permit_asked && !m_.permit_held) return;
    m_.permit_asked = m_.permit_held = false;
    act(Action::Kind::drop_permit);
  }
  void forget_budget() {
    m_.attempts = 0;
    m_.last_delay = Millis(0);
    m_.half_open = false;
    m_.last_evidence.reset();
  }
  void went_down() {
    if (!m_.down_since) m_.down_since = now_;
    m_.ready_since.reset();
  }

  // --- the way up -----------------------------------------------------------------------------------------
  void gate() {
    // Nothing starts earlier than restartDelay after the failure, whoever opens the gate early.
    if (m_.start_cause != Cause::none && m_.start_cause != Cause::op && m_.down_since && plan_.restart.delay &&
        now_ < *m_.down_since + *plan_.restart.delay && m_.deps_ok) {
      m_.attempt_counted = true;
      enter(Lifecycle::backoff, *m_.down_since + *plan_.restart.delay);
      m_.next_attempt = m_.deadline;
      return;
    }
    enter(Lifecycle::blocked);
    if (!m_.deps_ok) {
      drop_admission();
      drop_permit();
      notice(Notice::Kind::blocked, Cause::dependency);
    } else if (!m_.admission_asked) {
      m_.admission_asked = true;
      act(Action::Kind::ask_admission);
    }
  }

  void admitted() {
    if (m_.lifecycle != Lifecycle::blocked || !m_.admission_asked) {
      act(Action::Kind::release_slot);
      return;
    }
    m_.admission_asked = false;
    m_.slot_held = true;
    ++m_.incarnation;
    m_.started.reset();
    enter(Lifecycle::starting, now_ + plan_.start_timeout);
    act(Action::Kind::launch);
  }

  void launched() {
    if (process()) notice(Notice::Kind::started, m_.start_cause);
    m_.ever_started = true;
    if (m_.lifecycle != Lifecycle::starting) return;
    m_.started = now_;
    m_.deadline = now_ + (plan_.probes ? plan_.start_timeout : kAliveIsReady);
  }

  void become_ready() {
    release_slot();
    drop_permit();
    m_.ready_since = now_;
    enter(Lifecycle::ready);
    watch_stability();
    notice(Notice::Kind::readiness, m_.start_cause);
    if (m_.start_cause != Cause::none) {
      ++m_.restart_count;
      const Nanos down = m_.down_since ? now_ - *m_.down_since : Nanos(0);
      out_.notices.push_back({Notice::Kind::restarted, m_.start_cause, m_.attempts, to_millis(down).count()});
    }
    m_.start_cause = Cause::none;
    m_.cause = Cause::none;
    m_.failing = false;
    m_.half_open = false;
    m_.announced_failed = false;
    m_.down_since.reset();
  }

  // --- the way down ---------------------------------------------------------------------------------------
  void stop_now(Cause cause, bool failure) {
    m_.cause = cause;
    m_.failing = failure;
    went_down();
    release_slot();
    if (!process()) {
      failure ? fail() : enter(Lifecycle::idle);
      return;
    }
    enter(Lifecycle::stopping, now_ + plan_.stop_timeout);
    act(Action::Kind::send_stop);
  }

  void launch_failed() {
    if (!running() && !ending()) return;
    if (running()) {
      m_.cause = Cause::start_failed;
      m_.failing = true;
    }
    went_down();
    release_slot();
    if (process()) {
      enter(Lifecycle::sweep);
    } else if (m_.lifecycle == Lifecycle::starting) {
      fail();
    }
  }

  void exited(bool clean) {
    if (!process() || !(running() || (ending() && m_.lifecycle != Lifecycle::sweep))) return;
    if (running()) {
      m_.cause = clean ? Cause::clean : Cause::crash;
      m_.failing = !clean || plan_.restart.on == RestartOn::always;
    }
    if (m_.permit_asked) drop_permit();
    went_down();
    release_slot();
    enter(Lifecycle::sweep);
  }

  void lost() {
    if (!process() || !(running() || ending())) return;
    if (running()) {
      m_.cause = Cause::lost;
      m_.failing = true;
    }
    if (m_.permit_asked) drop_permit();
    went_down();
    release_slot();
    decide();
  }

  // Nothing of the incarnation is left: what now?
  void decide() {
    if (m_.desired != Desired::up) {
      rest(Lifecycle::idle);
      notice(Notice::Kind::stopped, m_.cause);
      return;
    }
    if (m_.restart_asked) {
      m_.restart_asked = false;
      m_.start_cause = Cause::op;
      gate();
      return;
    }
    if (m_.cause == Cause::clean && plan_.restart.on != RestartOn::always) {
      rest(Lifecycle::done);
      notice(Notice::Kind::stopped, Cause::clean);
      return;
    }
    fail();
  }

  void rest(Lifecycle state) {
    drop_permit();
    drop_admission();
    enter(state);
    forget_budget();
    m_.failing = false;
    m_.announced_failed = false;
    m_.start_cause = Cause::none;
    m_.down_since.reset();
    m_.ready_since.reset();
  }

  // A failure: explained, retried, or given up on.
  void fail() {
    if (plan_.restart.on == RestartOn::never) return give_up();
    if (!m_.deps_ok) {
      m_.start_cause = m_.cause;
      gate();
      return;
    }
    const int limit = plan_.restart.max_restarts;
    if (m_.half_open || limit == 0 || (limit >= 0 && m_.attempts >= limit)) return give_up();
    Millis delay = backoff_delay(plan_.restart, m_.attempts + 1);
    refresh_flapping();
    if (m_.flapping) delay = plan_.restart.max_delay;
    m_.last_delay = delay;
    const SteadyTime due =
        m_.down_since.value_or(now_) + delay + jitter(delay, plan_.jitter_key, m_.incarnation, m_.attempts + 1);
    m_.attempt_counted = false;
    if (due <= now_) {
      attempt();
      return;
    }
    enter(Lifecycle::backoff, due);
    m_.next_attempt = due;
  }

  void attempt() {
    if (!m_.attempt_counted) {
      ++m_.attempts;
      m_.recent_restarts.push_back(now_);
      refresh_flapping();
      if (plan_.restart.flap_limit > 0 && !m_.flapping &&
          m_.recent_restarts.size() > static_cast<std::size_t>(plan_.restart.flap_limit)) {
        m_.flapping = true;
        notice(Notice::Kind::flapping, m_.cause);
      }
    }
    m_.attempt_counted = false;
    m_.start_cause = m_.cause;
    gate();
  }

  void refresh_flapping() {
    std::erase_if(m_.recent_restarts, [&](SteadyTime at) { return now_ - at > kFlapWindow; });
    if (m_.recent_restarts.size() <= static_cast<std::size_t>(plan_.restart.flap_limit)) m_.flapping = false;
  }

  void give_up() {
    drop_permit();
    const bool told = m_.announced_failed;
    enter(Lifecycle::failed);
    m_.half_open = false;
    if (retries() && plan_.restart.failed_retry_interval > Millis(0)) {
      const Millis wait = plan_.restart.failed_retry_interval;
      m_.deadline = now_ + wait + jitter(wait, plan_.jitter_key, m_.incarnation, m_.attempts);
      m_.next_attempt = m_.deadline;
    }
    if (told) return;
    m_.announced_failed = true;
    notice(Notice::Kind::failed, m_.cause);
  }

  void try_half_open(Cause why) {
    m_.half_open = true;
    m_.attempt_counted = true;
    m_.start_cause = why;
    gate();
  }

  // --- inputs ---------------------------------------------------------------------------------------------
  void want_up(Cause by) {
    const bool was_down = m_.desired != Desired::up;
    m_.desired = Desired::up;
    if (!ours()) return;
    switch (m_.lifecycle) {
      case Lifecycle::idle:
      case Lifecycle::done:
        if (m_.lifecycle == Lifecycle::done && by != Cause::op && !was_down) break;
        m_.start_cause = Cause::none;
        m_.cause = Cause::none;
        if (process()) {
          gate();
        } else {
          enter(Lifecycle::ready);
        }
        break;
      case Lifecycle::backoff:
      case Lifecycle::failed:
        if (by != Cause::op) break;
        forget_budget();
        m_.start_cause = Cause::op;
        gate();
        break;
      case Lifecycle::stopping:
      case Lifecycle::killing:
      case Lifecycle::stuck:
      case Lifecycle::sweep:
        if (was_down) m_.restart_asked = true;
        break;
      default:
        break;
    }
  }

  void want_down(Cause by) {
    m_.desired = Desired::down;
    m_.restart_asked = false;
    if (!ours()) return;
    if (running()) {
      drop_permit();
      stop_now(by, false);
    } else if (ending()) {
      m_.cause = by;
      m_.failing = false;
    } else if (m_.lifecycle != Lifecycle::idle) {
      const bool silent = m_.lifecycle == Lifecycle::done;
      m_.cause = by;
      rest(Lifecycle::idle);
      if (!silent) notice(Notice::Kind::stopped, by);
    }
  }

  void operator_restart() {
    m_.desired = Desired::up;
    if (!ours()) return;
    forget_budget();
    if (running()) {
      drop_permit();
      if (process()) {
        m_.restart_asked = true;
        stop_now(Cause::op, false);
      } else {
        m_.start_cause = Cause::op;
        went_down();
        release_slot();
        gate();
      }
    } else if (ending()) {
      m_.restart_asked = true;
    } else {
      m_.start_cause = Cause::op;
      if (m_.lifecycle != Lifecycle::blocked) gate();
    }
  }

  void dependencies(bool ok) {
    m_.deps_ok = ok;
    switch (m_.lifecycle) {
      case Lifecycle::blocked:
        if (ok) {
          gate();
        } else if (m_.admission_asked) {
          drop_admission();
          notice(Notice::Kind::blocked, Cause::dependency);
        }
        break;
      case Lifecycle::backoff:
        if (!ok) {
          m_.start_cause = m_.cause;
          gate();
        }
        break;
      case Lifecycle::failed:
        if (ok) evidence(Cause::dependency);
        break;
      case Lifecycle::ready:
        if (!ok && m_.permit_asked) drop_permit();
        break;
      default:
        break;
    }
  }

  void passed(bool healthy) {
    if (healthy) m_.announced_unavailable = false;
    if (!ours()) return;
    if (m_.lifecycle == Lifecycle::ready) {
      if (m_.permit_asked && !m_.permit_held) drop_permit();
      if (healthy) m_.announced_failed = false;
      if (healthy && !m_.ready_since) {
        m_.ready_since = now_;
        watch_stability();
      }
      return;
    }
    // It came back by itself: evidence only where we do not own the process.
    const bool waits = m_.lifecycle == Lifecycle::failed || m_.lifecycle == Lifecycle::backoff ||
                       m_.lifecycle == Lifecycle::blocked;
    if (!process() && healthy && waits) {
      drop_admission();
      m_.start_cause = Cause::none;
      become_ready();
    }
  }

  void stop_settling() {
    if (m_.lifecycle != Lifecycle::ready) return;
    m_.ready_since.reset();
    m_.deadline.reset();
  }

  void watch_stability() {
    if (m_.attempts == 0 && m_.last_delay == Millis(0)) return;
    const Millis wait = plan_.restart.stable_after.value_or(
        std::max({Millis(60'000), 2 * m_.last_delay, 2 * plan_.interval}));
    m_.deadline = *m_.ready_since + wait;
  }

  void liveness_failed() {
    if (!ours()) {
      if (m_.announced_unavailable) return;
      m_.announced_unavailable = true;
      notice(Notice::Kind::healing_unavailable, Cause::liveness);
      return;
    }
    if (m_.lifecycle != Lifecycle::ready) return;
    stop_settling();
    // Explained by a dependency that is not ready: nothing is killed, nothing is spent.
    if (plan_.restart.on == RestartOn::never || !m_.deps_ok || m_.desired != Desired::up) return;
    if (plan_.restart.max_restarts == 0) {
      // Alert only: what still runs is left alone.
      if (!m_.announced_failed) {
        m_.announced_failed = true;
        notice(Notice::Kind::failed, Cause::liveness);
      }
      return;
    }
    if (!process()) {
      stop_now(Cause::liveness, true);
    } else if (!m_.permit_asked && !m_.permit_held) {
      m_.permit_asked = true;
      act(Action::Kind::ask_permit);
    }
  }

  void permitted() {
    if (m_.lifecycle != Lifecycle::ready || !m_.permit_asked) {
      act(Action::Kind::drop_permit);
      return;
    }
    m_.permit_asked = false;
    m_.permit_held = true;
    stop_now(Cause::liveness, true);
  }

  void timer() {
    if (!m_.deadline || now_ < *m_.deadline) return;
    m_.deadline.reset();
    switch (m_.lifecycle) {
      case Lifecycle::starting:
        if (!plan_.probes && m_.started) {
          become_ready();
        } else {
          stop_now(Cause::start_timeout, true);
        }
        break;
      case Lifecycle::ready:
        forget_budget();
        break;
      case Lifecycle::stopping:
        enter(Lifecycle::killing, now_ + plan_.restart.kill_timeout);
        act(Action::Kind::send_kill);
        break;
      case Lifecycle::killing:
        enter(Lifecycle::stuck);
        notice(Notice::Kind::stuck, m_.cause);
        break;
      case Lifecycle::backoff:
        attempt();
        break;
      case Lifecycle::failed:
        try_half_open(Cause::evidence);
        break;
      default:
        break;
    }
  }

  void evidence(Cause why) {
    if (m_.lifecycle == Lifecycle::failed) {
      if (!retries()) return;
      if (m_.last_evidence && now_ < *m_.last_evidence + kEvidenceGap) {
        const SteadyTime due = *m_.last_evidence + kEvidenceGap;
        if (!m_.deadline || due < *m_.deadline) m_.deadline = m_.next_attempt = due;
        return;
      }
      m_.last_evidence = now_;
      try_half_open(why);
    } else if (m_.lifecycle == Lifecycle::backoff) {
      attempt();  // gate() keeps restartDelay
    }
  }

  void plan_changed() {
    if (!ours()) return;
    forget_budget();
    m_.flapping = false;
    m_.recent_restarts.clear();
    if (m_.lifecycle == Lifecycle::failed && m_.desired == Desired::up) {
      m_.start_cause = Cause::evidence;
      gate();
    }
  }

  Machine& m_;
  const Plan& plan_;
  SteadyTime now_;
  Step out_;
};

}  // namespace

Step step(Machine& machine, const Plan& plan, const Input& input, SteadyTime now) {
  return Stepper(machine, plan, now).run(input);
}

}  // namespace azora::healing
