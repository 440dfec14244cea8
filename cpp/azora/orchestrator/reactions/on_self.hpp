#pragma once
// What follows from troubles of the orchestrator itself and from failing user handlers: events, and unknown facts.
// Threads: the control thread. Fails: never.
#include "azora/base/thread_role.hpp"
#include "azora/orchestrator/drive.hpp"
#include "azora/orchestrator/self.hpp"

namespace azora::orchestrator {

void emit_self(Turn& turn, Self& self) AZORA_CONTROL;
// A user's event handler failed.
void on_handler_failed(Turn& turn, std::string reason) AZORA_CONTROL;
// While the link to the keeper is down, the end of a process cannot be seen. So services that are judged by their
// process alone become unknown.
void on_link_changed(Fleet& fleet, Drive& drive, bool up) AZORA_CONTROL;

}  // namespace azora::orchestrator
