#pragma once
// What follows from what is wrong with us or with handlers of the user: events, and what cannot be known meanwhile.
// Threads: the control thread. Fails: never.
#include "azora/base/thread_role.hpp"
#include "azora/orchestrator/drive.hpp"
#include "azora/orchestrator/self.hpp"

namespace azora::orchestrator {

void emit_self(Turn& turn, Self& self) AZORA_CONTROL;
// An event handler of the user's failed.
void on_handler_failed(Turn& turn, std::string reason) AZORA_CONTROL;
// While the link to the keeper is down, the end of a process cannot be seen: services that are judged by their process
// alone are unknown.
void on_link_changed(Fleet& fleet, Drive& drive, bool up) AZORA_CONTROL;

}  // namespace azora::orchestrator
