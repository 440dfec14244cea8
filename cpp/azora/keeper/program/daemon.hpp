#pragma once
// What keeper and shims have in common as processes: they inherit nothing from the process that started them.
#include "azora/keeper/program/sys.hpp"

namespace azora::keeper {

// Sets signals to default and blocks them, except those that faults raise; leaves only fds 0 to 4 open; makes new
// files private; becomes the subreaper of its descendants.
void become_daemon();

// Readable when a child ended or we were asked to end (SIGTERM).
int open_signals();

// What was read from open_signals().
struct Signals {
  bool child = false;
  bool terminate = false;
};
Signals read_signals(int fd);

}  // namespace azora::keeper
