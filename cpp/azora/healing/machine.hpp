#pragma once
// The life of one service as a pure step: (machine, plan, input, now) -> (machine, actions, notices). No clock,
// thread, socket or file; production, the exhaustive search and the simulation run this code.
//
// The caller feeds inputs, carries out the actions in their order, and turns notices into events. A machine has at
// most one deadline (`timers.deadline`); when it passes, the caller feeds Input::Kind::timer. Every input about what an
// action started carries its incarnation; one of another incarnation changes nothing.
//
// transitions.hpp draws which input leads from which lifecycle to which. What always holds:
// 1. At most one incarnation lives and at most one action is in flight.
// 2. Failure restarts of one episode never exceed max_restarts; none comes earlier than restartDelay after the failure.
// 3. A failure that a dependency explains costs no restart and stops nothing.
// 4. Desired::down cancels every start, at once.
// 5. `failed` is noticed once per entry into FAILED, `restarted` only when the new incarnation is ready.
// 6. Every lifecycle that waits for something outside has a deadline, except BLOCKED and STUCK.
// Threads: the control thread (or the only thread of a test). Ownership: borrows the machine and the plan for one
// step. Fails: never.
#include <cstdint>
#include <string_view>
#include <vector>

#include "azora/base/time.hpp"
#include "azora/healing/plan.hpp"
#include "azora/model/lifecycle.hpp"

namespace azora::healing {

// Why the last incarnation ended or is being ended; also the `cause` of events.
enum class Cause : std::uint8_t {
  none,           // first start, or nothing happened
  crash,          // exited by itself with a failure
  oom,            // killed by the kernel for want of memory
  clean,          // exited by itself with 0
  liveness,       // alive but failed its checks restartThreshold times
  start_timeout,  // not ready within startTimeout
  start_failed,   // could not be executed, or the action was refused
  lost,           // how it ended is unknown
  op,             // start, stop or restart asked for by an operator
  shutdown,       // the orchestrator stops
  dependency,     // a dependency is not ready; or was restarted, and this one with it
  evidence,       // there is a reason to leave FAILED
};
std::string_view wire_name(Cause cause);  // "crash", "operator", ...
// An end that is asked for, not a failure: it touches no budget.
constexpr bool is_planned(Cause cause) {
  return cause == Cause::op || cause == Cause::shutdown || cause == Cause::dependency;
}

struct Machine {
  Lifecycle lifecycle = Lifecycle::idle;
  Desired desired = Desired::down;
  std::uint64_t incarnation = 0;
  int restart_count = 0;           // verified restarts of any cause since registration
  bool deps_ok = false;            // every hard dependency is satisfied, as last fed
  bool ever_started = false;
  bool restart_asked = false;      // an operator's restart is under way: start again after the sweep
  bool action_running = false;     // an action without a stop has begun and not reported: no second one until then
  bool well_before = false;        // ADOPT: it was ready when it was last seen

  // What has been noticed already and is not noticed again.
  struct Told {
    bool failed = false;       // in this stay in FAILED (kept over single tries)
    bool unavailable = false;  // `healing_unavailable`, or `failed` of an alert, in this unhealthy episode
    bool blocked = false;      // in this stay in BLOCKED
    friend bool operator==(const Told&, const Told&) = default;
  } told;

  // What it holds of the start bucket and of the kill permits, or waits for.
  struct Holds {
    bool admission_request = false;
    bool slot = false;
    bool permit_request = false;
    bool permit = false;       // it is down by our own kill
    friend bool operator==(const Holds&, const Holds&) = default;
  } holds;

  // What failures have cost.
  struct Budget {
    int attempts = 0;          // failure restarts begun in this episode
    Millis last_delay{0};
    bool flapping = false;
    std::vector<SteadyTime> recent;  // failure restarts of the last hour, oldest first
    friend bool operator==(const Budget&, const Budget&) = default;
  } budget;

  // One failure and all that is done about it, up to readiness.
  struct Episode {
    Cause cause = Cause::none;        // of the last end
    Cause start_cause = Cause::none;  // why the start under way is made; what `restarted` reports
    bool failing = false;             // it began with a failure
    bool half_open = false;           // this start is a single try out of FAILED
    bool evidence_pending = false;    // FAILED: the deadline is an evidence try that had to wait its turn
    OptionalTime down_since;          // for downtimeMs
    OptionalTime failed_at;           // when the last incarnation ended
    OptionalTime earliest;            // failed_at + restartDelay: no start by ourselves before it
    OptionalTime last_evidence;       // the last try for evidence
    friend bool operator==(const Episode&, const Episode&) = default;
  } episode;

  struct Timers {
    OptionalTime deadline;      // when Input::Kind::timer is to be fed
    OptionalTime next_attempt;  // BACKOFF and FAILED
    OptionalTime clock;         // STARTING and ADOPT: since when startTimeout counts; in a stop, since its last signal
    OptionalTime started;       // exec of this incarnation, or when its action was done
    OptionalTime stable_since;  // READY: healthy without interruption since
    friend bool operator==(const Timers&, const Timers&) = default;
  } timers;

  friend bool operator==(const Machine&, const Machine&) = default;
};

struct Input {
  enum class Kind : std::uint8_t {
    desire,           // `desired` changes; cause op (operator) or shutdown
    restart,          // cause op: an operator's. cause dependency: what it needs was restarted, and it goes along
    deps,             // the hard dependencies: flag = all are satisfied
    admitted,         // the start bucket grants a slot
    slot_expired,     // 5 s after the launch: the slot is free whatever happened
    launched,         // exec happened, or the action reports that it is done (incarnation)
    launch_failed,    // exec failed, or the action was refused (incarnation)
    exited,           // main ended (incarnation, flag = exit code 0; cause none: our stop had reached it; else crash, oom, clean)
    swept,            // no descendant is left (incarnation)
    lost,             // nothing is left and how it ended is unknown (incarnation, flag = it never ran)
    adopted,          // found running after our own restart (incarnation, flag = it was ready when last seen)
    ready,            // first answer below 500 in STARTING (incarnation, flag = healthy)
    passed,           // a later check passed (incarnation, flag = healthy)
    faltered,         // no longer healthy: stability begins anew (flag = out of rotation from here on)
    liveness_failed,  // restartThreshold consecutive checks failed (incarnation)
    permitted,        // the kill permit is granted
    timer,            // `deadline` passed
    evidence,         // dependency recovered, executable changed: a reason to try again
    plan_changed,     // the plan is another one (flag = in its action or restart fields: budget anew)
    checks_anew,      // what its checks said before counts for nothing: registered again, or watched again
  };
  Kind kind = Kind::timer;
  Desired desired = Desired::up;
  Cause cause = Cause::none;
  bool flag = false;
  std::uint64_t incarnation = 0;
};
inline constexpr int kInputCount = 20;

struct Action {
  enum class Kind : std::uint8_t {
    ask_admission,   // enter the start queue
    drop_admission,  // leave it
    release_slot,    // free the start slot
    launch,          // start the action of `incarnation`
    send_stop,       // stop signal to `incarnation`
    send_kill,       // SIGKILL to everything of `incarnation`
    ask_permit,      // a liveness kill wants a permit
    drop_permit,     // no longer wanted, or no longer down by our kill
  };
  Kind kind;
  std::uint64_t incarnation = 0;
};

// A fact that the caller publishes; one event each unless noted.
struct Notice {
  enum class Kind : std::uint8_t {
    started, stopped, restarted, failed, blocked, stuck, flapping, healing_unavailable,
    readiness,   // entered READY: no event of its own
  };
  Kind kind;
  Cause cause = Cause::none;
  int attempt = 0;
  std::int64_t downtime_ms = 0;
};

struct Step {
  std::vector<Action> actions;
  std::vector<Notice> notices;
};

// Applies one input in place. An input that does not fit the lifecycle changes nothing.
Step step(Machine& machine, const Plan& plan, const Input& input, SteadyTime now);

// The delay before failure restart number `attempt` (1-based), without jitter.
Millis backoff_delay(const RestartPolicy& policy, int attempt);
// 0-25 % of `delay`, from hash(id, incarnation, attempt).
Millis jitter(Millis delay, std::uint64_t key, std::uint64_t incarnation, int attempt);

}  // namespace azora::healing
