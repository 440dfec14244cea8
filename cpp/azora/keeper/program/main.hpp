#pragma once
// azora-keeper <role> ...: one program, two roles. The orchestrator starts the keeper (protocol.hpp, Start),
// the keeper its shims (spawn_shim.hpp).
//   keeper MODE TOKEN             3: listening socket, 4: pidfd of the orchestrator; cwd: runtime directory
//   shim MODE CGROUP SERIAL ID    3: listening socket, 4: pidfd of the orchestrator; cwd: its own folder
// MODE is "ephemeral" or "durable"; CGROUP the folder its cgroup is to be made in, "-" for none;
// ID is there for people who read ps.
#include <cstdint>

namespace azora::keeper {

inline constexpr int kListenerFd = 3;
inline constexpr int kOrchestratorFd = 4;

int run(int argc, char** argv, char** env);

struct KeeperArguments {
  bool ephemeral = true;
  const char* token = "";    // names this fleet's cgroups
  bool cgroups = true;
};
int keeper_main(const KeeperArguments& arguments);

struct ShimArguments {
  bool ephemeral = true;
  const char* cgroup = nullptr;  // nullptr: none
  std::uint64_t serial = 0;
};
int shim_main(const ShimArguments& arguments);

}  // namespace azora::keeper
