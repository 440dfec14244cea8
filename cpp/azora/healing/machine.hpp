#pragma once
// The life of one service as a pure step: (machine, input, now) -> (machine, actions, notices). No clock,
// thread, socket or file; production, the exhaustive search, the simulation and `simulate` run this code.
//
// The orchestrator feeds inputs, carries out actions in order, and turns notices into events. At most one
// deadline is open per machine (`deadline`); when it passes the orchestrator feeds Input::Kind::timer.
// Every input about a process carries its incarnation; stale ones change nothing.
//
// Invariants (supervision.md section 7): never two live incarnations; at most one action in flight; failure
// restarts per episode <= max_restarts; no start earlier than restartDelay after the failure; desired down
// wins; serviceFailed once per entry into FAILED; explained failures spend nothing; restarted only after
// readiness; every non-rest state has a deadline.
// Threads: the control thread (or the only thread of a test). Fails: never.
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "azora/base/time.hpp"
#include "azora/model/lifecycle.hpp"
#include "azora/model/restart_policy.hpp"

namespace azora::healing {

// Why the last incarnation ended or is being ended; also the `cause` word of events.
enum class Cause : std::uint8_t {
  none,        // first start, or nothing happened
  crash,       // exited by itself with a failure
  clean,       // exited by itself with 0
  liveness,    // alive but failed its checks restartThreshold times
  start_timeout,
  start_failed,  // could not be executed, or the action refused
  lost,        // its shim vanished: what became of it is unknown
  op,          // start, stop or restart asked for by an operator
  shutdown,    // the orchestrator stops
  dependency,  // a dependency recovered
  evidence,    // left FAILED on evidence
};
std::string_view wire_name(Cause cause);  // "crash", "operator", ...

// What a service's configuration says about its life.
struct Plan {
  ActionKind action = ActionKind::none;
  RestartPolicy restart;
  Millis interval{30'000};
  Millis start_timeout{60'000};
  Millis stop_timeout{10'000};
  int stop_signal = 15;
  bool probes = true;        // false: a `process` check, ready after 1 s alive
  std::uint64_t jitter_key = 0;  // hash of the id
};

struct Machine {
  Lifecycle lifecycle = Lifecycle::idle;
  Desired desired = Desired::down;
  bool deps_ok = false;            // every hard dependency satisfied, as last told
  bool admission_asked = false;    // waits in the start queue
  bool slot_held = false;          // holds a slot of the start bucket
  bool permit_asked = false;       // waits for a kill permit
  bool permit_held = false;        // our own kill is under way
  bool ever_started = false;
  bool failing = false;            // the present episode began with a failure (for status, semantics 17)
  bool half_open = false;          // this start is a single try out of FAILED
  bool announced_failed = false;   // serviceFailed was told in this stay in FAILED (kept over half-open tries)
  bool announced_unavailable = false;
  bool flapping = false;
  Cause cause = Cause::none;
  std::uint64_t incarnation = 0;
  int attempts = 0;                // failure restarts begun in this episode
  Millis last_delay{0};
  int restart_count = 0;           // verified restarts of any cause since registration
  OptionalTime deadline;
  OptionalTime down_since;       // for downtimeMs
  OptionalTime ready_since;
  OptionalTime next_attempt;     // BACKOFF and FAILED
  OptionalTime last_evidence;
  OptionalTime started;          // exec of this incarnation
  std::vector<SteadyTime> recent_restarts;    // failure restarts of the last hour, oldest first
  bool restart_asked = false;      // an operator's restart is under way: start again after the sweep
  Cause start_cause = Cause::none; // why the start under way is made; what serviceRestarted reports
  bool announced_blocked = false;  // serviceBlocked was told in this stay in BLOCKED
  bool action_running = false;     // a callback was called and has not returned: no second call until then
  bool evidence_pending = false;   // FAILED: the deadline is an evidence try that had to wait its turn
  OptionalTime failed_at;     // when the last incarnation ended
  OptionalTime earliest;      // failed_at + restartDelay: no start by ourselves before it
  OptionalTime stable_since;  // READY: healthy without interruption since
};

struct Input {
  enum class Kind : std::uint8_t {
    desire,          // desired; cause op (operator) or shutdown
    restart,         // operator's restart
    deps,            // deps_ok changed to `flag`
    admitted,        // the start bucket grants a slot
    slot_expired,    // 5 s after exec: the slot is free whatever happened
    launched,        // exec happened (incarnation)
    launch_failed,   // exec failed, or the action was refused (incarnation)
    exited,          // main process ended (incarnation, ok = exit code 0)
    swept,           // no descendant left (incarnation)
    lost,            // shim gone, nothing left (incarnation)
    ready,           // first answer below 500 in STARTING, or the external action verified
    passed,          // a probe passed (flag = healthy)
    faltered,        // no longer healthy: stability begins anew (flag = out of rotation from here on)
    liveness_failed, // restartThreshold reached
    permitted,       // the kill permit is granted
    timer,           // `deadline` passed
    evidence,        // dependency recovered, executable changed: a reason to try again
    plan_changed,    // process or restart fields changed: budget anew
  };
  Kind kind = Kind::timer;
  Desired desired = Desired::up;
  Cause cause = Cause::none;
  bool flag = false;
  std::uint64_t incarnation = 0;
};

struct Action {
  enum class Kind : std::uint8_t {
    ask_admission,   // enter the start queue
    drop_admission,  // leave it
    release_slot,    // free the start slot
    launch,          // start `incarnation` (process), or run the callback
    send_stop,       // stop signal to `incarnation`
    send_kill,       // SIGKILL to everything of `incarnation`
    ask_permit,      // a liveness kill wants a permit
    drop_permit,     // no longer wanted, or the kill is over
  };
  Kind kind;
  std::uint64_t incarnation = 0;
};

// A fact the orchestrator publishes; one event each unless noted.
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

// Applies one input in place. An input that does not fit the state changes nothing.
Step step(Machine& machine, const Plan& plan, const Input& input, SteadyTime now);

// The delay before failure restart number `attempt` (1-based), without jitter.
Millis backoff_delay(const RestartPolicy& policy, int attempt);
// 0-25 % of `delay`, from hash(id, incarnation, attempt).
Millis jitter(Millis delay, std::uint64_t key, std::uint64_t incarnation, int attempt);

}  // namespace azora::healing
