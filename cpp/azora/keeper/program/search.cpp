#include "azora/keeper/program/search.hpp"

#include "azora/keeper/program/directory.hpp"
#include "azora/keeper/program/proc.hpp"
#include "azora/keeper/program/text.hpp"

namespace azora::keeper {
namespace {

bool is_of(const Record& record, const ProcessStat& stat, bool session_is_ours) {
  if (stat.pid == record.pid) return stat.start_ticks == record.start_ticks;
  if (session_is_ours && stat.session == record.pid) return true;
  if (record.output_pipe == 0) return false;
  return pipe_inode(stat.pid, 1) == record.output_pipe || pipe_inode(stat.pid, 2) == record.output_pipe;
}

// The pid may name another process by now: the descriptor is of one, and its start time tells which.
void kill_exactly(const ProcessStat& known) {
  const int pidfd = sys::pidfd_open(known.pid);
  if (pidfd < 0) return;
  ProcessStat now;
  if (read_stat(known.pid, &now) && now.start_ticks == known.start_ticks) sys::pidfd_kill(pidfd, SIGKILL);
  sys::close(pidfd);
}

}  // namespace

int kill_traces(const Record& record) {
  if (record.pid <= 0) return 0;
  ProcessStat leader;
  const bool leader_exists = read_stat(record.pid, &leader);
  const bool session_is_ours = !leader_exists || leader.start_ticks == record.start_ticks;
  PidList found;
  for_each_name("/proc", [&](const char* name) {
    const auto pid = static_cast<int>(number_or_zero(name));
    ProcessStat stat;
    if (pid > 0 && pid != sys::own_pid() && read_stat(pid, &stat) && stat.alive() && is_of(record, stat, session_is_ours)) {
      found.add(pid);
    }
  });
  int alive = 0;
  // Children are listed before their parent is hit.
  for (int i = 0; i < found.count(); ++i) {
    ProcessStat stat;
    if (!read_stat(found.at(i), &stat) || !stat.alive()) continue;
    ++alive;
    add_children(found.at(i), &found);
    kill_exactly(stat);
  }
  return alive;
}

}  // namespace azora::keeper
