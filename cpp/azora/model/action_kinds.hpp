#pragma once
// What can heal a service, one row each: the name that messages use and what such an action can do. Everything that
// decides about actions asks what they can do, not which one it is. Who carries an action out is said by the table of
// actions (actions/table.hpp).
// A kind is named by the address of its row; rows live as long as the program.
// Threads: any (constant).
#include <string_view>

namespace azora {

struct ActionKind {
  std::string_view name;
  bool acts = true;          // false: the service is only watched
  bool tells_exits = false;  // the end of what it started is reported
  bool can_stop = false;     // what it started can be told to stop and be killed

  // What runs is ours: we start it, stop it and know when all of it has ended. Otherwise it runs without us, and the
  // action only makes it well again. A stop whose end is never reported would never be over, so it takes both.
  constexpr bool owned() const { return tells_exits && can_stop; }
};

inline constexpr ActionKind kNoAction{.name = "none", .acts = false};
inline constexpr ActionKind kProcessAction{.name = "process", .tells_exits = true, .can_stop = true};
inline constexpr ActionKind kCallableAction{.name = "restart callable"};

}  // namespace azora
