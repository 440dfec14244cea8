#pragma once
// Plans by what their action can do, for tests.
// Threads: the test's.
#include "azora/healing/plan.hpp"

namespace azora::healing {

inline constexpr ActionFacts kWatched{};
// A process; a unit or a container would be the same.
inline constexpr ActionFacts kOwnedAction{.acts = true, .tells_exits = true, .can_stop = true};
// A callable; a webhook would be the same.
inline constexpr ActionFacts kPlainAction{.acts = true};
// Somebody else runs it, but its exits are reported.
inline constexpr ActionFacts kToldAction{.acts = true, .tells_exits = true};

inline ActionFacts unprobed(ActionFacts facts) {
  facts.probes_verify = false;
  return facts;
}

}  // namespace azora::healing
