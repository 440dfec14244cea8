#pragma once
// What became of an action that is carried out outside (a restart callable), and of event handlers of the user.
// Threads: the control thread. Fails: never.
#include <cstdint>
#include <string>

#include "azora/orchestrator/drive.hpp"

namespace azora::orchestrator {

// One of a former registration or incarnation changes nothing.
void on_action_done(Fleet& fleet, Probing& probing, Drive& drive, std::uint64_t serial, std::uint64_t incarnation,
                    bool ok, const std::string& reason);
void on_handler_failed(Turn& turn, std::string reason);

}  // namespace azora::orchestrator
