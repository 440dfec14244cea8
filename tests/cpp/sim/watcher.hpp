#pragma once
// Judges the whole core from outside, by what it tells, publishes and asks for: the promises of design sections
// 5-7, each under a name that a report leads with. Knows nothing of the core's own state.
// Threads: the test's. Ownership: borrows the world, which outlives it.
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "support/world.hpp"

namespace azora::orchestrator {

class Watcher {
 public:
  explicit Watcher(World& world);

  // What the test itself does to the core is told here, before it does it.
  void operator_acts(const std::string& id);              // a verb, a new configuration, or a verb on one that takes it along
  void removed(const std::string& id);
  // A restart callable is called, and returns.
  void called(const actions::ActionRequest& request);
  void returned(const std::string& id, bool ok);
  void stalled();                                         // our own loop: answers of that time count for nothing
  void stops_in_order(bool begins) { stopping_ = begins; }  // until its deadline, if it has one at all

  // After each turn.
  void check_turn();
  // Nobody is registered any more and time has passed.
  void check_leftovers();
  void found(const std::string& promise, const std::string& id, const std::string& what);
  const std::vector<std::string>& problems() const { return problems_; }
  const std::vector<std::string>& story() const { return story_; }

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
    std::optional<HealthStatus> told;               // by the last status event
    std::uint64_t answered = 0;                     // incarnation of the last healthy or degraded event
    bool failed_told = false;
    bool may_fail_again = false;                    // somebody acted since
    bool operator_acted = false;                    // since the last launch
    int spent = 0;                                  // launches after unexplained failures in this episode
    bool failure = false;                           // since the last launch
    bool explained = false;                         // a dependency was not satisfied since then
    std::optional<SteadyTime> failed_at;
    std::optional<SteadyTime> healthy_since;
    bool killed = false;                            // for its checks, and not back yet
    std::uint64_t serial = 0;                       // last launched, with its incarnation
    std::uint64_t incarnation = 0;
    std::optional<SteadyTime> slot;                 // launched and not ready nor ended since
    bool called = false;                            // its callable runs
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
  // A group, or under no name the fleet, in which most turned bad: none of it is killed for its checks.
  struct Mass {
    std::map<std::string, SteadyTime> turned;       // members that turned bad, and until when each counts
    std::optional<SteadyTime> since;                // of the brake
    SteadyTime until;                               // the last of those that braked it counts
  };
  using Command = keeper::FakeKeeper::Command;

  void on_event(const Recorder::Seen& event);
  void on_publish();
  void on_command(const Command& command);
  void on_launch(const std::string& id, std::uint64_t serial, std::uint64_t incarnation, bool fails);
  void on_stop(const Command& command);
  void check_stop_order(const std::string& id);
  void note_along(const std::string& restarted);
  void check_along(const ServiceView& view);
  void on_ask(const health::ProbeRequest& request);
  void on_answer(const health::ProbeResult& result);
  bool may_be_acted_on(const ServiceView& view);
  void on_kill(const std::string& id, const ServiceView& view);
  void turned_bad(const std::string& id, const ServiceView& view);
  bool is_mass(const std::string& group);
  bool note_bad(const std::string& group, const std::string& id, SteadyTime until);
  void forget_bad(const std::string& id);
  void end_of_health(Known& known);
  void check_budget(Known& known, const std::string& id, const ServiceSpec& spec);
  void check_visible_events();
  void check_board();
  void check_views();
  bool dependencies_hold(const ServiceSpec& spec) const;
  void note_decision(const ServiceView& view);
  Decision decision(Run run, const ServiceSpec& spec);
  std::string mass_of(const ServiceSpec& spec);
  void tell(const std::string& id, const std::string& what);
  SteadyTime now() { return world_.loop.now().steady; }

  World& world_;
  std::map<std::string, Known> known_;
  std::map<std::uint64_t, std::string> id_of_;            // of launched serials
  std::set<std::pair<std::uint64_t, std::uint64_t>> ended_;    // (serial, incarnation) told to have exited
  std::set<std::pair<std::uint64_t, std::uint64_t>> passed_;   // (serial, incarnation) that answered below 500
  std::map<std::string, Mass> masses_;
  bool owes_mass_event_ = false;
  std::shared_ptr<const Board> board_;                    // as last published
  std::map<std::string, std::pair<HealthStatus, Lifecycle>> listed_;
  std::set<std::string> waiting_;                         // a dependency was not satisfied at the last publication
  std::set<std::string> waited_;                          // nor at the one before
  std::deque<SteadyTime> launches_;
  std::size_t visible_ = 0;                               // events that readers had seen
  bool stopping_ = false;
  std::size_t keeper_violations_ = 0;
  std::vector<std::string> problems_;
  std::vector<std::string> story_;
};

}  // namespace azora::orchestrator
