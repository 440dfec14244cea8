#pragma once
// All that the control thread knows of one registered service.
// Threads: the control thread. Ownership: Fleet's table, by serial.
#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "azora/actions/action.hpp"
#include "azora/base/boxed.hpp"
#include "azora/base/loop.hpp"
#include "azora/base/one_or_more.hpp"
#include "azora/base/rare_list.hpp"
#include "azora/healing/machine.hpp"
#include "azora/health/check.hpp"
#include "azora/model/owner_state.hpp"
#include "azora/model/service_spec.hpp"
#include "azora/model/view.hpp"

namespace azora::orchestrator {

// What is known of the listener that answers the checks of one run and configuration (ownership.hpp).
struct ListenerProof {
  std::uint64_t incarnation = 0;
  std::uint64_t generation = 0;
  bool proven = false;                     // the service itself listens, and no check failed since
  bool unverified = false;                 // the kernel could not say who listened when it was asked last
  bool foreign = false;                    // another program listened when the kernel was asked last
  bool changed = false;                    // the open question was asked because other sockets listen
  bool no_listener = false;                // no program listened when the kernel was asked last
  std::uint64_t question = 0;              // the number of the open question; 0: none is open
  SteadyTime asked{};                      // when it was asked
  std::shared_ptr<const health::ProbeResult> held;  // the last answer, which waits for the kernel
};

// What the action of a service has reported about its runs.
struct OwnFacts {
  std::optional<int> pid;
  std::optional<WallTime> process_started;
  std::optional<ExitView> last_exit;
  std::uint64_t log_dropped = 0;           // number of lines, as its shim reported last
  std::shared_ptr<const LogLossView> log_loss;  // the newest loss
  std::string warning;                     // this incarnation runs, but not quite as asked for
  std::optional<std::vector<std::uint64_t>> executable_stamp;  // of argv's files as this incarnation was started
  std::string action_error;                // not owned: why its last action failed
  SpecPtr launched;                        // what this incarnation was started with; null: a former orchestrator knew
  bool adopting = false;                   // asked for the run of a former orchestrator, no answer yet
  bool never_ran = false;                  // adopting: nobody has seen it run
  ListenerProof proof;
};

struct ServiceState {
  std::uint64_t serial = 0;
  std::uint64_t order = 0;
  std::uint64_t generation = 1;
  SpecPtr spec;
  std::shared_ptr<const std::string> id;   // shared with this service's events
  OneOrMore<health::Check> checks = {health::Check{}};
  healing::Machine machine;

  // What the owner wants; `hold`: up, but nothing is done about it while it is under maintenance. machine.desired is
  // down while we are stopped.
  Desired wanted = Desired::up;
  Boxed<OwnerState> owner;                 // null: neither drain nor maintenance
  bool leaving = false;                    // unregistered; kept until its processes are gone
  bool held_back = false;                  // the former service of this id is not proven gone yet
  bool waits_to_stop = false;              // stops when its dependents have ended; not started until then
  RareList<std::string> waiting_ids;       // leaving: ids that wait until it has ended, its own first
  bool restart_required = false;
  bool dirty = false;                      // this turn's end replaces its view
  HealthStatus status = HealthStatus::unknown;  // as published
  TimerId deadline_timer = 0;
  OptionalTime deadline_armed;

  WallTime start_time;
  SteadyTime start_steady{};
  std::shared_ptr<FigureRecord> figures;   // shared with its views; never null
  RareList<std::string> blocked_by;        // unmet hard dependencies, as last evaluated
  Boxed<OwnFacts> own;                     // set exactly when acts(); most services of a large fleet have none

  // What is wrong with the service, in words; empty: nothing.
  std::string trouble() const {
    if (!own || own->action_error.empty()) return last_error();
    return last_error().empty() ? own->action_error : last_error() + "; " + own->action_error;
  }
  const std::string& last_error() const { return figures->last_error(); }
  void set_last_error(const std::string& text) { figures->set_last_error(text); }
  // Forgets all answers to its checks. A restart that is being verified goes on being verified.
  void begin_anew() {
    const bool verified = machine.lifecycle == Lifecycle::starting && machine.timers.started;
    for (health::Check& check : checks) verified ? check.tracker.reset_starting() : check.tracker.reset();
  }
  // A new incarnation of ours, which is not ready yet.
  void begin_starting() {
    for (health::Check& check : checks) check.tracker.reset_starting();
  }
  // The combined result of its checks.
  health::Combined health() const { return health::combine(checks, spec->probe); }
  // True if a check sends probes; otherwise the service counts as answering while its process lives.
  bool is_asked() const {
    return std::any_of(checks.begin(), checks.end(), [](const health::Check& check) { return check.target != nullptr; });
  }
  std::uint32_t error_count() const {
    std::uint32_t sum = 0;
    for (const health::Check& check : checks) sum += check.tracker.error_count();
    return sum;
  }
  // Sets the figures as if the service had been registered now.
  void reset_figures(Now now) {
    start_time = now.wall;
    start_steady = now.steady;
    machine.restart_count = 0;
    figures->begin(now.wall);
  }
  // A `process` check passes while the process lives: sets the uptime as of now.
  void note_alive(Now now) { figures->alive(now.wall, uptime_ms(now)); }
  std::int64_t uptime_ms(Now now) const { return to_millis(now.steady - start_steady).count(); }
  // True if we run a program that differs from the one in its present configuration.
  bool runs_another_program() const {
    if (!process() || !alive()) return false;
    if (!own->launched) return restart_required;
    const ServiceSpec& old = *own->launched;
    return !same_program(*old.process, *spec->process) || old.target.port != spec->target.port;
  }
  // The current run of the service, or its last one.
  actions::Run run() const { return {serial, machine.incarnation}; }
  bool acts() const { return spec->action->acts; }
  bool maintained() const { return owner && owner->maintenance; }
  // True if we start and stop what runs. Otherwise it runs without us, and only its own answers say how it is.
  bool owned() const { return spec->action->owned(); }
  // It runs and is believed, and the kernel could not say whose listener answers.
  bool is_unverified() const {
    return process() && machine.lifecycle == Lifecycle::ready && own->proof.unverified &&
           own->proof.incarnation == machine.incarnation && own->proof.generation == generation;
  }
  bool process() const { return spec->action == &kProcessAction; }
  // A run of ours may exist.
  bool alive() const {
    switch (machine.lifecycle) {
      case Lifecycle::starting:
      case Lifecycle::ready:
      case Lifecycle::stopping:
      case Lifecycle::killing:
      case Lifecycle::stuck:
      case Lifecycle::sweep:
      case Lifecycle::adopt:
        return owned();
      default:
        return false;
    }
  }
};

}  // namespace azora::orchestrator
