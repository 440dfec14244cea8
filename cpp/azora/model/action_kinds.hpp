#pragma once
// The kinds of action that can heal a service, one row each: the name in messages, and what such an action can do. Code
// that decides about actions asks what they can do, not which one it is. The table of actions (actions/table.hpp) has
// the class that carries out each kind.
// A kind is named by the address of its row; rows live as long as the program.
// Threads: any (constant).
#include <string_view>

namespace azora {

struct ActionKind {
  std::string_view name;
  bool acts = true;          // false: the service is only watched
  bool tells_exits = false;  // the end of what it started is reported
  bool can_stop = false;     // what it started can be told to stop and be killed

  // True if we start and stop what runs, and know when all of it has ended. Otherwise it runs without us, and the
  // action only makes it well again. Both abilities are needed: a stop whose end is never reported would never be over.
  constexpr bool owned() const { return tells_exits && can_stop; }
};

inline constexpr ActionKind kNoAction{.name = "none", .acts = false};
inline constexpr ActionKind kProcessAction{.name = "process", .tells_exits = true, .can_stop = true};
inline constexpr ActionKind kCallableAction{.name = "restart callable"};

}  // namespace azora
