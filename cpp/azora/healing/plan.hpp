#pragma once
// What the configuration of one service means to its machine. Values only.
#include <cstdint>

#include "azora/base/time.hpp"
#include "azora/model/restart_policy.hpp"

namespace azora::healing {

// What the action behind a service can do. The machine knows an action by these facts alone, never by its name.
struct ActionFacts {
  bool acts = false;           // there is an action; without one the service is only watched
  bool tells_exits = false;    // the end of what the action started is reported: exited, swept, lost
  bool can_stop = false;       // what it started can be told to stop and killed; counts only where exits are told,
                               // since a stop whose end is never reported would never be over
  bool probes_verify = true;   // ready is what passes its checks; else what is alive for a second, or what the
                               // action reports as done
};

struct Plan {
  ActionFacts action;
  RestartPolicy restart;
  Millis interval{30'000};
  Millis start_timeout{60'000};
  Millis stop_timeout{10'000};
  Millis orphan_timeout{2'000};  // of what main leaves when it ends by itself
  std::uint64_t jitter_key = 0;  // hash of the id

  // What runs is ours: we start it, stop it and know when all of it has ended. Otherwise others run the
  // service, and the action only makes it well again.
  bool owned() const { return action.tells_exits && action.can_stop; }
};

}  // namespace azora::healing
