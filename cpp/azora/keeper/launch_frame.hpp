#pragma once
// A LAUNCH frame made of C++ values: what the orchestrator has resolved, as the shim reads it
// (protocol.hpp, LaunchFrame, has the meaning of each field). Threads: any; no state.
// Fails: an empty frame when it would be larger than kMaxFrame or has a longer id or more limits or groups than allowed.
#include <cstdint>
#include <string>
#include <vector>

#include "azora/keeper/protocol.hpp"

namespace azora::keeper {

struct LaunchRequest {
  std::uint64_t serial = 0;
  std::uint64_t incarnation = 0;
  std::string id;  // at most kMaxServiceId bytes
  std::uint64_t spec_hash = 0;
  std::vector<std::string> argv;
  std::vector<std::string> env_before;  // NAME=VALUE
  std::vector<std::string> env_after;
  std::string env_file;
  bool env_expand = false;
  std::string cwd;
  bool switch_user = false;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::vector<std::uint32_t> groups;
  StopOrder stop;
  std::uint32_t orphan_timeout_ms = 2'000;
  std::uint64_t log_max_bytes = 10 * 1024 * 1024;
  std::uint32_t log_files = 5;
  std::uint32_t umask = 077;
  bool no_new_privs = true;
  std::uint64_t memory_limit = 0;  // bytes; 0: none
  std::vector<ResourceLimit> limits;
};

std::vector<std::uint8_t> launch_frame(const LaunchRequest& launch, std::uint64_t request,
                                       std::uint64_t epoch);

}  // namespace azora::keeper
