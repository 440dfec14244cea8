#include "azora/keeper/program/spawn.hpp"

#include "azora/keeper/program/sys.hpp"

namespace azora::keeper {
namespace {

struct Pipe {
  int ends[2] = {-1, -1};
  int open() { return static_cast<int>(sys::pipe(ends)); }
  void close() {
    if (ends[0] >= 0) sys::close(ends[0]);
    if (ends[1] >= 0) sys::close(ends[1]);
  }
};

}  // namespace

SpawnFailure spawn(const LaunchFrame& launch, const Cgroup& cgroup, Spawned* spawned) {
  Pipe output;
  Pipe error;
  int failed = output.open();
  if (failed == 0) failed = error.open();
  if (failed < 0) {
    output.close();
    return {SpawnStep::fork, -failed, 0};
  }
  const int shim = sys::own_pid();
  long pid = cgroup.takes_forks() ? fork_into(cgroup) : -1;
  const bool forked_inside = pid >= 0;
  if (!forked_inside) pid = sys::fork();
  if (pid == 0) {
    // The standard input stays the null device that this program has.
    sys::duplicate(output.ends[1], 1);
    sys::duplicate(output.ends[1], 2);
    sys::duplicate(error.ends[1], kErrorPipeFd, O_CLOEXEC);
    if (!forked_inside && cgroup.is_open()) {
      const long joined = cgroup.join();
      if (joined < 0) fail_spawn(SpawnStep::cgroup, joined);
    }
    sys::close_range(kErrorPipeFd + 1, ~0U);
    become_service(launch, shim);
  }
  if (pid < 0) {
    output.close();
    error.close();
    return {SpawnStep::fork, static_cast<std::int32_t>(-pid), 0};
  }
  sys::close(output.ends[1]);
  sys::close(error.ends[1]);
  sys::set_nonblocking(output.ends[0]);
  sys::set_nonblocking(error.ends[0]);
  *spawned = {static_cast<int>(pid), output.ends[0], error.ends[0], cgroup.is_open()};
  return {};
}

}  // namespace azora::keeper
