#pragma once
// Looks for processes of a service that are not below us: its shim and the keeper above it were both killed.
#include "azora/keeper/protocol.hpp"

namespace azora::keeper {

// Kills the main process, what is in its session or writes into its output, and all below those.
// Answers how many were alive. What has left session and output can be found by its cgroup only (cgroup.hpp).
int kill_traces(const Record& record);

}  // namespace azora::keeper
