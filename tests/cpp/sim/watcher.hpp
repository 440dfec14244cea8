#pragma once
// Judges the whole core from outside, by what it tells, publishes and asks for: the promises of design sections
// 5-7, each under a name that a report leads with. Knows nothing of the core's own state.
// watcher.cpp follows the events, watcher_starts.cpp judges starts, watcher_stops.cpp stops, watcher_checks.cpp checks;
// watcher_lives.cpp says what of it holds when an orchestrator ends and the next one takes its fleet back.
// Threads: the test's. Ownership: borrows the world, which outlives it.
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "sim/findings.hpp"
#include "sim/mass_watch.hpp"
#include "sim/reads_watcher.hpp"
#include "sim/whose_watcher.hpp"
#include "support/world.hpp"

namespace azora::orchestrator {

class Watcher {
 public:
  using Command = keeper::FakeKeeper::Command;

  explicit Watcher(World& world);

  // What the test itself does to the core is told here, before it does it.
  void operator_acts(const std::string& id);              // a verb, a new configuration, or a verb on one that takes it along
  void removed(const std::string& id);
  // It is to be stopped after all that need it and run now, unless something else is asked for meanwhile.
  void takes_along(const std::string& id);
  // An action of what runs without us is called, and returns.
  void called(const actions::ActionRequest& request);
  void returned(const std::string& id, bool ok);
  void stalled();                                         // our own loop: answers of that time count for nothing
  void stops_in_order(bool begins) { stopping_ = begins; }  // until its deadline, if it has one at all
  // The orchestrator ended: what was published and not stored is forgotten by its successor, and may be told again.
  // `behind`: it had trouble with its store, so that its successor does not know what was done from memory.
  void life_ended(bool behind);
  // Since its last start somebody asked for something about it, or registered it again.
  bool was_acted_on(const std::string& id) const {
    const auto known = known_.find(id);
    return known == known_.end() || known->second.operator_acted;
  }
  // Moments were stored by a clock that was set since.
  bool clock_set() const { return clock_set_; }
  // Its successor has published for the first time.
  void life_began() {
    restoring_ = false;
    reads_.life_began();
    whose_.life_began();
  }
  // Of what is ours.
  void on_command(const Command& command);

  // After each turn.
  void check_turn();
  // Nobody is registered any more and time has passed.
  void check_leftovers();
  Findings& findings() { return findings_; }
  void found(const std::string& promise, const std::string& id, const std::string& what) { findings_.found(promise, id, what); }
  const std::vector<std::string>& problems() const { return findings_.problems(); }
  const std::vector<std::string>& story() const { return findings_.story(); }

 private:
  using Run = std::pair<std::uint64_t, std::uint64_t>;  // serial and incarnation
  // What was so when a stop was decided, which may be sent later: it may wait for the store.
  struct Decision {
    Run run;
    bool in_order = false;                          // the whole was being stopped in order
    bool explained = false;                         // a dependency was not satisfied, and not since this turn only
    std::string mass;                               // most of these were bad
  };
  struct Known {
    std::uint64_t answered = 0;                     // incarnation of the last healthy or degraded event
    bool failed_told = false;
    bool may_fail_again = false;                    // somebody acted since
    bool operator_acted = false;                    // since the last launch
    int spent = 0;                                  // launches after unexplained failures in this episode
    bool failure = false;                           // since the last launch
    bool rests = false;                             // it ended as it should, and its policy lets it rest
    bool backs_off = false;                         // as last published
    bool explained = false;                         // a dependency was not satisfied since then
    std::optional<SteadyTime> failed_at;
    std::uint64_t failed = 0;                       // the incarnation of which that was told
    std::optional<SteadyTime> healthy_since;
    bool killed = false;                            // for its checks, and not back yet
    std::uint64_t serial = 0;                       // last launched, with its incarnation
    std::uint64_t incarnation = 0;
    std::optional<SteadyTime> slot;                 // launched and not ready nor ended since
    bool called = false;                            // its action runs
    std::string stopped_in_mass;                    // told to stop while most were bad: words for whom
    std::pair<std::uint64_t, std::uint64_t> checked; // incarnation and generation of the last answer
    int failures = 0;                               // of these, in a row
    std::optional<SteadyTime> unanswered;           // since when they are enough to be acted on, and nothing hinders that
    std::optional<Run> start;                       // last published as STARTING: what its launch is judged by
    SteadyTime decided;                             // then
    bool needs_held = false;                        // then
    std::optional<Run> along;                       // it may go along with a dependency that was restarted
    std::optional<Run> must_go_along;               // that is the whole of what it names
    std::optional<Decision> stop;                   // last published as STOPPING: what its stop is judged by
  };

  void on_event(const Recorder::Seen& event);
  void on_exited(Known& known, const Recorder::Seen& event, const ViewPtr& view);
  void on_well(Known& known, const Recorder::Seen& event, const ViewPtr& view);
  void on_failed(Known& known, const Recorder::Seen& event, const ViewPtr& view);
  void on_publish();
  void on_launch(const std::string& id, std::uint64_t serial, std::uint64_t incarnation, bool fails);
  void check_policy(const Known& known, const std::string& id, const ServiceSpec& spec);
  void check_delay(const ServiceView& view);
  Nanos slack() const;
  void on_stop(const Command& command);
  void check_taken_along(const std::string& id);
  void check_stop_order(const std::string& id);
  void check_bucket(Known& known, const std::string& id, SteadyTime decided);
  void note_along(const std::string& restarted);
  void check_along(const ServiceView& view);
  void on_ask(const health::ProbeRequest& request);
  void on_answer(const health::ProbeResult& result);
  void on_counted(const Recorder::Seen& event);
  bool may_be_acted_on(const ServiceView& view);
  void on_kill(const std::string& id, const ServiceView& view);
  void end_of_health(Known& known);
  void check_budget(Known& known, const std::string& id, const ServiceSpec& spec);
  bool dependencies_hold(const ServiceSpec& spec) const;
  void note_decision(const ServiceView& view);
  void rewind(Known& known, const std::string& id, bool behind);
  Decision decision(Run run, const ServiceSpec& spec);
  void tell(const std::string& id, const std::string& what) { findings_.tell(id, what); }
  SteadyTime now() { return world_.loop.now().steady; }

  World& world_;
  Findings findings_{world_.loop};
  ReadsWatcher reads_{world_, findings_};
  MassWatch mass_{world_};
  WhoseWatcher whose_{world_, findings_};
  std::map<std::string, Known> known_;
  std::map<std::uint64_t, std::string> id_of_;            // of launched serials
  std::set<Run> ended_;                                   // told to have exited
  std::set<Run> passed_;                                  // answered below 500
  bool owes_mass_event_ = false;
  std::shared_ptr<const Board> board_;                    // as last published
  std::set<std::string> waiting_;                         // a dependency was not satisfied at the last publication
  std::set<std::string> waited_;                          // nor at the one before
  std::deque<SteadyTime> launches_;
  std::map<std::string, std::set<Run>> first_;            // runs that are to end before that service does
  std::set<std::uint64_t> ending_;                        // their stop had been decided by the last orchestrator
  bool stopping_ = false;
  bool restoring_ = false;                                // the next orchestrator has not published yet
  bool clock_set_ = false;                                // in this life: stored moments may be others for the next one
};

}  // namespace azora::orchestrator
