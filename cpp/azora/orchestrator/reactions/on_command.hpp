#pragma once
// start, stop and restart of a service or, by the name of an entry, of all its instances. With dependents each is
// stopped after those that need it have ended.
// Threads: the control thread. Fails: on_command() by Result.
#include <string_view>

#include "azora/base/result.hpp"
#include "azora/base/thread_role.hpp"
#include "azora/orchestrator/drive.hpp"
#include "azora/orchestrator/verbs.hpp"

namespace azora::orchestrator {

struct Command {
  Verb verb = Verb::start;
  std::string_view name;
  bool dependents = false;    // stop, restart: those that need it are taken along
  bool dependencies = false;  // start: those that it needs are started too
};

Result<VerbAnswer> on_command(Fleet& fleet, Turn& turn, Verbs& verbs, Drive& drive,
                              const Command& command) AZORA_CONTROL;
// Carries out every staged verb whose time has come.
void run_staged(Fleet& fleet, Turn& turn, Verbs& verbs, Drive& drive) AZORA_CONTROL;

}  // namespace azora::orchestrator
