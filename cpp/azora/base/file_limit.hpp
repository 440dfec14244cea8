#pragma once
// How many files this process may open. Each kept connection of a check is one, and the usual soft limit (1024)
// lets a large fleet keep few of them; a server of ours raises its own, a library in somebody's program does not.
// What we start gets the limit that we were given: programs that still use select() rely on it.
// Threads: raise_file_limit() before anything is started; inherited_files() any. Fails: never; where the kernel
// refuses, all stays as it is.
#include <sys/resource.h>

#include <algorithm>
#include <optional>

namespace azora {

// The limit before raise_file_limit(); nothing when it was not raised.
inline std::optional<rlimit>& inherited_files() {
  static std::optional<rlimit> limit;
  return limit;
}

inline void raise_file_limit() {
  constexpr rlim_t kEnough = 1'048'576;  // some systems allow a thousand times that, and tables grow with it
  rlimit limit{};
  if (inherited_files() || ::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  rlimit raised = limit;
  raised.rlim_cur = std::max(limit.rlim_cur, std::min(limit.rlim_max, kEnough));
  if (raised.rlim_cur != limit.rlim_cur && ::setrlimit(RLIMIT_NOFILE, &raised) == 0) inherited_files() = limit;
}

}  // namespace azora
