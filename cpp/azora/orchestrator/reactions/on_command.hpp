#pragma once
// start, stop and restart of a service or, by the name of an entry, of all its instances. "With dependents": each
// service is stopped after its dependents have ended. Its start or restart ends drain and maintenance of a service; its
// stop keeps both. Dependents and dependencies that are under maintenance are left alone.
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
  bool dependents = false;    // stop, restart: also for its dependents
  bool dependencies = false;  // start: its dependencies are started, too
};

Result<VerbAnswer> on_command(Fleet& fleet, Turn& turn, Verbs& verbs, Drive& drive,
                              const Command& command) AZORA_CONTROL;
// Nothing is done about this service from here on: its waiting verb is dropped, and no other verb waits for its end.
void leave_alone(Fleet& fleet, Turn& turn, Verbs& verbs, Drive& drive, ServiceState& service) AZORA_CONTROL;
// Carries out every waiting verb that is due.
void run_staged(Fleet& fleet, Turn& turn, Verbs& verbs, Drive& drive) AZORA_CONTROL;

}  // namespace azora::orchestrator
