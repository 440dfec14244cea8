#include <sys/prctl.h>

#include <initializer_list>
#include <new>

#include "azora/keeper/program/daemon.hpp"
#include "azora/keeper/program/fleet_dir.hpp"
#include "azora/keeper/program/shim.hpp"
#include "azora/keeper/program/sys.hpp"
#include "azora/keeper/program/text.hpp"

namespace azora::keeper {

Shim::Shim(const ShimArguments& arguments)
    : signals_(open_signals()),
      keeper_(arguments.serial),
      incarnation_(arguments.serial, arguments.cgroup, output_, keeper_),
      end_(arguments.ephemeral),
      commands_(keeper_, output_, incarnation_, end_) {}

int Shim::run() {
  while (!is_over()) turn();
  leave();
  return 0;
}

void Shim::turn() {
  enum Slot { error_pipe, signals, output, link, candidate, listener, orchestrator, count };
  pollfd fds[count] = {};
  // A negative descriptor is skipped by poll.
  fds[error_pipe] = {incarnation_.error_pipe(), POLLIN, 0};
  fds[signals] = {signals_, POLLIN, 0};
  fds[output] = {output_.pipe(), POLLIN, 0};
  fds[link] = {keeper_.fd(), static_cast<short>(POLLIN | (keeper_.owes_any() ? POLLOUT : 0)), 0};
  fds[candidate] = {keeper_.candidate(), POLLIN, 0};
  fds[listener] = {kListenerFd, POLLIN, 0};
  fds[orchestrator] = {end_.orchestrator(), POLLIN, 0};
  sys::poll(fds, count, wait_ms());

  // The order matters: that exec worked must be known before that it ended, and what it printed before
  // that it is swept.
  if (fds[error_pipe].revents != 0) incarnation_.read_error_pipe();
  if (fds[signals].revents != 0) on_signals();
  if (fds[output].revents != 0) output_.read();
  if (fds[link].revents != 0) commands_.read();
  if (fds[candidate].revents != 0) keeper_.read_candidate();
  if (fds[listener].revents != 0) keeper_.accept_candidate();
  if (fds[orchestrator].revents != 0 && end_.on_orchestrator_ended()) commands_.end();
  do_what_is_due();
  incarnation_.send_record();
}

void Shim::on_signals() {
  const Signals seen = read_signals(signals_);
  if (seen.child) incarnation_.reap();
  if (seen.terminate) commands_.end();
}

void Shim::do_what_is_due() {
  incarnation_.kill_if_due();
  output_.show_if_due();
  if (output_.take_report()) keeper_.owe(KeeperLink::Owed::record);
}

std::int64_t Shim::wait_ms() const {
  std::int64_t until = 0;
  for (const std::int64_t at : {incarnation_.kill_at_ns(), output_.report_at_ns(), output_.show_at_ns()}) {
    if (at != 0 && (until == 0 || at < until)) until = at;
  }
  if (until == 0) return -1;
  const std::int64_t left = until - sys::steady_ns();
  return left > 0 ? left / 1'000'000 + 1 : 0;
}

// Removes what is ours, and in an abandoned fleet the runtime directory with the last shim.
void Shim::leave() {
  incarnation_.remove_cgroup();
  sys::unlink(kShimSocket);
  char own[Path::kRoom];
  if (!end_.removes_files() || sys::current_dir(own, sizeof own) <= 0) return;
  output_.close_log();
  sys::change_dir("/");
  remove_service_files(own);
  if (!end_.removes_fleet()) return;
  std::size_t end = size_of(own);
  while (end > 0 && own[end] != '/') --end;
  own[end] = 0;
  remove_fleet_dir(own);
}

int shim_main(const ShimArguments& arguments) {
  sys::process_control(PR_SET_NAME, reinterpret_cast<unsigned long>("azora-shim"));
  alignas(Shim) static char memory[sizeof(Shim)];  // in bss: pages that are never touched cost nothing
  return (::new (memory) Shim(arguments))->run();
}

}  // namespace azora::keeper
