#pragma once
// Judges actions of every kind by what was asked of them and what they told: a run counts by its own result alone, an
// end that is told is believed, nothing is asked of an action that it cannot do, no two runs of a service live, and what
// waits for something outside waits no longer than it may.
// Threads: the test's. Ownership: borrows world and watcher, which outlive it.
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "sim/watcher.hpp"
#include "support/world.hpp"

namespace azora::orchestrator {

class ActionWatcher {
 public:
  ActionWatcher(World& world, Watcher& watcher);

  // After each turn.
  void check_turn();
  void life_ended();

 private:
  using Told = std::pair<std::string, std::uint64_t>;  // id and incarnation
  // In a lifecycle, with one configuration, and (STARTING) with all it needs.
  struct Stay {
    std::uint64_t serial = 0;
    std::uint64_t incarnation = 0;
    std::uint64_t generation = 0;
    Lifecycle lifecycle = Lifecycle::idle;
    SteadyTime entered;
    SteadyTime since;  // it may wait from there on
    bool left_alone = false;  // its owner keeps our hands off it
  };

  void on_command(const actions::FakeAction::Command& command);
  void on_event(const Recorder::Seen& event);
  void on_answer(const actions::Run& run);
  void on_publish();
  bool changed();
  void follow(const ServiceView& view);
  void check_end_of_start(const ServiceView& view, const Stay& before);
  void check_exit(const ServiceView& view);
  void check_patience(const ServiceView& view);
  bool needs_hold(const ServiceView& view) const;
  SteadyTime now() { return world_.loop.now().steady; }

  World& world_;
  Watcher& watcher_;
  std::map<std::uint64_t, std::string> id_of_;  // of serials that were asked to start
  std::set<Told> asked_;                        // starts that an action of the tests was asked for
  std::set<Told> answered_;                     // and that it answered
  std::set<Told> done_;                         // with success
  std::set<Told> exited_;
  std::map<std::string, std::uint64_t> ended_now_;  // in this turn, where the end is a fact: incarnations by id
  std::map<std::string, SteadyTime> passed_;    // when a check of it last passed
  std::map<std::string, Stay> stays_;
  std::shared_ptr<const Board> board_;          // as last followed
  std::size_t violations_ = 0;                  // seen
};

}  // namespace azora::orchestrator
