#pragma once
// How many files this process may open. Each kept connection of a check is one file, and the usual soft limit (1024)
// lets a large fleet keep few connections. Our server raises its limit; the library in another program does not.
// Processes that we start get the original limit: programs that still use select() rely on it.
// Threads: raise_file_limit() before anything is started; inherited_files() any. Fails: never; where the kernel
// refuses, the limit stays as it is.
#include <sys/resource.h>

#include <algorithm>
#include <cstddef>
#include <optional>

namespace azora {

// The limit before raise_file_limit(); nothing when it was not raised.
inline std::optional<rlimit>& inherited_files() {
  static std::optional<rlimit> limit;
  return limit;
}

// Some systems allow a thousand times as many, and tables grow with the limit.
inline constexpr rlim_t kEnoughFiles = 1'048'576;

// The present limit, but at most kEnoughFiles.
inline std::size_t file_limit() {
  constexpr std::size_t kUsual = 1024;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return kUsual;
  return static_cast<std::size_t>(std::min(limit.rlim_cur, kEnoughFiles));
}

inline void raise_file_limit() {
  rlimit limit{};
  if (inherited_files() || ::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  rlimit raised = limit;
  raised.rlim_cur = std::max(limit.rlim_cur, std::min(limit.rlim_max, kEnoughFiles));
  if (raised.rlim_cur != limit.rlim_cur && ::setrlimit(RLIMIT_NOFILE, &raised) == 0) inherited_files() = limit;
}

}  // namespace azora
