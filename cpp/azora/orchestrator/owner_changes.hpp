#pragma once
// Begins and ends drain and maintenance of one service: its state, its place in the pools, its record, the event. When
// they end by themselves is admin_watch's business.
// Threads: the control thread. Ownership: borrows what it is given. Fails: never.
#include <string>

#include "azora/base/thread_role.hpp"
#include "azora/orchestrator/drive.hpp"

namespace azora::orchestrator {

// Out of rotation from here on. A drain that is under way is replaced.
void begin_drain(Fleet& fleet, Turn& turn, ServiceState& service, Drain drain) AZORA_CONTROL;
// It is over and the service stays out of rotation. `reason`: how it ended.
void keep_drained(Turn& turn, ServiceState& service, EventCause cause, const std::string& reason) AZORA_CONTROL;
// It is over; the caller stops or restarts the service in this turn.
void leave_drain(Turn& turn, ServiceState& service, EventCause cause, const std::string& reason) AZORA_CONTROL;
// It is undone. False: there was none.
bool undo_drain(Fleet& fleet, Turn& turn, ServiceState& service) AZORA_CONTROL;

// Hands off from here on. A maintenance that holds is replaced, with an event that tells the new reason.
void begin_maintenance(Fleet& fleet, Turn& turn, Drive& drive, ServiceState& service, Maintenance maintenance) AZORA_CONTROL;
// What is wanted up may be started again; the caller does that. False: there was none.
bool end_maintenance(Fleet& fleet, Turn& turn, ServiceState& service, EventCause cause) AZORA_CONTROL;

}  // namespace azora::orchestrator
