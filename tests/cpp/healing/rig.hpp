#pragma once
// One machine under test with a readable script: feed inputs, move time, look at what was asked and told.
// Threads: the test's.
#include <algorithm>
#include <string>
#include <vector>

#include "azora/healing/machine.hpp"
#include "healing/rig_plans.hpp"

namespace azora::healing {

using In = Input::Kind;
using Do = Action::Kind;
using Say = Notice::Kind;

class Rig {
 public:
  explicit Rig(ActionFacts action = kOwnedAction) {
    plan.action = action;
    plan.restart.delay = std::nullopt;
    if (plan.owned()) return;
    machine.desired = Desired::up;
    machine.lifecycle = action.acts ? Lifecycle::ready : Lifecycle::watching;
    machine.deps_ok = true;
  }

  const Step& feed(Input input) {
    last = step(machine, plan, input, now);
    actions.insert(actions.end(), last.actions.begin(), last.actions.end());
    notices.insert(notices.end(), last.notices.begin(), last.notices.end());
    return last;
  }
  const Step& feed(In kind, bool flag = false) {
    return feed({.kind = kind, .flag = flag, .incarnation = machine.incarnation});
  }
  const Step& desire(Desired desired, Cause cause = Cause::op) {
    return feed({.kind = In::desire, .desired = desired, .cause = cause});
  }

  // Shortcuts through situations that tests begin in.
  void bring_up() {
    feed(In::deps, true);
    desire(Desired::up);
    start();
  }
  void start() {
    feed(In::admitted);
    feed(In::launched);
    feed(In::ready, true);
  }
  void exit(bool ok = false) {
    feed(In::exited, ok);
    feed(In::swept);
  }
  // Fails one whole start, from the gate to the decision.
  void fail_start() {
    feed(In::admitted);
    feed(In::launched);
    exit();
  }
  // From a healthy service to FAILED, by crashes.
  void exhaust() {
    exit();
    while (!is(Lifecycle::failed)) {
      if (is(Lifecycle::backoff)) pass_deadline();
      fail_start();
    }
  }
  const Step& pass_deadline() {
    if (machine.timers.deadline) now = std::max(now, *machine.timers.deadline);
    return feed(In::timer);
  }
  void wait(Nanos span) { now += span; }

  bool is(Lifecycle state) const { return machine.lifecycle == state; }
  bool asked(Do kind) const {
    return std::any_of(last.actions.begin(), last.actions.end(),
                       [kind](const Action& action) { return action.kind == kind; });
  }
  bool said(Say kind) const { return find(last, kind) != nullptr; }
  const Notice* notice(Say kind) const { return find(last, kind); }
  int told(Say kind) const {
    return static_cast<int>(std::count_if(
        notices.begin(), notices.end(), [kind](const Notice& one) { return one.kind == kind; }));
  }
  int done(Do kind) const {
    return static_cast<int>(std::count_if(
        actions.begin(), actions.end(), [kind](const Action& one) { return one.kind == kind; }));
  }

  Plan plan;
  Machine machine;
  SteadyTime now{std::chrono::hours(100)};
  Step last;
  std::vector<Action> actions;
  std::vector<Notice> notices;

 private:
  static const Notice* find(const Step& step, Say kind) {
    for (const Notice& one : step.notices) {
      if (one.kind == kind) return &one;
    }
    return nullptr;
  }
};

}  // namespace azora::healing
