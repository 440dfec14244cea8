#include "healing/search.hpp"

#include <algorithm>
#include <cstdint>

namespace azora::healing {
namespace {

// Everything that decides, as bytes. Times relative to now, coarse and clipped, so that the search closes.
std::string key_of(const State& state) {
  const Machine& m = state.machine;
  std::string key;
  key.reserve(48);
  const auto value = [&](auto one) {
    const auto number = static_cast<std::int32_t>(one);
    key.append(reinterpret_cast<const char*>(&number), number < 128 && number >= 0 ? 1 : sizeof number);
    key.push_back('|');
  };
  const auto time = [&](const OptionalTime& at) {
    if (!at) return value(127);
    // What is due is due; what is not, to 10 s, which is finer than any rule but the first second's.
    const std::int64_t span = to_millis(*at - state.now).count();
    value(span > 0 ? 11 + std::min<std::int64_t>(span, 60'000) / 10'000
                   : 10 + std::max<std::int64_t>(span, -30'000) / 10'000);
  };
  value(m.lifecycle), value(m.desired), value(m.deps_ok), value(m.holds.admission_request), value(m.holds.slot);
  value(m.holds.permit_request), value(m.holds.permit), value(m.ever_started), value(m.episode.failing);
  value(m.episode.half_open), value(m.told.failed), value(m.told.unavailable), value(m.episode.cause);
  value(m.budget.attempts), value(m.budget.last_delay.count()), value(m.restart_asked), value(m.episode.start_cause);
  value(m.told.blocked), value(m.action_running), value(m.episode.evidence_pending), value(m.well_before);
  value(m.incarnation > 0), value(m.timers.started.has_value()), value(m.timers.stable_since.has_value());
  value(m.episode.down_since.has_value());
  time(m.timers.deadline), time(m.episode.last_evidence), time(m.episode.earliest), time(m.timers.clock);
  // failed_at matters only until the decision is taken.
  time(m.lifecycle == Lifecycle::sweep ? m.episode.failed_at : OptionalTime());
  value(state.body), value(state.queued), value(state.permit_wanted);
  return key;
}

bool one_of(Lifecycle state, std::initializer_list<Lifecycle> states) {
  return std::find(states.begin(), states.end(), state) != states.end();
}

int count(const Step& done, Say kind) {
  return static_cast<int>(std::count_if(done.notices.begin(), done.notices.end(),
                                        [kind](const Notice& one) { return one.kind == kind; }));
}

}  // namespace

Plan plan_for(ActionFacts action) {
  Plan plan;
  plan.action = action;
  plan.restart.max_restarts = 2;
  plan.restart.flap_limit = 0;
  plan.restart.kill_timeout = plan.stop_timeout = plan.start_timeout = Millis(30'000);
  return plan;
}

std::vector<State> beginnings(const Plan& plan) {
  State registered;
  if (!plan.owned()) {
    registered.machine.lifecycle = plan.action.acts ? Lifecycle::ready : Lifecycle::watching;
    registered.machine.desired = Desired::up;
    return {registered};
  }
  State restored;
  restored.machine.desired = Desired::up;
  State exhausted = restored;
  exhausted.machine.episode.failing = true;
  exhausted.machine.budget.attempts = std::max(plan.restart.max_restarts, 0);
  return {registered, restored, exhausted};
}

void Search::run(const std::vector<State>& first) {
  for (const State& state : first) push(state, -1, "begin");
  while (!open_.empty()) {
    const std::size_t at = open_.front();
    open_.pop_front();
    expand(at);
    ASSERT_LT(states_.size(), 400'000U) << "the search does not close";
    if (::testing::Test::HasFatalFailure()) return;
  }
}

void Search::expect_reaches(const Is& from, const Is& to, const std::function<bool(Input::Kind)>& allowed,
                            const char* what) {
  std::vector<std::vector<std::size_t>> back(states_.size());
  for (const Edge& edge : edges_) {
    if (allowed(edge.input)) back[edge.target].push_back(edge.source);
  }
  std::vector<bool> good(states_.size());
  std::deque<std::size_t> queue;
  for (std::size_t i = 0; i < states_.size(); ++i) {
    if (!to(states_[i])) continue;
    good[i] = true;
    queue.push_back(i);
  }
  while (!queue.empty()) {
    const std::size_t at = queue.front();
    queue.pop_front();
    for (const std::size_t before : back[at]) {
      if (good[before]) continue;
      good[before] = true;
      queue.push_back(before);
    }
  }
  for (std::size_t i = 0; i < states_.size(); ++i) {
    if (!from(states_[i]) || good[i]) continue;
    ADD_FAILURE() << what << ":\n" << path(i);
    return;
  }
}

std::string Search::path(std::size_t at) const {
  std::string text;
  for (auto i = static_cast<std::ptrdiff_t>(at); i >= 0; i = parent_[static_cast<std::size_t>(i)].first) {
    const auto place = static_cast<std::size_t>(i);
    text = parent_[place].second + " -> " + std::string(wire_name(states_[place].machine.lifecycle)) + "\n" + text;
  }
  return text;
}

std::size_t Search::push(const State& state, std::ptrdiff_t parent, const std::string& label) {
  const auto [found, fresh] = index_.emplace(key_of(state), states_.size());
  if (!fresh) return found->second;
  states_.push_back(state);
  parent_.emplace_back(parent, label);
  visited_.insert(state.machine.lifecycle);
  open_.push_back(found->second);
  return found->second;
}

void Search::expand(std::size_t at) {
  const State from = states_[at];
  const auto feed = [&](Input input, Body body) {
    State next = from;
    next.body = body;
    if (input.kind == In::admitted) next.queued = false;
    if (input.kind == In::permitted) next.permit_wanted = false;
    if (input.kind == In::timer) next.now = std::max(next.now, *next.machine.timers.deadline);
    if (input.kind != In::adopted) input.incarnation = from.machine.incarnation;
    take(at, from, next, input);
  };
  const auto go = [&](In kind, Body body, bool flag) { feed({.kind = kind, .cause = Cause::op, .flag = flag}, body); };
  const Body body = from.body;
  for (const Desired desired : {Desired::up, Desired::down, Desired::hold}) {
    feed({.kind = In::desire, .desired = desired, .cause = Cause::op}, body);
  }
  feed({.kind = In::desire, .desired = Desired::up, .cause = Cause::none}, body);
  go(In::restart, body, false);
  feed({.kind = In::restart, .cause = Cause::dependency}, body);
  go(In::evidence, body, false);
  go(In::slot_expired, body, false);
  go(In::checks_anew, body, false);
  for (const bool flag : {false, true}) {
    go(In::deps, body, flag);
    go(In::plan_changed, body, flag);
    go(In::faltered, body, flag);
  }
  if (from.machine.timers.deadline) go(In::timer, body, false);
  if (from.queued) go(In::admitted, body, false);
  if (from.permit_wanted) go(In::permitted, body, false);
  expand_reports(from, go);
  if (plan_.owned() && body == Body::none && from.machine.incarnation == 0) {
    for (const bool well : {false, true}) {
      feed({.kind = In::adopted, .flag = well, .incarnation = from.machine.incarnation + 1}, Body::alive);
    }
  }
  if (from.machine.incarnation > 0) expect_stale_inputs_change_nothing(at, from);
}

// What the action and the checks of the current incarnation may say.
void Search::expand_reports(const State& from, const std::function<void(In, Body, bool)>& go) {
  const Body body = from.body;
  const bool owned = plan_.owned();
  if (owned && reports_ == Reports::any_order) {
    if (body == Body::launching) {
      for (const bool ok : {false, true}) go(In::exited, Body::dying, ok);
      go(In::lost, Body::none, false);
    }
    if (body == Body::dying) {
      go(In::launched, body, false);
      go(In::launch_failed, body, false);
    }
  }
  if (body == Body::launching) {
    if (reports_ == Reports::all || reports_ == Reports::any_order) go(In::launched, owned ? Body::alive : Body::none, false);
    if (reports_ != Reports::none) go(In::launch_failed, owned ? Body::dying : Body::none, false);
  }
  if (owned ? body == Body::alive : plan_.action.tells_exits) {
    for (const bool ok : {false, true}) go(In::exited, owned ? Body::dying : body, ok);
    go(In::lost, owned ? Body::none : body, false);
  }
  if (owned && body == Body::dying) go(In::swept, Body::none, false);
  if (body == Body::alive || !owned) {
    for (const bool healthy : {false, true}) {
      go(In::ready, body, healthy);
      go(In::passed, body, healthy);
    }
    go(In::liveness_failed, body, false);
  }
}

// What a former incarnation still says must not be heard.
void Search::expect_stale_inputs_change_nothing(std::size_t at, const State& from) {
  for (const In kind : {In::launched, In::launch_failed, In::exited, In::swept, In::lost, In::adopted, In::ready,
                        In::passed, In::liveness_failed}) {
    Machine same = from.machine;
    const Input input{.kind = kind, .flag = true, .incarnation = from.machine.incarnation - 1};
    const Step silent = step(same, plan_, input, from.now);
    ASSERT_EQ(same, from.machine) << path(at);
    ASSERT_TRUE(silent.actions.empty() && silent.notices.empty()) << path(at);
  }
}

void Search::take(std::size_t at, const State& from, State next, const Input& input) {
  const Step done = step(next.machine, plan_, input, next.now);
  const std::string label = "input " + std::to_string(static_cast<int>(input.kind)) + (input.flag ? "+" : "") +
                            " desired " + std::to_string(static_cast<int>(input.desired));
  const auto fault = [&](const char* what) {
    return std::string(what) + "\n" + path(at) + label + " -> " + std::string(wire_name(next.machine.lifecycle));
  };
  carry_out(done, from, next, fault);
  check(done, from, next, fault);
  if (::testing::Test::HasFatalFailure()) return;
  // Which number the incarnation has decides nothing but jitter: without it the search closes.
  if (next.machine.incarnation > 0) next.machine.incarnation = 1;
  const std::size_t target = push(next, static_cast<std::ptrdiff_t>(at), label);
  edges_.push_back({at, target, input.kind});
}

void Search::carry_out(const Step& done, const State& from, State& next,
                       const std::function<std::string(const char*)>& fault) {
  const Machine& m = next.machine;
  const Machine& old = from.machine;
  for (const Action& action : done.actions) {
    switch (action.kind) {
      case Do::launch:
        ASSERT_EQ(next.body, Body::none) << fault("a second incarnation or action in flight");
        ASSERT_EQ(action.incarnation, old.incarnation + 1) << fault("incarnations grow by one");
        ASSERT_EQ(m.desired, Desired::up) << fault("a start against the owner's will");
        ASSERT_TRUE(m.deps_ok) << fault("a start before its dependencies");
        ASSERT_TRUE(!old.episode.earliest || next.now >= *old.episode.earliest || !m.episode.failing || m.episode.start_cause == Cause::op)
            << fault("a start before restartDelay");
        next.body = Body::launching;
        break;
      case Do::send_stop:
        ASSERT_TRUE(m.deps_ok || is_planned(m.episode.cause))
            << fault("stopped for what a dependency explains");
        [[fallthrough]];
      case Do::send_kill:
        ASSERT_TRUE(plan_.owned()) << fault("a signal to what is not ours");
        ASSERT_EQ(action.incarnation, m.incarnation) << fault("a signal to another incarnation");
        ASSERT_TRUE(m.episode.cause != Cause::liveness || m.holds.permit || action.kind == Do::send_kill ||
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
}

void Search::check(const Step& done, const State& from, const State& next,
                   const std::function<std::string(const char*)>& fault) const {
  using L = Lifecycle;
  const Machine& m = next.machine;
  const Machine& old = from.machine;
  ASSERT_EQ(next.queued, m.holds.admission_request) << fault("queue and machine disagree");
  ASSERT_EQ(next.permit_wanted, m.holds.permit_request) << fault("permits and machine disagree");
  const bool enters_failed = m.lifecycle == L::failed && old.lifecycle != L::failed;
  const bool alert = m.lifecycle == old.lifecycle && one_of(m.lifecycle, {L::ready, L::adopt});
  if (!alert) {
    ASSERT_EQ(count(done, Say::failed), enters_failed && !old.told.failed ? 1 : 0) << fault("serviceFailed");
  }
  if (one_of(m.lifecycle, {L::ready, L::idle, L::done})) {
    ASSERT_FALSE(m.told.failed) << fault("the next serviceFailed would be swallowed");
  }
  ASSERT_TRUE(count(done, Say::restarted) == 0 || m.lifecycle == L::ready) << fault("restarted, not ready");
  ASSERT_TRUE(count(done, Say::restarted) == 0 || old.lifecycle == L::starting) << fault("restarted without a start");
  ASSERT_EQ(m.restart_count - old.restart_count, count(done, Say::restarted)) << fault("restartCount");
  ASSERT_LE(count(done, Say::blocked), 1) << fault("blocked twice");
  const int limit = plan_.restart.max_restarts;
  ASSERT_TRUE(limit < 0 || m.budget.attempts <= limit) << fault("budget exceeded");
  ASSERT_TRUE(m.budget.attempts <= old.budget.attempts || m.deps_ok) << fault("an explained failure was charged");
  const bool timed = one_of(m.lifecycle, {L::starting, L::stopping, L::killing, L::sweep, L::backoff, L::adopt});
  ASSERT_TRUE(!timed || m.timers.deadline) << fault("a state without a deadline");
  if (plan_.owned()) {
    const bool holds = one_of(m.lifecycle, {L::starting, L::ready, L::stopping, L::killing, L::stuck, L::sweep, L::adopt});
    ASSERT_TRUE(holds || next.body == Body::none) << fault("what runs is forgotten");
  } else {
    ASSERT_EQ(m.action_running, next.body == Body::launching) << fault("machine and action disagree");
  }
  ASSERT_TRUE(!m.holds.slot || m.lifecycle == L::starting) << fault("a slot is kept");
  ASSERT_FALSE(m.holds.permit && one_of(m.lifecycle, {L::ready, L::idle, L::failed, L::done}))
      << fault("a permit is kept");
  const bool by_itself = m.episode.cause == Cause::crash || m.episode.cause == Cause::oom ||
                         m.episode.cause == Cause::clean || m.episode.cause == Cause::lost ||
                         m.episode.cause == Cause::start_failed;
  ASSERT_FALSE(m.holds.permit && by_itself) << fault("a permit is kept over an end of its own");
  if (m.desired == Desired::down && plan_.action.acts) {
    ASSERT_FALSE(one_of(m.lifecycle, {L::blocked, L::backoff, L::failed, L::ready, L::adopt}))
        << fault("still wanted after a stop");
  }
}

}  // namespace azora::healing
