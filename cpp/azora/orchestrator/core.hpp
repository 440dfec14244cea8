#pragma once
// The control core decides the order of things. It takes an input, runs the reaction to it, and publishes the
// consequences at the end of the turn. All knowledge lies in its parts (Fleet, Turn, Commits, ...); the core has no
// state that belongs in one of them.
// The core knows no thread and no descriptor. World, time and publication are behind Loop, Prober, Action and
// Publisher, so the simulation runs this very code on virtual time.
// Threads: the loop's thread only, except where a method says otherwise. Ownership: owns its parts; borrows what it is
// given, which outlives it.
// Turn: an input marks what changed; end_turn() (the loop's turn-end hook) publishes it, commits what is durable of it,
// answers the waiting callers, then sends commands to actions, and probes. Costs in proportion to what changed.
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "azora/actions/table.hpp"
#include "azora/base/loop.hpp"
#include "azora/base/result.hpp"
#include "azora/orchestrator/action_reports.hpp"
#include "azora/orchestrator/admin_watch.hpp"
#include "azora/orchestrator/admission.hpp"
#include "azora/orchestrator/commits.hpp"
#include "azora/orchestrator/drive.hpp"
#include "azora/orchestrator/evidence.hpp"
#include "azora/orchestrator/fleet.hpp"
#include "azora/orchestrator/listening.hpp"
#include "azora/orchestrator/orchestrator.hpp"
#include "azora/orchestrator/probing.hpp"
#include "azora/orchestrator/publisher.hpp"
#include "azora/orchestrator/reactions/on_self.hpp"
#include "azora/orchestrator/reads/metrics.hpp"
#include "azora/orchestrator/reads/why.hpp"
#include "azora/orchestrator/request.hpp"
#include "azora/orchestrator/self.hpp"
#include "azora/orchestrator/self_watch.hpp"
#include "azora/orchestrator/shutdown.hpp"
#include "azora/orchestrator/stored_fleet.hpp"
#include "azora/orchestrator/turn.hpp"
#include "azora/orchestrator/verbs.hpp"
#include "azora/orchestrator/waiters.hpp"

namespace azora::orchestrator {

struct CoreOptions {
  int max_concurrent_starts = 4;
  int starts_per_second = 50;
  std::size_t fd_limit = 1024;
  std::string boot_id = {};  // of the running system
};

class Core {
 public:
  Core(Loop& loop, health::Prober& prober, actions::ActionTable& actions, store::Store& store, Publisher& publisher,
       CoreOptions options);
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;

  // Takes back the fleet of a former orchestrator. Before anything is registered or started.
  void restore(StoredFleet fleet);
  // Refused with `closed` once close() was called.
  Result<void> start();
  // Answers the ids of the services that did not stop. It answers when all have stopped, when `deadline` has passed, or
  // when the longest chain of stopTimeouts plus five seconds has passed (R32b).
  void stop(SteadyTime deadline, Shutdown::Done done, StopScope scope = StopScope::all);
  // The same for the end of the program: nothing is started after it.
  void close(SteadyTime deadline, Shutdown::Done done, StopScope scope = StopScope::all);
  bool running() const {
    control_thread.assert_held();
    return fleet_.running();
  }

  // What the names in the endpoints of the next registration stand for on this machine.
  void know(const registry::LocalNames& names) {
    control_thread.assert_held();
    fleet_.know(names);
  }
  // Answers the number of the last event about this registration.
  Result<std::uint64_t> register_many(std::vector<SpecPtr> specs, EventActor actor,
                                      Apply apply = Apply::at_next_start);
  // The address on which we listen ourselves. It is refused if a service would listen or be checked there.
  Result<void> set_own_address(const std::string& host, std::uint16_t port) {
    control_thread.assert_held();
    return fleet_.set_own_address(host, port);
  }
  // Registers what the requests ask for, judged against what is registered now.
  Result<std::uint64_t> register_requests(std::vector<Request> requests);
  // Unregisters all that the name stands for; false: nothing has that name.
  Result<bool> unregister(std::string_view name, EventActor actor);
  Result<VerbAnswer> command(Verb verb, std::string_view id, bool dependents, bool dependencies,
                             EventActor actor);
  // Drain and maintenance.
  AdminWatch& admin() { return admin_; }
  // Answers when the goal is reached and no verb waits for the service. For the name of an entry, all its
  // instances must be so; instances that are wanted down need not be ready. Answers not_coming as soon as it is known
  // that the service will not be ready before `horizon`, which is the deadline or later.
  // Returns the number by which cancel_wait() knows it.
  std::uint64_t wait_for(std::string id, Goal goal, SteadyTime deadline, Waiters::Done done, SteadyTime horizon = {}) {
    return waiters_.add(std::move(id), goal, deadline, std::move(done), horizon);
  }
  void cancel_wait(std::uint64_t key) { waiters_.cancel(key); }
  // Runs `answer` when this turn is published.
  void after_publish(std::function<void()> answer) {
    control_thread.assert_held();
    turn_.answer(std::move(answer));
  }
  // Runs `answer` when what this turn changed is stored, or with the error when it could not be.
  void after_commit(std::function<void(const Result<void>&)> answer) {
    control_thread.assert_held();
    turn_.acknowledge(std::move(answer));
  }
  // Ends every wait_for(), a stop() that is under way and what waits for the store, for the end of the program; what
  // comes later is answered at once.
  void abandon_waiters();
  void handler_failed(std::string reason) {
    control_thread.assert_held();
    on_handler_failed(turn_, std::move(reason));
  }
  void set_file_stamp(FileStamp stamp) {
    control_thread.assert_held();
    evidence_.set_file_stamp(std::move(stamp));
  }
  // Asked whose listener answers a check; it outlives this. Without one every answer is believed.
  void set_listener_desk(listeners::Desk& desk) {
    control_thread.assert_held();
    listening_.set_desk(desk);
  }
  // A reader saw another program where this service should listen: a check is due at once.
  void doubt_listener(std::uint64_t serial) {
    control_thread.assert_held();
    listening_.doubt(serial);
  }
  void set_usage(std::string_view id, std::uint64_t incarnation, double cpu_percent, std::int64_t rss_bytes);
  // Any thread.
  CoreCounts counts() const;
  std::uint64_t figures_written() const { return fleet_.figures_written(); }

  // The troubles of the orchestrator itself. Any thread may read and report them.
  Self& self() { return self_; }
  const Self& self() const { return self_; }
  // The facts that why_json() needs beside the published state. Any thread.
  WhySources why_sources() const;
  void end_turn();
  std::size_t processes_alive() const {
    control_thread.assert_held();
    return fleet_.alive();
  }
  // What is wrong with the store; null: nothing. While there is, changes are refused with it.
  const Error* storage_trouble() const {
    control_thread.assert_held();
    return commits_.trouble();
  }

  // The rules that must hold after every turn and are broken now; empty: none. For the simulation.
  std::vector<std::string> violations() const;

 private:
  void feed(std::uint64_t serial, healing::Input::Kind kind) AZORA_CONTROL;
  void admit() AZORA_CONTROL;
  void answer_waiters() AZORA_CONTROL;

  Fleet fleet_;
  Verbs verbs_;
  Commits commits_;
  Turn turn_;
  Probing probing_;
  Admission admission_;
  Listening listening_;
  Evidence evidence_;
  Waiters waiters_;
  Shutdown shutdown_;
  Drive drive_;
  Self self_;
  AdminWatch admin_;
  SelfWatch self_watch_;
  ActionReports reports_;
};

}  // namespace azora::orchestrator
