#include <sys/prctl.h>

#include <new>

#include "azora/keeper/program/channel.hpp"
#include "azora/keeper/program/daemon.hpp"
#include "azora/keeper/program/shim.hpp"
#include "azora/keeper/program/sys.hpp"

namespace azora::keeper {

Shim::Shim(const ShimArguments& arguments) : arguments_(arguments) {
  record_.serial = arguments.serial;
  signals_ = open_signals();
}

int Shim::run() {
  enum Slot { error_pipe, signals, output, link, candidate, listener, orchestrator, count };
  while (!left_) {
    pollfd fds[count] = {};
    // A negative descriptor is skipped by poll.
    fds[error_pipe] = {error_pipe_, POLLIN, 0};
    fds[signals] = {signals_, POLLIN, 0};
    fds[output] = {output_, POLLIN, 0};
    const bool has_to_send = unsent_ || hello_pending_ || list_pending_;
    fds[link] = {link_, static_cast<short>(POLLIN | (has_to_send ? POLLOUT : 0)), 0};
    fds[candidate] = {candidate_, POLLIN, 0};
    fds[listener] = {kListenerFd, POLLIN, 0};
    fds[orchestrator] = {orchestrator_, POLLIN, 0};
    sys::poll(fds, count, wait_ms());

    // The order matters: that exec worked must be known before that it ended, and what it printed before
    // that it is swept.
    if (fds[error_pipe].revents != 0) read_error_pipe();
    if (fds[signals].revents != 0) {
      const Signals seen = read_signals(signals_);
      if (seen.child) reap();
      if (seen.terminate) end();
    }
    if (fds[output].revents != 0) read_output();
    if (fds[link].revents != 0) read_link();
    if (fds[candidate].revents != 0) read_candidate();
    if (fds[listener].revents != 0) accept_candidate();
    if (fds[orchestrator].revents != 0) {
      orchestrator_ended_ = true;
      orchestrator_ = -1;
      if (arguments_.ephemeral) end();  // whatever the keeper does or cannot do
    }
    if (stop_.kill_at_ns() != 0 && sys::steady_ns() >= stop_.kill_at_ns()) kill_all();
    if (log_.show_at_ns() != 0 && sys::steady_ns() >= log_.show_at_ns()) log_.show_unfinished();
    report_dropped();
    send_record();
    if (ending_ && !has_process(record_.phase)) leave();
  }
  return 0;
}

std::int64_t Shim::wait_ms() const {
  std::int64_t until = stop_.kill_at_ns();
  const auto by = [&until](std::int64_t at) { until = until == 0 || at < until ? at : until; };
  if (log_.loss() != reported_loss_) by(report_dropped_at_ns_);
  if (log_.show_at_ns() != 0) by(log_.show_at_ns());
  if (until == 0) return -1;
  const std::int64_t left = until - sys::steady_ns();
  return left > 0 ? left / 1'000'000 + 1 : 0;
}

int shim_main(const ShimArguments& arguments) {
  sys::process_control(PR_SET_NAME, reinterpret_cast<unsigned long>("azora-shim"));
  alignas(Shim) static char memory[sizeof(Shim)];  // in bss: pages that are never touched cost nothing
  return (::new (memory) Shim(arguments))->run();
}

}  // namespace azora::keeper
