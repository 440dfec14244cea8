#pragma once
// Starts the keeper program so that the host never notices: through an intermediate process that has no
// exit signal, so no SIGCHLD reaches the host, no waitpid(-1) of it finds a child, and nothing of it is copied.
// Threads: az-keeper, which waits for the millisecond that this takes.
// Fails: with keeper_failed naming the program and what to do.
#include <string>

#include "azora/base/fd.hpp"
#include "azora/base/result.hpp"

namespace azora::keeper {

struct KeeperSpawn {
  std::string program;
  std::string folder;     // runtime directory
  std::string token;      // names the cgroups: [a-z0-9-], unique
  bool ephemeral = true;
  bool cgroups = true;
};

// Returns once the keeper was started; when the keeper fails after that, its socket ends.
Result<void> start_keeper(const KeeperSpawn& spawn, const Fd& listener);

}  // namespace azora::keeper
