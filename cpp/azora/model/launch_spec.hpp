#pragma once
// How a process service is run: field `process` of a service, validated. Values only.
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "azora/base/time.hpp"

namespace azora {

struct LogLimits {
  std::int64_t max_bytes = 10 * 1024 * 1024;  // of one file; stdout and stderr share it
  int files = 5;                              // kept in all, the current one included
  friend bool operator==(const LogLimits&, const LogLimits&) = default;
};

// Which processes get the stop signal first.
enum class StopMode : std::uint8_t {
  main,  // the main process; what is left when it has ended gets the signal then
  tree,  // all of them at once
};

struct LaunchSpec {
  std::vector<std::string> argv;                          // argv[0] is looked up on the child's PATH at each start
  std::string cwd;                                        // absolute; empty: the orchestrator's
  std::vector<std::pair<std::string, std::string>> env;   // last wins
  std::string env_file;                                   // absolute; empty: none. Read at each start
  bool env_expand = false;                                // $NAME in its values
  std::vector<std::string> inherit_env;                   // extra names of ours to pass on, or "*"
  std::string user;                                       // empty: ours
  std::optional<std::uint32_t> umask;                     // unset: ours at the moment of the start
  int stop_signal = 15;
  Millis stop_timeout{10'000};
  StopMode stop_mode = StopMode::main;
  Millis orphan_timeout{2'000};                           // of what main leaves when it ends by itself
  LogLimits log;
  std::map<std::string, std::pair<std::int64_t, std::int64_t>> rlimits;  // "nofile" -> {soft, hard}; -1 = infinity
  bool no_new_privs = true;
  std::int64_t memory_limit = 0;                          // bytes; 0: none
  friend bool operator==(const LaunchSpec&, const LaunchSpec&) = default;
};

// True if a process started as `a` is one that `b` would start. Fields that apply without a new start do not count.
inline bool same_program(LaunchSpec a, const LaunchSpec& b) {
  a.stop_signal = b.stop_signal;
  a.stop_timeout = b.stop_timeout;
  a.stop_mode = b.stop_mode;
  a.log = b.log;
  return a == b;
}

}  // namespace azora
