// Every situation one service can get into, by exhaustive search over the production step() (semantics 47).
// Time is abstract: a state is looked at relative to its own clock and the only passage of time is that the
// open deadline fires; the world answers with what a keeper, a prober and an operator may say at that moment.
#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <set>
#include <sstream>

#include "healing/rig.hpp"

namespace azora::healing {
namespace {

// What the keeper knows of the current incarnation.
enum class Body { none, launching, alive, dying };  // dying: main ended, descendants not proven gone

struct State {
  Machine machine;
  Body body = Body::none;
  bool queued = false;       // in the start queue
  bool permit_wanted = false;
  SteadyTime now{std::chrono::hours(100)};
};

// Times relative to now, coarse and clipped, so that the search closes.
std::string key_of(const State& state) {
  const Machine& m = state.machine;
  std::ostringstream out;
  const auto time = [&](const std::optional<SteadyTime>& at) {
    if (!at) {
      out << "-,";
      return;
    }
    // What is due is due; what is not, to 10 s, which is finer than any rule but the first second's.
    const std::int64_t span = to_millis(*at - state.now).count();
    const std::int64_t coarse = span > 0 ? 1 + std::min<std::int64_t>(span, 60'000) / 10'000
                                         : std::max<std::int64_t>(span, -30'000) / 10'000;
    out << coarse << ',';
  };
  const auto value = [&](auto one) { out << static_cast<long long>(one) << ','; };
  value(m.lifecycle), value(m.desired), value(m.deps_ok), value(m.admission_asked), value(m.slot_held);
  value(m.permit_asked), value(m.permit_held), value(m.ever_started), value(m.failing);
  value(m.half_open), value(m.announced_failed), value(m.announced_unavailable), value(m.cause);
  value(m.attempts), value(m.last_delay.count()), value(m.restart_asked), value(m.start_cause);
  value(m.announced_blocked), value(m.action_running), value(m.evidence_pending);
  value(m.incarnation > 0), value(m.started.has_value()), value(m.stable_since.has_value()), value(m.down_since.has_value());
  time(m.deadline), time(m.last_evidence), time(m.earliest);
  // failed_at matters only until the decision is taken.
  time(m.lifecycle == Lifecycle::sweep ? m.failed_at : std::nullopt);
  value(state.body), value(state.queued), value(state.permit_wanted);
  return out.str();
}

class Search {
 public:
  explicit Search(Plan plan) : plan_(plan) {}

  void run(State first) {
    push(first, -1);
    while (!open_.empty()) {
      const int at = open_.front();
      open_.pop_front();
      expand(at);
      ASSERT_LT(states_.size(), 400'000U) << "the search does not close";
      if (::testing::Test::HasFatalFailure()) return;
    }
  }

  // From each state in `from` a state in `to` can be reached over edges that `allowed` accepts.
  template <class From, class To, class Allowed>
  void expect_reaches(From from, To to, Allowed allowed, const char* what) {
    std::vector<std::vector<int>> back(states_.size());
    for (const auto& [source, target, input] : edges_) {
      if (allowed(states_[source], input)) back[target].push_back(static_cast<int>(source));
    }
    std::vector<bool> good(states_.size());
    std::deque<int> queue;
    for (std::size_t i = 0; i < states_.size(); ++i) {
      if (!to(states_[i])) continue;
      good[i] = true;
      queue.push_back(static_cast<int>(i));
    }
    while (!queue.empty()) {
      const int at = queue.front();
      queue.pop_front();
      for (const int before : back[static_cast<std::size_t>(at)]) {
        if (good[static_cast<std::size_t>(before)]) continue;
        good[static_cast<std::size_t>(before)] = true;
        queue.push_back(before);
      }
    }
    for (std::size_t i = 0; i < states_.size(); ++i) {
      if (from(states_[i]) && !good[i]) {
        ADD_FAILURE() << what << ":\n" << path(static_cast<int>(i));
        return;
      }
    }
  }

  std::size_t states() const { return states_.size(); }
  std::size_t edges() const { return edges_.size(); }
  const std::set<Lifecycle>& visited() const { return visited_; }

 private:
  struct Edge {
    std::size_t source;
    std::size_t target;
    Input::Kind input;
  };

  std::string path(int at) const {
    std::string text;
    for (; at >= 0; at = parent_[static_cast<std::size_t>(at)].first) {
      text = parent_[static_cast<std::size_t>(at)].second + " -> " +
             std::string(wire_name(states_[static_cast<std::size_t>(at)].machine.lifecycle)) + "\n" + text;
    }
    return text;
  }

  std::size_t push(const State& state, int parent, const std::string& label = "begin") {
    const auto [found, fresh] = index_.emplace(key_of(state), states_.size());
    if (!fresh) return found->second;
    states_.push_back(state);
    parent_.emplace_back(parent, label);
    visited_.insert(state.machine.lifecycle);
    open_.push_back(static_cast<int>(found->second));
    return found->second;
  }

  void expand(int at) {
    const State from = states_[static_cast<std::size_t>(at)];
    const auto go = [&](In kind, Body body, bool flag = false, Desired desired = Desired::up,
                        Cause cause = Cause::op, std::uint64_t back = 0) {
      State next = from;
      next.body = body;
      if (kind == In::admitted) next.queued = false;
      if (kind == In::permitted) next.permit_wanted = false;
      if (kind == In::timer) next.now = std::max(next.now, *next.machine.deadline);
      const Input input{kind, desired, cause, flag, from.machine.incarnation - back};
      take(at, from, next, input);
    };
    const Body body = from.body;
    for (const Desired desired : {Desired::up, Desired::down}) go(In::desire, body, false, desired);
    go(In::desire, body, false, Desired::up, Cause::none);
    go(In::desire, body, false, Desired::hold);
    go(In::restart, body);
    go(In::deps, body, true);
    go(In::deps, body, false);
    go(In::evidence, body, false, Desired::up, Cause::evidence);
    go(In::plan_changed, body);
    go(In::slot_expired, body);
    for (const bool down : {false, true}) go(In::faltered, body, down);
    if (from.machine.deadline) go(In::timer, body);
    if (from.queued) go(In::admitted, body);
    if (from.permit_wanted) go(In::permitted, body);
    if (body == Body::launching) {
      go(In::launched, process() ? Body::alive : Body::none);
      go(In::launch_failed, process() ? Body::dying : Body::none);
    }
    if (body == Body::alive) {
      go(In::exited, Body::dying, false);
      go(In::exited, Body::dying, true);
      go(In::lost, Body::none);
    }
    if (body == Body::dying) go(In::swept, Body::none);
    if (body == Body::alive || !process()) {
      go(In::ready, body, true);
      go(In::ready, body, false);
      go(In::passed, body, true);
      go(In::passed, body, false);
      go(In::liveness_failed, body);
    }
    // What a former incarnation still says must not be heard.
    if (from.machine.incarnation > 0) {
      for (const In kind : {In::launched, In::launch_failed, In::exited, In::swept, In::lost, In::ready,
                            In::passed, In::liveness_failed}) {
        State same = from;
        const Step silent = step(same.machine, plan_, {kind, Desired::up, Cause::none, true,
                                                       from.machine.incarnation - 1}, from.now);
        ASSERT_EQ(key_of(same), key_of(from)) << path(at);
        ASSERT_TRUE(silent.actions.empty() && silent.notices.empty()) << path(at);
      }
    }
  }

  void take(int at, const State& from, State next, const Input& input) {
    const Step done = step(next.machine, plan_, input, next.now);
    const std::string label = "input " + std::to_string(static_cast<int>(input.kind)) +
                              (input.flag ? "+" : "") + " desired " +
                              std::to_string(static_cast<int>(input.desired));
    const auto fault = [&](const char* what) {
      return std::string(what) + "\n" + path(at) + label + " -> " +
             std::string(wire_name(next.machine.lifecycle));
    };
    const Machine& m = next.machine;
    const Machine& old = from.machine;
    for (const Action& action : done.actions) {
      switch (action.kind) {
        case Do::launch:
          ASSERT_EQ(next.body, Body::none) << fault("a second incarnation or action in flight");
          ASSERT_EQ(action.incarnation, old.incarnation + 1) << fault("incarnations grow by one");
          ASSERT_EQ(m.desired, Desired::up) << fault("a start against the owner's will");
          ASSERT_TRUE(m.deps_ok) << fault("a start before its dependencies");
          ASSERT_TRUE(!old.earliest || next.now >= *old.earliest || !m.failing || m.start_cause == Cause::op)
              << fault("a start before restartDelay");
          next.body = Body::launching;
          break;
        case Do::send_stop:
        case Do::send_kill:
          ASSERT_TRUE(process()) << fault("a signal to what is not ours");
          ASSERT_EQ(action.incarnation, m.incarnation) << fault("a signal to another incarnation");
          ASSERT_TRUE(m.cause != Cause::liveness || m.permit_held || action.kind == Do::send_kill ||
                      m.desired != Desired::up)
              << fault("a liveness kill without a permit");
          break;
        case Do::ask_admission:
          ASSERT_FALSE(next.queued) << fault("queued twice");
          next.queued = true;
          break;
        case Do::drop_admission:
          ASSERT_TRUE(next.queued) << fault("leaves a queue it is not in");
          next.queued = false;
          break;
        case Do::ask_permit:
          ASSERT_FALSE(next.permit_wanted) << fault("asks twice");
          next.permit_wanted = true;
          break;
        case Do::drop_permit: next.permit_wanted = false; break;
        case Do::release_slot: break;
      }
    }
    ASSERT_EQ(next.queued, m.admission_asked) << fault("queue and machine disagree");
    ASSERT_EQ(next.permit_wanted, m.permit_asked) << fault("permits and machine disagree");
    const auto told = [&](Say kind) {
      return std::count_if(done.notices.begin(), done.notices.end(),
                           [kind](const Notice& one) { return one.kind == kind; });
    };
    const bool enters_failed = m.lifecycle == Lifecycle::failed && old.lifecycle != Lifecycle::failed;
    const bool alert = old.lifecycle == Lifecycle::ready && m.lifecycle == Lifecycle::ready;
    if (!alert) {
      ASSERT_EQ(told(Say::failed), enters_failed && !old.announced_failed ? 1 : 0) << fault("serviceFailed");
    }
    if (m.lifecycle == Lifecycle::ready || m.lifecycle == Lifecycle::idle || m.lifecycle == Lifecycle::done) {
      ASSERT_FALSE(m.announced_failed) << fault("the next serviceFailed would be swallowed");
    }
    ASSERT_TRUE(told(Say::restarted) == 0 || m.lifecycle == Lifecycle::ready) << fault("restarted, not ready");
    ASSERT_EQ(m.restart_count - old.restart_count, told(Say::restarted)) << fault("restartCount");
    ASSERT_LE(told(Say::blocked), 1) << fault("blocked twice");
    const int limit = plan_.restart.max_restarts;
    ASSERT_TRUE(limit < 0 || m.attempts <= limit) << fault("budget exceeded");
    ASSERT_TRUE(m.attempts <= old.attempts || m.deps_ok) << fault("an explained failure was charged");
    const bool timed = m.lifecycle == Lifecycle::starting || m.lifecycle == Lifecycle::stopping ||
                       m.lifecycle == Lifecycle::killing || m.lifecycle == Lifecycle::sweep ||
                       m.lifecycle == Lifecycle::backoff;
    ASSERT_TRUE(!timed || m.deadline) << fault("a state without a deadline");
    const bool owned = m.lifecycle == Lifecycle::starting || m.lifecycle == Lifecycle::ready ||
                       m.lifecycle == Lifecycle::stopping || m.lifecycle == Lifecycle::killing ||
                       m.lifecycle == Lifecycle::stuck || m.lifecycle == Lifecycle::sweep;
    if (process()) {
      ASSERT_TRUE(owned || next.body == Body::none) << fault("a process is forgotten");
    }
    ASSERT_TRUE(m.slot_held ? m.lifecycle == Lifecycle::starting : true) << fault("a slot is kept");
    ASSERT_TRUE(m.permit_held ? m.lifecycle != Lifecycle::ready && m.lifecycle != Lifecycle::idle &&
                                    m.lifecycle != Lifecycle::failed && m.lifecycle != Lifecycle::done
                              : true)
        << fault("a permit is kept");
    if (m.desired == Desired::down) {
      ASSERT_TRUE(m.lifecycle != Lifecycle::blocked && m.lifecycle != Lifecycle::backoff &&
                  m.lifecycle != Lifecycle::failed && m.lifecycle != Lifecycle::ready)
          << fault("still wanted after a stop");
    }
    // Which number the incarnation bears decides nothing but jitter: without it the search closes.
    if (next.machine.incarnation > 0) next.machine.incarnation = 1;
    const std::size_t target = push(next, at, label);
    edges_.push_back({static_cast<std::size_t>(at), target, input.kind});
  }

  bool process() const { return plan_.action == ActionKind::process; }

  Plan plan_;
  std::vector<State> states_;
  std::vector<std::pair<int, std::string>> parent_;
  std::map<std::string, std::size_t> index_;
  std::deque<int> open_;
  std::vector<Edge> edges_;
  std::set<Lifecycle> visited_;
};

Plan plan_for(ActionKind action) {
  Plan plan;
  plan.action = action;
  plan.restart.max_restarts = 2;
  plan.restart.flap_limit = 0;
  // As long as the spacing of evidence tries: every timeout is either side of it.
  plan.restart.kill_timeout = plan.stop_timeout = plan.start_timeout = Millis(30'000);
  return plan;
}

bool up(const State& state) { return state.machine.desired == Desired::up; }
bool is_ready(const State& state) { return state.machine.lifecycle == Lifecycle::ready; }
bool is_idle(const State& state) { return state.machine.lifecycle == Lifecycle::idle; }
// Nobody but the world and time acts.
bool without_operator(const State&, Input::Kind kind) {
  return kind != In::desire && kind != In::restart && kind != In::plan_changed;
}
bool by_time_and_ends(const State&, Input::Kind kind) {
  return kind == In::timer || kind == In::exited || kind == In::swept || kind == In::lost ||
         kind == In::launch_failed;
}

void expect_ends_well(Search& search) {
  search.expect_reaches(
      [](const State& state) { return up(state) && state.machine.lifecycle != Lifecycle::done; },
      [](const State& state) { return is_ready(state) || state.machine.lifecycle == Lifecycle::done; },
      without_operator, "wants up and never gets ready without an operator");
  search.expect_reaches([](const State& state) { return state.machine.desired == Desired::down; }, is_idle,
                        by_time_and_ends, "wants down and never gets idle");
}

TEST(Search, ProcessKeepsItsInvariantsWhateverHappens) {
  Search search(plan_for(ActionKind::process));
  search.run({});
  EXPECT_GT(search.states(), 500U);
  RecordProperty("states", static_cast<int>(search.states()));
  EXPECT_EQ(search.visited().size(), 11U);  // all but WATCHING and ADOPT
  expect_ends_well(search);
}

TEST(Search, ProcessWithARestartDelayNeverStartsEarlier) {
  Plan plan = plan_for(ActionKind::process);
  plan.restart.delay = Millis(5'000);
  plan.restart.factor = 1;
  Search search(plan);
  search.run({});
  expect_ends_well(search);
}

TEST(Search, AlwaysAndUnprobedServicesEndWellToo) {
  Plan plan = plan_for(ActionKind::process);
  plan.restart.on = RestartOn::always;
  plan.probes = false;
  Search search(plan);
  search.run({});
  EXPECT_FALSE(search.visited().contains(Lifecycle::done));
  expect_ends_well(search);
}

TEST(Search, NeverAndAlertOnlyServicesAreNotStartedAgainByThemselves) {
  for (const bool never : {true, false}) {
    Plan plan = plan_for(ActionKind::process);
    if (never) {
      plan.restart.on = RestartOn::never;
    } else {
      plan.restart.max_restarts = 0;
    }
    Search search(plan);
    search.run({});
    EXPECT_FALSE(search.visited().contains(Lifecycle::backoff));
    search.expect_reaches([](const State& state) { return state.machine.desired == Desired::down; }, is_idle,
                          by_time_and_ends, "wants down and never gets idle");
    search.expect_reaches(up, is_ready, [](const State&, Input::Kind) { return true; },
                          "an operator cannot get it ready");
  }
}

TEST(Search, CallbackIsNeverCalledTwiceAtOnceAndNeverSignalled) {
  Plan plan = plan_for(ActionKind::callback);
  plan.restart.failed_retry_interval = Millis(0);
  State first;
  first.machine.lifecycle = Lifecycle::ready;
  first.machine.desired = Desired::up;
  Search search(plan);
  search.run(first);
  EXPECT_FALSE(search.visited().contains(Lifecycle::stopping));
  EXPECT_FALSE(search.visited().contains(Lifecycle::sweep));
  expect_ends_well(search);
}

}  // namespace
}  // namespace azora::healing
