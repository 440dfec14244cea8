// What holds whatever happens, for every kind of action and every fate of it.
#include "healing/search.hpp"

namespace azora::healing {
namespace {

bool up(const State& state) { return state.machine.desired == Desired::up; }
bool down(const State& state) { return state.machine.desired == Desired::down; }
bool is_ready(const State& state) { return state.machine.lifecycle == Lifecycle::ready; }
bool is_idle(const State& state) { return state.machine.lifecycle == Lifecycle::idle; }
bool any_input(In) { return true; }
// Only the world and time act.
bool without_operator(In kind) {
  return kind != In::desire && kind != In::restart && kind != In::plan_changed && kind != In::checks_anew;
}
bool by_time_and_ends(In kind) {
  return kind == In::timer || kind == In::exited || kind == In::swept || kind == In::lost || kind == In::launch_failed;
}

void expect_gets_idle(Search& search) {
  search.expect_reaches(down, is_idle, by_time_and_ends, "wants down and never gets idle");
}

void expect_ends_well(Search& search) {
  search.expect_reaches(
      [](const State& state) { return up(state) && state.machine.lifecycle != Lifecycle::done; },
      [](const State& state) { return is_ready(state) || state.machine.lifecycle == Lifecycle::done; },
      without_operator, "wants up and never gets ready without an operator");
  expect_gets_idle(search);
}

TEST(Search, OwnedKeepsItsInvariantsWhateverHappens) {
  Search search(plan_for(kOwnedAction));
  search.run(beginnings(search.plan()));
  EXPECT_GT(search.states().size(), 500U);
  RecordProperty("states", static_cast<int>(search.states().size()));
  EXPECT_EQ(search.visited().size(), 12U) << "all but WATCHING";
  expect_ends_well(search);
}

TEST(Search, OwnedWithARestartDelayNeverStartsEarlier) {
  Plan plan = plan_for(kOwnedAction);
  plan.restart.delay = Millis(5'000);
  plan.restart.factor = 1;
  Search search(plan);
  search.run(beginnings(plan));
  expect_ends_well(search);
}

TEST(Search, AlwaysAndUnprobedServicesEndWellToo) {
  Plan plan = plan_for(unprobed(kOwnedAction));
  plan.restart.on = RestartOn::always;
  Search search(plan);
  search.run(beginnings(plan));
  EXPECT_FALSE(search.visited().contains(Lifecycle::done));
  expect_ends_well(search);
}

TEST(Search, NeverAndAlertOnlyServicesAreNotStartedAgainByThemselves) {
  for (const bool never : {true, false}) {
    Plan plan = plan_for(kOwnedAction);
    if (never) {
      plan.restart.on = RestartOn::never;
    } else {
      plan.restart.max_restarts = 0;
    }
    Search search(plan);
    search.run(beginnings(plan));
    EXPECT_FALSE(search.visited().contains(Lifecycle::backoff));
    expect_gets_idle(search);
    search.expect_reaches(up, is_ready, any_input, "an operator cannot get it ready");
  }
}

// Its start is reported late (in whatever lifecycle it is then), refused, or never.
TEST(Search, OwnedWhoseStartIsRefusedOrNeverReportedIsStillStoppedAndNeverStartedTwice) {
  for (const Reports reports : {Reports::refusals, Reports::none}) {
    Search search(plan_for(kOwnedAction), reports);
    search.run(beginnings(search.plan()));
    if (reports == Reports::refusals) {
      EXPECT_TRUE(search.visited().contains(Lifecycle::failed));
      expect_gets_idle(search);
    } else {
      EXPECT_TRUE(search.visited().contains(Lifecycle::stuck)) << "what never ends is never started a second time";
    }
  }
}

// As what others start for us may tell it: it has ended before they say that it began.
TEST(Search, OwnedWhoseEndIsToldBeforeItsStartIsAnsweredEndsWellToo) {
  Search search(plan_for(kOwnedAction), Reports::any_order);
  search.run(beginnings(search.plan()));
  expect_ends_well(search);
}

TEST(Search, WhatCannotBeStoppedIsNeverActedOnTwiceAtOnceAndNeverSignalled) {
  for (const ActionFacts action : {kPlainAction, kToldAction, unprobed(kPlainAction)}) {
    Plan plan = plan_for(action);
    plan.restart.failed_retry_interval = Millis(0);
    Search search(plan);
    search.run(beginnings(plan));
    for (const Lifecycle state : {Lifecycle::stopping, Lifecycle::killing, Lifecycle::sweep, Lifecycle::adopt}) {
      EXPECT_FALSE(search.visited().contains(state)) << wire_name(state);
    }
    EXPECT_EQ(search.visited().contains(Lifecycle::done), action.tells_exits);
    expect_ends_well(search);
  }
}

TEST(Search, AnActionThatIsRefusedOrNeverReportsLeavesTheServiceToItsOwnAnswers) {
  for (const ActionFacts action : {kPlainAction, kToldAction}) {
    for (const Reports reports : {Reports::refusals, Reports::none}) {
      Search search(plan_for(action), reports);
      search.run(beginnings(search.plan()));
      expect_ends_well(search);
    }
  }
}

TEST(Search, AStopThatIsNeverReportedIsNotSent) {
  for (const Reports reports : {Reports::all, Reports::refusals, Reports::none}) {
    Search search(plan_for({.acts = true, .can_stop = true}), reports);
    search.run(beginnings(search.plan()));
    EXPECT_FALSE(search.visited().contains(Lifecycle::stopping));
    expect_ends_well(search);
  }
}

}  // namespace
}  // namespace azora::healing
