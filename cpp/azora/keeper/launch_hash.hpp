#pragma once
// Shows whether a running process was started from the same configuration: a hash of what takes effect only with a
// new process (argv, cwd, env, envFile, inheritEnv, user, umask, rlimits, noNewPrivs, memoryLimit, the port, and
// orphanTimeout, which its shim applies by itself). What comes with each order (stopSignal, stopTimeout, stopMode) or
// applies to a running one (log) is left out.
// The same on every machine, build and run: it is compared with what a former orchestrator launched.
// Threads: any; pure.
#include <cstdint>

#include "azora/model/launch_spec.hpp"

namespace azora::keeper {

std::uint64_t launch_hash(const LaunchSpec& spec, int port);

}  // namespace azora::keeper
