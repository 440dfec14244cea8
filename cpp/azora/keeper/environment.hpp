#pragma once
// What a service is started with, computed from its Launch, its account and our own process: its environment, its
// user and groups, its folders and limits, as the LAUNCH frame carries them. The environment file and PATH are left
// to the child of the shim, where a hung disk stalls no other service.
// The environment has these parts, where a later one wins: the names that every program expects (kInheritedNames),
// ours or, with `user`, those of that user; inheritEnv; envFile; env; AZORA_ID, AZORA_FLEET, AZORA_INCARNATION, PORT.
// Threads: own_world() where no other thread changes the environment at the same time; resolve() any, it is pure.
// Fails: with invalid_spec in words "process.rlimits.x: rule, what to do".
#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "azora/base/result.hpp"
#include "azora/keeper/accounts.hpp"
#include "azora/keeper/keeper.hpp"
#include "azora/keeper/launch_frame.hpp"

namespace azora::keeper {

// Passed on without being asked for; LC_* and XDG_* besides.
inline constexpr const char* kInheritedNames[] = {"PATH", "HOME", "USER",   "LOGNAME",    "SHELL",
                                                  "LANG", "TZ",   "TMPDIR", "VIRTUAL_ENV"};

// Our umask at this moment: other threads and the host program may change it. It is read from /proc, since umask(2)
// cannot read it without setting it.
std::uint32_t own_umask();

// What a service takes from this process; read once, because changing an environment and reading it on
// another thread do not go together.
struct OwnWorld {
  std::vector<std::pair<std::string, std::string>> environment;
  std::string folder;  // the working directory
  uid_t uid = 0;

  // Of our environment; empty: it is not set.
  std::string variable(std::string_view name) const {
    for (const auto& [one, value] : environment) {
      if (one == name) return value;
    }
    return "";
  }
};
OwnWorld own_world();

// "nofile" for RLIMIT_NOFILE, as process.rlimits names it.
std::string limit_name(std::uint32_t resource);

// `account`: what process.user stands for (accounts.hpp). `fleet`: the token of the fleet (protocol.hpp). `umask`: what
// the service gets unless it sets its own (R56).
Result<LaunchRequest> resolve(const Launch& launch, const OwnWorld& world, const std::optional<Account>& account,
                              const std::string& fleet, std::uint32_t umask);

}  // namespace azora::keeper
