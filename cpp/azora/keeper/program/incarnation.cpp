#include "azora/keeper/program/incarnation.hpp"

#include <errno.h>
#include <sys/wait.h>

#include "azora/keeper/program/descendants.hpp"
#include "azora/keeper/program/proc.hpp"
#include "azora/keeper/program/sys.hpp"

namespace azora::keeper {
namespace {

constexpr int kMostWalks = 16;  // the processes that are left may all be dead

}  // namespace

Incarnation::Incarnation(std::uint64_t serial, const char* cgroup, ServiceOutput& output, KeeperLink& keeper)
    : cgroup_path_(cgroup), output_(output), keeper_(keeper) {
  record_.serial = serial;
}

void Incarnation::send_record() {
  if (!keeper_.owes_any()) return;
  record_.log_dropped = output_.dropped();
  record_.log_loss = output_.loss();
  keeper_.send_owed(record_);
}

void Incarnation::launch(LaunchFrame& launch) {
  record_ = Record{.serial = record_.serial,
                   .incarnation = launch.incarnation,
                   .phase = Phase::launching,
                   .log_dropped = output_.dropped(),
                   .log_loss = output_.loss()};
  set_id(&record_, launch.id);
  record_.spec_hash = launch.spec_hash;
  failure_ = {};
  stop_.renew(launch.stop, launch.orphan_timeout_ms);
  output_.configure(launch.log_max_bytes, launch.log_files);
  if (cgroup_path_ != nullptr) cgroup_.renew(cgroup_path_);
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
  output_.open(spawned.output);
  error_pipe_ = spawned.error_pipe;
}

// By the cgroup where it has a memory controller; what the child then finds in `launch` is left to it.
void Incarnation::bound_memory(LaunchFrame& launch) {
  const bool by_cgroup = cgroup_.limit_memory(launch.memory_limit);
  if (launch.memory_limit == 0) return;
  record_.memory_bound = by_cgroup ? MemoryBound::cgroup : MemoryBound::address_space;
  if (by_cgroup) launch.memory_limit = 0;
}

void Incarnation::read_error_pipe() {
  if (error_pipe_ < 0) return;
  SpawnFailure failure;
  const long size = sys::read(error_pipe_, &failure, sizeof failure);
  if (size == -EAGAIN || size == -EINTR) return;
  close_error_pipe();
  if (size == static_cast<long>(sizeof failure)) {
    failure_ = failure;  // the child ends now; the record follows when it is reaped
  } else {
    on_started();
  }
}

void Incarnation::close_error_pipe() {
  if (error_pipe_ >= 0) sys::close(error_pipe_);
  error_pipe_ = -1;
}

void Incarnation::on_started() {
  record_.phase = Phase::running;
  record_.started_steady_ns = sys::steady_ns();
  record_.started_wall_ms = sys::wall_ms();
  record_.output_pipe = pipe_inode(sys::own_pid(), output_.pipe());
  ProcessStat stat;
  if (read_stat(record_.pid, &stat)) record_.start_ticks = stat.start_ticks;
  changed();
}

void Incarnation::reap() {
  const bool lived = main_alive_;
  int status = 0;
  long pid = 0;
  while ((pid = sys::reap(&status)) > 0) {
    if (pid == record_.pid && main_alive_) on_main_ended(status);
  }
  if (main_alive_ || !has_process()) return;
  const bool none_left = pid == -ECHILD;
  if (lived && record_.phase == Phase::exited) {
    if (!none_left && may_daemonize()) look_at_left();
    changed();
    send_record();  // at once: the disk of the logs may keep us below
  }
  continue_sweep(none_left);
}

void Incarnation::on_main_ended(int status) {
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
bool Incarnation::may_daemonize() const {
  const bool clean = record_.exit_kind == ExitKind::code && record_.exit_value == 0;
  return clean && !record_.stop_asked && sys::steady_ns() - record_.started_steady_ns < kRightAfterStartNs;
}

// A process that forks and ends while we look hands its child to us unseen: the next walk meets it.
void Incarnation::look_at_left() {
  for (int walks = 0; walks < kMostWalks && record_.left_pid == 0; ++walks) {
    DescendantWalk walk;
    while (record_.left_pid == 0 && walk.next()) {
      if (walk.process().alive()) record_.left_pid = walk.process().pid;
    }
  }
}

// Main is dead.
void Incarnation::continue_sweep(bool none_left) {
  if (!none_left) {
    if (!stop_.spare_left()) kill_all();
    return;
  }
  stop_.over();
  output_.end();
  close_error_pipe();
  record_.phase = failure_.step != SpawnStep::none ? Phase::start_failed : Phase::swept;
  changed();
}

void Incarnation::acknowledge() {
  if (is_over(record_.phase)) record_.phase = Phase::idle;
}

void Incarnation::stop(const StopOrder& order) {
  if (!has_process()) return;
  mark_stop_asked();
  stop_.order(order, living_main());
}

void Incarnation::kill() {
  if (!has_process()) return;
  mark_stop_asked();
  kill_all();
}

void Incarnation::end() {
  if (!has_process()) return;
  mark_stop_asked();
  if (main_alive_) stop_.order_as_launched(record_.pid);  // else the sweep is already going on
}

void Incarnation::kill_if_due() {
  if (stop_.kill_at_ns() != 0 && sys::steady_ns() >= stop_.kill_at_ns()) kill_all();
}

void Incarnation::kill_all() {
  stop_.kill();
  const bool by_cgroup = record_.in_cgroup && cgroup_.kill_all();
  // What left the cgroup, or has none, is still below us.
  if (!by_cgroup || !main_alive_) kill_descendants();
}

// Notes in the record that the service was asked to end.
void Incarnation::mark_stop_asked() {
  if (record_.stop_asked) return;
  record_.stop_asked = true;
  changed();
}

void Incarnation::remove_cgroup() {
  cgroup_.close();
  if (cgroup_path_ != nullptr) sys::remove_dir(cgroup_path_);
}

}  // namespace azora::keeper
