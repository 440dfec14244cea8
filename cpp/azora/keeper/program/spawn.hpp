#pragma once
// Starts the main process of one incarnation: fork and exec, the plain way. All that may hang (an
// environment file, a working directory, an executable on a dead disk) happens in the child.
// Threads: the program has one.
#include <cstdint>

#include "azora/keeper/program/cgroup.hpp"
#include "azora/keeper/protocol.hpp"

namespace azora::keeper {

// What the child writes into the error pipe when it cannot become the service. On success the pipe
// just closes at exec.
struct SpawnFailure {
  SpawnStep step = SpawnStep::none;
  std::int32_t error = 0;    // errno, or an EnvFault
  std::uint32_t detail = 0;  // line of the environment file, resource of the limit
};

struct Spawned {
  int pid = 0;
  int output = -1;      // read end, non-blocking
  int error_pipe = -1;  // read end, non-blocking
  bool in_cgroup = false;
};

// step none: started, as far as fork can tell.
SpawnFailure spawn(const LaunchFrame& launch, const Cgroup& cgroup, Spawned* spawned);

// In the child: reports what failed and ends it. `error`: an errno of either sign, or an EnvFault.
[[noreturn]] void fail_spawn(SpawnStep step, long error, std::uint32_t detail = 0);

// exec_child.cpp: the child of `shim`, from fork to exec. Fds 1 and 2 are the output, 3 the error pipe.
[[noreturn]] void become_service(const LaunchFrame& launch, int shim);

inline constexpr int kErrorPipeFd = 3;

}  // namespace azora::keeper
