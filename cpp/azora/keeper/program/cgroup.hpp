#pragma once
// The cgroup v2 folder of one service, where we may make one. It only makes killing faster and knows about OOM kills;
// wait proves that all descendants are gone, with or without it.
// Threads: the program has one. Fails: quietly, by not being open; without a cgroup the program uses its other means.
#include <cstdint>

#include "azora/keeper/program/text.hpp"

namespace azora::keeper {

// Where cgroups of services are made: in the folder of the calling process in the v2 hierarchy, or, where that
// one cannot give memory limits because it has processes itself, in its parent when that is delegated to us.
// "" when there is no v2 hierarchy.
Path cgroup_base();

// The cgroup of one service below it.
Path cgroup_path(const char* base, const char* token, std::uint64_t serial);

class Cgroup {
 public:
  Cgroup() = default;
  // Makes the folder anew for the next incarnation, or takes the one there when that is not possible.
  void renew(const char* path);
  bool is_open() const { return fd_ >= 0; }
  int fd() const { return fd_; }
  // True: processes may be started inside it. Newer kernels kill such processes at once if cgroup.kill was ever used on
  // it or on our own cgroup; then processes have to join it after fork().
  bool takes_forks() const { return fd_ >= 0 && fresh_ && forks_survive_; }
  // Moves the calling process into it; a negative errno when that fails.
  long join() const;
  void close();
  bool kill_all() const;
  // What all its processes may use together; 0: no limit. When it is reached and nothing can be reclaimed, all of
  // them are killed. False: it has no memory controller of its own.
  bool limit_memory(std::uint64_t bytes) const;
  // How many OOM kills there were in it; -1: it has no memory controller of its own.
  std::int64_t oom_kills() const;

 private:
  bool try_child(bool forked_inside) const;
  int fd_ = -1;
  bool fresh_ = false;
  bool tried_ = false;
  bool forks_survive_ = false;
  bool joins_work_ = false;
};

// Forks into the cgroup, since joining it afterwards waits for a grace period of the kernel. 0 in the child.
long fork_into(const Cgroup& cgroup);

// By path, for the keeper: kills all in it. True when nothing is left, or there is no such cgroup.
bool kill_cgroup(const char* path);
bool is_cgroup_empty(const char* path);

}  // namespace azora::keeper
