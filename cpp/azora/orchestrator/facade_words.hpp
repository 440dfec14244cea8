#pragma once
// The words that callers of the facade use, as the values that they stand for.
// Threads: any; pure. Fails: goal_of() with invalid_argument.
#include <string>
#include <string_view>

#include "azora/base/result.hpp"
#include "azora/model/event_word.hpp"
#include "azora/orchestrator/waiters.hpp"

namespace azora::orchestrator {

inline EventActor actor_of(std::string_view actor) { return EventActor::from_wire(actor).value_or(EventActor("orchestrator")); }

// What can be waited for.
inline Result<Goal> goal_of(std::string_view what) {
  if (what == "ready") return Goal::ready;
  if (what == "stopped") return Goal::stopped;
  if (what == "drained") return Goal::drained;
  return Error{ErrorCode::invalid_argument,
               "wait: is \"" + std::string(what) + "\"; it must be \"ready\", \"stopped\" or \"drained\"", {}};
}

}  // namespace azora::orchestrator
