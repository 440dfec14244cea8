#pragma once
// One command to an action, as a value. It leaves the control thread at the end of its turn. Its kind and its service
// can be read, so that each kind of command can wait for what it depends on.
// Threads: the control thread. Ownership: a value. Fails: never.
#include <cstdint>
#include <string>
#include <utility>

#include "azora/actions/table.hpp"

namespace azora::orchestrator {

using actions::Run;

struct Send {
  enum class Kind : std::uint8_t {
    start,        // start the run, which has `spec`
    adopt,        // take over the run of a former orchestrator, which has `spec`
    stop,         // tell it to stop, as `spec` says
    kill,         // end all of it at once
    acknowledge,  // the end of the run is stored: the action may drop its record of it
    forget,       // the service is unregistered and swept: the action may drop what it keeps for it
  };
  Kind kind = Kind::start;
  const ActionKind* action = &kNoAction;
  Run run;
  SpecPtr spec;       // start, adopt, stop
  int attempt = 0;    // start
  std::string cause;  // start

  static Send to_start(actions::ActionRequest request) {
    const ActionKind* action = request.spec->action;
    return {.kind = Kind::start,
            .action = action,
            .run = request.run,
            .spec = std::move(request.spec),
            .attempt = request.attempt,
            .cause = std::move(request.cause)};
  }
  static Send to_adopt(Run run, const SpecPtr& spec) {
    return {.kind = Kind::adopt, .action = spec->action, .run = run, .spec = spec};
  }
  static Send to_stop(Run run, const SpecPtr& spec) {
    return {.kind = Kind::stop, .action = spec->action, .run = run, .spec = spec};
  }
  static Send to_kill(Run run, const ActionKind* action) { return {.kind = Kind::kill, .action = action, .run = run}; }
  static Send to_acknowledge(Run run, const ActionKind* action) {
    return {.kind = Kind::acknowledge, .action = action, .run = run};
  }
  static Send to_forget(std::uint64_t serial, const ActionKind* action) {
    return {.kind = Kind::forget, .action = action, .run = {.serial = serial}};
  }
};

inline void deliver(actions::ActionTable& table, Send& send) {
  actions::Action* action = table.find(send.action);
  if (action == nullptr) return;
  switch (send.kind) {
    case Send::Kind::start:
      return action->start({send.run, std::move(send.spec), send.attempt, std::move(send.cause)});
    case Send::Kind::adopt: return action->adopt(send.run, *send.spec);
    case Send::Kind::stop: return action->stop(send.run, *send.spec);
    case Send::Kind::kill: return action->kill(send.run);
    case Send::Kind::acknowledge: return action->acknowledge(send.run);
    case Send::Kind::forget: return action->forget(send.run.serial);
  }
}

}  // namespace azora::orchestrator
