#pragma once
// kill(2) for tests: 0 and negative numbers would reach the test's own process group, or everything.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/types.h>

#include <cerrno>

namespace azora {

// 0, or -1 as kill(2) does. A pid that is none is a failure of the test, and nothing is sent.
inline int signal_process(pid_t pid, int number) {
  if (pid > 1) return ::kill(pid, number);
  ADD_FAILURE() << pid << " is the pid of no process that a test started";
  errno = ESRCH;
  return -1;
}

}  // namespace azora
