#pragma once
// Every situation one service can get into, by exhaustive search over the production step().
// Time is abstract: a state is looked at relative to its own clock, and the only passage of time is that the open
// deadline fires. What may happen in a state is what a keeper, an action, a prober and an operator may report then.
// Threads: the test's.
#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "healing/rig.hpp"

namespace azora::healing {

// What is behind the current incarnation.
enum class Body { none, launching, alive, dying };  // launching: the action has not reported yet;
                                                    // dying: main ended, descendants are not proven gone
struct State {
  Machine machine;
  Body body = Body::none;
  bool queued = false;         // in the start queue
  bool permit_wanted = false;
  SteadyTime now{std::chrono::hours(100)};
};

// What becomes of the actions that are started: all of it; refusals alone; nothing; or all of it, in any order, so that
// the end of what was started may be told before the start is answered.
enum class Reports { all, refusals, none, any_order };

class Search {
 public:
  explicit Search(Plan plan, Reports reports = Reports::all) : plan_(plan), reports_(reports) {}

  // Explores all that follows from these. Ends at the first broken invariant, with the way there as the message.
  void run(const std::vector<State>& first);
  // From each state in `from` a state in `to` can be reached by inputs that `allowed` accepts.
  using Is = std::function<bool(const State&)>;
  void expect_reaches(const Is& from, const Is& to, const std::function<bool(Input::Kind)>& allowed, const char* what);

  const Plan& plan() const { return plan_; }
  const std::vector<State>& states() const { return states_; }
  const std::set<Lifecycle>& visited() const { return visited_; }

 private:
  struct Edge {
    std::size_t source;
    std::size_t target;
    Input::Kind input;
  };

  std::string path(std::size_t at) const;
  std::size_t push(const State& state, std::ptrdiff_t parent, const std::string& label);
  void expand(std::size_t at);
  void expand_reports(const State& from, const std::function<void(In, Body, bool)>& go);
  void expect_stale_inputs_change_nothing(std::size_t at, const State& from);
  void take(std::size_t at, const State& from, State next, const Input& input);
  void carry_out(const Step& done, const State& from, State& next, const std::function<std::string(const char*)>& fault);
  void check(const Step& done, const State& from, const State& next,
             const std::function<std::string(const char*)>& fault) const;

  Plan plan_;
  Reports reports_;
  std::vector<State> states_;
  std::vector<std::pair<std::ptrdiff_t, std::string>> parent_;
  std::unordered_map<std::string, std::size_t> index_;
  std::deque<std::size_t> open_;
  std::vector<Edge> edges_;
  std::set<Lifecycle> visited_;
};

// A plan that closes quickly: a small budget, and timeouts as long as the spacing of evidence tries, so that every
// timeout is met on either side of it.
Plan plan_for(ActionFacts action);
// Where a machine of this plan may begin: registered, or restored from a former run.
std::vector<State> beginnings(const Plan& plan);

}  // namespace azora::healing
