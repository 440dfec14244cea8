#pragma once
// How a shim is started: fork and exec of our own program with its listening socket, in its own
// folder and session. Threads: the program has one.
#include "azora/keeper/program/cgroup.hpp"
#include "azora/keeper/program/main.hpp"
#include "azora/keeper/program/sys.hpp"

namespace azora::keeper {

struct ShimSpawn {
  std::uint64_t serial = 0;
  const char* id = "";
  bool ephemeral = true;
  const char* cgroup = "-";
};

// Remembers the limits of open files that we were started with, and raises ours as far as we may: shims and services
// get the remembered ones.
void raise_file_limit();
// How many descriptors we may have.
std::uint64_t file_limit();

// The pid of the shim, which listens already; or a negative errno.
int spawn_shim(const ShimSpawn& spawn);

}  // namespace azora::keeper
