#pragma once
// What commits ask of the other rooms about commands that wait for the store, and what follows when one of them is
// delivered late or not at all.
// Threads: the control thread. Ownership: the functions borrow the rooms, which outlive them. Fails: never.
#include "azora/orchestrator/admission.hpp"
#include "azora/orchestrator/commits.hpp"
#include "azora/orchestrator/drive.hpp"
#include "azora/orchestrator/self.hpp"

namespace azora::orchestrator {

struct CommitRooms {
  Loop& loop;
  actions::ActionTable& actions;
  Fleet& fleet;
  Admission& admission;
  Drive& drive;
  Self& self;
};

// The rooms need not be constructed yet.
Commits::Hooks commit_hooks(const CommitRooms& rooms);

}  // namespace azora::orchestrator
