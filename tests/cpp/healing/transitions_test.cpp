// The drawn table against step(): every cell, in every machine that can come about.
#include "azora/healing/transitions.hpp"

#include <algorithm>
#include <sstream>

#include "healing/search.hpp"

namespace azora::healing {
namespace {

struct Seen {
  LifecycleSet next;
  bool changes = false;  // in at least one machine
  friend bool operator==(const Seen&, const Seen&) = default;
};
using Table = std::array<std::array<Seen, kLifecycleCount>, kRowNames.size()>;

// Every input there is, whether the world would send it now or not.
std::vector<Input> all_inputs(const Machine& machine) {
  std::vector<Input> inputs;
  for (int kind = 0; kind < kInputCount; ++kind) {
    if (static_cast<In>(kind) == In::adopted && machine.incarnation == 0) continue;  // no such incarnation
    for (const bool flag : {false, true}) {
      inputs.push_back({.kind = static_cast<In>(kind), .flag = flag, .incarnation = machine.incarnation});
    }
  }
  for (const Desired desired : {Desired::up, Desired::hold, Desired::down}) {
    for (const Cause cause : {Cause::none, Cause::op, Cause::shutdown}) {
      inputs.push_back({.kind = In::desire, .desired = desired, .cause = cause});
    }
  }
  inputs.push_back({.kind = In::restart, .cause = Cause::dependency});
  for (const bool well : {false, true}) {
    inputs.push_back({.kind = In::adopted, .flag = well, .incarnation = machine.incarnation + 1});
  }
  return inputs;
}

void observe(Table& table, const Search& search) {
  for (const State& state : search.states()) {
    const SteadyTime due = std::max(state.now, state.machine.timers.deadline.value_or(state.now));
    for (const Input& input : all_inputs(state.machine)) {
      Machine after = state.machine;
      const Step done = step(after, search.plan(), input, input.kind == In::timer ? due : state.now);
      Seen& seen = table[static_cast<std::size_t>(row_of(input))][static_cast<std::size_t>(state.machine.lifecycle)];
      seen.next.insert(after.lifecycle);
      seen.changes |= after != state.machine || !done.actions.empty() || !done.notices.empty();
    }
  }
}

std::string cell_text(LifecycleSet next) {
  std::string text;
  for (int i = 0; i < kLifecycleCount; ++i) {
    if (next.contains(static_cast<Lifecycle>(i))) text += letter_of(static_cast<Lifecycle>(i));
  }
  return text.empty() ? "nop" : text;
}

// As the drawing has it, to paste.
std::string drawing(const Table& table) {
  constexpr std::array<const char*, kLifecycleCount> heads = {"Watching", "Idle",   "Blocked", "Starting", "Ready",
                                                              "sTopping", "Killing", "stUck",  "sweeP",    "backOff",
                                                              "Failed",   "Done",   "Adopt"};
  std::ostringstream out;
  const auto pad = [&](const std::string& text, std::size_t width) {
    out << text << std::string(width > text.size() ? width - text.size() : 1, ' ');
  };
  const auto is_there = [&](std::size_t column) { return !table[0][column].next.empty(); };
  out << "\n";
  pad("", 17);
  for (std::size_t column = 0; column < heads.size(); ++column) {
    if (is_there(column)) pad(heads[column], 9);
  }
  out << "\n";
  for (std::size_t row = 0; row < table.size(); ++row) {
    pad(std::string(kRowNames[row]), 17);
    for (std::size_t column = 0; column < heads.size(); ++column) {
      const Seen& seen = table[row][column];
      if (is_there(column)) pad(seen.changes ? cell_text(seen.next) : "nop", 9);
    }
    out << "\n";
  }
  return out.str();
}

void expect_is_drawn(const Table& table, bool owned) {
  bool same = true;
  for (std::size_t row = 0; row < table.size(); ++row) {
    for (int column = 0; column < kLifecycleCount; ++column) {
      const Seen& seen = table[row][static_cast<std::size_t>(column)];
      const auto from = static_cast<Lifecycle>(column);
      const LifecycleSet drawn = cell(owned, from, static_cast<Row>(row));
      const LifecycleSet real = seen.changes ? seen.next : LifecycleSet{};
      if (drawn == real) continue;
      same = false;
      ADD_FAILURE() << (owned ? "owned, " : "not owned, ") << kRowNames[row] << " in " << wire_name(from)
                    << ": drawn " << cell_text(drawn) << ", step() does " << cell_text(real);
    }
  }
  if (!same) std::cout << "what step() does:" << drawing(table);
}

// Plans that differ in what a machine may do: policies, budgets, checks.
std::vector<Plan> variants(ActionFacts action) {
  std::vector<Plan> plans(6, plan_for(action));
  for (std::size_t i = 1; i < plans.size(); ++i) plans[i].restart.max_restarts = 1;
  plans[1].restart.delay = Millis(5'000);
  plans[1].restart.factor = 1;
  plans[2].restart.on = RestartOn::always;
  plans[2].action.probes_verify = false;
  plans[3].restart.on = RestartOn::never;
  plans[4].restart.max_restarts = 0;
  plans[5].restart.delay = Millis(300'000);  // longer than all that may pass until the end is known
  return plans;
}

void explore(Table& table, ActionFacts action) {
  for (const Plan& plan : variants(action)) {
    Search search(plan);
    search.run(beginnings(plan));
    if (::testing::Test::HasFatalFailure()) return;
    observe(table, search);
  }
}

TEST(Transitions, TheTableOfWhatIsOwnedIsWhatStepDoes) {
  Table table{};
  explore(table, kOwnedAction);
  expect_is_drawn(table, true);
}

TEST(Transitions, TheTableOfWhatIsNotOwnedIsWhatStepDoes) {
  Table table{};
  for (const ActionFacts action : {kPlainAction, kToldAction, kWatched}) explore(table, action);
  expect_is_drawn(table, false);
}

}  // namespace
}  // namespace azora::healing
