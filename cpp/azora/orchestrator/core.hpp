#pragma once
// The control core: the order of things. Takes an input, lets its reaction run, and at the end of the turn lets what
// follows become true. What is known and decided lies in its rooms; the core has no state that one of them could own.
// Knows no thread and no descriptor: world, time and publication are behind Loop, Prober, Action, Publisher,
// so the simulation runs this very code on virtual time.
// Threads: the loop's thread only, but for what says otherwise. Ownership: owns the rooms; borrows what it is given,
// which outlives it.
// Turn: an input marks what changed; end_turn() (the loop's turn-end hook) publishes it, commits what is durable of it,
// answers the waiting callers, then sends commands to actions, and probes. Costs in proportion to what changed.
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "azora/actions/table.hpp"
#include "azora/base/loop.hpp"
#include "azora/base/result.hpp"
#include "azora/orchestrator/action_reports.hpp"
#include "azora/orchestrator/admission.hpp"
#include "azora/orchestrator/commits.hpp"
#include "azora/orchestrator/drive.hpp"
#include "azora/orchestrator/evidence.hpp"
#include "azora/orchestrator/fleet.hpp"
#include "azora/orchestrator/orchestrator.hpp"
#include "azora/orchestrator/ownership.hpp"
#include "azora/orchestrator/probing.hpp"
#include "azora/orchestrator/publisher.hpp"
#include "azora/orchestrator/reads/metrics.hpp"
#include "azora/orchestrator/reads/why.hpp"
#include "azora/orchestrator/request.hpp"
#include "azora/orchestrator/self.hpp"
#include "azora/orchestrator/self_watch.hpp"
#include "azora/orchestrator/shutdown.hpp"
#include "azora/orchestrator/turn.hpp"
#include "azora/orchestrator/verbs.hpp"
#include "azora/orchestrator/waiters.hpp"

namespace azora::orchestrator {

struct CoreOptions {
  int max_concurrent_starts = 4;
  int starts_per_second = 50;
  std::size_t fd_limit = 1024;
};

class Core {
 public:
  Core(Loop& loop, health::Prober& prober, actions::ActionTable& actions, store::Store& store, Publisher& publisher,
       CoreOptions options);
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;

  // Refused with `closed` once close() was called.
  Result<void> start();
  // Answers the ids that did not stop: when all stopped, when `deadline` passed, or when the longest chain of stopTimeouts
  // and five seconds passed (R32b).
  void stop(SteadyTime deadline, Shutdown::Done done);
  // The same for the end of the program: nothing is started behind it.
  void close(SteadyTime deadline, Shutdown::Done done);
  bool running() const {
    control_thread.assert_held();
    return fleet_.running();
  }

  // Answers the last event that tells of it.
  Result<std::uint64_t> register_many(std::vector<SpecPtr> specs, EventActor actor,
                                      Apply apply = Apply::at_next_start);
  // Where we listen ourselves; refused when a process service has that address.
  Result<void> set_own_address(const std::string& host, std::uint16_t port);
  // What requests ask for, by what is registered now.
  Result<std::uint64_t> register_requests(std::vector<Request> requests);
  // What a name stands for; false: there was none.
  Result<bool> unregister(std::string_view name, EventActor actor);
  Result<VerbAnswer> command(Verb verb, std::string_view id, bool dependents, bool dependencies,
                             EventActor actor);
  // Answers when the service is ready (or stopped) and no verb for it waits for its turn; by the name of an entry when
  // all its instances are, those that are wanted down left out of being ready. With not_coming as soon as it is known
  // that it will not be ready until `horizon`, which is the deadline or later.
  void wait_for(std::string id, bool ready, SteadyTime deadline, Waiters::Done done, SteadyTime horizon = {});
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
  void handler_failed(std::string reason);
  void set_file_stamp(FileStamp stamp) {
    control_thread.assert_held();
    evidence_.set_file_stamp(std::move(stamp));
  }
  // Asked whose listener answers a check; it outlives this. Without one every answer is believed.
  void set_listener_desk(listeners::Desk& desk) {
    control_thread.assert_held();
    ownership_.set_desk(desk);
  }
  // A reader saw another program where this service should listen: a check is due at once.
  void doubt_listener(std::uint64_t serial);
  void set_usage(std::string_view id, std::uint64_t incarnation, double cpu_percent, std::int64_t rss_bytes);

  // Any thread.
  CoreCounts counts() const;
  std::uint64_t figures_written() const { return fleet_.figures_written(); }

  // What is wrong with us; any thread may ask, and say so.
  Self& self() { return self_; }
  const Self& self() const { return self_; }

  // What why_json() says beside what is published. Any thread.
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

  // Checks what must hold after every turn; empty when it does. For the simulation.
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
  Evidence evidence_;
  Waiters waiters_;
  Shutdown shutdown_;
  Drive drive_;
  Ownership ownership_;
  Self self_;
  SelfWatch self_watch_;
  ActionReports reports_;
};

}  // namespace azora::orchestrator
