#pragma once
// The cgroup v2 folder of one service, where we may write one. It only makes killing faster and knows about
// OOM kills; that all descendants are gone is proven by wait, with or without it.
// Threads: the program has one. Fails: quietly, by not being open; without a cgroup everything goes the other way.
#include <cstdint>

#include "azora/keeper/program/text.hpp"

namespace azora::keeper {

// The folder of the calling process in the v2 hierarchy, wherever that is mounted; "" when there is none.
Path own_cgroup();

// Where a service's cgroup is made: below our own.
Path cgroup_path(const char* own, const char* token, std::uint64_t serial);

class Cgroup {
 public:
  Cgroup() = default;
  // Makes the folder anew for the next incarnation, or takes the one there when that is not possible.
  void renew(const char* path);
  bool is_open() const { return fd_ >= 0; }
  int fd() const { return fd_; }
  // True: processes may be born inside it. Where cgroup.kill was ever used on it or on our own, kernels
  // of late kill those at birth; they have to join.
  bool takes_newborn() const { return fd_ >= 0 && fresh_ && births_survive_; }
  // Of the calling process; a negative errno.
  long join() const;
  void close();
  bool kill_all() const;
  // How many OOM kills there were in it; -1: it has no memory controller of its own.
  std::int64_t oom_kills() const;

 private:
  bool try_child(bool born_inside) const;
  int fd_ = -1;
  bool fresh_ = false;
  bool tried_ = false;
  bool births_survive_ = false;
  bool joins_work_ = false;
};

// Fork into the cgroup: joining one afterwards waits for a grace period of the kernel. 0 in the child.
long fork_into(const Cgroup& cgroup);

// By path, for the keeper: kills all in it. True when nothing is left, or there is no such cgroup.
bool kill_cgroup(const char* path);
bool is_cgroup_empty(const char* path);

}  // namespace azora::keeper
