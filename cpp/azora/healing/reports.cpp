// What is reported of an incarnation: that its action is done or failed, that it ended, or that it was found running.
#include <algorithm>
#include <utility>

#include "azora/healing/stepper.hpp"

namespace azora::healing {

void Stepper::launched() {
  if (std::exchange(m_.action_running, false) && !in(Lifecycle::starting)) return returned_late(true);
  const bool stopped_meanwhile = owned() && (in(Lifecycle::stopping) || in(Lifecycle::killing));
  if (m_.timers.started || !(in(Lifecycle::starting) || stopped_meanwhile)) return;
  m_.timers.started = now_;
  m_.ever_started = true;
  if (plan_.action.tells_exits) notice(Notice::Kind::started, m_.episode.start_cause);
  if (stopped_meanwhile) return;
  begin_start_clock();
  if (!owned() && !plan_.action.probes_verify) become_ready(true);
}

void Stepper::launch_failed() {
  if (std::exchange(m_.action_running, false) && !in(Lifecycle::starting)) return returned_late(false);
  if (m_.timers.started) return;
  if (!owned()) {
    if (!in(Lifecycle::starting)) return;
    blame(Cause::start_failed);
    return fail();
  }
  if (in(Lifecycle::sweep) || !(running() || ending())) return;
  if (running()) blame(Cause::start_failed);
  m_.episode.failed_at = now_;
  enter(Lifecycle::sweep, now_ + plan_.restart.kill_timeout);
}

void Stepper::exited(bool ok, Cause cause) {
  if (in(Lifecycle::sweep) || !(running() || ending())) return;
  if (running()) {
    if (ok) {
      m_.episode.cause = Cause::clean;
      mark_down();
      end_our_kill();
    } else {
      blame(cause == Cause::oom ? cause : Cause::crash);
    }
  } else if (cause != Cause::none && m_.episode.failing) {
    // What we took for a hang was its end, of which we had not heard.
    if (m_.episode.start_cause == m_.episode.cause) m_.episode.start_cause = cause;
    m_.episode.cause = cause;
    end_our_kill();
  }
  m_.episode.failed_at = now_;
  owned() ? sweep() : ended();
}

// Everything ended at once, and no record says how. What never ran has not failed: its start is made now.
void Stepper::lost(bool never_ran) {
  if (!running() && !ending()) return;
  if (running() && never_ran && m_.desired == Desired::up) return gate();
  if (running()) blame(Cause::lost);
  m_.episode.failed_at = now_;
  ended();
}

// The action was given up on, and ends only now. The next one keeps its distance from here, not from the moment at
// which this one took too long; after a success the checks have the time of a start to say that it helped. Where an
// operator asked for the next one meanwhile, it is made at once.
void Stepper::returned_late(bool ok) {
  if (m_.episode.earliest) {
    Millis distance = least_delay();
    if (m_.deps_ok) distance = std::max(distance, m_.budget.last_delay);
    if (ok) distance = std::max(distance, plan_.start_timeout);
    m_.episode.earliest = std::max(*m_.episode.earliest, now_ + distance);
    if (in(Lifecycle::backoff) && m_.timers.deadline) {
      m_.timers.deadline = std::max(*m_.timers.deadline, *m_.episode.earliest);
      m_.timers.next_attempt = m_.timers.deadline;
    }
  }
  if (in(Lifecycle::blocked)) consider();
}

// Found running after our own restart. What the owner wanted was restored before, so that it can be stopped at once.
void Stepper::adopted(std::uint64_t incarnation, bool well) {
  const bool nothing_runs = in(Lifecycle::idle) || in(Lifecycle::blocked) || in(Lifecycle::backoff) ||
                            in(Lifecycle::failed) || in(Lifecycle::done);
  if (!owned() || !nothing_runs || incarnation == 0 || incarnation < m_.incarnation) return;
  m_.incarnation = incarnation;
  m_.ever_started = true;
  m_.timers.started = now_;
  m_.episode.half_open = false;
  m_.episode.start_cause = Cause::none;  // being found is no restart
  if (well) m_.episode.failing = false;
  enter(Lifecycle::adopt);
  m_.well_before = well;
  begin_start_clock();
  if (m_.desired == Desired::down) stop(Cause::op);
}

}  // namespace azora::healing
