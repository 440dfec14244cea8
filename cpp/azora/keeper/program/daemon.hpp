#pragma once
// What keeper and shims have in common as processes: nothing inherited from who started them.
#include "azora/keeper/program/sys.hpp"

namespace azora::keeper {

// Signals default and blocked, except what sync faults raise; only fds 0 to 4 open; private files;
// orphans below come to us.
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
