// One incarnation from launch to sweep, as its parent sees it.
#include <errno.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

#include "azora/keeper/program/descendants.hpp"
#include "azora/keeper/program/fleet_dir.hpp"
#include "azora/keeper/program/proc.hpp"
#include "azora/keeper/program/shim.hpp"
#include "azora/keeper/program/sys.hpp"
#include "azora/keeper/program/text.hpp"

namespace azora::keeper {
namespace {

constexpr int kReadRounds = 16;                          // of a buffer, then other descriptors get their turn
constexpr int kLastRounds = 256;                         // a process that is not ours may hold the pipe and write on
constexpr std::int64_t kSlowDiskNs = 100'000'000;        // for kReadRounds buffers
constexpr int kBacklog = 32 * 1024;                      // half of a pipe: the service is about to wait
constexpr std::int64_t kReportDroppedEveryNs = 1'000'000'000;
constexpr int kMostWalks = 16;                           // dead processes may be all that there is

void close_and_forget(int* fd) {
  if (*fd >= 0) sys::close(*fd);
  *fd = -1;
}

}  // namespace

void Shim::launch(LaunchFrame& launch) {
  record_ = Record{.serial = arguments_.serial,
                   .incarnation = launch.incarnation,
                   .phase = Phase::launching,
                   .log_dropped = log_.dropped(),
                   .log_loss = log_.loss()};
  set_id(&record_, launch.id);
  record_.spec_hash = launch.spec_hash;
  failure_ = {};
  stop_.renew(launch.stop, launch.orphan_timeout_ms);
  log_.configure(launch.log_max_bytes, launch.log_files);
  if (arguments_.cgroup != nullptr) cgroup_.renew(arguments_.cgroup);
  oom_before_ = cgroup_.oom_kills();
  bound_memory(launch);

  Spawned spawned;
  failure_ = spawn(launch, cgroup_, &spawned);
  if (failure_.step != SpawnStep::none) {
    record_.failed_step = failure_.step;
    record_.failed_error = failure_.error;
    record_.phase = Phase::start_failed;
    return changed();
  }
  main_alive_ = true;
  record_.pid = spawned.pid;
  record_.in_cgroup = spawned.in_cgroup;
  output_ = spawned.output;
  error_pipe_ = spawned.error_pipe;
}

// By the cgroup where it has a memory controller; what the child then finds in `launch` is left to it.
void Shim::bound_memory(LaunchFrame& launch) {
  const bool by_cgroup = cgroup_.limit_memory(launch.memory_limit);
  if (launch.memory_limit == 0) return;
  record_.memory_bound = by_cgroup ? MemoryBound::cgroup : MemoryBound::address_space;
  if (by_cgroup) launch.memory_limit = 0;
}

// Closes at exec, or carries what went wrong before it.
void Shim::read_error_pipe() {
  if (error_pipe_ < 0) return;
  SpawnFailure failure;
  const long size = sys::read(error_pipe_, &failure, sizeof failure);
  if (size == -EAGAIN || size == -EINTR) return;
  close_and_forget(&error_pipe_);
  if (size == static_cast<long>(sizeof failure)) {
    failure_ = failure;  // and it ends; the record follows when it is reaped
  } else {
    on_started();
  }
}

void Shim::on_started() {
  record_.phase = Phase::running;
  record_.started_steady_ns = sys::steady_ns();
  record_.started_wall_ms = sys::wall_ms();
  record_.output_pipe = pipe_inode(sys::own_pid(), output_);
  ProcessStat stat;
  if (read_stat(record_.pid, &stat)) record_.start_ticks = stat.start_ticks;
  changed();
}

void Shim::reap() {
  const bool lived = main_alive_;
  int status = 0;
  long pid = 0;
  while ((pid = sys::reap(&status)) > 0) {
    if (pid == record_.pid && main_alive_) on_main_ended(status);
  }
  if (main_alive_ || !has_process(record_.phase)) return;
  const bool none_left = pid == -ECHILD;
  if (lived && record_.phase == Phase::exited) {
    if (!none_left && may_daemonize()) look_at_left();
    changed();
    send_record();  // at once: the disk of the logs may keep us below
  }
  continue_sweep(none_left);
}

void Shim::on_main_ended(int status) {
  read_error_pipe();
  main_alive_ = false;
  record_.exited_wall_ms = sys::wall_ms();
  if (failure_.step != SpawnStep::none) {
    record_.failed_step = failure_.step;
    record_.failed_error = failure_.error;
    record_.failed_detail = failure_.detail;
    return;
  }
  const bool signalled = WIFSIGNALED(status);
  record_.exit_kind = signalled ? ExitKind::signal : ExitKind::code;
  record_.exit_value = signalled ? WTERMSIG(status) : WEXITSTATUS(status);
  const std::int64_t oom_kills = cgroup_.oom_kills();
  if (record_.in_cgroup && oom_kills >= 0 && oom_before_ >= 0) {
    record_.oom = signalled && oom_kills > oom_before_ ? Oom::yes : Oom::no;
  }
  record_.phase = Phase::exited;
}

// R61: what ends with 0 right after its start has done its work, or has gone into the background.
bool Shim::may_daemonize() const {
  const bool clean = record_.exit_kind == ExitKind::code && record_.exit_value == 0;
  return clean && !record_.stop_asked && sys::steady_ns() - record_.started_steady_ns < kRightAfterStartNs;
}

// A process that forks and ends while we look hands its child to us unseen: the next walk meets it.
void Shim::look_at_left() {
  for (int walks = 0; walks < kMostWalks && record_.left_pid == 0; ++walks) {
    DescendantWalk walk;
    while (record_.left_pid == 0 && walk.next()) {
      if (walk.process().alive()) record_.left_pid = walk.process().pid;
    }
  }
}

// Main is dead. Over only when wait says that no descendant is left.
void Shim::continue_sweep(bool none_left) {
  if (!none_left) {
    if (!stop_.spare_left()) kill_all();
    return;
  }
  stop_.over();
  if (output_ >= 0) {
    log_.pump(output_, kLastRounds);
    end_output();
  }
  close_and_forget(&error_pipe_);
  record_.phase = failure_.step != SpawnStep::none ? Phase::start_failed : Phase::swept;
  changed();
}

void Shim::end_output() {
  log_.finish_line();
  close_and_forget(&output_);
}

void Shim::read_output() {
  if (output_ < 0) return;
  const std::int64_t before = sys::steady_ns();
  if (log_.pump(output_, kReadRounds) == LogWriter::Pumped::ended) end_output();
  const std::int64_t now = sys::steady_ns();
  int waiting = 0;
  if (output_ >= 0 && now - before > kSlowDiskNs && sys::ioctl(output_, FIONREAD, &waiting) == 0 &&
      waiting >= kBacklog) {
    log_.drop_backlog(output_);
  }
}

void Shim::report_dropped() {
  if (log_.loss() == reported_loss_ || sys::steady_ns() < report_dropped_at_ns_) return;
  reported_loss_ = log_.loss();
  report_dropped_at_ns_ = sys::steady_ns() + kReportDroppedEveryNs;
  changed();
}

void Shim::kill_all() {
  stop_.kill();
  const bool by_cgroup = record_.in_cgroup && cgroup_.kill_all();
  // What left the cgroup, or has none, is still below us.
  if (!by_cgroup || !main_alive_) kill_descendants();
}

void Shim::stop_asked() {
  if (record_.stop_asked) return;
  record_.stop_asked = true;
  changed();
}

void Shim::end() {
  if (ending_) return;
  ending_ = true;
  if (has_process(record_.phase)) stop_asked();
  if (!main_alive_) return;  // the sweep goes on by itself
  stop_.order_as_launched(record_.pid);
}

void Shim::leave() {
  left_ = true;
  cgroup_.close();
  if (arguments_.cgroup != nullptr) sys::remove_dir(arguments_.cgroup);
  sys::unlink(kShimSocket);
  char own[Path::kRoom];
  if ((!arguments_.ephemeral && !forgotten_) || sys::current_dir(own, sizeof own) <= 0) return;
  log_.close();
  sys::change_dir("/");
  remove_service_files(own);
  if (!orchestrator_ended_ || !arguments_.ephemeral) return;
  // The last shim of a fleet without an orchestrator removes the runtime directory.
  std::size_t end = size_of(own);
  while (end > 0 && own[end] != '/') --end;
  own[end] = 0;
  remove_fleet_dir(own);
}

}  // namespace azora::keeper
