#pragma once
// Who holds a socket, by /proc: a process of the service whose main process is given, or another program.
// Of the service is what is in the cgroup that the keeper made for it, and all that is below its shim, which is the
// subreaper of its descendants: double-forked ones and those of another session count. A socket is the service's when it
// was made in that cgroup or is open in one of its processes, however it came there.
// Threads: one at a time; waits for the kernel alone. Fails: what may not be read is `unknown`.
#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "azora/listeners/decide.hpp"

namespace azora::listeners {

class ProcOwners : public Owners {
 public:
  // `main`: 0 when nothing of the service runs.
  explicit ProcOwners(pid_t main);

  Whose whose(const Listener& listener) override;
  std::string holder(const Listener& listener) override;

 private:
  bool is_of_service(pid_t pid) const;
  void walk();
  std::optional<pid_t> find_holder(const Listener& listener);

  const pid_t main_;
  pid_t root_ = 0;                // the shim, or main where its parent is none; 0: nothing runs
  std::uint64_t cgroup_ = 0;
  bool walked_ = false;
  std::vector<pid_t> processes_;  // of the service, once walked
  std::optional<Listener> last_;  // whose holder was looked for, and what was found
  std::optional<pid_t> last_holder_;
};

}  // namespace azora::listeners
