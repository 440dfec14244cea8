#pragma once
// Past events, oldest first: what the store holds, and behind it what only the log of events holds. Single health checks
// are in no store: the last ones of this run are in the log, and are found only when they are asked for by their type.
// Threads: any; waits for the disk, never for the control thread. Ownership: borrows. Fails: by Result, when the stored
// part cannot be read.
#include "azora/base/result.hpp"
#include "azora/events/log.hpp"
#include "azora/store/history.hpp"

namespace azora::orchestrator {

// `stored`: null for a fleet without a state directory.
Result<store::HistoryPage> read_history(store::History* stored, events::EventLog& log, const store::HistoryQuery& query);

}  // namespace azora::orchestrator
