#pragma once
// Kills descendants. A walk sees a moving target; it is enough all the same, because every process it
// misses comes to us as an orphan when its parent, which was hit, dies, and that death wakes us for the
// next walk. So callers walk once per SIGCHLD until wait says that no child is left.
#include "azora/keeper/program/proc.hpp"

namespace azora::keeper {

// Sends SIGKILL to all descendants of this process. Returns how many were still alive.
int kill_descendants();

}  // namespace azora::keeper
