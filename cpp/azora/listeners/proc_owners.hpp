#pragma once
// Finds who holds a socket, by /proc: a process of the service whose main process is given, or another program.
// A process belongs to the service when it is in the cgroup that the keeper made for the service, or below its shim.
// The shim is the subreaper, so double-forked processes and those of another session count, too. A socket is the
// service's when it was made in that cgroup or is open in one of its processes, however it came there.
// What a process holds that we may not look into is not known. But the socket has the user who made it: when all
// processes of the service are of our own user alone, one that another user made (not root, who may have dropped its
// rights since) is not the service's.
// Threads: one at a time; waits for the kernel alone. Ownership: borrows the holders, which outlive it.
// Fails: what may not be read is `unknown`.
#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "azora/listeners/decide.hpp"
#include "azora/listeners/socket_holders.hpp"

namespace azora::listeners {

class ProcOwners : public Owners {
 public:
  // `main`: 0 when nothing of the service runs.
  ProcOwners(pid_t main, SocketHolders& holders);

  Whose whose(const Listener& listener) override;
  std::string holder(const Listener& listener) override;

 private:
  bool is_of_service(pid_t pid) const;
  void walk();
  bool is_of_another_user(const Listener& listener) const;
  std::optional<pid_t> find_holder(const Listener& listener);

  const pid_t main_;
  pid_t root_ = 0;                // the shim, or main when its parent is not a shim; 0: nothing runs
  std::uint64_t cgroup_ = 0;
  bool walked_ = false;
  std::vector<pid_t> processes_;  // the service's processes, after the walk
  SocketHolders& holders_;
};

}  // namespace azora::listeners
