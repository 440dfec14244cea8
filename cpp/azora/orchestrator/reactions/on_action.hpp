#pragma once
// What actions report about their runs. A report names its run; one of a former run or registration changes nothing.
// Threads: the control thread. Fails: never.
#include <string>

#include "azora/base/thread_role.hpp"
#include "azora/orchestrator/drive.hpp"

namespace azora::orchestrator {

void on_action_done(Fleet& fleet, Turn& turn, Probing& probing, Drive& drive, Run run, actions::ActionResult result) AZORA_CONTROL;
// Comes before on_action_done(), whose event names the warning.
void on_action_warning(Fleet& fleet, Run run, std::string reason) AZORA_CONTROL;
void on_action_exited(Fleet& fleet, Turn& turn, Drive& drive, Run run, const ExitView& exit) AZORA_CONTROL;
void on_action_swept(Fleet& fleet, Drive& drive, Run run) AZORA_CONTROL;
void on_action_lost(Fleet& fleet, Turn& turn, Drive& drive, Run run, std::string reason) AZORA_CONTROL;

}  // namespace azora::orchestrator
