#include "azora/keeper/program/daemon.hpp"

#include <sys/prctl.h>
#include <sys/signalfd.h>

#include "azora/keeper/program/main.hpp"

namespace azora::keeper {
namespace {
constexpr int kLastSignal = 64;
constexpr unsigned kPrivate = 077;
}  // namespace

void become_daemon() {
  // An inherited "ignored" SIGCHLD would make the kernel reap our children unseen.
  for (int signal = 1; signal <= kLastSignal; ++signal) {
    if (signal != SIGKILL && signal != SIGSTOP) sys::default_disposition(signal);
  }
  sys::block_signals(~sys::SignalSet{0});
  sys::close_range(kOrchestratorFd + 1, ~0U);
  // These two were inherited through exec; a service must not inherit them in turn.
  sys::invoke(SYS_fcntl, kListenerFd, F_SETFD, FD_CLOEXEC);
  sys::invoke(SYS_fcntl, kOrchestratorFd, F_SETFD, FD_CLOEXEC);
  sys::set_umask(kPrivate);
  sys::process_control(PR_SET_CHILD_SUBREAPER, 1);
}

int open_signals() { return sys::signal_fd(sys::signal_bit(SIGCHLD) | sys::signal_bit(SIGTERM)); }

Signals read_signals(int fd) {
  Signals result;
  signalfd_siginfo info;
  while (sys::read(fd, &info, sizeof info) == static_cast<long>(sizeof info)) {
    if (info.ssi_signo == SIGCHLD) result.child = true;
    if (info.ssi_signo == SIGTERM) result.terminate = true;
  }
  return result;
}

}  // namespace azora::keeper
