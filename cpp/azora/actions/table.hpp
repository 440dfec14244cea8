#pragma once
// Which object carries out which kind of action. `process` is always there; the others are added where the parts of an
// orchestrator are put together.
// Threads: the control thread. Ownership: owns the process action, borrows the others and the keeper,
// which outlive it. Fails: never; a kind without a row is a mistake in the wiring.
#include <algorithm>
#include <initializer_list>
#include <vector>

#include "azora/actions/action.hpp"
#include "azora/actions/process.hpp"
#include "azora/base/check.hpp"
#include "azora/model/action_kinds.hpp"

namespace azora::actions {

class ActionTable {
 public:
  // `kind` must live as long as the program.
  struct Row {
    const ActionKind* kind;
    Action* action;
  };

  explicit ActionTable(keeper::Keeper& keeper, std::initializer_list<Row> others = {}) : process_(keeper), rows_(others) {
    rows_.push_back({&kProcessAction, &process_});
  }
  ActionTable(const ActionTable&) = delete;
  ActionTable& operator=(const ActionTable&) = delete;

  void set_listener(ActionListener* listener, ProcessListener* process_listener) {
    for (const Row& row : rows_) row.action->set_listener(listener);
    process_.set_process_listener(process_listener);
  }
  // The epoch of the link to the keeper.
  std::uint64_t keeper_epoch() const { return process_.epoch(); }
  // Null: no action here carries out this kind.
  Action* find(const ActionKind* kind) const {
    const auto found = std::find_if(rows_.begin(), rows_.end(), [kind](const Row& row) { return row.kind == kind; });
    AZORA_ASSERT(found != rows_.end());
    return found == rows_.end() ? nullptr : found->action;
  }

 private:
  ProcessAction process_;
  std::vector<Row> rows_;
};

}  // namespace azora::actions
